"""The Triton kernel that multiplies few tokens with int8 or int4 weights.

Every code is read once, for all tokens. Knows tiles. Does not know who calls it or whether its
numbers are right on this machine; gpu_linear.py finds that out. Importing it needs Triton.

M tokens, N output channels, K input channels.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK_CHANNELS = 16
BLOCK_BYTES = 128  # of one channel
MIN_DOT_ROWS = 16  # the smallest tile that Triton multiplies


def product(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
    """See gpu_linear.Product."""
    (num_rows, num_columns), num_channels = x.shape, len(codes)
    x = x.contiguous()
    out = x.new_empty((num_rows, num_channels))
    tile = max(triton.next_power_of_2(num_rows), MIN_DOT_ROWS)
    kernel = _pairs_product if codes.dtype == torch.uint8 else _bytes_product
    with torch.cuda.device_of(x):  # type: ignore[no-untyped-call]  # torch leaves it so
        kernel[(triton.cdiv(num_channels, BLOCK_CHANNELS),)](
            x, codes, scales, out, num_rows, num_channels, num_columns,
            num_columns // scales.shape[1], tile, BLOCK_CHANNELS, BLOCK_BYTES,
            num_warps=4, num_stages=4 if x.itemsize == 2 else 2,
        )  # fmt: skip
    return out


def _bytes_kernel(
    x: tl.tensor, codes: tl.tensor, scales: tl.tensor, out: tl.tensor,
    num_rows: tl.tensor, num_channels: tl.tensor, num_columns: tl.tensor,
    group: tl.constexpr, tile: tl.constexpr, channels: tl.constexpr, block: tl.constexpr,
) -> None:  # fmt: skip
    """Some channels of int8 for all tokens; a channel has one scale."""
    channel = tl.program_id(0) * channels + tl.arange(0, channels)
    row = tl.arange(0, tile)
    is_channel, is_row = (channel < num_channels)[:, None], (row < num_rows)[None, :]
    total = tl.zeros((channels, tile), tl.float32)
    for start in range(0, num_columns, block):
        column = start + tl.arange(0, block)
        is_column = column < num_columns
        place = codes + channel[:, None] * num_columns + column[None, :]
        code = tl.load(place, mask=is_channel & is_column[None, :], other=0)
        values = tl.load(
            x + row[None, :] * num_columns + column[:, None],
            mask=is_row & is_column[:, None],
            other=0.0,
        )
        total += tl.dot(code.to(values.dtype), values, input_precision="ieee")
    total *= tl.load(scales + channel, mask=channel < num_channels, other=0.0)[:, None]
    tl.store(out + row[None, :] * num_channels + channel[:, None], total, mask=is_channel & is_row)


def _pairs_kernel(
    x: tl.tensor, codes: tl.tensor, scales: tl.tensor, out: tl.tensor,
    num_rows: tl.tensor, num_channels: tl.tensor, num_columns: tl.tensor,
    group: tl.constexpr, tile: tl.constexpr, channels: tl.constexpr, block: tl.constexpr,
) -> None:  # fmt: skip
    """Some channels of int4 for all tokens; `group` columns have one scale."""
    channel = tl.program_id(0) * channels + tl.arange(0, channels)
    row = tl.arange(0, tile)
    is_channel, is_row = (channel < num_channels)[:, None], (row < num_rows)[None, :]
    total = tl.zeros((channels, tile), tl.float32)
    num_pairs = num_columns // 2
    groups: tl.constexpr = 2 * block // group
    for start in range(0, num_pairs, block):
        pair = start + tl.arange(0, block)
        is_pair = pair < num_pairs
        is_code = is_channel & is_pair[None, :]
        place = codes + channel[:, None] * num_pairs + pair[None, :]
        both = tl.load(place, mask=is_code, other=0).to(tl.int32)
        number = 2 * start // group + tl.arange(0, groups)
        at = scales + channel[:, None] * (num_columns // group) + number[None, :]
        known = is_channel & (number < num_columns // group)[None, :]
        each = tl.load(at, mask=known, other=0.0).to(tl.float32)[:, :, None]
        scale = tl.reshape(tl.broadcast_to(each, (channels, groups, group // 2)), (channels, block))
        even_place = x + row[None, :] * num_columns + 2 * pair[:, None]
        is_value = is_row & is_pair[:, None]
        even = tl.load(even_place, mask=is_value, other=0.0)
        odd = tl.load(even_place + 1, mask=is_value, other=0.0)
        low = (((both & 15) - 8).to(tl.float32) * scale).to(even.dtype)
        high = (((both >> 4) - 8).to(tl.float32) * scale).to(even.dtype)
        total += tl.dot(low, even, input_precision="ieee")
        total += tl.dot(high, odd, input_precision="ieee")
    tl.store(out + row[None, :] * num_channels + channel[:, None], total, mask=is_channel & is_row)


_bytes_product = triton.jit(_bytes_kernel)
_pairs_product = triton.jit(_pairs_kernel)
