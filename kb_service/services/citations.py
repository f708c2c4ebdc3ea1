"""Which stored words support an answer sentence: pure functions from sentence to quotations.

The system makes citations, never the model: a sentence is matched to units of the passages, and
what is cited is sliced from them. Rules, none of which is ever relaxed to make something match:

1. Words found in a passage as they stand (white space aside) are cited there, else the unit that
   holds most of what the sentence says.
2. Each clause is held against one unit. What no unit of the first one's document holds whole is
   new. A row of a table is held against lines, cell by cell.
3. Nothing new, and the same denials: verified. Else unverified, with the places of what is new.
4. Less than 40 % of what it says found: unsupported.

Knows no streaming, no storage and no model; what is new is decided in `language.novelty`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import UnitKind
from kb_service.language.claims import Claim
from kb_service.language.clauses import Clause, cells_in, clauses_in, is_row
from kb_service.language.folding import Folded, fold
from kb_service.language.novelty import (
    cited_clauses,
    contradicting,
    evidence_of,
    new_claims,
    share_met,
)
from kb_service.language.text import normalise
from kb_service.language.wording import EDGES

RELATED_SHARE = 0.4
"""Share of what a sentence says that must be found for it to be shown at all."""

SAME_SHARE = 0.5
"""A source that holds this much of a clause speaks of the same thing, so it must hold the rest."""

MAX_QUOTES = 3

_MIN_EXACT_CHARS = 12
"""A shorter exact match is cited with the whole sentence around it, so that it can be judged."""


class SupportStatus(StrEnum):
    """How far the passages carry a sentence."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage. `source`: their span in the revision text; `score`: 0..1 of the sentence
    that they hold."""

    passage: Passage
    source: TextSpan
    score: float

    @property
    def text(self) -> str:
        """The quoted words, sliced from the stored text."""
        return self.source.shifted(-self.passage.span.start).of(self.passage.text)


@dataclass(frozen=True, slots=True)
class Support:
    """What was found for one sentence. `quotes` is empty when it is unsupported.

    `new`: the places in the sentence of what the quotes do not say, in order; of a clause that they
    deny, or that denies what they say, the whole. Empty when it is verified or unsupported.
    """

    status: SupportStatus
    quotes: tuple[Quote, ...]
    new: tuple[TextSpan, ...] = ()


UNSUPPORTED = Support(SupportStatus.UNSUPPORTED, ())


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A stretch that may be cited, with what it says. `is_field`: one line of a form."""

    quote: Quote
    clauses: tuple[Clause, ...]
    evidence: frozenset[str]
    is_field: bool = False


def find_support(sentence: str, passages: Sequence[Passage], hinted: Iterable[int] = ()) -> Support:
    """Match one marker-free sentence to the passages; those numbered in `hinted` go first.

    A hint decides between equal matches only: it never makes a sentence supported.
    """
    first = frozenset(hinted)
    ordered = sorted(passages, key=lambda passage: passage.number not in first)
    said = fold(sentence)
    row = is_row(said.text)
    clauses = cells_in(said.text) if row else clauses_in(said.text, by_item=True)
    if not any(clause.claims for clause in clauses):
        return UNSUPPORTED
    exact = _exact(sentence, ordered)
    if exact:
        quote, cuts_denial = exact
        return _support(said, [quote], denied=clauses if cuts_denial else [])
    sources = _ranked(clauses, _lines(ordered) if row else _units(ordered))
    if not sources:
        return UNSUPPORTED
    held = _held_against(clauses, sources, fields_only=row)
    if _share_found(held) < RELATED_SHARE:
        return UNSUPPORTED
    return _judged(said, held)


def says_nothing(sentence: str) -> bool:
    """True for the line that parts the head of a table from its rows, and other marks alone."""
    return not any(character.isalnum() for character in sentence)


def find_verbatim(words: str, text: str) -> TextSpan | None:
    """Return where the words stand in a text when only white space may differ, else None.

    Punctuation at both ends of the words is optional, and a match may not cut a Latin word or a
    number in two.
    """
    wanted = "".join(words.strip(EDGES).split())
    if not wanted:
        return None
    places = [index for index, character in enumerate(text) if not character.isspace()]
    compact = "".join(text[index] for index in places)
    start = compact.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        span = TextSpan(places[start], places[end - 1] + 1)
        if not _cuts_word(text, span):
            return _with_outer_marks(words, text, span)
        start = compact.find(wanted, start + 1)
    return None


def _exact(sentence: str, passages: Sequence[Passage]) -> tuple[Quote, bool] | None:
    """Return where a sentence stands word for word, and whether it leaves out a denial there."""
    for passage in passages:
        span = find_verbatim(sentence, passage.text)
        if span is None:
            continue
        around = _enclosing(passage, span)
        cuts_denial = _denials(passage, around, span) != _denials(passage, span, span)
        if len(span) < _MIN_EXACT_CHARS or not _begins_clause(passage.text, span.start):
            span = around
        return _quote(passage, span, 1.0), cuts_denial
    return None


def _denials(passage: Passage, around: TextSpan, span: TextSpan) -> int:
    """Return how often the clauses of a stretch deny that a span in it touches."""
    words = fold(around.of(passage.text))
    return sum(
        len(clause.negations)
        for clause in clauses_in(words.text)
        if words.typed(clause.start, clause.end).shifted(around.start).overlap(span)
    )


