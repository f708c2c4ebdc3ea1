"""From ranked chunks to the numbered passages a generator reads: ContextAssembler.

Indexed small, read large: each chunk grows over its neighbours to whole sentences under a token
budget. Every passage is sliced from the stored text. Knows no ranking, no question words, no model.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kb_service.domain.documents import Revision
from kb_service.domain.errors import NotFound
from kb_service.domain.queries import Passage, Reranking, ScoredChunk
from kb_service.domain.questions import Question
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK
from kb_service.language.subjects import latin_names
from kb_service.language.text import normalise
from kb_service.language.units import quotable_units
from kb_service.language.values import supporting_values

CHARS_PER_TOKEN = 3.5
"""Latin characters per token. A CJK character counts as one token; both err on the long side for
the ChatGLM3 tokenizer, and the generator checks the real length."""

MAX_DOCUMENTS_NAMED = 2
"""Latin names pick documents only when at most this many of those found state them all.

Of the capitalised words in the train questions of SQuAD, 98 % stand in the question's own document
when one or two of the collection hold the word, and 92 to 96 % when more do.
"""

_CJK = re.compile(f"[{CJK}]")


class RevisionTexts(Protocol):
    """Where stored texts are read."""

    def revision_text(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Revision, str]:
        """Return a revision with its stored text. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Context:
    """Numbered passages, best first, and what of the question their documents name.

    `reranking`: what a reranker did to the chunks they grew from (None: none did).
    """

    passages: tuple[Passage, ...]
    confirmed: frozenset[str]
    reranking: Reranking | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of one revision that may become a passage; `item` is its best-ranked chunk."""

    item: ScoredChunk
    text: str
    span: TextSpan

    @property
    def num_tokens(self) -> int:
        return approximate_tokens(self.span.of(self.text))


class ContextAssembler:
    """Grows chunks to passages. Deterministic: same chunks and texts, same passages."""

    def __init__(
        self, texts: RevisionTexts, *, max_passages: int, passage_tokens: int, context_tokens: int
    ) -> None:
        self._texts = texts
        self._max_passages = max_passages
        self._passage_tokens = passage_tokens
        self._context_tokens = context_tokens

    def assemble(
        self, kb_id: str, items: Sequence[ScoredChunk], fixed: Iterable[str] = ()
    ) -> Context:
        """Return passages in rank order; chunks of documents deleted meanwhile are left out.

        `fixed`: what the question fixes, see `fixed_by`. When documents name some of it, only the
        chunks of those that name the most are used: a report number in a question means it.
        """
        windows = self._windows(kb_id, items)
        named, confirmed = keep_naming(windows, tuple(fixed))
        grown = merge([grow(window, self._passage_tokens) for window in merge(named)])
        fitting = fit(grown, self._max_passages, self._context_tokens)
        return Context(tuple(_passage(n, w) for n, w in enumerate(fitting, start=1)), confirmed)

    def _windows(self, kb_id: str, items: Sequence[ScoredChunk]) -> list[_Window]:
        texts: dict[int, str | None] = {}
        for item in items:
            if item.chunk.revision_id not in texts:
                texts[item.chunk.revision_id] = self._text_of(kb_id, item)
        return [
            _Window(item, text, item.chunk.draft.span)
            for item in items
            if (text := texts[item.chunk.revision_id]) is not None
        ]

    def _text_of(self, kb_id: str, item: ScoredChunk) -> str | None:
        try:
            _, text = self._texts.revision_text(kb_id, item.chunk.document_id, item.sha256)
        except NotFound:
            # Deleted between ranking and reading: it must not be quoted any more.
            return None
        return text


def approximate_tokens(text: str) -> int:
    """Return about how many tokens a text has: CJK characters + other characters / 3.5."""
    num_cjk = len(_CJK.findall(text))
    return num_cjk + round((len(text) - num_cjk) / CHARS_PER_TOKEN)


def fixed_by(question: Question) -> tuple[str, ...]:
    """Return what picks documents, case-folded: identifiers, names (`name:…`), full dates.

    A Chinese name stands without its ending, a date is `date:2024-8-17`.
    """
    dates = sorted(v for v in question.values if re.fullmatch(r"date:\d+-\d+-\d+", v))
    latin = (f"name:{name}" for name in latin_names(question))
    return (*question.identifiers, *question.subjects, *latin, *dates)


def keep_naming(
    windows: Sequence[_Window], fixed: tuple[str, ...]
) -> tuple[list[_Window], frozenset[str]]:
    """Return the windows of the documents that name most of `fixed`, and what they name.

    Identifiers and names are looked up in whole documents; dates in the ranked chunks only, because
    a long document holds all kinds of dates. Latin names pick documents only when they are rare.
    """
    named: dict[int, frozenset[str]] = {}
    for window in windows:
        revision_id = window.item.chunk.revision_id
        found = named.get(revision_id)
        if found is None:
            found = _named(window, fixed)
        named[revision_id] = found | _dated(window, fixed)
    named = _with_rare_names(named)
    most = max((len(found) for found in named.values()), default=0)
    if most == 0:
        return list(windows), frozenset()
    kept = [w for w in windows if len(named[w.item.chunk.revision_id]) == most]
    return kept, frozenset().union(*(named[w.item.chunk.revision_id] for w in kept))


def _with_rare_names(named: Mapping[int, frozenset[str]]) -> dict[int, frozenset[str]]:
    """Return what documents name, Latin names only for those that state every name any states.

    For none when these are many, and when no document states them all.
    """
    names = {value for found in named.values() for value in found if value.startswith("name:")}
    whole = {revision_id for revision_id, found in named.items() if names <= found}
    is_rare = len(whole) <= MAX_DOCUMENTS_NAMED
    return {
        revision_id: found if is_rare and revision_id in whole else found - names
        for revision_id, found in named.items()
    }


def _named(window: _Window, fixed: tuple[str, ...]) -> frozenset[str]:
    wanted = [value for value in fixed if not value.startswith("date:")]
    if not wanted:
        return frozenset()
    haystack = normalise(f"{window.item.chunk.title}\n{window.text}")
    return frozenset(v for v in wanted if names_identifier(haystack, v.removeprefix("name:")))


def _dated(window: _Window, fixed: tuple[str, ...]) -> frozenset[str]:
    dates = frozenset(value for value in fixed if value.startswith("date:"))
    if not dates:
        return frozenset()
    draft = window.item.chunk.draft
    return dates & supporting_values(f"{window.item.chunk.title}\n{draft.prefix}\n{draft.text}")


def names_identifier(haystack: str, identifier: str) -> bool:
    """True when a normalised text holds the identifier as a whole: sg-1 is not in sg-12."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(identifier)}(?![a-z0-9])", haystack))


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
                joined = _Window(best.item, best.text, _hull(best.span, joined.span))
                place = index
        merged.insert(place, joined)
    return merged


