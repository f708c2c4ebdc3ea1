"""Which order the candidates of a search have after a reranker read them. Pure functions on values.

Knows scores, ranks and pins; knows no model and no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from retrievers.fusion import FusedHit

LEG = "rerank"
LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class RerankPolicy:
    """How far and how much a reranker counts.

    `candidates`: best chunks it reads. `budget_s`: time for it. `weight`: 1 for the order by its
    score alone, less to add the standardised lexical score at 1 - weight.
    """

    candidates: int = 20
    budget_s: float = 0.3
    weight: float = 1.0


def reorder(hits: Sequence[FusedHit], scores: Sequence[float], weight: float) -> list[FusedHit]:
    """Return the hits with the first `len(scores)` of them ordered anew; the rest stays behind.

    Hits with more pins stay before those with fewer. Each hit gets its rank and score of this leg;
    fused scores stay where they were, so that they go on falling along the list.
    """
    read = hits[: len(scores)]
    ranked = sorted(range(len(read)), key=lambda place: (-scores[place], place))
    ranks = {place: rank for rank, place in enumerate(ranked, start=1)}
    blended = _blended(read, scores, weight)
    order = sorted(
        range(len(read)), key=lambda place: (-read[place].num_pins, -blended[place], place)
    )
    moved = [
        replace(
            read[place],
            score=read[new].score,
            ranks={**read[place].ranks, LEG: ranks[place]},
            scores={**read[place].scores, LEG: scores[place]},
        )
        for new, place in enumerate(order)
    ]
    return [*moved, *hits[len(scores) :]]


def _blended(hits: Sequence[FusedHit], scores: Sequence[float], weight: float) -> list[float]:
    lexical = standardised([hit.scores.get(LEXICAL) for hit in hits])
    return [weight * s + (1 - weight) * words for s, words in zip(scores, lexical, strict=True)]


def standardised(scores: Sequence[float | None]) -> list[float]:
    """Return the scores less their mean, by their standard deviation; absent ones as the lowest.

    All are 0 when they do not differ, or when there are none.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return [0.0] * len(scores)
    filled = [min(known) if score is None else score for score in scores]
    mean, spread = fmean(filled), pstdev(filled)
    return [(score - mean) / spread if spread > 0 else 0.0 for score in filled]
