"""Reads passages with the trained encoder: the words of each that answer, and how sure that is.

Implements PassageReader. The same question and passages give the same readings, however busy the
machine is. Knows logits through SpanScorer; knows no evidence and nothing of documents but text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.generation.windows import Window, choose_windows

MAX_ANSWER_TOKENS = 96
MARGIN_WEIGHT, ANSWERABLE_WEIGHT, BIAS = 0.195, 0.058, -1.565
"""Logistic regression over the best reading of 170 questions: invented papers of the seen layouts,
SQuAD and DRCD (model card)."""

ENOUGH = 0.7
"""The likelier half of the windows is read first; a reading as sure as this ends the search."""

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


class SpanScorer(Protocol):
    """The network with its tokenizer."""

    @property
    def name(self) -> str:
        """Name of the model."""

    def length(self, text: str) -> int:
        """Return the number of tokens of a text."""

    def room(self, question: str, title: str) -> int:
        """Return how many tokens of text fit beside a question and a title."""

    def score(self, question: str, texts: Sequence[tuple[str, str]]) -> list[Scores]:
        """Return the scores of each (title, text)."""


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
        longest = max((len(p.title) for p in passages), default=0)
        title = next((p.title for p in passages if len(p.title) == longest), "")
        windows = choose_windows(
            question.terms,
            idf,
            passages,
            self._scorer.length,
            max_tokens=self._scorer.room(question.text, title),
            max_windows=self._max_windows,
        )
        best: dict[int, Reading] = {}
        half = -(-len(windows) // 2)
        for part in (windows[:half], windows[half:]):
            for reading in self._readings(question, part):
                known = best.get(reading.passage.number)
                if known is None or reading.confidence > known.confidence:
                    best[reading.passage.number] = reading
            if any(reading.confidence >= ENOUGH for reading in best.values()):
                break
        return tuple(sorted(best.values(), key=lambda r: (-r.confidence, r.passage.number)))

    def _readings(self, question: Question, windows: Sequence[Window]) -> Iterator[Reading]:
        texts = [(window.passage.title, window.text) for window in windows]
        scored = self._scorer.score(question.text, texts)
        for window, scores in zip(windows, scored, strict=True):
            reading = to_reading(window, scores)
            if reading:
                yield reading


def to_reading(window: Window, scores: Scores) -> Reading | None:
    """Return the best words of a window and their confidence; None where it has no words."""
    found = best_span(scores)
    if found is None:
        return None
    first, last, margin = found
    start, end = scores.offsets[first], scores.offsets[last]
    if start is None or end is None:
        return None
    span = TextSpan(start[0], end[1]).shifted(window.span.start)
    trimmed = _trimmed(window.passage.text, span)
    confidence = _sure(MARGIN_WEIGHT * margin + ANSWERABLE_WEIGHT * scores.answerable + BIAS)
    return Reading(window.passage, trimmed, confidence) if trimmed else None


def best_span(scores: Scores) -> tuple[int, int, float] | None:
    """Return first and last token of the likeliest answer, and by how much it beats "none".

    The sum of start and end logits, as in Devlin et al. 2019, section 4.3.
    """
    inside = np.array([i for i, offsets in enumerate(scores.offsets) if offsets is not None])
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


def _trimmed(text: str, span: TextSpan) -> TextSpan | None:
    words = span.of(text)
    start = span.start + len(words) - len(words.lstrip())
    kept = words.strip()
    return TextSpan(start, start + len(kept)) if kept else None


def _sure(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))
