"""The answer as it is written: raw model text in, checked sentences with citations out.

A feed/flush machine. A sentence is released when it is complete and was checked against the
passages; what was released is final, so streamed pieces joined are exactly the answer. Sentences
without support are dropped. Knows no model, no storage.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import cast

from kb_service.domain.answers import AnswerStatus, Citation, CitationStatus, Generation
from kb_service.domain.queries import Passage
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.language.text import sentence_spans
from kb_service.language.wording import split_markers
from kb_service.services.asking import CitationEvent, TokenEvent
from kb_service.services.citations import (
    Quote,
    Support,
    SupportStatus,
    find_support,
    says_nothing,
)
from kb_service.services.prompting import is_refusal
from kb_service.services.replies import ReplyFilter

Regions = Callable[[int, TextSpan], tuple[PageRegion, ...]]
"""(revision id, span in its text) -> where those words stand on its pages."""

NO_ANSWER = "no_answer_in_passages"
NO_SUPPORT = "no_supported_sentence"
DROPPED = "unsupported_sentences_dropped"
UNVERIFIED = "unverified_sentences"
CUT_OFF = "max_tokens_reached"

_ROW = re.compile(r"(?<=\n)[ \t]*\|[^\n]*")
"""A row of a table, whatever ends sentences in it."""

_MARKED_LINES = re.compile(r".+?(?:\[\d+\](?=\n)|\Z)", re.DOTALL)
"""Text up to a line that ends with the mark of its source: a field or heading is no sentence, and
the next line says something else."""


class SentenceCutter:
    """Cuts a stream into sentences, each with the white space before it; pieces may end anywhere.

    A row of a table is one. The result depends on the whole text only, not on how it was cut into
    pieces.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._before = "\n"

    def feed(self, piece: str) -> list[tuple[str, str]]:
        """Return (white space, sentence) pairs that are complete, keeping the last one back."""
        self._rest += piece
        # The last sentence may go on, and its end mark may gain a closing quote.
        return self._take(self._spans()[:-1])

    def flush(self) -> list[tuple[str, str]]:
        """Return what is left."""
        return self._take(self._spans())

    def _spans(self) -> list[TextSpan]:
        text, spans, end = self._before + self._rest, [], 1
        for row in [*_ROW.finditer(text), None]:
            for line in _MARKED_LINES.finditer(text, end, row.start() if row else len(text)):
                spans += [s.shifted(line.start() - 1) for s in sentence_spans(line.group())]
            if row:
                spans.append(TextSpan(row.start() - 1, row.end() - 1))
                end = row.end()
        return spans

    def _take(self, spans: Sequence[TextSpan]) -> list[tuple[str, str]]:
        taken, end = [], 0
        for span in spans:
            taken.append((self._rest[end : span.start], span.of(self._rest)))
            end = span.end
        self._before = self._rest[end - 1 : end] or self._before
        self._rest = self._rest[end:]
        return taken


class GroundedWriter:
    """Builds one answer. Read `text`, `citations` and the verdict after `write` has ended."""

    def __init__(self, passages: Sequence[Passage], regions: Regions) -> None:
        self._passages = passages
        self._regions = regions
        self._filter = ReplyFilter()
        self._cutter = SentenceCutter()
        self._numbers: dict[tuple[int, TextSpan], int] = {}
        self._num_released = self._num_dropped = 0
        self._says_nothing_found = False
        self.text = ""
        self.citations: list[Citation] = []

    def write(
        self, pieces: Generator[str, None, Generation]
    ) -> Generator[TokenEvent | CitationEvent, None, Generation]:
        """Yield the events of each sentence as soon as it is checked; return the Generation."""
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                yield from self._release_all(self._cutter.feed(self._filter.flush()))
                yield from self._release_all(self._cutter.flush())
                return cast(Generation, end.value)
            yield from self._release_all(self._cutter.feed(self._filter.feed(piece)))

    def say(self, text: str) -> Iterator[TokenEvent]:
        """Release words of the service's own, which no document supports and none needs to."""
        self.text += text
        yield TokenEvent(text)

    def verdict(self, generation: Generation) -> tuple[AnswerStatus, str | None]:
        """Return the status and its reason; a refusal when nothing was released."""
        if not self._num_released:
            return AnswerStatus.REFUSED, self._silence(generation)
        if self._num_dropped:
            return AnswerStatus.PARTIAL, DROPPED
        if any(c.status is CitationStatus.UNVERIFIED for c in self.citations):
            return AnswerStatus.PARTIAL, UNVERIFIED
        if generation.finish_reason == "length":
            return AnswerStatus.PARTIAL, CUT_OFF
        return AnswerStatus.ANSWERED, None

    def _silence(self, generation: Generation) -> str:
        """Return why nothing was released."""
        if self._says_nothing_found:
            return NO_ANSWER
        if self._num_dropped:
            return NO_SUPPORT
        return CUT_OFF if generation.finish_reason == "length" else NO_ANSWER

    def locate(self, words: str) -> TextSpan | None:
        """Return where words stand in the released text, None when they do not."""
        start = self.text.find(words) if words else -1
        return TextSpan(start, start + len(words)) if start >= 0 else None

    def _release_all(
        self, sentences: Sequence[tuple[str, str]]
    ) -> Iterator[TokenEvent | CitationEvent]:
        for gap, sentence in sentences:
            yield from self._release(gap, sentence)

    def _release(self, gap: str, sentence: str) -> Iterator[TokenEvent | CitationEvent]:
        plain, hinted = split_markers(sentence)
        if not plain.strip():
            return
        if is_refusal(plain):
            self._says_nothing_found = True
            return
        if says_nothing(plain):
            # Only the line below the head of a table is worth keeping.
            if self.text and plain.lstrip().startswith("|"):
                yield self._add(gap, plain)[0]
            return
        support = find_support(plain, self._passages, hinted)
        if support.status is SupportStatus.UNSUPPORTED:
            self._num_dropped += 1
            return
        self._num_released += 1
        event, place = self._add(gap, plain)
        yield event
        for citation in self._cite(support, place):
            yield CitationEvent(citation)

    def _add(self, gap: str, words: str) -> tuple[TokenEvent, TextSpan]:
        """Add words to the answer; return what tells of them, and where they stand in it."""
        lead = gap if self.text else ""
        start = len(self.text) + len(lead)
        self.text += lead + words
        return TokenEvent(lead + words), TextSpan(start, start + len(words))

    def _cite(self, support: Support, place: TextSpan) -> Iterator[Citation]:
        for quote in support.quotes:
            citation = self._citation(quote, place, support)
            self.citations.append(citation)
            yield citation

    def _citation(self, quote: Quote, place: TextSpan, support: Support) -> Citation:
        passage = quote.passage
        key = (passage.revision_id, quote.source)
        return Citation(
            id=f"c{len(self.citations) + 1}",
            number=self._numbers.setdefault(key, len(self._numbers) + 1),
            document_id=passage.document_id,
            sha256=passage.sha256,
            title=passage.title,
            cited_text=quote.text,
            source=quote.source,
            regions=self._regions(passage.revision_id, quote.source),
            answer=place,
            score=quote.score,
            status=CitationStatus(support.status.value),
            unsupported=tuple(span.shifted(place.start) for span in support.new),
            document_name=passage.document_name,
            document_date=passage.document_date,
            document_line=passage.document_line,
        )
