"""The Triton kernel of paged attention: what is cached of a row is read once for all its heads.

Knows tiles and splits. Does not know who calls it or whether its numbers are right on this
machine; paged_attention.py finds that out. Importing it needs Triton.

B rows, H query heads, G key/value groups, D head dimension, S splits of one row's tokens.
Online softmax after Milakov & Gimelshein (2018), splits and their union after Flash-Decoding
(Dao et al. 2023).
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK_TOKENS = 64
# Programs that keep a large GPU busy; one row alone is split until there are so many.
NUM_PROGRAMS = 256
MAX_SPLITS = 64
MIN_DOT_ROWS = 16  # the smallest tile that Triton multiplies


def paged_attention(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    """See paged_attention.PagedAttention; the heads of a query's row lie one after the other.

    The splits follow from the shapes alone, so a row's rounding does not depend on its neighbours.
    """
    num_rows, num_heads, dim = query.shape
    page_tokens, num_groups = keys.shape[1:3]
    per_group = num_heads // num_groups
    splits = _num_splits(num_rows * num_groups, tables.shape[1] * page_tokens)
    mixed = query.new_empty(query.shape)
    parts = query.new_empty((num_rows, num_heads, splits, dim + 2), dtype=torch.float32)
    wide = max(triton.next_power_of_2(dim), MIN_DOT_ROWS)
    with torch.cuda.device_of(query):  # type: ignore[no-untyped-call]  # torch leaves it so
        _attend_split[(num_rows, num_groups, splits)](
            query, keys, values, tables, lengths, mixed, parts,
            math.log2(math.e) / math.sqrt(dim), query.stride(0), tables.stride(0),
            per_group, max(triton.next_power_of_2(per_group), MIN_DOT_ROWS),
            num_groups, dim, wide, page_tokens, BLOCK_TOKENS, splits, num_warps=4,
        )  # fmt: skip
        if splits > 1:
            _unite[(num_rows * num_heads,)](parts, mixed, dim, wide, splits, num_warps=4)
    return mixed


def _num_splits(num_pairs: int, max_tokens: int) -> int:
    """Splits (a power of 2) for so many pairs of a row and a group, of so many tokens each."""
    useful = min(-(-NUM_PROGRAMS // num_pairs), -(-max_tokens // BLOCK_TOKENS), MAX_SPLITS)
    return int(triton.next_power_of_2(useful))


def _attend_split_kernel(
    query: tl.tensor, keys: tl.tensor, values: tl.tensor, tables: tl.tensor, lengths: tl.tensor,
    out: tl.tensor, parts: tl.tensor,
    scale: tl.tensor, query_stride: tl.tensor, table_stride: tl.tensor,
    heads: tl.constexpr, tile: tl.constexpr, groups: tl.constexpr, dim: tl.constexpr,
    wide: tl.constexpr, page: tl.constexpr, block: tl.constexpr, splits: tl.constexpr,
) -> None:  # fmt: skip
    """One group's heads over one split: its mixed values, largest score and sum of weights."""
    row, group, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(lengths + row)
    share = tl.cdiv(tl.cdiv(length, splits), block) * block
    first = split * share
    last = tl.minimum(first + share, length)
    number, column = tl.arange(0, tile), tl.arange(0, wide)
    head = group * heads + number
    own = row * groups * heads + head  # its place among the heads of all rows
    is_head, is_column = number < heads, (column < dim)[None, :]
    is_query = is_head[:, None] & is_column
    q_place = row * query_stride + head[:, None] * dim + column[None, :]
    q = tl.load(query + q_place, mask=is_query, other=0.0)
    top = tl.full((tile,), float("-inf"), tl.float32)
    total = tl.zeros((tile,), tl.float32)
    mixed = tl.zeros((tile, wide), tl.float32)
    for start in range(first, last, block):
        token = start + tl.arange(0, block)
        is_seen = token < last
        held = tl.load(tables + row * table_stride + token // page, mask=is_seen, other=0)
        slot = held.to(tl.int64) * page + token % page
        place = (slot[:, None] * groups + group) * dim + column[None, :]
        is_cached = is_seen[:, None] & is_column
        k = tl.load(keys + place, mask=is_cached, other=0.0)
        v = tl.load(values + place, mask=is_cached, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale  # powers of 2, not of e
        scores = tl.where(is_seen[None, :], scores, float("-inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        weights, fade = tl.exp2(scores - higher[:, None]), tl.exp2(top - higher)
        total = total * fade + tl.sum(weights, 1)
        mixed = mixed * fade[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")
        top = higher
    if splits == 1:
        mixed = mixed / total[:, None]
        tl.store(out + own[:, None] * dim + column[None, :], mixed, mask=is_query)
    else:
        part = parts + (own * splits + split) * (dim + 2)
        tl.store(part[:, None] + column[None, :], mixed, mask=is_query)
        tl.store(part + dim, top, mask=is_head)
        tl.store(part + dim + 1, total, mask=is_head)


def _unite_kernel(
    parts: tl.tensor, out: tl.tensor, dim: tl.constexpr, wide: tl.constexpr, splits: tl.constexpr
) -> None:
    """Weigh the splits of one head by their largest scores; empty ones have weight 0."""
    head = tl.program_id(0)
    column = tl.arange(0, wide)
    part = parts + (head * splits + tl.arange(0, splits)) * (dim + 2)
    top = tl.load(part + dim)
    weights = tl.exp2(top - tl.max(top, 0))
    total = tl.sum(tl.load(part + dim + 1) * weights, 0)
    is_column = column < dim
    mixed = tl.load(part[:, None] + column[None, :], mask=is_column[None, :], other=0.0)
    tl.store(out + head * dim + column, tl.sum(mixed * weights[:, None], 0) / total, mask=is_column)


_attend_split = triton.jit(_attend_split_kernel)
_unite = triton.jit(_unite_kernel)
