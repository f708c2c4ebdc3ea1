"""How the judge of phrases is trained: lengths, what stands beside a record, steps and rates."""

from __future__ import annotations

from dataclasses import dataclass, field

HIDDEN_SIZE = 384


@dataclass(frozen=True, slots=True)
class Mix:
    """What is read beside a record.

    `num_foreign`: phrases of other records, taken for ones that do not fit; `same_domain`: how
    many of these are of the same office. `foreign_weight`: of their loss, as a few do fit.
    `wrapped`: how many phrases stand in words that questions put around them (跌倒 → 跌倒的).
    """

    num_foreign: int = 6
    same_domain: float = 0.5
    foreign_weight: float = 0.5
    wrapped: float = 0.35


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, batch and learning rate. The rate warms up, then falls as a cosine to a twentieth."""

    num_steps: int = 2200
    batch_size: int = 8
    learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    warmup_steps: int = 40
    clip: float = 1.0
    dropout: float = 0.1
    frozen_layers: int = 3
    average_decay: float = 0.99
    report_every: int = 20
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    mix: Mix = field(default_factory=Mix)
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
