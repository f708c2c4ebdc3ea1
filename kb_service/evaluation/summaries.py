"""From outcomes to figures with intervals: one summary a system, and comparisons of two.

Knows every column of the tables: its key, its label and over which questions it is taken. Knows
neither files nor mark-up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kb_service.evaluation.judging import FAILED, Outcome
from kb_service.evaluation.ranking import Scores
from kb_service.evaluation.refusals import RefusalCounts
from kb_service.evaluation.resampling import Difference, Estimate, FloatArray, Pair, Resampling
from kb_service.evaluation.resources import Latency

ValuesBySet = Mapping[str, Sequence[float]]
"""Set name -> per-question values of one metric, in the order of the questions."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A column: `key` in scores and JSON, `label` in tables, `text` says what it means."""

    key: str
    label: str
    text: str


RANKING_METRICS = (
    Metric("hit@1", "hit@1", "the first result is relevant"),
    Metric("hit@5", "hit@5", "one of the first five is"),
    Metric("recall@10", "recall@10", "share of the relevant among the first ten"),
    Metric("mrr@10", "MRR@10", "1 / rank of the first relevant"),
    Metric("ndcg@10", "nDCG@10", "gain discounted by rank, 1 when all relevant come first"),
    Metric("holds@1", "holds@1", "the first chunk holds the gold answer"),
    Metric("holds@5", "holds@5", "one of the first five chunks holds the gold answer"),
    Metric("holds@10", "holds@10", "one of the first ten chunks holds the gold answer"),
)
ANSWER_METRICS = (
    Metric("f1", "F1", "CMRC 2018: longest common run of tokens; a refusal is 0"),
    Metric("em", "EM", "exactly the gold words"),
    Metric("bag_f1", "bag F1", "tokens as a multiset"),
    Metric("contains", "contains", "the answer holds the gold words"),
    Metric("cites_answer", "cites gold", "the cited words hold the gold words"),
    Metric("cites_evidence", "cites evidence", "a citation shows a sentence marked as evidence"),
    Metric("cites_document", "right doc", "share of citations from a relevant document"),
    Metric("other_document", "other doc", "answers that cite a document not among the relevant"),
    Metric("citation_recall", "cit. recall", "sentences whose citations state all their values"),
    Metric("citation_precision", "cit. prec.", "citations that are needed"),
    Metric("quotes_hold", "quotes hold", "cited words are the stored text at their span"),
    Metric("verbatim", "verbatim", "answers that stand word for word in the passages"),
)
REFUSAL_METRICS = (
    Metric("refusal_macro_f1", "refusal F1", "mean F1 of refusing and of answering"),
    Metric("over_refusal", "over-refusal", "answerable questions refused"),
    Metric("right_refusal", "right refusal", "unanswerable questions refused"),
)
ALL_METRICS = (*RANKING_METRICS, *ANSWER_METRICS, *REFUSAL_METRICS)


@dataclass(frozen=True, slots=True)
class SystemSummary:
    """One row. `estimates`: by metric key, absent where the metric does not apply."""

    system: str
    num_questions: int
    estimates: dict[str, Estimate]
    latency: Latency | None = None
    peak_memory_bytes: int | None = None
    num_failed: int = 0


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """`second` against `first` on one metric, question by question, over one or more sets."""

    metric: str
    first: str
    second: str
    sets: tuple[str, ...]
    difference: Difference


def summarise_answers(
    system: str,
    outcomes: Sequence[Outcome],
    resampling: Resampling,
    peak_memory_bytes: int | None = None,
) -> SystemSummary:
    """Return the row of a reader. ValueError without outcomes."""
    estimates = _means(ANSWER_METRICS, [outcome.scores for outcome in outcomes], resampling)
    return SystemSummary(
        system,
        len(outcomes),
        estimates | refusal_estimates(outcomes, resampling),
        Latency.of([outcome.seconds for outcome in outcomes]),
        peak_memory_bytes,
        sum(outcome.status == FAILED for outcome in outcomes),
    )


def summarise_rankings(
    system: str,
    scores: Sequence[Scores],
    resampling: Resampling,
    seconds: Sequence[float] = (),
) -> SystemSummary:
    """Return the row of a retriever; `seconds` is empty for a level that nobody computed."""
    estimates = _means(RANKING_METRICS, scores, resampling)
    return SystemSummary(system, len(scores), estimates, Latency.of(seconds) if seconds else None)


def refusal_estimates(outcomes: Sequence[Outcome], resampling: Resampling) -> dict[str, Estimate]:
    """Return macro F1, over-refusal and right refusal; those without any question are absent."""
    is_answerable = np.array([outcome.question.is_answerable for outcome in outcomes])
    is_refused = np.array([outcome.is_refused for outcome in outcomes])

    def macro_f1(weights: FloatArray) -> FloatArray:
        return RefusalCounts.of(is_answerable, is_refused, weights).macro_f1()

    def over_refusal(weights: FloatArray) -> FloatArray:
        return RefusalCounts.of(is_answerable, is_refused, weights).over_refusal()

    def right_refusal(weights: FloatArray) -> FloatArray:
        return RefusalCounts.of(is_answerable, is_refused, weights).right_refusal()

    figures = dict(zip(REFUSAL_METRICS, (macro_f1, over_refusal, right_refusal), strict=True))
    estimates = {m.key: resampling.figure(len(outcomes), f) for m, f in figures.items()}
    return {key: found for key, found in estimates.items() if not np.isnan(found.value)}


def compare(
    metric: str,
    first: tuple[str, ValuesBySet],
    second: tuple[str, ValuesBySet],
    resampling: Resampling,
) -> PairedComparison:
    """Compare two named systems on the sets that both have: set name -> per-question values.

    ValueError when they share no set or differ in questions.
    """
    (first_name, before), (second_name, after) = first, second
    sets = tuple(name for name in before if name in after)
    pairs: list[Pair] = [(before[name], after[name]) for name in sets]
    difference = resampling.compare(pairs)
    return PairedComparison(metric, first_name, second_name, sets, difference)


def values_of(metric: str, scores: Iterable[Scores]) -> list[float]:
    """Return a metric's values, one per question that has it, in order."""
    return [row[metric] for row in scores if metric in row]


def _means(
    metrics: Sequence[Metric], scores: Sequence[Scores], resampling: Resampling
) -> dict[str, Estimate]:
    columns = {metric.key: values_of(metric.key, scores) for metric in metrics}
    return {key: resampling.mean(values) for key, values in columns.items() if values}
