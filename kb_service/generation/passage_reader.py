"""Reads passages with the trained encoder: the words of each that answer, and how sure that is.

Implements PassageReader. The same question and passages give the same readings, however busy the
machine is. Knows logits through SpanScorer; knows no evidence and nothing of documents but text.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import UnitKind
from kb_service.generation.windows import Window, choose_windows
from kb_service.language.asked import as_meant
from kb_service.language.background import asking_first, asking_part
from kb_service.language.variants import simplified

MAX_ANSWER_TOKENS = 96
ENOUGH = 0.7
"""Half of the windows that may be read are read first; a reading as sure as this ends the search.

Where there are fewer, all are: the paper that corrects another one says what that one says too.
"""

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says of one window of T tokens.

    `span`: start and end logits (T, 2), index 0 for no answer. `answerable`: a logit. `offsets`: of
    each token in the window's text, None for tokens of question and title.
    """

    span: Logits
    answerable: float
    offsets: Sequence[tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a reading is, by two numbers of the network: a logistic regression.

    Fitted to the weights (training.reader.calibration) and kept with them.
    """

    margin: float
    answerable: float
    bias: float

    def of(self, margin: float, answerable: float) -> float:
        """The likelihood that a reading answers, between 0 and 1."""
        logit = self.margin * margin + self.answerable * answerable + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


class SpanScorer(Protocol):
    """The network with its tokenizer."""

    @property
    def confidence(self) -> Confidence:
        """What the network's numbers are worth."""

    @property
    def name(self) -> str:
        """Name of the model."""

    def length(self, text: str) -> int:
        """Return the number of tokens of a text."""

    def room(self, question: str, title: str) -> int:
        """Return how many tokens of text fit beside a question and a title."""

    def score(self, question: str, texts: Sequence[tuple[str, str]]) -> list[Scores]:
        """Return the scores of each (title, text)."""


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """The likeliest words of a window. `margin`: their logits above those of no answer."""

    passage: Passage
    span: TextSpan
    margin: float
    answerable: float


class TrainedReader:
    """Reads at most `max_windows` windows a question."""

    def __init__(self, scorer: SpanScorer, max_windows: int) -> None:
        self._scorer, self._max_windows = scorer, max_windows

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._scorer.name

    def read(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> tuple[Reading, ...]:
        """Return the best reading of every passage that was read, surest first."""
        windows = self.windows(question, passages, idf)
        best: dict[int, Reading] = {}
        half = -(-self._max_windows // 2)
        for part in (windows[:half], windows[half:]):
            for scored in self.scored(question, part):
                reading = self._reading(scored)
                known = best.get(reading.passage.number)
                if known is None or reading.confidence > known.confidence:
                    best[reading.passage.number] = reading
            if any(reading.confidence >= ENOUGH for reading in best.values()):
                break
        return tuple(sorted(best.values(), key=lambda r: (-r.confidence, r.passage.number)))

    def windows(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> list[Window]:
        """Return what would be read, likeliest first."""
        longest = max((len(p.title) for p in passages), default=0)
        title = next((p.title for p in passages if len(p.title) == longest), "")
        return choose_windows(
            question,
            idf,
            passages,
            self._scorer.length,
            max_tokens=self._scorer.room(_read_as(question), title),
            max_windows=self._max_windows,
        )

    def scored(self, question: Question, windows: Sequence[Window]) -> Iterator[ScoredSpan]:
        """Yield the best words of each window that has any."""
        texts = [(simplified(window.passage.title), simplified(window.text)) for window in windows]
        scored = self._scorer.score(_read_as(question), texts)
        for window, scores in zip(windows, scored, strict=True):
            found = _scored(window, scores)
            if found:
                yield found

    def _reading(self, scored: ScoredSpan) -> Reading:
        confidence = self._scorer.confidence.of(scored.margin, scored.answerable)
        return Reading(scored.passage, scored.span, confidence)


def _read_as(question: Question) -> str:
    """A question as it is read: what asks of a long one, simplified, without slips of the keys."""
    return simplified(asking_first(asking_part(as_meant(question.text))))


def _scored(window: Window, scores: Scores) -> ScoredSpan | None:
    """Return the likeliest words of a window; a heading answers nothing."""
    shown = ((u, u.span.overlap(window.span)) for u in window.passage.units)
    headings = [
        span.shifted(-window.span.start)
        for unit, span in shown
        if span and unit.kind is UnitKind.HEADING
    ]
    found = best_span(scores, headings)
    if found is None:
        return None
    first, last, margin = found
    start, end = scores.offsets[first], scores.offsets[last]
    if start is None or end is None:
        return None
    span = TextSpan(start[0], end[1]).shifted(window.span.start)
    kept = trimmed(window.passage.text, span)
    return ScoredSpan(window.passage, kept, margin, scores.answerable) if kept else None


def best_span(scores: Scores, beside: Sequence[TextSpan] = ()) -> tuple[int, int, float] | None:
    """Return first and last token of the likeliest answer, and by how much it beats "none".

    It begins and ends outside of the spans of the text `beside`. The sum of start and end logits,
    as in Devlin et al. 2019, section 4.3.
    """
    inside = np.array(
        [
            place
            for place, offsets in enumerate(scores.offsets)
            if offsets and not any(span.start <= offsets[0] < span.end for span in beside)
        ]
    )
    if not len(inside):
        return None
    starts, ends = scores.span[inside, 0], scores.span[inside, 1]
    sums = starts[:, None] + ends[None, :]
    rows, columns = np.indices(sums.shape)
    is_allowed = (columns >= rows) & (columns - rows < MAX_ANSWER_TOKENS)
    sums = np.where(is_allowed, sums, -np.inf)
    first, last = np.unravel_index(int(sums.argmax()), sums.shape)
    none = float(scores.span[0, 0] + scores.span[0, 1])
    return int(inside[first]), int(inside[last]), float(sums[first, last]) - none


def trimmed(text: str, span: TextSpan) -> TextSpan | None:
    """Return the span without spaces at its ends, and without a bracket there that has no other.

    None when nothing is left.
    """
    start, end = span.start, span.end
    while start < end:
        words = text[start:end]
        if words[0].isspace() or _is_lonely(words[0], words, "Ps", "Pe"):
            start += 1
        elif words[-1].isspace() or _is_lonely(words[-1], words, "Pe", "Ps"):
            end -= 1
        else:
            return TextSpan(start, end)
    return None


def _is_lonely(mark: str, words: str, kind: str, other: str) -> bool:
    """True for a bracket of a kind (a Unicode category) where more are of it than of the other."""
    kinds = [unicodedata.category(character) for character in words]
    return unicodedata.category(mark) == kind and kinds.count(kind) > kinds.count(other)
