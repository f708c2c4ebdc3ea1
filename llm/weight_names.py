"""The load-time name map: what released checkpoints call each weight, and what the model does.

Knows names only; shapes come from the model, bytes from the files. A further layout is a further
table here, not a branch in the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from llm.errors import UnsupportedCheckpoint


@dataclass(frozen=True, slots=True)
class WeightLayout:
    """One family of key names.

    `outer` and `inner` map the model's names to the checkpoint's: whole names outside the layers,
    and names inside layer i below `layer_prefix`, where {i} stands for the number.
    """

    name: str
    layer_prefix: str
    outer: dict[str, str]
    inner: dict[str, str]
    ignored: re.Pattern[str]

    def checkpoint_key(self, parameter: str) -> str:
        """The checkpoint's key of one of the model's parameters."""
        if not parameter.startswith("layers."):
            return self.outer[parameter]
        _, number, rest = parameter.split(".", 2)
        return f"{self.layer_prefix.format(i=number)}.{self.inner[rest]}"


CHATGLM2 = WeightLayout(
    name="ChatGLM2/3",
    layer_prefix="transformer.encoder.layers.{i}",
    outer={
        "embedding.weight": "transformer.embedding.word_embeddings.weight",
        "final_norm.weight": "transformer.encoder.final_layernorm.weight",
        "head.weight": "transformer.output_layer.weight",
    },
    inner={
        "input_norm.weight": "input_layernorm.weight",
        "attention.qkv.weight": "self_attention.query_key_value.weight",
        "attention.qkv.bias": "self_attention.query_key_value.bias",
        "attention.out.weight": "self_attention.dense.weight",
        "post_norm.weight": "post_attention_layernorm.weight",
        "mlp.gate_up.weight": "mlp.dense_h_to_4h.weight",
        "mlp.down.weight": "mlp.dense_4h_to_h.weight",
    },
    # A buffer that every release stores and that is recomputed in float32 here.
    ignored=re.compile(r"rotary_pos_emb\.inv_freq$"),
)

_NOT_YET = {
    "a quantised checkpoint": re.compile(r"\.weight_scale$"),
    "a sequence classification head": re.compile(r"^classifier_head\."),
    "a P-tuning prefix": re.compile(r"prefix_encoder\."),
    "a LoRA adapter": re.compile(r"\.lora_[AB]\."),
}


def require_supported(keys: Iterable[str]) -> None:
    """Raise UnsupportedCheckpoint when a key belongs to a kind that is not read yet."""
    for key in keys:
        for kind, pattern in _NOT_YET.items():
            if pattern.search(key):
                raise UnsupportedCheckpoint(f"key {key!r} belongs to {kind}: not supported yet")
