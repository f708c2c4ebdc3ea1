"""Folders of random weights in any released layout, for tests of loading and of variants."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from llm.checkpoints.weight_plan import LAYOUTS, plan_weights
from llm.models.build import empty_model
from llm.models.config import ModelConfig

# Ids of a tiny vocabulary of the first generation.
MASK, GMASK, SMASK, START, END = 120, 121, 122, 124, 125


def first_json(**changes: object) -> dict[str, object]:
    """config.json of a tiny ChatGLM-6B."""
    config: dict[str, object] = {
        "model_type": "chatglm",
        "vocab_size": 128,
        "hidden_size": 32,
        "num_layers": 2,
        "num_attention_heads": 2,
        "inner_hidden_size": 48,
        "layernorm_epsilon": 1e-5,
        "bos_token_id": START,
        "eos_token_id": END,
        "mask_token_id": MASK,
        "gmask_token_id": GMASK,
        "max_sequence_length": 64,
        "position_encoding_2d": True,
        "torch_dtype": "float32",
    }
    return config | changes


def native_json(**changes: object) -> dict[str, object]:
    """config.json of a tiny GLM-4 as transformers stores it."""
    config: dict[str, object] = {
        "model_type": "glm",
        "vocab_size": 96,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 64,
        "rms_norm_eps": 1.5625e-7,
        "rope_theta": 10000.0,
        "attention_bias": True,
        "partial_rotary_factor": 0.5,
        "pad_token_id": 0,
        "eos_token_id": [2],
        "torch_dtype": "float32",
    }
    return config | changes


def random_state(raw: Mapping[str, object], seed: int = 0) -> dict[str, Tensor]:
    """Random float32 weights under every key that a config asks for; norms are near one."""
    config = ModelConfig.from_json(raw)
    layout = LAYOUTS[config.layout]
    shapes = plan_weights(empty_model(config), layout, {}).expected()
    if not config.tie_embeddings:
        shapes[f"{layout.outer['head'][0]}.weight"] = (config.vocab_size, config.hidden_size)
    generator = torch.Generator().manual_seed(seed)
    state = {key: torch.randn(shape, generator=generator) * 0.3 for key, shape in shapes.items()}
    return {key: 1 + value if _is_norm(key) else value for key, value in state.items()}


def write_checkpoint(folder: Path, raw: Mapping[str, object], state: dict[str, Tensor]) -> Path:
    """One safetensors file and its config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(raw))
    save_file(
        {key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors"
    )
    return folder


def _is_norm(key: str) -> bool:
    return "norm" in key and key.endswith(".weight")
