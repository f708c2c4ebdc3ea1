"""The pocket reader behind the product's gate and citations: three ways to use it.

`CopyReader` chooses the sentence and the words in it. `SpanReader` leaves the sentence to the
extractive reader and chooses the words. `SpanRanker` only re-ranks candidate words of that
sentence, the extractive reader's among them. All quote sentences word for word, so citations are
spans as ever. Implements Generator; knows no retrieval and no metric.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import Usage
from kb_service.domain.queries import Passage
from kb_service.domain.questions import (
    AnswerType,
    answer_type,
    content_terms,
    coverage,
    text_terms,
)
from kb_service.domain.spans import TextSpan
from kb_service.domain.text import is_chinese, normalise, trimmed_span
from kb_service.generation.extractive import written
from kb_service.generation.reading import FORMED_TYPES, Quotation, read
from kb_service.generation.typed_spans import answer_words
from training.reader.evidence import Sentence, sentences_of
from training.reader.reading import PocketReader, Reading
from training.reader.tokens import MAX_EVIDENCE

CONTEXT_WEIGHT = 0.7
MAX_SENTENCE_CHARS = 320
MAX_CANDIDATES = 64
MAX_CANDIDATE_CHARS = 60
CHINESE_BONUS, ENGLISH_BONUS, SURE_BONUS = 4.0, 1.0, 5.0
"""What the extractive reader's own words gain in confidence: by the question's language, and where
the answer has a form (a date, a number) that its patterns know. Chosen on training questions
(`calibrate`)."""

_CUT = re.compile(r"[，。；：、！？,;:!?（）()《》“”\"\s]+")
_BEGINS = re.compile(r"(?:称为|叫做|名为|位于|就是|由于|因为|[是为叫由于在有被与和及至到])(?=.)")
_ENDS = re.compile(r"(?<=.)(?:的|等|而|是|为|在|于|[和与及])")


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence of a passage that the reader sees."""

    passage: Passage
    sentence: Sentence


class CopyReader:
    """Reads the best sentences of all passages; abstains when the reader says that none answers."""

    def __init__(self, reader: PocketReader, num_sentences: int = MAX_EVIDENCE) -> None:
        self._reader = reader
        self._num_sentences = num_sentences

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is."""
        return GeneratorInfo(kind="extractive", name=f"pocket reader, {self._num_sentences}")

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the sentence that was chosen; its words for the answer are `answer_words`."""
        shown = best_sentences(request, self._num_sentences)
        if not shown:
            return _said([])
        texts = [each.sentence.text for each in shown]
        reading = self._reader.read(request.question, texts)
        if reading.span is None:
            return _said([])
        chosen = shown[reading.number - 1]
        quotation = Quotation(
            chosen.passage,
            chosen.sentence.span,
            chosen.sentence.text,
            reading.span.of(chosen.sentence.text),
            reading.confidence,
        )
        yield from written([quotation])
        return _said([quotation])


def best_sentences(request: GenerationRequest, limit: int) -> list[Shown]:
    """The sentences of the passages that cover the question best, alone and with their title."""
    terms = content_terms(request.question)
    scored: list[tuple[float, Shown]] = []
    seen: set[str] = set()
    for passage in request.passages:
        title = text_terms(passage.title)
        for sentence in sentences_of(passage.text):
            if sentence.text in seen:
                continue
            seen.add(sentence.text)
            own = coverage(terms, sentence.terms, request.idf)
            whole = coverage(terms, sentence.terms | title, request.idf)
            scored.append((own + CONTEXT_WEIGHT * whole, Shown(passage, sentence)))
    scored.sort(key=lambda pair: -pair[0])
    return [shown for _, shown in scored[:limit]]


