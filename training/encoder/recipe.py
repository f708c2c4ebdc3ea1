"""Everything that decides the encoder beside the data: its size, its pairs, its schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.contrastive import TrainingSettings


@dataclass(frozen=True, slots=True)
class EncoderSize:
    """Widths of the network; attention and feed-forward part are narrow beside the stream.

    The stream has to hold the vectors of the bag it starts from; what is done to them may be small.
    """

    width: int = 512
    num_layers: int = 2
    num_heads: int = 4
    head_dimension: int = 32
    inner_width: int = 256
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the encoder is trained. Rates are those of the layers and of the word vectors."""

    num_steps: int = 240
    batch_size: int = 128
    learning_rate: float = 4e-4
    vector_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup_steps: int = 20
    clip: float = 1.0
    temperature: float = 0.05
    query_tokens: int = 48
    passage_tokens: int = 128
    rows_per_pass: int = 32
    report_every: int = 10
    probe_every: int = 40
    checkpoint_every: int = 25


@dataclass(frozen=True, slots=True)
class EncoderRecipe:
    """The run. `shares`: how often a batch is of which kind of source, see `kind_of`.

    `num_near`: passages that share words with a question and lend their own questions to its batch.
    """

    seed: int = 0
    size: EncoderSize = field(default_factory=EncoderSize)
    schedule: Schedule = field(default_factory=Schedule)
    bag: TrainingSettings = field(default_factory=lambda: TrainingSettings(num_threads=1))
    shares: tuple[tuple[str, float], ...] = (
        ("question", 0.75),
        ("cloze", 0.1),
        ("parallel", 0.1),
        ("advice", 0.03),
        ("title", 0.02),
    )
    num_near: int = 7


LEFT_OUT = frozenset({"zh_cmrc2018", "zh_drcd", "zhHant_drcd", "en_covidqa", "zh_cybersec/any"})
"""Sources whose passages are far longer than the encoder is trained on, or repeat another."""


def kind_of(source: str) -> str:
    """The kind of a source of pairs: question, advice (model-written), cloze, parallel or title."""
    for ending in ("cloze", "title"):
        if source.endswith(f"/{ending}"):
            return ending
    if source.startswith("zh_cybersec/"):
        return "advice"
    return "parallel" if source.startswith("pydocs/") else "question"
