"""How the cost of reading grows with the size of a text, in processor time of this process."""

import time
from collections.abc import Callable


def growth(read: Callable[[int], object], size: int, factor: int = 8) -> float:
    """Return how much more a text of `factor` times the size costs than `factor` texts of it.

    1 where the cost is proportional to the size, `factor` where it grows with the square.
    """
    small = min(_cost(lambda: [read(size) for _ in range(factor)]) for _ in range(3))
    large = min(_cost(lambda: read(size * factor)) for _ in range(3))
    return large / small


def _cost(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
