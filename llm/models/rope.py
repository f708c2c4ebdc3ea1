"""Rotary position embedding over interleaved pairs, on one position axis or two.

Knows angles and how to turn pairs. Does not know layers, caches or which position a token has.

T time, A axes, H heads, D head dimension, R rotated dimensions (the first R of D).
"""

import torch
from torch import Tensor

from llm.models.config import ModelConfig


def rotation(positions: Tensor, config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Cosine and sine for positions (T, A): two float32 tensors (T, 1, R/2).

    Always float32: half-precision angles are off by up to 1.0 at position 2048. The one exception
    is the first generation, which was trained with frequencies that had been rounded to half.
    Formula: RoFormer (Su et al. 2021), section 3.2.2; each axis turns its own R/A dimensions.
    """
    size = config.rope_dim // config.rope_axes
    pair = torch.arange(0, size, 2, device=positions.device, dtype=torch.float32)
    frequency = 1.0 / config.rope_base ** (pair / size)  # (R/2A,)
    if config.rope_half_frequencies:
        frequency = frequency.half().float()
    scaled = positions.float() / config.rope_position_divisor
    angle = (scaled.unsqueeze(-1) * frequency).flatten(1).unsqueeze(1)  # (T, 1, R/2)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (x[2j], x[2j+1]) of x (T, H, D); dimensions past R pass through."""
    rope_dim = 2 * cos.shape[-1]
    pairs = x[..., :rope_dim].float().reshape(*x.shape[:-1], -1, 2)  # (T, H, R/2, 2)
    even, odd = pairs.unbind(-1)
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
    return torch.cat((turned.flatten(-2).to(x.dtype), x[..., rope_dim:]), dim=-1)
