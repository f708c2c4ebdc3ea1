"""config.json of every released layout, read into a ModelConfig.

Knows key names, the defaults of the released code for keys that are absent, and how to tell
layouts and families apart by content. Does not know weights, tokenizers or torch.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ROPE_BASE, ModelConfig, PromptMarks, RowOrder

FAMILIES = ("chatglm1", "glm130b", "chatglm2", "chatglm3", "glm4", "glm")

_LOG = logging.getLogger(__name__)

_MODEL_TYPES = ("chatglm", "glm", "glm130b")
_SECOND_KEYS = ("multi_query_attention", "padded_vocab_size", "ffn_hidden_size", "kv_channels")
_FIRST_KEYS = ("inner_hidden_size", "position_encoding_2d", "max_sequence_length")
# Released code of the first generation always scales by the depth of ChatGLM-6B, whatever the
# number of layers.
_FIRST_RESIDUAL_SCALE = math.sqrt(2 * 28)
# ChatGLM2-6B-32k is the one release with this ratio, and the one whose ratio divides positions.
_INTERPOLATED_RATIO = 16
_GLM4_VOCABULARY = 151_552
# Text ids stand behind 20,000 ids of images in vocabularies of this size and above.
_VOCABULARY_WITH_IMAGES = 150_000


def read_layout(raw: Mapping[str, Any], family: str | None = None) -> ModelConfig:
    """Read a parsed config.json; `family` overrides what the file says of its origin.

    Raises:
        UnsupportedCheckpoint: another family, or a variant that no release has.
        CheckpointError: a value of the wrong type or range.
    """
    if family is not None and family not in FAMILIES:
        raise CheckpointError(f"generation is {family!r}; expected one of {', '.join(FAMILIES)}")
    kind = _model_type(raw)
    if family == "glm130b" or kind == "glm130b":
        return _glm130b(raw)
    if family == "glm" or kind == "glm" or "num_key_value_heads" in raw:
        return _native(raw)
    if family != "chatglm1" and any(key in raw for key in _SECOND_KEYS):
        return _second(raw, family or _family_of(raw))
    if family == "chatglm1" or kind or any(key in raw for key in _FIRST_KEYS):
        return _first(raw)
    raise UnsupportedCheckpoint(
        "config.json is of an unknown model: it has neither 'model_type' nor a key of any"
        " released ChatGLM or GLM layout"
    )


def _model_type(raw: Mapping[str, Any]) -> str | None:
    kind = raw.get("model_type")
    if kind is None:
        return None
    plain = str(kind).lower().replace("-", "").replace("_", "")
    if plain not in _MODEL_TYPES:
        raise UnsupportedCheckpoint(
            f"config.json has model_type = {kind!r}; expected chatglm, glm or glm-130b"
        )
    return plain


def _first(raw: Mapping[str, Any]) -> ModelConfig:
    """ChatGLM-6B."""
    two_axes = _flag(raw, "position_encoding_2d", default=True)
    vocab_size = _integer(raw, "vocab_size", 150_528)
    offset = 20_000 if vocab_size > _VOCABULARY_WITH_IMAGES else 0
    marks = PromptMarks(
        start_id=_integer(raw, "bos_token_id", 130_004 + offset),
        gmask_id=_integer(raw, "gmask_token_id", 130_001 + offset),
        mask_ids=(_integer(raw, "mask_token_id", 130_000 + offset),),
        gmask_freezes=two_axes,
    )
    sizes = _first_sizes(raw, layers=28, hidden=4096, heads=32, inner=16_384)
    return ModelConfig(
        **sizes,
        vocab_size=vocab_size,
        rope_axes=2 if two_axes else 1,
        residual_scale=_FIRST_RESIDUAL_SCALE,
        activation="gelu",
        prompt_marks=marks,
        eos_ids=_ids(raw, 130_005 + offset),
        family="chatglm1",
        tie_embeddings=_flag(raw, "tie_word_embeddings", default=False),
    )


def _glm130b(raw: Mapping[str, Any]) -> ModelConfig:
    """GLM-130B (Zeng et al. 2023): the first generation's block with GEGLU and one rotary axis.

    Its weights were never released with a config.json; the keys are those of ChatGLM-6B.
    """
    two_axes = _flag(raw, "position_encoding_2d", default=False)
    sizes = _first_sizes(raw, layers=70, hidden=12_288, heads=96, inner=32_768)
    marks = PromptMarks(
        start_id=_integer(raw, "bos_token_id", 150_004),
        gmask_id=_integer(raw, "gmask_token_id", 150_001),
        mask_ids=(
            _integer(raw, "mask_token_id", 150_000),
            _integer(raw, "smask_token_id", _integer(raw, "mask_token_id", 150_000) + 2),
        ),
        gmask_freezes=two_axes,
    )
    return ModelConfig(
        **sizes,
        vocab_size=_integer(raw, "vocab_size", 150_528),
        rope_axes=2 if two_axes else 1,
        residual_scale=math.sqrt(2 * sizes["num_layers"]),
        activation="geglu",
        prompt_marks=marks,
        eos_ids=_ids(raw, 150_005),
        family="glm130b",
        tie_embeddings=_flag(raw, "tie_word_embeddings", default=True),
    )


def _first_sizes(
    raw: Mapping[str, Any], *, layers: int, hidden: int, heads: int, inner: int
) -> dict[str, Any]:
    """What ChatGLM-6B and GLM-130B have in common."""
    hidden_size = _integer(raw, "hidden_size", hidden)
    num_heads = _integer(raw, "num_attention_heads", heads)
    if num_heads < 1 or hidden_size % num_heads:
        raise CheckpointError(
            f"config.json has num_attention_heads = {num_heads}; expected a divisor of"
            f" hidden_size = {hidden_size}"
        )
    return {
        "num_layers": _integer(raw, "num_layers", layers),
        "hidden_size": hidden_size,
        "num_heads": num_heads,
        "num_kv_groups": num_heads,
        "head_dim": hidden_size // num_heads,
        "ffn_size": _integer(raw, "inner_hidden_size", inner),
        "max_context": _integer(raw, "max_sequence_length", 2048),
        "norm_eps": _number(raw, "layernorm_epsilon", 1e-5),
        "rope_dim": hidden_size // num_heads,
        "rope_half_frequencies": True,
        "linear_bias": True,
        "norm": "layer",
        "residual_from_norm": True,
        "layout": "chatglm1",
        "row_order": RowOrder(per_head=True, rotate_half=True),
        "quantized_embeddings": _flag(raw, "quantization_embeddings", default=False),
        **_shared(raw),
    }


def _second(raw: Mapping[str, Any], family: str) -> ModelConfig:
    """ChatGLM2, ChatGLM3 and GLM-4 in their own code's layout, with all its switches."""
    head_dim = _integer(raw, "kv_channels", 128)
    num_heads = _integer(raw, "num_attention_heads", 32)
    groups = _flag(raw, "multi_query_attention", default=False)
    # One key, two meanings: ChatGLM2-32k interpolates positions, later models raise the base.
    ratio = _number(raw, "rope_ratio", 1.0)
    interpolates = family == "chatglm2"
    return ModelConfig(
        num_layers=_integer(raw, "num_layers", 28),
        hidden_size=_integer(raw, "hidden_size", 4096),
        num_heads=num_heads,
        num_kv_groups=_integer(raw, "multi_query_group_num", 1) if groups else num_heads,
        head_dim=head_dim,
        ffn_size=_integer(raw, "ffn_hidden_size", 13_696),
        vocab_size=_integer(raw, "padded_vocab_size", 65_024),
        max_context=_integer(raw, "seq_length", 2048),
        norm_eps=_number(raw, "layernorm_epsilon", 1e-5),
        rope_dim=head_dim // 2,
        rope_base=ROPE_BASE if interpolates else ROPE_BASE * ratio,
        rope_position_divisor=ratio if interpolates else 1.0,
        qkv_bias=_flag(raw, "add_qkv_bias", default=False),
        linear_bias=_flag(raw, "add_bias_linear", default=False),
        norm="rms" if _flag(raw, "rmsnorm", default=True) else "layer",
        final_norm=_flag(raw, "post_layer_norm", default=True),
        residual_from_norm=_flag(raw, "apply_residual_connection_post_layernorm", default=False),
        fp32_residual=_flag(raw, "fp32_residual_connection", default=False),
        eos_ids=_ids(raw, 2),
        family=family,
        row_order=RowOrder(
            per_head=not groups, rotate_half=not _flag(raw, "original_rope", default=True)
        ),
        tie_embeddings=_flag(raw, "tie_word_embeddings", default=False),
        **_shared(raw),
    )