def _touches(left: _Window, right: _Window) -> bool:
    if left.item.chunk.revision_id != right.item.chunk.revision_id:
        return False
    gap = left.text[min(left.span.end, right.span.end) : max(left.span.start, right.span.start)]
    return not gap.strip()


def _hull(left: TextSpan, right: TextSpan) -> TextSpan:
    return TextSpan(min(left.start, right.start), max(left.end, right.end))


def grow(window: _Window, max_tokens: int) -> _Window:
    """Extend a window by whole units, after and before in turn, while it fits `max_tokens`."""
    low = max(0, window.span.start - 4 * max_tokens)
    high = min(len(window.text), window.span.end + 4 * max_tokens)
    units = [unit.span.shifted(low) for unit in quotable_units(window.text[low:high])]
    after = [span for span in units if span.end > window.span.end]
    before = [span for span in units if span.start < window.span.start]
    span, num_tokens = window.span, window.num_tokens
    while after or before:
        # What follows explains more than what came before: two units after for one before.
        for side, count in ((after, 2), (before, 1)):
            for _ in range(min(count, len(side))):
                wider = _hull(span, side.pop(0 if side is after else -1))
                added = approximate_tokens(window.text[span.end : wider.end])
                added += approximate_tokens(window.text[wider.start : span.start])
                if num_tokens + added > max_tokens:
                    side.clear()
                    break
                span, num_tokens = wider, num_tokens + added
    return _Window(window.item, window.text, span)


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
    chunk = window.item.chunk
    return Passage(
        number=number,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        revision_id=chunk.revision_id,
        sha256=window.item.sha256,
        title=chunk.title,
        span=window.span,
        text=window.span.of(window.text),
        score=window.item.score,
    )
