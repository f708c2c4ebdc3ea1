"""Row orders: from how a checkpoint stores qkv to the model's [Q | K | V] of interleaved pairs.

Knows the two orders that releases use. Scores and outputs do not change, because a query and a
key are permuted alike. Does not know names or files.

H heads, G key/value groups, D head dimension.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm.models.config import ModelConfig


def pair_order(config: ModelConfig) -> Tensor | None:
    """For each of the model's D dimensions of a query or key, the stored one; None if the same."""
    if not config.row_order.rotate_half:
        return None
    order = torch.arange(config.head_dim)
    rotated = order[: config.rope_dim].view(config.rope_axes, 2, -1)
    return torch.cat((rotated.transpose(1, 2).flatten(), order[config.rope_dim :]))


def qkv_order(config: ModelConfig) -> Tensor | None:
    """For each of the model's rows of qkv, (H + 2G) D of them, the stored one; None if the same."""
    pairs = pair_order(config)
    if pairs is None and not config.row_order.per_head:
        return None
    dim = config.head_dim
    heads = torch.arange((config.num_heads + 2 * config.num_kv_groups) * dim)
    if config.row_order.per_head:
        heads = heads.view(config.num_heads, 3, dim).transpose(0, 1)
    heads = heads.reshape(-1, dim)
    if pairs is not None:
        num_turned = config.num_heads + config.num_kv_groups
        heads = torch.cat((heads[:num_turned, pairs], heads[num_turned:]))
    return heads.flatten()