def _native(raw: Mapping[str, Any]) -> ModelConfig:
    """GLM-4 and GLM-Edge as transformers stores them (GlmConfig)."""
    activation = raw.get("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        raise UnsupportedCheckpoint(f"config.json has hidden_act = {activation!r}; expected silu")
    rope = _rope_parameters(raw)
    head_dim = _integer(raw, "head_dim", 128)
    config = ModelConfig(
        num_layers=_integer(raw, "num_hidden_layers", 40),
        hidden_size=_integer(raw, "hidden_size", 4096),
        num_heads=_integer(raw, "num_attention_heads", 32),
        num_kv_groups=_integer(raw, "num_key_value_heads", 2),
        head_dim=head_dim,
        ffn_size=_integer(raw, "intermediate_size", 13_696),
        vocab_size=_integer(raw, "vocab_size", _GLM4_VOCABULARY),
        max_context=_integer(raw, "max_position_embeddings", 131_072),
        norm_eps=_number(raw, "rms_norm_eps", 1.5625e-7),
        rope_dim=int(head_dim * _number(rope, "partial_rotary_factor", 0.5)),
        rope_base=_number(rope, "rope_theta", ROPE_BASE),
        qkv_bias=_flag(raw, "attention_bias", default=True),
        eos_ids=_ids(raw, 151_329, 151_336, 151_338),
        family="glm",
        layout="glm",
        tie_embeddings=_flag(raw, "tie_word_embeddings", default=False),
        **_shared(raw),
    )
    if has_suspicious_theta(config):
        _LOG.warning(
            "config.json has rope_theta = 10000 for a context of %d: the converter of these"
            " checkpoints forgot to multiply it by the ratio of the original (5000000 for"
            " glm-4-9b-chat); if answers to long prompts are poor, pass rope_theta",
            config.max_context,
        )
    return config


def has_suspicious_theta(config: ModelConfig) -> bool:
    """Whether this is GLM-4-9B-Chat with the base that its converter wrote by mistake."""
    return (
        (config.hidden_size, config.num_layers) == (4096, 40)
        and math.isclose(config.norm_eps, 1.5625e-7)
        and config.max_context >= 131_072
        and config.rope_base == ROPE_BASE
    )


def _rope_parameters(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Base and share of rotated dimensions, from the top level or from `rope_parameters`."""
    nested = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(nested, Mapping):
        raise CheckpointError(f"config.json has rope_parameters = {nested!r:.80}; expected a map")
    kind = nested.get("rope_type", nested.get("type", "default"))
    if kind != "default":
        raise UnsupportedCheckpoint(f"config.json has rope_type = {kind!r}; expected default")
    return {**raw, **nested}


def _shared(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that every layout reads alike."""
    prefix, bits, names = (raw.get(k) for k in ("pre_seq_len", "quantization_bit", "id2label"))
    dtype = raw.get("torch_dtype") or raw.get("dtype") or "float16"
    return {
        "stored_dtype": str(dtype).removeprefix("torch."),
        "quantization_bit": 0 if bits is None else _integer(raw, "quantization_bit", 0),
        "num_prefix_tokens": 0 if prefix is None else _integer(raw, "pre_seq_len", 0),
        "num_labels": len(names) if isinstance(names, Mapping) else _integer(raw, "num_labels", 0),
        "prefix_projection": _flag(raw, "prefix_projection", default=False),
    }


def _family_of(raw: Mapping[str, Any]) -> str:
    """ChatGLM2, ChatGLM3 and GLM-4 share every key, so traces of the origin decide."""
    origin = str(raw.get("_name_or_path", "")).lower()
    for name, family in (("chatglm2", "chatglm2"), ("chatglm3", "chatglm3"), ("glm-4", "glm4")):
        if name in origin:
            return family
    eos = raw.get("eos_token_id")
    if raw.get("padded_vocab_size") == _GLM4_VOCABULARY or isinstance(eos, list):
        return "glm4"
    old = str(raw.get("transformers_version", "")).startswith("4.27.")
    interpolated = raw.get("rope_ratio") == _INTERPOLATED_RATIO
    return "chatglm2" if old or interpolated else "chatglm3"


def _ids(raw: Mapping[str, Any], *default: int) -> tuple[int, ...]:
    """`eos_token_id`, which may be one id or a list of them."""
    value = raw.get("eos_token_id")
    ids = default if value is None else value if isinstance(value, list) else [value]
    if any(isinstance(each, bool) or not isinstance(each, int) for each in ids):
        raise CheckpointError(f"config.json has eos_token_id = {value!r}; expected ids")
    return tuple(ids)


def _integer(raw: Mapping[str, Any], key: str, default: int) -> int:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected an integer")
    return value


def _number(raw: Mapping[str, Any], key: str, default: float) -> float:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected a number")
    return float(value)


def _flag(raw: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise CheckpointError(f"config.json has {key} = {value!r}; expected true or false")
    return value
