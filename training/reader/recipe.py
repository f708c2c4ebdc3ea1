"""How the reader is trained: shape of an example, mix of sources, steps and rates. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_TOKENS = 224
MAX_QUESTION_TOKENS = 56
HIDDEN_SIZE = 384


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the sources in a batch, and of what is made of their examples.

    `reports`: invented incident papers, read from the step `Schedule.reports_from` on.
    `written`: papers and questions written by hand.
    `foreign`: a question beside a passage that is not its own, half of them of the same article.
    `swapped`: a question whose year, number or name was replaced, beside its own passage.
    `introduced`: how many titles also say which names of the question the text meets.
    `otherwise`: questions said in speech, in haste or politely.
    `titled`: of the passages that have a title, how many are shown with it.
    """

    chinese: float = 0.2
    traditional: float = 0.04
    english: float = 0.22
    science: float = 0.02
    reports: float = 0.2
    written: float = 0.32
    foreign: float = 0.16
    swapped: float = 0.08
    titled: float = 0.7
    introduced: float = 0.5
    otherwise: float = 0.25


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, batch and learning rate. The rate warms up, then falls as a cosine to a twentieth."""

    num_steps: int = 1350
    batch_size: int = 24
    pool_steps: int = 8
    learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    warmup_steps: int = 40
    clip: float = 1.0
    dropout: float = 0.05
    frozen_layers: int = 3
    answerable_share: float = 0.3
    average_decay: float = 0.995
    reports_from: int = 50
    report_every: int = 20
    checkpoint_every: int = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    mix: Mix = field(default_factory=Mix)
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
