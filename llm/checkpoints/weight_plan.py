"""What has to be in a checkpoint for a model, checked before any weight is read.

Knows what released checkpoints call each module, and how the model's modules are made of stored
ones: joined rows, packed integers, learned prefixes, heads that are shared or absent. A further
layout is a further table here, not a branch in the model. Does not read values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm.checkpoints.weight_files import StoredTensor
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ModelConfig

if TYPE_CHECKING:
    from llm.models.model import ChatGLM

Shape = tuple[int, ...]

_FLOAT_TYPES = frozenset(("F16", "BF16", "F32", "torch.float16", "torch.bfloat16", "torch.float32"))
_INTEGER_TYPES = frozenset(("I8", "torch.int8"))


@dataclass(frozen=True, slots=True)
class WeightLayout:
    """One family of key names.

    `outer` and `inner` map the model's modules to the checkpoint's: whole names outside the
    layers, and names inside layer i below `layer_prefix`, where {i} stands for the number. Where
    several are named, their rows lie one after the other in the model's module.
    """

    name: str
    layer_prefix: str
    outer: dict[str, tuple[str, ...]]
    inner: dict[str, tuple[str, ...]]
    # Buffers that releases store and that are recomputed here.
    ignored: re.Pattern[str]
    prefix_encoder: str | None = "transformer.prefix_encoder"

    def sources(self, module: str) -> tuple[str, ...]:
        """The checkpoint's modules that one of the model's modules is made of."""
        if not module.startswith("layers."):
            return self.outer[module]
        _, number, rest = module.split(".", 2)
        above = self.layer_prefix.format(i=number)
        return tuple(f"{above}.{each}" for each in self.inner[rest])

    def checkpoint_key(self, parameter: str) -> str:
        """The checkpoint's key of a parameter that is stored in one piece."""
        module, _, name = parameter.rpartition(".")
        (source,) = self.sources(module)
        return f"{source}.{name}"


CHATGLM1 = WeightLayout(
    name="ChatGLM-6B",
    layer_prefix="transformer.layers.{i}",
    outer={
        "embedding": ("transformer.word_embeddings",),
        "final_norm": ("transformer.final_layernorm",),
        "head": ("lm_head",),
        "classifier": ("classifier_head",),
    },
    inner={
        "input_norm": ("input_layernorm",),
        "attention.qkv": ("attention.query_key_value",),
        "attention.out": ("attention.dense",),
        "post_norm": ("post_attention_layernorm",),
        "mlp.up": ("mlp.dense_h_to_4h",),
        "mlp.value_gate": ("mlp.dense_h_to_4h",),
        "mlp.down": ("mlp.dense_4h_to_h",),
    },
    ignored=re.compile(r"\.rotary_emb\.inv_freq$"),
)

CHATGLM2 = WeightLayout(
    name="ChatGLM2/3",
    layer_prefix="transformer.encoder.layers.{i}",
    outer={
        "embedding": ("transformer.embedding.word_embeddings",),
        "final_norm": ("transformer.encoder.final_layernorm",),
        "head": ("transformer.output_layer",),
        "classifier": ("classifier_head",),
    },
    inner={
        "input_norm": ("input_layernorm",),
        "attention.qkv": ("self_attention.query_key_value",),
        "attention.out": ("self_attention.dense",),
        "post_norm": ("post_attention_layernorm",),
        "mlp.gate_up": ("mlp.dense_h_to_4h",),
        "mlp.down": ("mlp.dense_4h_to_h",),
    },
    ignored=re.compile(r"rotary_pos_emb\.inv_freq$"),
)

GLM = WeightLayout(
    name="native GLM",
    layer_prefix="model.layers.{i}",
    outer={
        "embedding": ("model.embed_tokens",),
        "final_norm": ("model.norm",),
        "head": ("lm_head",),
        "classifier": ("score",),
    },
    inner={
        "input_norm": ("input_layernorm",),
        "attention.qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "attention.out": ("self_attn.o_proj",),
        "post_norm": ("post_attention_layernorm",),
        "mlp.gate_up": ("mlp.gate_up_proj",),
        "mlp.down": ("mlp.down_proj",),
    },
    ignored=re.compile(r"rotary_emb\.inv_freq$"),
    prefix_encoder=None,
)