class SpanReader:
    """Quotes what the extractive reader quotes; the reader copies the answering words of it."""

    name = "extractive + reader's words"

    def __init__(self, reader: PocketReader) -> None:
        self._reader = reader

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is."""
        return GeneratorInfo(kind="extractive", name=self.name)

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the extractive reader's quotations; fields and long ones keep its words."""
        quotations = list(read(request.question, request.passages, request.idf))
        if quotations and is_readable(quotations[0]):
            words = self.words_of(request.question, quotations[0])
            quotations[0] = replace(quotations[0], words=words)
        yield from written(quotations)
        return _said(quotations)

    def words_of(self, question: str, quotation: Quotation) -> str:
        """The answering words of a quotation."""
        reading = self._reader.read(question, [quotation.text], forced=1)
        return reading.span.of(quotation.text) if reading.span else quotation.words


class SpanRanker(SpanReader):
    """Quotes what the extractive reader quotes; the reader ranks candidate words of it."""

    name = "extractive + reader ranks"

    def words_of(self, question: str, quotation: Quotation) -> str:
        """The candidate with the best confidence; the extractive reader's own has a bonus."""
        text = quotation.text
        spans = candidates(question, quotation)
        readings = self._reader.score(question, [text], 1, spans)
        return best_words(text, quotation.words, readings, bonus_of(question))


def best_words(text: str, rule_words: str, readings: Sequence[Reading], bonus: float) -> str:
    """The words of the likeliest reading, those of the rules ahead by ``bonus``."""

    def weight(reading: Reading) -> float:
        is_rule = reading.span is not None and reading.span.of(text) == rule_words
        return reading.confidence + bonus * is_rule

    best = max(readings, key=weight, default=None)
    return best.span.of(text) if best and best.span else rule_words


def bonus_of(question: str) -> float:
    """How much less sure other words may be than the rules' and still lose to them."""
    if is_sure(question):
        return SURE_BONUS
    return CHINESE_BONUS if is_chinese(question) else ENGLISH_BONUS


def is_sure(question: str) -> bool:
    """Whether the answer has a form of its own, so that patterns recognise it."""
    return answer_type(question) in FORMED_TYPES


def is_readable(quotation: Quotation) -> bool:
    """Whether the reader was trained for such a quotation: prose of a sentence's length."""
    return not quotation.is_field and len(quotation.text) <= MAX_SENTENCE_CHARS


def candidates(question: str, quotation: Quotation) -> list[TextSpan]:
    """Spans worth scoring: the rules' words first, then others that overlap them.

    Others are words of any type that a pattern knows, clauses and parts of them between particles,
    and pairs of English words. Where the rules have no words, every such span counts. The
    rules find the right place more often than the model does, and the model the right ends: spans
    elsewhere in the sentence made answers worse on training questions.
    """
    text, asked = quotation.text, normalise(question)
    place = text.find(quotation.words) if quotation.words else -1
    ruled = TextSpan(place, place + len(quotation.words)) if place >= 0 else None
    found = {ruled: None} if ruled else {}
    for span in _spans(question, text):
        trimmed = trimmed_span(text, span.start, span.end)
        is_usable = trimmed is not None and trimmed.end - trimmed.start <= MAX_CANDIDATE_CHARS
        if trimmed is None or not is_usable or normalise(trimmed.of(text)) in asked:
            continue
        if ruled is None or trimmed.overlap(ruled):
            found.setdefault(trimmed)
    return list(found)[:MAX_CANDIDATES]


def _spans(question: str, text: str) -> Iterator[TextSpan]:
    for kind in AnswerType:
        span = answer_words(kind, question, text)
        if span:
            yield span
    for start, end in _clauses(text):
        for first in (start, *(m.end() for m in _BEGINS.finditer(text, start, end))):
            for last in (end, *(m.start() for m in _ENDS.finditer(text, first + 1, end))):
                yield TextSpan(first, last)


def _clauses(text: str) -> list[tuple[int, int]]:
    """Stretches between marks, and each pair of neighbours."""
    cuts = [(0, 0), *(m.span() for m in _CUT.finditer(text)), (len(text), len(text))]
    single = [(a[1], b[0]) for a, b in pairwise(cuts) if a[1] < b[0]]
    return [*single, *((a[0], b[1]) for a, b in pairwise(single))]


def _said(quotations: Sequence[Quotation]) -> Generation:
    words = quotations[0].words if quotations else ""
    return Generation(text="".join(written(quotations)), usage=Usage(), answer_words=words)
