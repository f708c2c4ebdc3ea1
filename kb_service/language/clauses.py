"""A text as clauses: each a stretch that says something, with what it claims, denies and is
evidence of.

Pure functions on normalised text. Knows what parts clauses, cells and items; what words claim is
known by `claims`. Decides nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from kb_service.language.claims import Claim, Said, said_in
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_CLAUSE_WORDS = "|".join(_LEXICON.patterns("wording", "clause_words"))
_PAUSE = rf"(?:[,;!?\u3002\u2026|\t{{}}]|[.:](?=\s)|\n\s*\n)+|(?={_CLAUSE_WORDS})"
_CLAUSE_END = regex(_PAUSE.replace("{}", ""))
_ITEM_END = regex(_PAUSE.replace("{}", _LEXICON.characters("wording", "list_joints")))
_LAST_DENIED = regex(rf"\s*(?:{any_of(_LEXICON.listed('wording', 'last_denied'))})(?![a-z])")
_MIN_WEIGHT = 1.5
"""A clause of less wording (a date, one word, two characters) says nothing alone: it belongs to the
one before it, the first one to the one behind."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a text that says something, with its claims, negations and evidence."""

    start: int
    end: int
    claims: tuple[Claim, ...]
    negations: tuple[tuple[int, int], ...]
    evidence: frozenset[str]


@lru_cache(maxsize=8_192)
def clauses_in(normalised: str, *, by_item: bool = False) -> tuple[Clause, ...]:
    """Return the clauses of a normalised text in order; none where nothing is said.

    `by_item`: the items of a list count as clauses; in words that are cited they do not, because
    what is denied of the first is denied of all.
    """
    said = said_in(normalised)
    cuts = _cuts(said.held, _ITEM_END if by_item else _CLAUSE_END, said.negations)
    return tuple(_clauses(_stretches(cuts, said.claims), said))


def is_row(text: str) -> bool:
    """True for a row of a table as a reply writes it."""
    return text.lstrip().startswith("|") and text.count("|") > 1


def cells_in(normalised: str) -> tuple[Clause, ...]:
    """Return what each cell of a row says, one clause a cell; none for an empty one."""
    cells = []
    for match in re.finditer(r"[^|]+", normalised):
        parts = clauses_in(match.group())
        if parts:
            cells.append(_joined(parts, match.start()))
    return tuple(cells)


def _joined(parts: tuple[Clause, ...], offset: int) -> Clause:
    """Return several clauses as one, `offset` characters later."""
    claims = (
        Claim(c.start + offset, c.end + offset, c.ways, c.weight, c.is_word)
        for part in parts
        for c in part.claims
    )
    negations = ((a + offset, b + offset) for part in parts for a, b in part.negations)
    evidence = frozenset[str]().union(*(part.evidence for part in parts))
    start, end = parts[0].start + offset, parts[-1].end + offset
    return Clause(start, end, tuple(claims), tuple(negations), evidence)


def _clauses(stretches: list[tuple[int, int]], said: Said) -> Iterator[Clause]:
    for start, end in stretches:
        claims = tuple(claim for claim in said.claims if start <= claim.start < end)
        negations = tuple(span for span in said.negations if start <= span[0] < end)
        evidence = frozenset(key for place, key in said.facts if start <= place < end)
        if claims or negations:
            yield Clause(start, end, claims, negations, evidence)


def _cuts(text: str, ends: re.Pattern[str], negations: Sequence[tuple[int, int]]) -> list[int]:
    """Return where a text may be cut into clauses, both its ends included."""
    cuts = [0]
    for match in ends.finditer(text):
        if not match.end():
            continue
        if _LAST_DENIED.match(text, match.end()):
            # Nothing parts the items of a list from the word that denies them all.
            denied = max((start for start, _ in negations if start < match.end()), default=-1)
            while denied >= 0 and cuts[-1] > denied:
                cuts.pop()
            continue
        cuts.append(match.end())
    return [*cuts, len(text)]


def _stretches(cuts: list[int], claims: Sequence[Claim]) -> list[tuple[int, int]]:
    """Return where the clauses stand; what says too little alone is with its neighbour."""
    words = [claim for claim in claims if claim.is_word]
    kept: list[tuple[int, int]] = []
    begun = 0
    for start, end in pairwise(cuts):
        alone = sum(claim.weight for claim in words if start <= claim.start < end)
        with_earlier = sum(claim.weight for claim in words if begun <= claim.start < end)
        if kept and alone < _MIN_WEIGHT:
            kept[-1] = (kept[-1][0], end)
        elif with_earlier >= _MIN_WEIGHT or end == cuts[-1]:
            kept.append((begun, end))
        else:
            continue
        begun = end
    return kept
