"""The pocket reader as a Generator: the extractive reader's sentences, their words ranked anew.

Sentences, citations and refusals are those of the extractive reader; a small model of our own only
chooses which words of the first sentence are lit. Implements Generator; knows no retrieval.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import Usage
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.questions import AnswerType, answer_type
from kb_service.domain.spans import TextSpan
from kb_service.domain.text import is_chinese, normalise, trimmed_span
from kb_service.generation.extractive import written
from kb_service.generation.pocket_model import PocketReader, Reading
from kb_service.generation.reading import FORMED_TYPES, Quotation, read
from kb_service.generation.span_model import Weights, shipped_weights
from kb_service.generation.typed_spans import answer_words
from llm.errors import CheckpointError

NOTICE_EN = (
    "Answers are quoted word for word; a small reader chooses which words of a sentence are lit. "
    "It is less exact than the built-in extractive reader (leave KB_LLM__MODEL empty)."
)
NOTICE_ZH = (
    "回答逐字引用原文，由一个小型阅读模型标出句中的关键词。它不如内置的摘录式阅读器准确"
    "（把 KB_LLM__MODEL 留空即可改用后者）。"
)
MAX_SENTENCE_CHARS = 320
MAX_QUESTION_CHARS = 160
"""Longer ones were never seen in training; the extractive reader's words stay."""
MAX_CANDIDATES = 64
MAX_CANDIDATE_CHARS = 60
CHINESE_BONUS, ENGLISH_BONUS, SURE_BONUS = 4.0, 1.0, 5.0
"""What the extractive reader's own words gain in confidence: by the question's language, and where
the answer has a form (a date, a number) that its patterns know. Chosen on training questions around
the words of its rules, and not again since a model chooses them (training/reader/calibrate.py)."""

_SPELLED_AS_BLANK = "\u2581"
_CUT = re.compile(r"[，。；：、！？,;:!?（）()《》“”\"\s]+")
_BEGINS = re.compile(r"(?:称为|叫做|名为|位于|就是|由于|因为|[是为叫由于在有被与和及至到])(?=.)")
_ENDS = re.compile(r"(?<=.)(?:的|等|而|是|为|在|于|[和与及])")


class PocketGenerator:
    """Quotes what the extractive reader quotes; a pocket reader ranks candidate words of it."""

    def __init__(self, reader: PocketReader, weights: Weights | None = None) -> None:
        """`weights`: of the span model, by default the package's; empty or absent: rules alone.

        Raises ConfigurationError `model_corrupt` as the extractive reader does.
        """
        self._reader = reader
        self._weights = shipped_weights() if weights is None else weights

    @classmethod
    def load(cls, folder: Path) -> "PocketGenerator":
        """Load an exported folder. Raises ConfigurationError (model_corrupt)."""
        try:
            return cls(PocketReader.load(folder))
        except CheckpointError as error:
            raise ConfigurationError(
                f"{folder} cannot be loaded: {error}",
                code="model_corrupt",
                details={"model": str(folder)},
            ) from error

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is and how to get the better one."""
        origin = self._reader.origin
        return GeneratorInfo(
            kind="extractive",
            name=origin.name,
            model_sha256=origin.weights,
            tokenizer_sha256=origin.tokenizer,
            notice_en=NOTICE_EN,
            notice_zh=NOTICE_ZH,
        )

    @property
    def description(self) -> str:
        """How it answers, and its shape, for the operator."""
        shape = self._reader.shape
        return (
            "rules choose the sentence and the span model its words, which a pocket reader ranks "
            f"against others: {shape}, float32 on the CPU"
        )

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the extractive reader's quotations; fields and long ones keep its words."""
        quotations = list(read(request.question, request.passages, request.idf, self._weights))
        if quotations and is_readable(quotations[0]):
            words = self.words_of(request.question, quotations[0])
            quotations[0] = replace(quotations[0], words=words)
        yield from written(quotations)
        return said(quotations)

    def words_of(self, question: str, quotation: Quotation) -> str:
        """The candidate with the best confidence; the extractive reader's own has a bonus."""
        if len(question) > MAX_QUESTION_CHARS:
            return quotation.words
        spans = candidates(question, quotation)
        readings = self._reader.score(spelled(question), [spelled(quotation.text)], 1, spans)
        return best_words(quotation.text, quotation.words, readings, bonus_of(question))


def said(quotations: Sequence[Quotation]) -> Generation:
    """The end of an answer made of quotations."""
    words = quotations[0].words if quotations else ""
    return Generation(text="".join(written(quotations)), usage=Usage(), answer_words=words)


def spelled(text: str) -> str:
    """The text as the tokenizer can spell it, character for character."""
    return text.replace(_SPELLED_AS_BLANK, " ")


def best_words(text: str, own_words: str, readings: Sequence[Reading], bonus: float) -> str:
    """The words of the likeliest reading, those of the extractive reader ahead by ``bonus``."""

    def weight(reading: Reading) -> float:
        is_own = reading.span is not None and reading.span.of(text) == own_words
        return reading.confidence + bonus * is_own

    best = max(readings, key=weight, default=None)
    return best.span.of(text) if best and best.span else own_words


def bonus_of(question: str) -> float:
    """How much less sure other words may be than the extractive reader's and lose to them."""
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
    """Spans worth scoring: the quotation's words first, then others that overlap them.

    Others are words of any type that a pattern knows, clauses and parts of them between particles,
    and pairs of English words. Where it has no words, every such span counts. The extractive reader
    finds the right place more often than the model does, and the model the right ends: spans
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
