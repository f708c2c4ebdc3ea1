"""From ranked chunks to the numbered passages a generator reads: ContextAssembler.

Indexed small, read large: each chunk grows over its neighbours to whole sentences under a token
budget. Every passage is sliced from the stored text. Knows no ranking, no question words, no model.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from kb_service.domain.queries import Passage, Reranking, ScoredChunk
from kb_service.domain.questions import Question, Subject
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.identifiers import names_whole
from kb_service.language.lexicon import CJK
from kb_service.language.mentions import picking_names
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.language.values import supporting_values
from kb_service.services.nearness import Nearness

CHARS_PER_TOKEN = 3.5
"""Latin characters per token. A CJK character counts as one token; both err on the long side for
the ChatGLM3 tokenizer, and the generator checks the real length."""

MAX_DOCUMENTS_NAMED = 2
"""Latin names pick documents only when at most this many of those found state them all.

Of the capitalised words in the train questions of SQuAD, 98 % stand in the question's own document
when one or two of the collection hold the word, and 92 to 96 % when more do.
"""

_CHARS_PER_TOKEN_AT_MOST = 4
"""A passage reaches no further than this many characters a token around its chunk."""

_CJK = regex(f"[{CJK}]")


class RevisionTexts(Protocol):
    """Where stored texts are read."""

    def stretches(
        self, places: Sequence[tuple[int, TextSpan]], margin: int
    ) -> list[MarkedText | None]:
        """Return the words of each (revision id, span) and up to `margin` characters around them.

        None where the revision is gone.
        """


class Naming(Protocol):
    """Where names are looked up in whole documents; a retriever fulfils it."""

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return by normalised name which of the documents hold it whole in their words."""


@dataclass(frozen=True, slots=True)
class Context:
    """Numbered passages, best first, and what of the question their documents name.

    `reranking`: what a reranker did to the chunks they grew from (None: none did). `nearness`: how
    near all that was found is to the question.
    """

    passages: tuple[Passage, ...]
    confirmed: frozenset[str]
    reranking: Reranking | None = None
    nearness: Nearness = field(default_factory=Nearness)


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of one revision that may become a passage; `item` is its best-ranked chunk.

    `around`: the stored words that it stands in and may grow over. `found`: the places of all its
    chunks, best first.
    """

    item: ScoredChunk
    around: MarkedText
    span: TextSpan
    found: tuple[TextSpan, ...]

    @property
    def num_tokens(self) -> int:
        return approximate_tokens(self.around.words(self.span))


class ContextAssembler:
    """Grows chunks to passages. Deterministic: same chunks and texts, same passages."""

    def __init__(
        self,
        texts: RevisionTexts,
        naming: Naming,
        *,
        max_passages: int,
        passage_tokens: int,
        context_tokens: int,
    ) -> None:
        self._texts = texts
        self._naming = naming
        self._max_passages = max_passages
        self._passage_tokens = passage_tokens
        self._context_tokens = context_tokens

    def assemble(
        self, kb_id: str, items: Sequence[ScoredChunk], fixed: Sequence[str] = ()
    ) -> Context:
        """Return passages in rank order; chunks of documents deleted meanwhile are left out.

        `fixed`: what the question fixes, see `fixed_by`. When documents name some of it, only the
        chunks of those that name the most are used: a report number in a question means it.
        """
        named, confirmed = keep_naming(items, fixed, partial(self._naming.stating, kb_id))
        windows = merge(self._windows(named))
        grown = merge([grow(window, self._passage_tokens) for window in windows])
        fitting = fit(grown, self._max_passages, self._context_tokens)
        return Context(tuple(_passage(n, w) for n, w in enumerate(fitting, start=1)), confirmed)

    def _windows(self, items: Sequence[ScoredChunk]) -> list[_Window]:
        """Return the chunks as windows; those that are near in one revision share a stretch."""
        margin = _CHARS_PER_TOKEN_AT_MOST * self._passage_tokens
        places = [(item.chunk.revision_id, item.chunk.draft.span) for item in items]
        hulls = _near(places, margin)
        read = self._texts.stretches(sorted(set(hulls)), margin)
        stretches = dict(zip(sorted(set(hulls)), read, strict=True))
        return [
            _Window(item, around, item.chunk.draft.span, (item.chunk.draft.span,))
            for item, hull in zip(items, hulls, strict=True)
            if (around := stretches[hull]) is not None
        ]


def _near(places: Sequence[tuple[int, TextSpan]], margin: int) -> list[tuple[int, TextSpan]]:
    """Return for each place the hull of all that it may grow together with."""
    hulls: list[tuple[int, TextSpan]] = []
    for revision_id, span in sorted(places):
        last = hulls[-1] if hulls else None
        if last and last[0] == revision_id and span.start - last[1].end <= 2 * margin:
            hulls[-1] = (revision_id, _hull(last[1], span))
        else:
            hulls.append((revision_id, span))
    return [next(h for h in hulls if h[0] == r and h[1].covers(span)) for r, span in places]


def approximate_tokens(text: str) -> int:
    """Return about how many tokens a text has: CJK characters + other characters / 3.5."""
    num_cjk = len(_CJK.findall(text))
    return num_cjk + round((len(text) - num_cjk) / CHARS_PER_TOKEN)


def fixed_by(question: Question, subjects: Sequence[Subject]) -> tuple[str, ...]:
    """Return what picks documents, case-folded: identifiers, names (`name:…`), full dates.

    A date is `date:2024-8-17`. No names beside an identifier, which says better what is meant.
    """
    dates = sorted(v for v in question.values if re.fullmatch(r"date:\d+-\d+-\d+", v))
    names = () if question.identifiers else picking_names(subjects)
    return (*question.identifiers, *names, *dates)


Stating = Callable[[Collection[str], Collection[str]], Mapping[str, frozenset[str]]]
"""(names, document ids) -> by name, the documents that state it."""


def keep_naming(
    items: Sequence[ScoredChunk], fixed: Sequence[str], stating: Stating
) -> tuple[list[ScoredChunk], frozenset[str]]:
    """Return the chunks of the documents that name most of `fixed`, and what they name.

    Identifiers and names are looked up in whole documents; dates in the ranked chunks only, because
    a long document holds all kinds of dates. Latin names pick documents only when they are rare.
    """
    named = _named(items, fixed, stating)
    for item in items:
        named[item.chunk.document_id] |= _dated(item, fixed)
    named = _with_rare_names(named)
    most = max((len(found) for found in named.values()), default=0)
    if most == 0:
        return list(items), frozenset()
    kept = [item for item in items if len(named[item.chunk.document_id]) == most]
    return kept, frozenset().union(*(named[item.chunk.document_id] for item in kept))


def _with_rare_names(named: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return what documents name, Latin names only for those that state every name any states.

    For none when these are many, and when no document states them all.
    """
    names = {value for found in named.values() for value in found if value.startswith("name:")}
    whole = {document_id for document_id, found in named.items() if names <= found}
    is_rare = len(whole) <= MAX_DOCUMENTS_NAMED
    return {
        document_id: found if is_rare and document_id in whole else found - names
        for document_id, found in named.items()
    }


