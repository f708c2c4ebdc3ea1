"""Fusing ranked lists: weighted reciprocal rank fusion and pins. Pure functions on values.

Knows chunk ids, ranks and scores; knows no index and no text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrievers.lexical import Hit


@dataclass(frozen=True, slots=True)
class FusionPolicy:
    """How the legs count. A leg of weight 0 is not searched; `is_pinning`: identifiers come first.

    `rank_constant`: k of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009, use
    60); a small one keeps the top of the heavier leg in place. `min_confidence`: below it the
    words of the question are hardly there (another language, a paraphrase), and the two weights
    change places. The service passes a `dense_weight` of its own (docs/decisions/0043).
    """

    lexical_weight: float = 1.0
    dense_weight: float = 0.05
    rank_constant: float = 10.0
    min_confidence: float = 0.15
    is_pinning: bool = True

    def weights(self, confidence: float) -> dict[str, float]:
        """Return the weight of each leg, given how well the words were found (0 is not at all)."""
        lexical, dense = self.lexical_weight, self.dense_weight
        if min(lexical, dense) > 0 and confidence < self.min_confidence:
            lexical, dense = dense, lexical
        return {"lexical": lexical, "dense": dense}


@dataclass(frozen=True, slots=True)
class FusedHit:
    """A chunk with its fused score and, for each leg that found it, rank (1-based) and score."""

    chunk_id: int
    score: float
    ranks: dict[str, int]
    scores: dict[str, float]
    num_pins: int = 0


def fuse(
    lists: Iterable[tuple[str, Sequence[Hit]]], policy: FusionPolicy, confidence: float = 1.0
) -> list[FusedHit]:
    """Return every chunk of the lists by the sum of weight / (rank_constant + rank), best first.

    Each list is a leg's name and distinct (chunk_id, score), best first; a leg may have several, of
    chunks that are ranked apart. Equal sums go by chunk id.
    `confidence`: see `FusionPolicy.weights`.
    """
    weights = policy.weights(confidence)
    ranks: dict[int, dict[str, int]] = {}
    scores: dict[int, dict[str, float]] = {}
    for leg, hits in lists:
        for rank, (chunk_id, score) in enumerate(hits, start=1):
            ranks.setdefault(chunk_id, {})[leg] = rank
            scores.setdefault(chunk_id, {})[leg] = score
    fused = [
        FusedHit(
            chunk_id,
            sum(weights[leg] / (policy.rank_constant + rank) for leg, rank in found.items()),
            found,
            scores[chunk_id],
        )
        for chunk_id, found in ranks.items()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.chunk_id))


def pin(hits: Sequence[FusedHit], num_pins: Mapping[int, int]) -> list[FusedHit]:
    """Move chunks with more pins in front; the order among equals stays.

    Each pin is worth 1.0, more than any fused score, so that scores stay in the order of the list.
    """
    counted = ((hit, num_pins.get(hit.chunk_id, 0)) for hit in hits)
    lifted = [replace(hit, score=hit.score + num, num_pins=num) for hit, num in counted]
    return sorted(lifted, key=lambda hit: -hit.num_pins)
