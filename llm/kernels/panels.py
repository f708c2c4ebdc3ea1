"""How quantised weights lie in memory: panels of 64 rows, four columns of each row together.

One vector instruction multiplies four neighbouring bytes of each of 16 rows, so those 64 bytes are
neighbours here, and a panel is read from front to back. Knows the layout; linear.cpp reads it.

P panels of 64 rows, N rows, K columns, G groups of columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor
from torch.nn.functional import pad

from llm.kernels.huge_pages import prefer_huge_pages
from llm.kernels.quantization import GROUP_SIZE

ROWS = 64
INT8_GROUP = 128  # activations' columns that share a scale beside int8 weights
_ROWS_AT_ONCE = 256  # whole panels; bounds what quantising and laying out need beside the weight

Parts = Iterable[tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Int8Panels:
    """A weight of codes (P, K / 4, 64, 4) uint8 = code + 128, scales (N,) and bias (N,) float32."""

    codes: Tensor
    scales: Tensor
    bias: Tensor | None
    num_columns: int


@dataclass(frozen=True, slots=True)
class Int4Panels:
    """A weight of codes (P, G, 4, 64, 4) uint8, scales (P, G, 64) float16 and bias (N,) float32.

    Low nibbles are code + 8 of a group's columns 0 to 15, high nibbles of its columns 16 to 31.
    """

    codes: Tensor
    scales: Tensor
    bias: Tensor | None
    num_rows: int
    num_columns: int


def slabs(rows: Tensor) -> Iterator[Tensor]:
    """The rows in the portions that stack_int8 and stack_int4 take."""
    yield from torch.split(rows.detach(), _ROWS_AT_ONCE)


def stack_int8(shape: tuple[int, int], parts: Parts, device: torch.device) -> tuple[Tensor, Tensor]:
    """Codes and scales of Int8Panels from portions of codes (n, K) and scales (n,)."""
    num_panels, num_groups = -(-shape[0] // ROWS), -(-shape[1] // INT8_GROUP)
    shape_of_codes = (num_panels, num_groups * INT8_GROUP // 4, ROWS, 4)
    codes = prefer_huge_pages(torch.empty(shape_of_codes, dtype=torch.uint8, device=device))
    scales = torch.empty(shape[0], device=device)
    for row, (part, scale) in zip(count(0, _ROWS_AT_ONCE), parts, strict=False):
        _write(codes, row // ROWS, int8_panels(part))
        _write(scales, row, scale)
    return codes, scales


def stack_int4(shape: tuple[int, int], parts: Parts, device: torch.device) -> tuple[Tensor, Tensor]:
    """Codes and scales of Int4Panels from portions of codes (n, K) and scales (n, G)."""
    num_panels, num_groups = -(-shape[0] // ROWS), -(-shape[1] // GROUP_SIZE)
    shape_of_codes = (num_panels, num_groups, 4, ROWS, 4)
    codes = prefer_huge_pages(torch.empty(shape_of_codes, dtype=torch.uint8, device=device))
    scales = torch.empty((num_panels, num_groups, ROWS), dtype=torch.float16, device=device)
    prefer_huge_pages(scales)
    for row, (part, scale) in zip(count(0, _ROWS_AT_ONCE), parts, strict=False):
        _write(codes, row // ROWS, int4_panels(part))
        _write(scales, row // ROWS, scale_panels(scale))
    return codes, scales


def int8_panels(codes: Tensor) -> Tensor:
    """(P, K / 4, 64, 4) uint8 from codes (N, K) int8; rows and columns are filled with zeros."""
    filled = _filled(codes, INT8_GROUP)
    bytes_ = filled.view(torch.uint8).bitwise_xor(128)  # code + 128
    return bytes_.view(-1, ROWS, filled.shape[1] // 4, 4).transpose(1, 2).contiguous()


def int8_codes(panels: Tensor) -> Tensor:
    """Codes (64 P, K filled) int8 from panels; the inverse of int8_panels but for the filling."""
    bytes_ = panels.transpose(1, 2).reshape(panels.shape[0] * ROWS, -1)
    return bytes_.bitwise_xor(128).view(torch.int8)


def int4_panels(codes: Tensor) -> Tensor:
    """(P, G, 4, 64, 4) uint8 from codes (N, K) int8 in [-8, 7]."""
    nibbles = (_filled(codes, GROUP_SIZE) + 8).view(torch.uint8)
    halves = nibbles.view(-1, ROWS, nibbles.shape[1] // GROUP_SIZE, 2, 4, 4).permute(
        3, 0, 2, 4, 1, 5
    )
    return halves[0].bitwise_or(halves[1] << 4).contiguous()


def int4_codes(panels: Tensor) -> Tensor:
    """Codes (64 P, K filled) int8 from panels; the inverse of int4_panels but for the filling."""
    halves = torch.stack((panels & 15, panels >> 4))  # (2, P, G, 4, 64, 4)
    rows = halves.permute(1, 4, 2, 0, 3, 5).reshape(panels.shape[0] * ROWS, -1)
    return rows.view(torch.int8) - 8


def scale_panels(scales: Tensor) -> Tensor:
    """(P, G, 64) from scales (N, G)."""
    return _filled(scales, 1).view(-1, ROWS, scales.shape[1]).transpose(1, 2).contiguous()


def scale_rows(panels: Tensor) -> Tensor:
    """(64 P, G) from panels; the inverse of scale_panels but for the filling."""
    return panels.transpose(1, 2).reshape(-1, panels.shape[1])


def _filled(values: Tensor, column_step: int) -> Tensor:
    num_rows, num_columns = values.shape
    return pad(values, (0, -num_columns % column_step, 0, -num_rows % ROWS))


def _write(target: Tensor, start: int, part: Tensor) -> None:
    target[start : start + part.shape[0]] = part
