"""The size of the reranker and how it is trained. Numbers only; knows no data, tensors or files."""

from __future__ import annotations

from dataclasses import dataclass, field

NUM_CANDIDATES = 20
MAX_TOKENS = 256
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """Shape in the BERT layout. The channels are content, then position, then single ones."""

    num_layers: int = 4
    hidden_size: int = 160
    num_heads: int = 4
    ffn_size: int = 384
    num_content: int = 128
    num_position: int = 16


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, batch and learning rate. The rate warms up, then falls as a cosine to a twentieth.

    `word_rate`: share of the rate that the word vectors learn with. `own_share`: weight of the
    loss of the model's score alone, beside that of its sum with the lexical score.
    """

    num_steps: int = 800
    lists_per_step: int = 10
    negatives: int = 5
    learning_rate: float = 1e-3
    word_rate: float = 0.1
    weight_decay: float = 0.02
    warmup_steps: int = 40
    clip: float = 1.0
    own_share: float = 0.5
    average_decay: float = 0.995
    report_every: int = 20
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    size: Size = field(default_factory=Size)
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