LAYOUTS = {"chatglm1": CHATGLM1, "chatglm2": CHATGLM2, "glm": GLM}


@dataclass(frozen=True, slots=True)
class StoredModule:
    """One module of the model: the stored modules it is made of and its tensors' whole shapes.

    `rows` are the rows of each source. With `bits` the weight is stored as integers of so many
    bits, two to a byte for 4, and a scale for each row.
    """

    name: str
    sources: tuple[str, ...]
    rows: tuple[int, ...]
    shapes: Mapping[str, Shape]
    bits: int = 0

    @property
    def is_layer_linear(self) -> bool:
        """Whether it is one of the linear modules inside the layers."""
        return self.name.startswith("layers.") and len(self.shapes["weight"]) == 2

    def tensors(self) -> dict[str, Shape]:
        """Key and stored shape of everything the module needs."""
        return {
            f"{source}.{name}": (num_rows, *shape[1:])
            for source, num_rows in zip(self.sources, self.rows, strict=True)
            for name, shape in self._stored_shapes().items()
        }

    def _stored_shapes(self) -> dict[str, Shape]:
        if not self.bits:
            return dict(self.shapes)
        num_rows, num_columns = self.shapes["weight"]
        packed = num_columns * self.bits // 8
        return {**self.shapes, "weight": (num_rows, packed), "weight_scale": (num_rows,)}


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """Every module in the order of loading, and the shapes of the prefix encoder by key.

    `head`: whether the output layer is stored, the embedding again (tied), or absent.
    """

    modules: tuple[StoredModule, ...]
    prefix: Mapping[str, Shape]
    head: str

    def expected(self) -> dict[str, Shape]:
        """Key and shape of every tensor to be read."""
        return {k: s for each in self.modules for k, s in each.tensors().items()} | {**self.prefix}

    def linear_shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every stored linear module."""
        return {
            source: (num_rows, each.shapes["weight"][1])
            for each in self.modules
            if len(each.shapes["weight"]) == 2 and each.name != "embedding"
            for source, num_rows in zip(each.sources, each.rows, strict=True)
        }


def fit_config(
    config: ModelConfig, layout: WeightLayout, stored: Mapping[str, StoredTensor]
) -> ModelConfig:
    """The config with the labels that the stored classifier has; none without a classifier.

    A classifier decides and not config.json, which may name labels that no head belongs to.

    Raises:
        CheckpointError: the two disagree, or there are more layers than tensors.
    """
    if config.num_layers > len(stored):
        raise CheckpointError(
            f"config.json has {config.num_layers} layers; the weights are only"
            f" {len(stored)} tensors"
        )
    weight = stored.get(f"{layout.outer['classifier'][0]}.weight")
    num_labels = weight.shape[0] if weight and weight.shape else 0
    if num_labels and config.num_labels not in (0, num_labels):
        raise CheckpointError(
            f"key {weight.key if weight else ''!r} has {num_labels} rows;"
            f" config.json has num_labels = {config.num_labels}"
        )
    return replace(config, num_labels=num_labels)


def plan_weights(
    model: ChatGLM, layout: WeightLayout, stored: Mapping[str, StoredTensor]
) -> WeightPlan:
    """What to load into an empty model; large tensors first, so that the peak stays low."""
    config = model.config
    head = _head_kind(config, layout, stored)
    modules = [
        _stored_module(name, shapes, config, layout)
        for name, shapes in _module_shapes(model)
        if name != "head" or head == "stored"
    ]
    classifier = layout.outer["classifier"][0]
    if f"{classifier}.bias" not in stored:
        modules = [_without_bias(each) if each.name == "classifier" else each for each in modules]
    modules.sort(key=lambda module: module.name not in ("embedding", "head"))
    return WeightPlan(tuple(modules), _prefix_shapes(config, layout, stored), head)


def checked(
    stored: Mapping[str, StoredTensor], plan: WeightPlan, layout: WeightLayout
) -> dict[str, StoredTensor]:
    """The stored tensors that the plan needs.

    Raises:
        CheckpointError: naming keys that are missing or unexpected, or a wrong shape or type.
    """
    expected = plan.expected()
    again = f"{layout.outer['head'][0]}." if plan.head == "tied" else None
    keys = {
        key
        for key in stored
        if not layout.ignored.search(key) and not (again and key.startswith(again))
    }
    _require_none(sorted(expected.keys() - keys), f"missing from this {layout.name} checkpoint")
    _require_none(sorted(keys - expected.keys()), f"unexpected in this {layout.name} checkpoint")
    packed = {
        key
        for each in plan.modules
        if each.bits
        for key in each.tensors()
        if key.endswith("weight")
    }
    for key in sorted(keys):
        _require_match(
            stored[key], expected[key], _INTEGER_TYPES if key in packed else _FLOAT_TYPES
        )
    return {key: stored[key] for key in keys}


def _require_match(tensor: StoredTensor, shape: Shape, types: frozenset[str]) -> None:
    if tensor.shape != shape:
        raise CheckpointError(
            f"key {tensor.key!r} has the shape {list(tensor.shape)};"
            f" config.json asks for {list(shape)}"
        )
    if tensor.dtype not in types:
        accepted = "int8" if types is _INTEGER_TYPES else "float16, bfloat16 or float32"
        raise CheckpointError(
            f"key {tensor.key!r} has the type {tensor.dtype}; expected {accepted}"
        )


def _module_shapes(model: ChatGLM) -> Iterator[tuple[str, dict[str, Shape]]]:
    for name, module in model.named_modules():
        shapes = {k: tuple(v.shape) for k, v in module.named_parameters(recurse=False)}
        if shapes:
            yield name, shapes


def _stored_module(
    name: str, shapes: dict[str, Shape], config: ModelConfig, layout: WeightLayout
) -> StoredModule:
    sources = layout.sources(name)
    rows: tuple[int, ...] = (shapes["weight"][0],)
    if len(sources) == 3:
        groups = config.num_kv_groups * config.head_dim
        rows = (config.num_heads * config.head_dim, groups, groups)
    is_linear = name.startswith("layers.") and len(shapes["weight"]) == 2
    packed = is_linear or (config.quantized_embeddings and name in ("embedding", "head"))
    bits = config.quantization_bit if packed else 0
    if bits and shapes["weight"][1] * bits % 8:
        raise CheckpointError(
            f"{sources[0]} has {shapes['weight'][1]} columns; 4-bit weights need an even number"
        )
    return StoredModule(name, sources, rows, shapes, bits)


def _without_bias(module: StoredModule) -> StoredModule:
    return replace(module, shapes={"weight": module.shapes["weight"]})


def _head_kind(
    config: ModelConfig, layout: WeightLayout, stored: Mapping[str, StoredTensor]
) -> str:
    if config.tie_embeddings:
        return "tied"
    if f"{layout.outer['head'][0]}.weight" in stored:
        return "stored"
    if config.num_labels:
        return "absent"
    # The first generation's code ties them, so a file that stores them once is whole.
    return "tied" if config.layout == "chatglm1" else "stored"


def _prefix_shapes(
    config: ModelConfig, layout: WeightLayout, stored: Mapping[str, StoredTensor]
) -> dict[str, Shape]:
    """The tensors of the prefix encoder; with a projection it is a small network of its own."""
    if not config.num_prefix_tokens:
        return {}
    if layout.prefix_encoder is None:
        raise UnsupportedCheckpoint(
            f"config.json has pre_seq_len = {config.num_prefix_tokens}; {layout.name} checkpoints"
            " have no prefix encoder"
        )
    name, size = layout.prefix_encoder, config.hidden_size
    outputs = 2 * config.num_layers * config.num_kv_groups * config.head_dim
    if not config.prefix_projection and f"{name}.trans.0.weight" not in stored:
        return {f"{name}.embedding.weight": (config.num_prefix_tokens, outputs)}
    inputs = size if config.layout == "chatglm1" else outputs
    return {
        f"{name}.embedding.weight": (config.num_prefix_tokens, inputs),
        f"{name}.trans.0.weight": (size, inputs),
        f"{name}.trans.0.bias": (size,),
        f"{name}.trans.2.weight": (outputs, size),
        f"{name}.trans.2.bias": (outputs,),
    }


def _require_none(keys: Sequence[str], what: str) -> None:
    if keys:
        named = ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")
        raise CheckpointError(f"{len(keys)} keys are {what}: {named}")
