"""The product with quantised weights in plain torch: any device, no compiler, but slow.

Activations are quantised exactly as linear.cpp does it, so the integers are the same; the sums are
float32 in an order that torch chooses. Results agree to 1e-5 of the largest one, and, unlike those
of the compiled kernel, may depend on how many tokens are computed together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from llm.kernels.cpu.arrays import INT8_GROUP
from llm.kernels.cpu.panels import Panels, int4_codes, int8_codes
from llm.kernels.quantization import GROUP_SIZE, group_columns

_PANELS_AT_ONCE = 8  # their float32 weights stay in the cache


class TorchKernel:
    """Dequantises a few panels at a time."""

    name: ClassVar[str] = "torch"

    def linear_int8(self, x: Tensor, weight: Panels) -> Tensor:
        """(M, N) in the type of x (M, K)."""
        parts = (int8_codes(part).float() for part in torch.split(weight.codes, _PANELS_AT_ONCE))
        return _product(x, INT8_GROUP, parts, weight)

    def linear_int4(self, x: Tensor, weight: Panels) -> Tensor:
        """(M, N) in the type of x (M, K)."""
        parts = (int4_values(part) for part in torch.split(weight.codes, _PANELS_AT_ONCE))
        return _product(x, GROUP_SIZE, parts, weight)


def int4_values(panels: Tensor) -> Tensor:
    """Codes times multiples (64 P, K filled) float32: weights in units of their rows' scales."""
    codes, multiples = int4_codes(panels)
    groups = group_columns(codes, GROUP_SIZE).float()
    return (groups * multiples[..., None]).flatten(1)


def _product(x: Tensor, group: int, parts: Iterable[Tensor], weight: Panels) -> Tensor:
    """(M, N) in the type of x (M, K), from portions of rows in units of the weight's scales."""
    rounded = _rounded(x.float(), group)
    product = torch.cat([rounded @ part.T for part in parts], dim=1)
    scaled = product[:, : weight.scales.shape[0]] * weight.scales
    return (scaled if weight.bias is None else scaled + weight.bias).to(x.dtype)


def quantize_activations(x: Tensor, group: int) -> tuple[Tensor, Tensor]:
    """Whole numbers (M, G, group) and scales (M, G), float32, of x (M, K).

    value = round(x / scale) to even, scale = max|x| / 127 of the group. A group with NaN or
    infinity gets a NaN scale, one too small for a normal scale becomes zeros.
    """
    groups = group_columns(x, group)
    largest = groups.abs().amax(dim=2)
    finite = largest.isfinite()
    scale = largest / 127
    usable = finite & (scale >= torch.finfo(torch.float32).tiny)
    inverse = torch.where(usable, 1 / scale, 0.0)
    values = torch.where(usable[..., None], torch.round(groups * inverse[..., None]), 0.0)
    scale = torch.where(usable, scale, 0.0)
    return values, torch.where(finite, scale, torch.nan)


def _rounded(x: Tensor, group: int) -> Tensor:
    values, scale = quantize_activations(x, group)
    return (values * scale[..., None]).flatten(1)
