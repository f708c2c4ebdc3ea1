"""How sure a figure is: percentile bootstrap intervals and the paired bootstrap test.

Questions are what is drawn again, with replacement (Efron and Tibshirani 1993, chapters 13 and
16). The same seed and the same number of questions give the same draws, so that two systems on the
same questions are compared draw by draw. Knows no metric.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Pair = tuple[Sequence[float], Sequence[float]]

DEFAULT_RESAMPLES = 1000
DEFAULT_LEVEL = 0.95
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over `num` questions with its interval at the 95 % level."""

    value: float
    low: float
    high: float
    num: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much the second system is above the first. `p`: two-sided, from the same draws."""

    value: float
    low: float
    high: float
    p: float
    num: int


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often and from which seed questions are drawn. ValueError below 100 resamples."""

    seed: int = DEFAULT_SEED
    num_resamples: int = DEFAULT_RESAMPLES

    def __post_init__(self) -> None:
        if self.num_resamples < 100:
            raise ValueError(f"num_resamples is {self.num_resamples}; at least 100 are expected")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; 0 or more is expected")

    def weights(self, num: int) -> FloatArray:
        """Return how often each of `num` questions was drawn: (resamples, questions)."""
        if num < 1:
            raise ValueError(f"num is {num}; at least one question is expected")
        dice = np.random.default_rng([self.seed, num])
        return dice.multinomial(num, [1 / num] * num, self.num_resamples).astype(np.float64)

    def mean(self, values: Sequence[float]) -> Estimate:
        """Return the mean of per-question values, each counted once."""
        array = np.asarray(values, dtype=np.float64)
        return self.figure(len(array), lambda weights: weights @ array / weights.sum(axis=1))

    def figure(self, num: int, compute: Callable[[FloatArray], FloatArray]) -> Estimate:
        """Return any figure that `compute` makes of question weights, (draws, num) -> (draws,).

        Draws for which it is undefined (NaN) are left out of the interval.
        """
        drawn = compute(self.weights(num))
        value = float(compute(np.ones((1, num)))[0])
        low, high = _interval(drawn[~np.isnan(drawn)])
        return Estimate(value, low, high, num)

    def compare(self, strata: Sequence[Pair]) -> Difference:
        """Return how much the second of paired systems is above the first, on the mean of sets.

        One stratum per question set: per-question values of both systems, in the same order.
        Questions are drawn within each set and every set weighs the same. `p`: twice the smaller
        share of draws at or beyond zero, with one draw added to either side. ValueError when a
        pair differs in length.
        """
        if not strata:
            raise ValueError("at least one question set is expected, none was given")
        gaps = [_gap(first, second) for first, second in strata]
        drawn = np.mean([self._drawn_means(gap, n) for n, gap in enumerate(gaps)], axis=0)
        low, high = _interval(drawn)
        tails = (np.sum(drawn <= 0), np.sum(drawn >= 0))
        p = min(1.0, 2 * (float(min(tails)) + 1) / (self.num_resamples + 1))
        value = float(np.mean([gap.mean() for gap in gaps]))
        return Difference(value, low, high, p, sum(map(len, gaps)))

    def _drawn_means(self, gap: FloatArray, stratum: int) -> FloatArray:
        # Sets of equal size must not share their draws.
        means: FloatArray = (
            Resampling(self.seed + stratum, self.num_resamples).weights(len(gap)) @ gap / len(gap)
        )
        return means


def _gap(first: Sequence[float], second: Sequence[float]) -> FloatArray:
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} values cannot be paired")
    return np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)


def _interval(drawn: FloatArray) -> tuple[float, float]:
    if not len(drawn):
        return float("nan"), float("nan")
    tail = (1 - DEFAULT_LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
