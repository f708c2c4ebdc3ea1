"""What an answer costs: latency percentiles and the largest memory of the process.

Knows clocks and the operating system; knows nothing of what was measured.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of a run: median, 95th and 99th percentile, by nearest rank."""

    p50_s: float
    p95_s: float
    p99_s: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        """ValueError without measurements."""
        return cls(percentile(seconds, 50), percentile(seconds, 95), percentile(seconds, 99))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of all values do not pass (nearest rank).

    ValueError without values or outside 0..100.
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError(f"{len(values)} values, percent {percent}; 1 or more, 0..100 are expected")
    return sorted(values)[max(0, ceil(percent / 100 * len(values)) - 1)]


def peak_memory_bytes() -> int | None:
    """Return the largest resident set of this process so far; None where it cannot be asked."""
    try:
        import resource
    except ImportError:  # Windows has no such call
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
