"""Models without a checkpoint: of the right shapes and no memory, or of random weights.

Knows which class implements a config. Does not know files.
"""

from __future__ import annotations

import torch
from torch import nn

from llm.models.chatglm1 import ChatGLM1
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM


def empty_model(config: ModelConfig) -> ChatGLM:
    """A model of the right shapes that takes no memory; its weights are to be assigned."""
    kind = ChatGLM if config.activation == "swiglu" else ChatGLM1
    with torch.device("meta"):
        return kind(config).requires_grad_(requires_grad=False).eval()


def random_model(
    config: ModelConfig,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> ChatGLM:
    """A model with small random weights, for tests and for speed where values do not matter."""
    model = empty_model(config).to(dtype).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(seed)
    for module in model.modules():
        is_norm = not isinstance(module, nn.Linear | nn.Embedding)
        for name, parameter in module.named_parameters(recurse=False):
            if is_norm and name == "weight":
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, 0.02, generator=generator)
        for buffer in module.buffers(recurse=False):
            buffer.normal_(0.0, 0.02, generator=generator)
    return model
