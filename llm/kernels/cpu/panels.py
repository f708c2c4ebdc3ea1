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

from llm.kernels.cpu.arrays import INT8_GROUP, ROWS
from llm.kernels.cpu.huge_pages import empty_bytes
from llm.kernels.quantization import GROUP_SIZE

_ROWS_AT_ONCE = 256  # whole panels; bounds what quantising and laying out need beside the weight

_CODE_BYTES = GROUP_SIZE // 2 * ROWS  # of an int4 group; its multiples lie behind them

Parts = Iterable[tuple[Tensor, ...]]


@dataclass(frozen=True, slots=True)
class Panels:
    """A weight of codes uint8, and scales (N,) and bias (N,) float32.

    Codes of int8 are (P, K / 4, 64, 4): code + 128. Those of int4 are (P, G, 1088): a group of 32
    columns is (4, 64, 4) of nibbles, and then the 64 rows' multiples, int8. Low nibbles are code +
    8 of its columns 0 to 15, high nibbles of its columns 16 to 31.
    """

    codes: Tensor
    scales: Tensor
    bias: Tensor | None


def slabs(rows: Tensor) -> Iterator[Tensor]:
    """The rows in the portions that stack_int8 and stack_int4 take."""
    yield from torch.split(rows.detach(), _ROWS_AT_ONCE)


def stack_int8(shape: tuple[int, int], parts: Parts, device: torch.device) -> tuple[Tensor, Tensor]:
    """Codes and scales of Panels from portions of codes (n, K) and scales (n,)."""
    num_groups = -(-shape[1] // INT8_GROUP)
    laid_out = ((int8_panels(codes), scale) for codes, scale in parts)
    return _stack(shape[0], (num_groups * INT8_GROUP // 4, ROWS, 4), laid_out, device)


def stack_int4(shape: tuple[int, int], parts: Parts, device: torch.device) -> tuple[Tensor, Tensor]:
    """Codes and scales of Panels from portions of codes (n, K), multiples (n, G), scales (n,)."""
    num_groups = -(-shape[1] // GROUP_SIZE)
    laid_out = ((int4_panels(codes, multiples), scale) for codes, multiples, scale in parts)
    return _stack(shape[0], (num_groups, _CODE_BYTES + ROWS), laid_out, device)


def _stack(
    num_rows: int, shape_of_panel: tuple[int, ...], parts: Parts, device: torch.device
) -> tuple[Tensor, Tensor]:
    codes = empty_bytes((-(-num_rows // ROWS), *shape_of_panel), device)
    scales = torch.empty(num_rows, device=device)
    for row, (part, scale) in zip(count(0, _ROWS_AT_ONCE), parts, strict=False):
        _write(codes, row // ROWS, part)
        _write(scales, row, scale)
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


def int4_panels(codes: Tensor, multiples: Tensor) -> Tensor:
    """(P, G, 1088) uint8 from codes (N, K) in [-8, 7] and multiples (N, G), both int8."""
    nibbles = (_filled(codes, GROUP_SIZE) + 8).view(torch.uint8)
    num_groups = nibbles.shape[1] // GROUP_SIZE
    halves = nibbles.view(-1, ROWS, num_groups, 2, 4, 4).permute(3, 0, 2, 4, 1, 5)
    packed = halves[0].bitwise_or(halves[1] << 4).flatten(2)
    by_group = _filled(multiples, 1).view(-1, ROWS, num_groups).transpose(1, 2)
    return torch.cat((packed, by_group.view(torch.uint8)), dim=2)


def int4_codes(panels: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (64 P, K filled) and multiples (64 P, G), both int8; the inverse of int4_panels."""
    packed = panels[..., :_CODE_BYTES].reshape(*panels.shape[:2], 4, ROWS, 4)
    halves = torch.stack((packed & 15, packed >> 4))  # (2, P, G, 4, 64, 4)
    rows = halves.permute(1, 4, 2, 0, 3, 5).reshape(panels.shape[0] * ROWS, -1)
    multiples = panels[..., _CODE_BYTES:].transpose(1, 2).reshape(-1, panels.shape[1])
    return rows.view(torch.int8) - 8, multiples.view(torch.int8)


def _filled(values: Tensor, column_step: int) -> Tensor:
    num_rows, num_columns = values.shape
    return pad(values, (0, -num_columns % column_step, 0, -num_rows % ROWS))


def _write(target: Tensor, start: int, part: Tensor) -> None:
    target[start : start + part.shape[0]] = part
