"""What shapes one model: sizes, rotary rule, ids. Read from config.json, checked at birth.

Knows the key names of the ChatGLM2/3/GLM-4 layout and how to tell the other layouts apart.
Does not know weights, files or torch. Every difference between generations that the forward
pass must honour is a number here, so that `forward` itself has no branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm.errors import CheckpointError, UnsupportedCheckpoint

ROPE_BASE = 10_000.0

# The one setting of each switch that the block implements; absent keys take the class default
# of the released code, which is the second value.
_REQUIRED_SWITCHES: dict[str, tuple[object, object]] = {
    "rmsnorm": (True, True),
    "multi_query_attention": (True, False),
    "add_bias_linear": (False, False),
    "apply_residual_connection_post_layernorm": (False, False),
    "post_layer_norm": (True, True),
    "original_rope": (True, True),
    "fp32_residual_connection": (False, False),
}
_LAYOUT_HINT = "only the ChatGLM2/3-style layout is supported yet"

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


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes and constants of one model.

    Query heads share key/value groups: head n reads group n // (num_heads / num_kv_groups).
    The rotary angle of position p and pair j is
    (p / rope_position_divisor) * rope_base ** (-2 j / rope_dim). With two rope_axes a token has
    two positions, each turning half of rope_dim by that rule.

    A layer continues the residual stream from what went into its norm or, with
    `residual_from_norm`, from residual_scale times what came out of it. `bidirectional_prompt`
    is the rule of the first generation: every token before the first `start_id` is seen by all,
    and positions freeze at the mask (see chatglm1.py).

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
    bidirectional_prompt: bool = False
    num_prefix_tokens: int = 0
    num_labels: int = 0
    stored_dtype: str = "float16"
    generation: str = "chatglm3"

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
            self.rope_dim % 2 == 0 and self.rope_dim <= self.head_dim,
            "rope_dim",
            self.rope_dim,
            f"an even number of at most head_dim = {self.head_dim}",
        )
        _require(
            self.stored_dtype in _DTYPES, "torch_dtype", self.stored_dtype, f"one of {_DTYPES}"
        )

    @property
    def num_parameters(self) -> int:
        """Weights of the whole model, embeddings and output layer counted separately."""
        qkv_rows = (self.num_heads + 2 * self.num_kv_groups) * self.head_dim
        attention = qkv_rows * self.hidden_size + qkv_rows * self.qkv_bias
        attention += self.hidden_size * self.num_heads * self.head_dim
        block = attention + 3 * self.ffn_size * self.hidden_size + 2 * self.hidden_size
        return self.num_layers * block + self.hidden_size * (2 * self.vocab_size + 1)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], generation: str | None = None) -> ModelConfig:
        """Read a parsed config.json; `generation` overrides what the file says of its origin.

        Raises:
            UnsupportedCheckpoint: another layout, or a variant that is not built yet.
            CheckpointError: a missing key or a value of the wrong type or range.
        """
        _require_supported(raw)
        generation = generation or _generation_of(raw)
        head_dim = _integer(raw, "kv_channels", 128)
        # One key, two meanings: ChatGLM2-32k interpolates positions, later models raise the base.
        ratio = _number(raw, "rope_ratio", 1.0)
        interpolates = generation == "chatglm2"
        return cls(
            num_layers=_integer(raw, "num_layers", 28),
            hidden_size=_integer(raw, "hidden_size", 4096),
            num_heads=_integer(raw, "num_attention_heads", 32),
            num_kv_groups=_integer(raw, "multi_query_group_num", 1),
            head_dim=head_dim,
            ffn_size=_integer(raw, "ffn_hidden_size", 13696),
            vocab_size=_integer(raw, "padded_vocab_size", 65024),
            max_context=_integer(raw, "seq_length", 2048),
            norm_eps=_number(raw, "layernorm_epsilon", 1e-5),
            rope_dim=head_dim // 2,
            rope_base=ROPE_BASE if interpolates else ROPE_BASE * ratio,
            rope_position_divisor=ratio if interpolates else 1.0,
            qkv_bias=_flag(raw, "add_qkv_bias", default=False),
            stored_dtype=str(raw.get("torch_dtype", raw.get("dtype", "float16"))),
            generation=generation,
        )


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


def _require_supported(raw: Mapping[str, Any]) -> None:
    if raw.get("model_type") == "glm" or "num_key_value_heads" in raw:
        raise UnsupportedCheckpoint(f"config.json is of a native GLM checkpoint; {_LAYOUT_HINT}")
    if "multi_query_attention" not in raw:
        kind = "ChatGLM-6B (first generation)" if "inner_hidden_size" in raw else "unknown model"
        raise UnsupportedCheckpoint(
            f"config.json is of a {kind}: it has no key 'multi_query_attention'; {_LAYOUT_HINT}"
        )
    for key, (built, default) in _REQUIRED_SWITCHES.items():
        found = raw.get(key, default)
        if found != built:
            raise UnsupportedCheckpoint(
                f"config.json has {key} = {found!r}; only {built!r} is supported yet"
            )
    for key in ("quantization_bit", "pre_seq_len"):
        if raw.get(key):
            raise UnsupportedCheckpoint(
                f"config.json has {key} = {raw[key]!r}; only checkpoints without it are"
                " supported yet"
            )


def _generation_of(raw: Mapping[str, Any]) -> str:
    """ChatGLM2 and ChatGLM3 share every other key, so the recorded origin decides."""
    return "chatglm2" if "chatglm2" in str(raw.get("_name_or_path", "")).lower() else "chatglm3"


def _integer(raw: Mapping[str, Any], key: str, default: int) -> int:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected an integer")
    return value


def _number(raw: Mapping[str, Any], key: str, default: float) -> float:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected a number")
    return float(value)


def _flag(raw: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected true or false")
    return value


def _require(holds: bool, name: str, value: object, accepted: str) -> None:
    if not holds:
        raise CheckpointError(f"model config has {name} = {value!r}; expected {accepted}")
