"""The two sizes of the reader and how each is trained: a CPU's hour, and a GPU's 25 minutes.

Numbers only. Knows no data, tensors or files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kb_service.generation.pocket_folder import PROMPT_VERSION, READER_FIELD
from llm.models.config import ModelConfig
from training.reader.tokens import TokenizerRecipe

CONTEXT_TOKENS = 2048
VOCABULARY_MULTIPLE = 16


@dataclass(frozen=True, slots=True)
class Size:
    """Shape of a model: layers, channels, query heads of 64, key/value groups, feed-forward."""

    num_layers: int
    hidden_size: int
    num_heads: int
    num_kv_groups: int
    ffn_size: int
    head_dim: int = 64


@dataclass(frozen=True, slots=True)
class Mixture:
    """Shares of rows by source from a point of the run on (0 start, 1 end)."""

    begins: float
    text: float
    synthetic: float
    questions: float


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much one token of each part counts, and each auxiliary label."""

    citation: float = 1.0
    start: float = 4.0
    answer: float = 0.5
    question: float = 0.1
    evidence: float = 0.05
    text: float = 0.3
    labels: float = 0.5


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, batch and learning rate. The rate warms up, then falls as a cosine to a tenth."""

    num_steps: int
    rows_per_batch: int
    row_tokens: int
    learning_rate: float
    warmup_steps: int
    scored_share: float
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    average_decay: float = 0.998
    checkpoint_every: int = 100
    report_every: int = 20

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one step, padding included."""
        return self.rows_per_batch * self.row_tokens


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    name: str
    size: Size
    schedule: Schedule
    mixtures: tuple[Mixture, ...]
    num_synthetic: int
    question_rounds: int
    num_text_tokens: int
    tokenizer: TokenizerRecipe = field(default_factory=TokenizerRecipe)
    losses: LossWeights = field(default_factory=LossWeights)
    seed: int = 0


CPU = Recipe(
    name="cpu",
    size=Size(num_layers=5, hidden_size=256, num_heads=6, num_kv_groups=2, ffn_size=512),
    schedule=Schedule(
        num_steps=1_600,
        rows_per_batch=6,
        row_tokens=256,
        learning_rate=2e-3,
        warmup_steps=50,
        scored_share=0.4,
    ),
    mixtures=(
        Mixture(0.0, text=0.1, synthetic=0.4, questions=0.5),
        Mixture(0.2, text=0.0, synthetic=0.2, questions=0.8),
    ),
    num_synthetic=80_000,
    question_rounds=3,
    num_text_tokens=1_500_000,
)
GPU = Recipe(
    name="gpu",
    size=Size(num_layers=12, hidden_size=512, num_heads=8, num_kv_groups=2, ffn_size=1408),
    schedule=Schedule(
        num_steps=6_000,
        rows_per_batch=256,
        row_tokens=512,
        learning_rate=1e-3,
        warmup_steps=200,
        scored_share=1.0,
        checkpoint_every=250,
    ),
    mixtures=(
        Mixture(0.0, text=0.8, synthetic=0.2, questions=0.0),
        Mixture(0.4, text=0.1, synthetic=0.8, questions=0.1),
        Mixture(0.8, text=0.0, synthetic=0.5, questions=0.5),
    ),
    num_synthetic=1_500_000,
    question_rounds=6,
    num_text_tokens=40_000_000,
)
TINY = Recipe(
    name="tiny",
    size=Size(num_layers=4, hidden_size=128, num_heads=3, num_kv_groups=1, ffn_size=128),
    schedule=Schedule(
        num_steps=8,
        rows_per_batch=2,
        row_tokens=192,
        learning_rate=2e-3,
        warmup_steps=2,
        scored_share=0.6,
        checkpoint_every=4,
        report_every=1,
    ),
    mixtures=(Mixture(0.0, text=0.2, synthetic=0.4, questions=0.4),),
    num_synthetic=200,
    question_rounds=1,
    num_text_tokens=5_000,
    tokenizer=TokenizerRecipe(num_pieces=1_200, num_characters=600, max_latin_chars=40_000),
)
RECIPES = {recipe.name: recipe for recipe in (CPU, GPU, TINY)}


def config_json(size: Size, num_ids: int, dtype: str) -> dict[str, Any]:
    """config.json of a released ChatGLM3 layout with these sizes."""
    vocab_size = -(-num_ids // VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE
    return {
        "_name_or_path": "pocket-reader (chatglm3 layout)",
        "model_type": "chatglm",
        "architectures": ["ChatGLMModel"],
        "add_bias_linear": False,
        "add_qkv_bias": True,
        "apply_query_key_layer_scaling": True,
        "apply_residual_connection_post_layernorm": False,
        "attention_dropout": 0.0,
        "attention_softmax_in_fp32": True,
        "bias_dropout_fusion": True,
        "ffn_hidden_size": size.ffn_size,
        "fp32_residual_connection": False,
        "hidden_dropout": 0.0,
        "hidden_size": size.hidden_size,
        "kv_channels": size.head_dim,
        "layernorm_epsilon": 1e-05,
        "multi_query_attention": True,
        "multi_query_group_num": size.num_kv_groups,
        "num_attention_heads": size.num_heads,
        "num_layers": size.num_layers,
        "original_rope": True,
        "padded_vocab_size": vocab_size,
        "post_layer_norm": True,
        "rmsnorm": True,
        "seq_length": CONTEXT_TOKENS,
        "use_cache": True,
        "torch_dtype": dtype,
        "tie_word_embeddings": False,
        READER_FIELD: PROMPT_VERSION,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }


def model_config(size: Size, num_ids: int) -> ModelConfig:
    """The shape as llm reads it out of ``config_json``."""
    return ModelConfig.from_json(config_json(size, num_ids, "float32"))
