"""Ranking metrics of one question: hit@k, recall@k, reciprocal rank, nDCG@10.

Pure functions on flags (is the thing at this rank relevant?). Knows neither chunks nor documents.
Gains are binary; the ideal ranking puts all relevant things first, as trec_eval has it.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from itertools import accumulate
from math import log2

HIT_CUTOFFS = (1, 5, 10)
DEPTH = 10
"""Rank beyond which recall, reciprocal rank and nDCG see nothing."""

Scores = dict[str, float]


def score_ranking(flags: Sequence[bool], num_relevant: int) -> Scores:
    """Return hit@1/5/10, recall@10, mrr@10 and ndcg@10 of one ranking, each 0..1.

    `flags`: relevant or not, best rank first; what is not listed was not found. `num_relevant`:
    relevant things there are in all. ValueError unless it is at least 1 and covers the flags.
    """
    seen = [bool(flag) for flag in flags]
    if num_relevant < max(1, sum(seen)):
        raise ValueError(
            f"num_relevant is {num_relevant}; at least 1 and the {sum(seen)} flagged are expected"
        )
    top = seen[:DEPTH]
    first = top.index(True) + 1 if True in top else 0
    gain = sum(_discount(rank) for rank, flag in enumerate(top, 1) if flag)
    return {
        **{f"hit@{k}": float(any(seen[:k])) for k in HIT_CUTOFFS},
        f"recall@{DEPTH}": sum(top) / num_relevant,
        f"mrr@{DEPTH}": 1 / first if first else 0.0,
        f"ndcg@{DEPTH}": gain / _ideal_gain(num_relevant),
    }


def score_found(ranked: Iterable[Hashable], relevant: Collection[Hashable]) -> Scores:
    """Score a ranking of keys; a key counts at its first place only."""
    distinct = dict.fromkeys(ranked)
    return score_ranking([key in relevant for key in distinct], len(set(relevant)))


def score_single(rank: int) -> Scores:
    """Score a ranking whose only relevant thing stands at a 1-based rank; 0: it was not found."""
    flags = [False] * (rank - 1) + [True] if rank else []
    return score_ranking(flags, 1)


def expected_scores(num_relevant: int, total: int) -> Scores:
    """Return what a random order of `total` things scores on average (exactly, not sampled).

    hit@k: 1 minus the chance that k draws without putting back miss. Each rank holds a relevant
    thing with probability num_relevant / total, which gives recall and nDCG.
    """
    if not 1 <= num_relevant <= total:
        raise ValueError(f"num_relevant is {num_relevant}; 1 to {total} are expected")
    depth = min(DEPTH, total)
    share = num_relevant / total
    hit = [_hit_chance(num_relevant, total, k) for k in range(depth + 1)]
    gain = share * sum(_discount(rank) for rank in range(1, depth + 1))
    return {
        **{f"hit@{k}": hit[min(k, depth)] for k in HIT_CUTOFFS},
        f"recall@{DEPTH}": depth / total,
        f"mrr@{DEPTH}": sum((hit[k] - hit[k - 1]) / k for k in range(1, depth + 1)),
        f"ndcg@{DEPTH}": gain / _ideal_gain(num_relevant),
    }


def _discount(rank: int) -> float:
    """Järvelin and Kekäläinen 2002: a gain at a 1-based rank is divided by log2(rank + 1)."""
    return 1 / log2(rank + 1)


def _ideal_gain(num_relevant: int) -> float:
    return sum(_discount(rank) for rank in range(1, min(DEPTH, num_relevant) + 1))


def _hit_chance(num_relevant: int, total: int, k: int) -> float:
    missed = (max(total - drawn - num_relevant, 0) / (total - drawn) for drawn in range(k))
    return 1.0 - list(accumulate(missed, lambda a, b: a * b, initial=1.0))[-1]
