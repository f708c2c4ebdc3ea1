"""What shapes one model: sizes, rotary rule, ids. Checked at birth.

Knows no files, weights or torch; config_files.py reads the released layouts into it. Every
difference between families that the forward pass must honour is a value here, so that
`forward` itself has no branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm.errors import CheckpointError

ROPE_BASE = 10_000.0

_COUNTS = (
    "num_layers",
    "hidden_size",
    "num_heads",
    "num_kv_groups",
    "head_dim",
    "ffn_size",
    "vocab_size",
    "max_context",
    "rope_dim",
    "rope_axes",
)
_DTYPES = ("float16", "bfloat16", "float32")

Norm = Literal["rms", "layer"]
Activation = Literal["swiglu", "gelu", "geglu"]
Layout = Literal["chatglm1", "chatglm2", "glm"]


@dataclass(frozen=True, slots=True)
class PromptMarks:
    """The ids that shape a prompt of the first generation.

    A prompt ends with a mask and then `start_id`. All before the start is seen from both sides.
    `gmask_id` is looked for first, then `mask_ids` in their order. Positions from the start on
    freeze at the mask; at a gmask only if `gmask_freezes`.
    """

    start_id: int
    gmask_id: int
    mask_ids: tuple[int, ...]
    gmask_freezes: bool


@dataclass(frozen=True, slots=True)
class RowOrder:
    """How a checkpoint stores what the model holds as [Q | K | V] with interleaved pairs.

    `per_head`: the rows of qkv are (q, k, v) of head 0, then of head 1, and so on.
    `rotate_half`: dimension j of a rotary part turns with the one half a part further on.
    """

    per_head: bool = False
    rotate_half: bool = False


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes and constants of one model.

    Query heads share key/value groups: head n reads group n // (num_heads / num_kv_groups).
    The rotary angle of position p and pair j is
    (p / rope_position_divisor) * rope_base ** (-2 j / rope_dim). With two rope_axes a token has
    two positions, each turning half of rope_dim by that rule.

    A layer continues the residual stream from what went into its norm or, with
    `residual_from_norm`, from residual_scale times what came out of it. With `prompt_marks`
    prompts follow the rules of the first generation (see chatglm1.py).

    `layout`, `row_order`, `quantization_bit`, `prefix_projection` and `tie_embeddings` say how
    the checkpoint stores the weights; the forward pass does not read them.

    Raises:
        CheckpointError: a value outside its range; the message names it.
    """

    num_layers: int
    hidden_size: int
    num_heads: int
    num_kv_groups: int
    head_dim: int
    ffn_size: int
    vocab_size: int
    max_context: int
    norm_eps: float
    rope_dim: int
    rope_base: float = ROPE_BASE
    rope_position_divisor: float = 1.0
    rope_axes: int = 1
    rope_half_frequencies: bool = False
    qkv_bias: bool = True
    linear_bias: bool = False
    norm: Norm = "rms"
    final_norm: bool = True
    activation: Activation = "swiglu"
    residual_from_norm: bool = False
    residual_scale: float = 1.0
    fp32_residual: bool = False
    prompt_marks: PromptMarks | None = None
    num_prefix_tokens: int = 0
    num_labels: int = 0
    stored_dtype: str = "float16"
    family: str = "chatglm3"
    eos_ids: tuple[int, ...] = ()
    layout: Layout = "chatglm2"
    row_order: RowOrder = RowOrder()
    quantization_bit: int = 0
    quantized_embeddings: bool = False
    prefix_projection: bool = False
    tie_embeddings: bool = False

    def __post_init__(self) -> None:
        for name in _COUNTS:
            _require(getattr(self, name) >= 1, name, getattr(self, name), "an integer >= 1")
        for name in ("norm_eps", "rope_base", "rope_position_divisor"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "a number > 0")
        _require(
            self.num_heads % self.num_kv_groups == 0,
            "num_kv_groups",
            self.num_kv_groups,
            f"a divisor of num_heads = {self.num_heads}",
        )
        _require(
            self.rope_dim % (2 * self.rope_axes) == 0 and self.rope_dim <= self.head_dim,
            "rope_dim",
            self.rope_dim,
            f"{'an even number' if self.rope_axes == 1 else 'a multiple of 4'} of at most"
            f" head_dim = {self.head_dim}",
        )
        _require(
            self.stored_dtype in _DTYPES, "torch_dtype", self.stored_dtype, f"one of {_DTYPES}"
        )
        for name in ("num_prefix_tokens", "num_labels"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "an integer >= 0")
        bits = self.quantization_bit
        _require(bits in (0, 4, 8), "quantization_bit", bits, "0, 4 or 8")
        self._require_ids()

    def _require_ids(self) -> None:
        if self.prompt_marks is None:
            return
        marks = self.prompt_marks
        for each in (marks.start_id, marks.gmask_id, *marks.mask_ids):
            accepted = f"an id below vocab_size = {self.vocab_size}"
            _require(0 <= each < self.vocab_size, "a mask or start id", each, accepted)

    @property
    def num_parameters(self) -> int:
        """Weights of the whole model, embeddings and output layer counted separately."""
        size, wide = self.hidden_size, self.num_heads * self.head_dim
        qkv_rows = wide + 2 * self.num_kv_groups * self.head_dim
        up_rows = self.ffn_size * (1 if self.activation == "gelu" else 2)
        norm = size * (2 if self.norm == "layer" else 1)
        block = size * (qkv_rows + wide + up_rows + self.ffn_size) + 2 * norm
        block += qkv_rows * (self.qkv_bias or self.linear_bias)
        block += (2 * size + up_rows) * self.linear_bias
        head = (size + 1) * self.num_labels
        return self.num_layers * block + 2 * size * self.vocab_size + norm * self.final_norm + head

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], family: str | None = None) -> ModelConfig:
        """Read a parsed config.json of any released layout (see config_files.read_layout).

        Raises:
            UnsupportedCheckpoint: another family, or a variant that no release has.
            CheckpointError: a missing key or a value of the wrong type or range.
        """
        from llm.models.config_files import read_layout

        return read_layout(raw, family)


def chatglm3_6b() -> ModelConfig:
    """The published shape of ChatGLM3-6B: 6,243,584,000 weights."""
    return ModelConfig(
        num_layers=28,
        hidden_size=4096,
        num_heads=32,
        num_kv_groups=2,
        head_dim=128,
        ffn_size=13696,
        vocab_size=65024,
        max_context=8192,
        norm_eps=1e-5,
        rope_dim=64,
    )


def _require(holds: bool, name: str, value: object, accepted: str) -> None:
    if not holds:
        raise CheckpointError(f"model config has {name} = {value!r}; expected {accepted}")
