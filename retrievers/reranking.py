"""Which order the candidates of a search have after a reranker read them. Pure functions on values.

Knows scores, ranks and pins; knows no model and no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from retrievers.fusion import FusedHit

LEG = "rerank"
LEXICAL, DENSE = "lexical", "dense"


@dataclass(frozen=True, slots=True)
class RerankPolicy:
    """How far and how much a reranker counts.

    `candidates`: best chunks it reads. `weight`: 1 for the order by its score alone, less to add at
    1 - weight the standardised lexical score, or, where vectors were asked too, the fused one.
    """

    candidates: int = 20
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
    before = standardised(_before(hits))
    return [weight * s + (1 - weight) * rest for s, rest in zip(scores, before, strict=True)]


def _before(hits: Sequence[FusedHit]) -> list[float | None]:
    """What ranked the hits until now; a pin, worth 1.0 of the fused score, is not part of it."""
    if any(DENSE in hit.ranks for hit in hits):
        # The words of a question in another language say next to nothing about these hits.
        return [hit.score - hit.num_pins for hit in hits]
    return [hit.scores.get(LEXICAL) for hit in hits]


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
