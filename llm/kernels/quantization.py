"""Weights as int8 or int4 with scales: the released format by rows, and one by groups of columns.

Knows numbers only: rounding, scales and the order of two nibbles in a byte. Does not know how a
product is computed from them, nor which layers of a model are quantised.

N weight rows (output channels), K columns (input channels).
"""

from __future__ import annotations

import torch
from torch import Tensor

GROUP_SIZE = 32
_LARGEST = {8: 127, 4: 7}
# The extreme value then errs, but in many groups the others gain more than that.
_SMALLER_STEP = 0.95


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


def quantize_groups(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Int4 with 4.25 bits a weight, for models that are quantised while they load.

    A weight is code * multiple * scale: a row has a scale, and 32 columns of it a multiple, whose
    sign makes the value of largest magnitude negative, so that all 16 codes are used. Of two
    multiples each group takes the one with the smaller sum of squared errors.

    Returns:
        Codes (N, K) int8 in [-8, 7], multiples (N, ceil(K / 32)) int8 in [-127, 127] and scales
        (N,) float32. The last group of a row may be shorter.

    Raises:
        ValueError: a weight that is not finite.
    """
    num_rows, num_columns = weight.shape
    groups = group_columns(weight.float(), GROUP_SIZE)
    extreme = groups.gather(2, groups.abs().argmax(dim=2, keepdim=True))
    _require_finite(extreme)
    scale = _with_four_bits(extreme.abs().amax(dim=1, keepdim=True) / (8 * 127))
    wanted = extreme / (-8 * _nonzero(scale))  # (N, G, 1)
    groups = groups / _nonzero(scale)
    codes, multiples, error = _rounded_groups(groups, wanted)
    other_codes, other_multiples, other_error = _rounded_groups(groups, wanted * _SMALLER_STEP)
    is_better = other_error < error
    codes = torch.where(is_better, other_codes, codes).view(num_rows, -1)[:, :num_columns]
    return codes, torch.where(is_better, other_multiples, multiples).squeeze(2), scale.flatten()


def _with_four_bits(scale: Tensor) -> Tensor:
    """The next number of 4 significant bits: its multiples are exact in fp16, within its range."""
    mantissa, exponent = torch.frexp(scale)
    return torch.ldexp((mantissa * 16).ceil() / 16, exponent)


def _rounded_groups(groups: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (N, G, 32) and multiples (N, G, 1), int8, and errors (N, G, 1) by the Euclidean norm.

    Takes groups (N, G, 32) and the multiples wanted (N, G, 1) in units of scale. No multiple but
    that of a group of zeros is 0: values far below the row's largest round to whole scales.
    """
    multiple = wanted.sign() * wanted.abs().round().clamp(1, 127)
    codes = (groups / _nonzero(multiple)).round_().clamp_(-8, 7)
    error = torch.linalg.vector_norm(codes * multiple - groups, dim=2, keepdim=True)
    return codes.to(torch.int8), multiple.to(torch.int8), error


def dequantize_groups(codes: Tensor, steps: Tensor) -> Tensor:
    """Weights (N, K) float32 from codes (N, K) and steps (N, ceil(K / 32)): multiple * scale."""
    groups = group_columns(codes.float(), GROUP_SIZE) * steps[..., None]
    return groups.flatten(1)[:, : codes.shape[1]]


def group_columns(values: Tensor, size: int) -> Tensor:
    """(N, K) cut into (N, groups, size), the last group filled up with zeros."""
    num_groups = -(-values.shape[1] // size)
    missing = num_groups * size - values.shape[1]
    return torch.nn.functional.pad(values, (0, missing)).view(values.shape[0], num_groups, size)


def _nonzero(scale: Tensor) -> Tensor:
    """Scales to divide by; where one is zero all weights round to zero, whatever the divisor."""
    return torch.where(scale == 0, torch.ones_like(scale), scale)


def _require_finite(largest: Tensor) -> None:
    if not bool(largest.isfinite().all()):
        raise ValueError("a weight is NaN or infinite; only finite weights can be quantised")
