"""The load-time name map: what released checkpoints call each module, and what the model does.

Knows names only; shapes come from the model, bytes from the files. A further layout is a further
table here, not a branch in the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


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
