"""What became of the questions of each kind: right, wrong, refused, and what was cited for them.

Knows the fates of a question and counts them. Knows no interval and no table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.summaries import Metric

ALL_KINDS = "all"
KIND_COLUMNS = (
    Metric("right", "right", "the answer holds the gold words; without an answer: refused"),
    Metric("wrong", "wrong", "anything else that was said, errors too"),
    Metric("refused", "refused", "refused though there is an answer"),
    Metric("wrong_verified", "wrong, verified", "wrong ones among them with a verified citation"),
    Metric("cited", "cited", "answers with citations where the relevant documents are known"),
    Metric("other_document", "other doc", "those of them that cite a document not among these"),
)


@dataclass(frozen=True, slots=True)
class KindCounts:
    """How many questions of a kind met which fate; right, wrong and refused make up all of them."""

    kind: str
    num: int
    right: int
    wrong: int
    refused: int
    wrong_verified: int
    cited: int
    other_document: int


def count_by_kind(outcomes: Sequence[Outcome]) -> list[KindCounts]:
    """Return a row a kind in the order of the questions, then one for all."""
    kinds = dict.fromkeys(outcome.question.kind for outcome in outcomes)
    rows = [
        _counts(kind, [outcome for outcome in outcomes if outcome.question.kind == kind])
        for kind in kinds
        if kind
    ]
    return [*rows, _counts(ALL_KINDS, outcomes)]


def is_right(outcome: Outcome) -> bool:
    """True when the gold words were said, or what has no answer was refused."""
    if not outcome.question.is_answerable:
        return outcome.is_refused
    return outcome.scores.get("contains") == 1.0


def is_refused_wrongly(outcome: Outcome) -> bool:
    """True when a question that has an answer was refused."""
    return outcome.question.is_answerable and outcome.is_refused


def _counts(kind: str, outcomes: Sequence[Outcome]) -> KindCounts:
    wrong = list(_wrong(outcomes))
    others = [o.scores["other_document"] for o in outcomes if "other_document" in o.scores]
    return KindCounts(
        kind=kind,
        num=len(outcomes),
        right=sum(map(is_right, outcomes)),
        wrong=len(wrong),
        refused=sum(map(is_refused_wrongly, outcomes)),
        wrong_verified=sum(outcome.is_verified for outcome in wrong),
        cited=len(others),
        other_document=sum(map(int, others)),
    )


def _wrong(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    return (o for o in outcomes if not is_right(o) and not is_refused_wrongly(o))
