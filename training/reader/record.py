"""What the extractive reader answered and quoted, kept in a file to be judged again.

Knows JSON and which fields of an outcome matter. Does not know retrieval or models.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import Question
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.reading import Quotation, read
from kb_service.generation.span_model import shipped_weights

_NOWHERE = Passage(1, 0, "", 0, "", "", TextSpan(0, 0), "", 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's outcome, and the first quotation of the extractive reader, if any.

    A quotation from a file has no passage: its text is enough to choose other words of it.
    """

    outcome: Outcome
    quotation: Quotation | None


class Recorder:
    """The extractive reader, remembering its first quotation for each question."""

    def __init__(self) -> None:
        self._reader = ExtractiveReader()
        self._quoted: dict[str, Quotation] = {}

    @property
    def info(self) -> GeneratorInfo:
        """That of the extractive reader."""
        return self._reader.info

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """As the extractive reader does."""
        quotations = read(request.question, request.passages, request.idf, shipped_weights())
        if quotations:
            self._quoted[request.question] = quotations[0]
        return (yield from self._reader.generate(request))

    def beside(self, outcomes: Sequence[Outcome]) -> list[Asked]:
        """Each outcome with what was quoted for its question."""
        return [Asked(each, self._quoted.get(each.question.text)) for each in outcomes]


def write_record(path: Path, asked: Sequence[Asked]) -> None:
    """One JSON line for each question."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(_row(each), ensure_ascii=False) for each in asked]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_record(path: Path, questions: Sequence[Question]) -> list[Asked]:
    """Outcomes of the same questions in the same order.

    Raises:
        ValueError: the record is of other questions.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if [row["id"] for row in rows] != [question.id for question in questions]:
        raise ValueError(f"{path} is of other questions; remove it and ask again")
    return [_asked(row, question) for row, question in zip(rows, questions, strict=True)]


def _row(asked: Asked) -> dict[str, Any]:
    outcome, quotation = asked.outcome, asked.quotation
    quoted = None
    if quotation:
        quoted = {
            "text": quotation.text,
            "words": quotation.words,
            "score": quotation.score,
            "is_field": quotation.is_field,
        }
    return {
        "id": outcome.question.id,
        "status": outcome.status,
        "reason": outcome.reason,
        "answer": outcome.answer,
        "words": outcome.words,
        "seconds": outcome.seconds,
        "scores": outcome.scores,
        "quotation": quoted,
    }


def _asked(row: dict[str, Any], question: Question) -> Asked:
    outcome = Outcome(
        question,
        row["status"],
        row["reason"],
        row["answer"],
        row["words"],
        row["seconds"],
        row["scores"],
    )
    quoted = row["quotation"]
    quotation = Quotation(_NOWHERE, TextSpan(0, 0), **quoted) if quoted else None
    return Asked(outcome, quotation)
