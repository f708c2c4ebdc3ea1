"""A model's layers over whole rows of tokens, without a cache: for training and for scoring.

Knows the order of work inside one layer and nothing of what a row holds; who sees whom is the
caller's mask. Does not know the first generation, whose layers are others.

B rows, T tokens of a row, H query heads, G key/value groups, D head dimension, C channels.
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor

from llm.models.model import Block, ChatGLM
from llm.models.rope import rotate


def layers_of(model: ChatGLM) -> list[Block]:
    """The model's layers, first to last."""
    return [block for block in model.layers if isinstance(block, Block)]


def block_forward(block: Block, x: Tensor, cos: Tensor, sin: Tensor, seen: Tensor) -> Tensor:
    """One layer over packed rows (B, T, C); ``seen`` (B or 1, 1, T, T) says who sees whom."""
    attention = block.attention
    heads, groups = attention.num_heads, attention.num_groups
    qkv = attention.qkv(block.input_norm(x)).unflatten(-1, (heads + 2 * groups, -1))
    turned = rotate(qkv[:, :, : heads + groups], cos, sin).transpose(1, 2)  # (B, H + G, T, D)
    query, keys = turned[:, :heads], turned[:, heads:]
    values = qkv[:, :, heads + groups :].transpose(1, 2)
    share = heads // groups
    mixed = F.scaled_dot_product_attention(
        query,
        keys.repeat_interleave(share, dim=1),
        values.repeat_interleave(share, dim=1),
        attn_mask=seen,
    )
    x = x + attention.out(mixed.transpose(1, 2).flatten(2))
    fed: Tensor = block.mlp(block.post_norm(x))
    return x + fed
