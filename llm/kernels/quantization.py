"""Weights as int8 or int4 with scales: the released per-row format, and groups of 32 columns.

Knows numbers only: rounding, scales and the order of two nibbles in a byte. Does not know how a
product is computed from them, nor which layers of a model are quantised.

N weight rows (output channels), K columns (input channels).
"""

from __future__ import annotations

import torch
from torch import Tensor

GROUP_SIZE = 32
_LARGEST = {8: 127, 4: 7}


def quantize_rows(weight: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """The released format: one scale per row, symmetric, ties to even.

    Args:
        weight: (N, K), any float type; the scales are computed in it and have it.
        bits: 8 or 4.

    Returns:
        Codes (N, K) int8 in [-127, 127] or [-7, 7], and scales (N,). A row of zeros has scale 0.

    Raises:
        ValueError: other bits, or a weight that is not finite.
    """
    if bits not in _LARGEST:
        raise ValueError(f"bits is {bits}; expected 8 or 4")
    largest = weight.abs().amax(dim=1)
    _require_finite(largest)
    scale = largest / _LARGEST[bits]
    codes = torch.round(weight / _nonzero(scale)[:, None]).to(torch.int8)
    return codes, scale


def dequantize_rows(codes: Tensor, scale: Tensor) -> Tensor:
    """Weights (N, K) in the scale's type from codes (N, K) and scales (N,)."""
    return codes.to(scale.dtype) * scale[:, None]


def pack_int4(codes: Tensor) -> Tensor:
    """Two codes per byte: column 2j in the high nibble of byte j, column 2j + 1 in the low one.

    Raises:
        ValueError: an odd number of columns.
    """
    if codes.shape[1] % 2:
        raise ValueError(f"int4 has {codes.shape[1]} columns; an even number fills whole bytes")
    return (codes[:, 0::2] << 4) | (codes[:, 1::2] & 15)


def unpack_int4(packed: Tensor) -> Tensor:
    """Codes (N, K) int8 in [-8, 7] from bytes (N, K / 2) int8; the shifts extend the sign."""
    return torch.stack((packed >> 4, (packed << 4) >> 4), dim=2).flatten(1)


def quantize_groups(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Int4 with one fp16 scale per 32 columns, for models that are quantised while they load.

    The value of largest magnitude becomes -8, so that all 16 codes are used; its sign is the
    scale's. The last group of a row may be shorter.

    Returns:
        Codes (N, K) int8 in [-8, 7], and scales (N, ceil(K / 32)) float16.

    Raises:
        ValueError: a weight that is not finite, or too large for an fp16 scale.
    """
    num_rows, num_columns = weight.shape
    groups = group_columns(weight.float(), GROUP_SIZE)
    extreme = groups.gather(2, groups.abs().argmax(dim=2, keepdim=True))
    _require_finite(extreme)
    scale = (extreme / -8).half()
    if bool(scale.isinf().any()):
        raise ValueError(f"a weight is {float(extreme.abs().max())}; int4 holds at most 524032")
    codes = torch.round(groups / _nonzero(scale.float())).clamp(-8, 7).to(torch.int8)
    return codes.view(num_rows, -1)[:, :num_columns], scale.squeeze(2)


def dequantize_groups(codes: Tensor, scale: Tensor) -> Tensor:
    """Weights (N, K) float32 from what quantize_groups returns."""
    groups = group_columns(codes.float(), GROUP_SIZE) * scale.float()[..., None]
    return groups.flatten(1)[:, : codes.shape[1]]


def group_columns(values: Tensor, size: int) -> Tensor:
    """(N, K) cut into (N, groups, size), the last group filled up with zeros."""
    missing = -values.shape[1] % size
    return torch.nn.functional.pad(values, (0, missing)).view(values.shape[0], -1, size)


def _nonzero(scale: Tensor) -> Tensor:
    """Scales to divide by; where one is zero all weights round to zero, whatever the divisor."""
    return torch.where(scale == 0, torch.ones_like(scale), scale)


def _require_finite(largest: Tensor) -> None:
    if not bool(largest.isfinite().all()):
        raise ValueError("a weight is NaN or infinite; only finite weights can be quantised")
