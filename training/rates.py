"""How a learning rate goes over a run: a linear warm-up, then a cosine. Pure functions."""

import math
from typing import Protocol


class Rates(Protocol):
    """What a schedule says of its rate."""

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""

    @property
    def warmup_steps(self) -> int:
        """Steps until the rate is reached."""

    @property
    def learning_rate(self) -> float:
        """The highest rate."""


def rate_at(schedule: Rates, step: int) -> float:
    """Linear warm-up, then a cosine down to a twentieth (Loshchilov & Hutter 2017)."""
    if step < schedule.warmup_steps:
        return schedule.learning_rate * (step + 1) / schedule.warmup_steps
    span = max(1, schedule.num_steps - schedule.warmup_steps)
    progress = min(1.0, (step - schedule.warmup_steps) / span)
    return schedule.learning_rate * (0.05 + 0.475 * (1 + math.cos(math.pi * progress)))