def _named(
    items: Sequence[ScoredChunk], fixed: Sequence[str], stating: Stating
) -> dict[str, frozenset[str]]:
    """Return by document what it names in its title, by its file name or in its words."""
    wanted = {v.removeprefix("name:"): v for v in fixed if not v.startswith("date:")}
    titles = {
        item.chunk.document_id: normalise(f"{item.chunk.title}\n{item.chunk.document_name}")
        for item in items
    }
    stated = stating(wanted, titles) if wanted and titles else {}
    return {
        document_id: frozenset(
            value
            for name, value in wanted.items()
            if document_id in stated.get(name, ()) or names_whole(title, name)
        )
        for document_id, title in titles.items()
    }


def _dated(item: ScoredChunk, fixed: Sequence[str]) -> frozenset[str]:
    dates = frozenset(value for value in fixed if value.startswith("date:"))
    if not dates:
        return frozenset()
    draft = item.chunk.draft
    text = with_dates_in_order(f"{item.chunk.title}\n{draft.prefix}\n{draft.text}")
    return dates & supporting_values(text)


def merge(windows: Sequence[_Window]) -> list[_Window]:
    """Join windows of one revision that overlap or touch (only white space between them).

    A joined window stands where its best-ranked part stood.
    """
    merged: list[_Window] = []
    for window in windows:
        joined = window
        place = len(merged)
        for index in range(len(merged) - 1, -1, -1):
            if _touches(merged[index], joined):
                best = merged.pop(index)
                hull, found = _hull(best.span, joined.span), (*best.found, *joined.found)
                joined = replace(best, span=hull, found=found)
                place = index
        merged.insert(place, joined)
    return merged


def _touches(left: _Window, right: _Window) -> bool:
    if left.around is not right.around:
        return False
    start = min(left.span.end, right.span.end)
    gap = TextSpan(start, max(start, left.span.start, right.span.start))
    return not left.around.words(gap).strip()


def _hull(left: TextSpan, right: TextSpan) -> TextSpan:
    return TextSpan(min(left.start, right.start), max(left.end, right.end))


def grow(window: _Window, max_tokens: int) -> _Window:
    """Extend a window by whole units, after and before in turn, while it fits `max_tokens`."""
    text = window.around
    units = text.steps()
    after = [span for span in units if span.end > window.span.end]
    before = [span for span in units if span.start < window.span.start]
    span, num_tokens = window.span, window.num_tokens
    while after or before:
        # What follows explains more than what came before: two units after for one before.
        for side, count in ((after, 2), (before, 1)):
            for _ in range(min(count, len(side))):
                wider = _hull(span, side.pop(0 if side is after else -1))
                added = approximate_tokens(text.words(TextSpan(span.end, wider.end)))
                added += approximate_tokens(text.words(TextSpan(wider.start, span.start)))
                if num_tokens + added > max_tokens:
                    side.clear()
                    break
                span, num_tokens = wider, num_tokens + added
    return replace(window, span=span)


def fit(windows: Sequence[_Window], max_passages: int, max_tokens: int) -> list[_Window]:
    """Return the leading windows within both limits; the first one is always kept.

    A window that does not fit is passed over, so that a long one does not hide a short one.
    """
    kept: list[_Window] = []
    num_tokens = 0
    for window in windows:
        if len(kept) == max_passages:
            break
        if kept and num_tokens + window.num_tokens > max_tokens:
            continue
        kept.append(window)
        num_tokens += window.num_tokens
    return kept


def _passage(number: int, window: _Window) -> Passage:
    chunk, marked = window.item.chunk, window.around.cut(window.span)
    return Passage(
        number=number,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        revision_id=chunk.revision_id,
        sha256=window.item.sha256,
        title=chunk.title,
        span=window.span,
        text=marked.text,
        score=window.item.score,
        units=tuple(marked.quotable()),
        document_name=chunk.document_name,
        found=tuple(span.shifted(-window.span.start) for span in window.found),
    )