def _judged(said: Folded, held: Sequence[tuple[Clause, _Source]]) -> Support:
    """Return the verdict on clauses, each held against a source."""
    sources = dict.fromkeys(source for _, source in held)
    new = [claim for clause, source in held for claim in new_claims(clause, source.evidence)]
    denied = [
        clause
        for source in sources
        for clause in contradicting([c for c, s in held if s is source], source.clauses)
    ]
    return _support(said, [source.quote for source in sources], new, denied)


def _support(
    said: Folded, quotes: Sequence[Quote], new: Iterable[Claim] = (), denied: Iterable[Clause] = ()
) -> Support:
    spans = _spans(said, new, denied)
    status = SupportStatus.UNVERIFIED if spans else SupportStatus.VERIFIED
    return Support(status, tuple(quotes), spans)


def _held_against(
    clauses: Sequence[Clause], sources: Sequence[_Source], *, fields_only: bool
) -> list[tuple[Clause, _Source]]:
    """Give each clause the source that it is held against: the best one of all, as a rule.

    Another one when that holds less than half of the clause, and this one holds it whole, lies in
    the same document and, for a cell of a row, is a line of a form. Words picked from here and
    there would make a sentence that nobody wrote.
    """
    best = sources[0]
    chosen = [best]
    revision = best.quote.passage.revision_id
    others = [s for s in sources[1:] if s.quote.passage.revision_id == revision]
    if fields_only:
        others = [source for source in others if source.is_field] if best.is_field else []
    held = []
    for clause in clauses:
        source = best
        if share_met([clause], best.evidence) < SAME_SHARE:
            room = others if len(chosen) < MAX_QUOTES else chosen[1:]
            whole = (other for other in room if not new_claims(clause, other.evidence))
            source = next(whole, best)
        if source not in chosen:
            chosen.append(source)
        held.append((clause, source))
    return held


def _share_found(held: Sequence[tuple[Clause, _Source]]) -> float:
    said = sum(claim.weight for clause, _ in held for claim in clause.claims)
    new = sum(c.weight for clause, source in held for c in new_claims(clause, source.evidence))
    return 1 - new / said


def _spans(said: Folded, new: Iterable[Claim], denied: Iterable[Clause]) -> tuple[TextSpan, ...]:
    """Return the places in the sentence as written, joined across white space."""
    places = [(claim.start, claim.end) for claim in new]
    places += [
        span for clause in denied for span in clause.negations or [_trimmed(said.text, clause)]
    ]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and not said.text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(said.typed(start, end) for start, end in joined)


def _trimmed(text: str, clause: Clause) -> tuple[int, int]:
    """Return where a clause stands without the marks at its ends."""
    words = text[clause.start : clause.end]
    start = clause.start + len(words) - len(words.lstrip(EDGES))
    return start, max(start + 1, clause.start + len(words.rstrip(EDGES)))


def _ranked(clauses: Sequence[Clause], sources: Iterable[_Source]) -> list[_Source]:
    """Return the sources that hold some of what is said, most first, then as given."""
    scored = [
        replace(source, quote=replace(source.quote, score=round(share, 4)))
        for source in sources
        if (share := share_met(clauses, source.evidence)) > 0
    ]
    return sorted(scored, key=lambda source: -source.quote.score)


def _units(passages: Sequence[Passage]) -> Iterator[_Source]:
    for passage in passages:
        for unit in passage.units:
            if unit.kind is not UnitKind.HEADING:
                yield _source(passage, unit.span, 0.0)


def _lines(passages: Sequence[Passage]) -> Iterator[_Source]:
    """Yield the lines of the units: a unit may hold several rows of a table."""
    for passage in passages:
        for unit in passage.units:
            for line in re.finditer(r"\S[^\n]*", unit.span.of(passage.text)):
                span = TextSpan(*line.span()).shifted(unit.span.start)
                yield _source(passage, span, 0.0, is_field=unit.kind is UnitKind.FIELD)


def _source(passage: Passage, span: TextSpan, score: float, *, is_field: bool = False) -> _Source:
    clauses = cited_clauses(span.of(passage.text))
    return _Source(_quote(passage, span, score), clauses, evidence_of(clauses), is_field)


def _quote(passage: Passage, span: TextSpan, score: float) -> Quote:
    return Quote(passage, span.shifted(passage.span.start), round(score, 4))


def _cuts_word(text: str, span: TextSpan) -> bool:
    return _joined(text, span.start) or _joined(text, span.end)


def _joined(text: str, place: int) -> bool:
    """True when the place lies inside a Latin word or a number (also 1|,500 and 3|.5)."""
    around = normalise(text[max(0, place - 1) : place + 1])
    if len(around) == 2 and all(c.isascii() and c.isalnum() for c in around):
        return True
    wider = text[max(0, place - 2) : place + 2]
    return bool(re.fullmatch(r"\d[.,]\d.?|.?\d[.,]\d", wider)) and len(wider) >= 3


def _with_outer_marks(words: str, text: str, span: TextSpan) -> TextSpan:
    """Take the first and the last mark along where both the sentence and the source have it."""
    first, last = words.lstrip()[:1], words.rstrip()[-1:]
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    opens = before and before == first and before in EDGES
    closes = after and after == last and after in EDGES
    return TextSpan(span.start - 1 if opens else span.start, span.end + 1 if closes else span.end)


def _begins_clause(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t")
    return not before or not before[-1].isalnum()


def _enclosing(passage: Passage, span: TextSpan) -> TextSpan:
    for unit in passage.units:
        if unit.span.covers(span):
            return unit.span
    return span
