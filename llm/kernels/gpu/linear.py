"""Int8 and int4 weights on a GPU: rows of codes that one kernel reads, or that are dequantised.

Few tokens are bound by reading weights, so a kernel multiplies with the codes themselves; for
many the weight is dequantised once a product, in the activations' type. The activations are not
rounded. Knows how a quantised module becomes one for a GPU; whether the kernel is right on this
machine is found out before it is used.

M tokens, N output channels, K input channels, G groups of columns with a scale each.
"""

from __future__ import annotations

import importlib
import logging
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from llm.kernels.paged_attention import TOLERANCE, relative_error
from llm.kernels.quantization import GROUP_SIZE
from llm.kernels.quantized_linear import Int4Linear, Int8Linear, QuantizedLinear

log = logging.getLogger(__name__)

# From here on arithmetic costs more than reading, and torch's product is the better one.
MAX_KERNEL_ROWS = 64


class Product(Protocol):
    """x (M, K) times codes (N, K) int8, or (N, K / 2) uint8 of column pairs, and their scales.

    The scales (N, G), of any float type, belong to K / G columns each. A byte of two codes has 8
    added to each, and the even column in its low half. Returns (M, N) in the type of x.
    """

    def __call__(self, x: Tensor, codes: Tensor, scales: Tensor) -> Tensor: ...


class GpuLinear(nn.Module):
    """The linear module of one quantised weight; without a kernel it always dequantises."""

    codes: Tensor
    scales: Tensor
    bias: Tensor | None

    def __init__(
        self, module: QuantizedLinear, dtype: torch.dtype, product: Product | None
    ) -> None:
        super().__init__()
        codes, scales = _canonical(module)
        packed = isinstance(module, Int4Linear)
        scales = _narrowed(scales) if packed else scales
        self.register_buffer("codes", _pairs(codes) if packed else codes.contiguous())
        self.register_buffer("scales", scales.view(len(codes), -1).contiguous())
        bias = module.bias
        self.register_buffer("bias", None if bias is None else bias.to(dtype))
        self.product = product

    def forward(self, x: Tensor) -> Tensor:
        """(M, N) in the type of x (M, K)."""
        if self.product is None or len(x) > MAX_KERNEL_ROWS:
            return F.linear(x, self.dequantized(x.dtype), self.bias)
        found = self.product(x, self.codes, self.scales)
        return found if self.bias is None else found + self.bias

    def dequantized(self, dtype: torch.dtype) -> Tensor:
        """The weight (N, K) that this layer multiplies with."""
        codes = self.codes
        if codes.dtype == torch.uint8:
            codes = torch.stack((codes & 15, codes >> 4), dim=2).flatten(1).to(torch.int8) - 8
        groups = codes.view(*self.scales.shape, -1)
        # In float32 until the end: rounding a scale first would move all its columns one way.
        return (groups * self.scales[:, :, None].float()).to(dtype).flatten(1)


def to_gpu_modules(model: nn.Module, dtype: torch.dtype) -> None:
    """Replace the quantised modules of a model, one by one, by such as a GPU runs fast.

    Int4 weights whose last group is short stay as they are; no released model has such.
    """
    products: dict[tuple[torch.dtype, torch.dtype], Product | None] = {}
    for name in [name for name, _ in model.named_modules()]:
        module = model.get_submodule(name)
        short = isinstance(module, Int4Linear) and module.in_features % GROUP_SIZE
        if short or not isinstance(module, QuantizedLinear):
            continue
        layer = GpuLinear(module, dtype, None)
        # A kernel is compiled anew for each of these, and so may be wrong for one of them alone.
        types = layer.codes.dtype, layer.scales.dtype
        if types not in products:
            products[types] = _checked_product(layer, dtype)
        layer.product = products[types]
        parent, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(parent), attribute, layer)
        del module


def _checked_product(layer: GpuLinear, dtype: torch.dtype) -> Product | None:
    """The kernel, if it is there and gives the numbers of the dequantised weight."""
    weight = layer.dequantized(torch.float32)
    generator = torch.Generator().manual_seed(0)
    try:
        product = _kernel()
        for num_rows in (1, 5, MAX_KERNEL_ROWS):
            x = torch.randn(num_rows, weight.shape[1], generator=generator)
            x = x.to(weight.device, dtype)
            error = relative_error(product(x, layer.codes, layer.scales), x.float() @ weight.T)
            if not error <= TOLERANCE[dtype] / 2:
                log.warning("the product of quantised weights is wrong by %.2g; not used", error)
                return None
    except Exception as failure:  # kernel compilers have errors of their own
        reason = f"{type(failure).__name__}: {str(failure)[:200]}"
        log.warning("the product of quantised weights does not run here: %s", reason)
        log.debug("how it failed", exc_info=True)
        return None
    log.info("the product of quantised weights is right within %.2g", error)
    return product


def _kernel() -> Product:
    product: Product = importlib.import_module("llm.kernels.gpu.triton_linear").product
    return product


def _canonical(module: QuantizedLinear) -> tuple[Tensor, Tensor]:
    if isinstance(module, Int8Linear | Int4Linear):
        return module.canonical()
    raise TypeError(f"{type(module).__name__} is neither Int8Linear nor Int4Linear")


def _narrowed(scales: Tensor) -> Tensor:
    """In fp16 if that loses nothing: they are read with every token."""
    narrow = scales.half()
    return narrow if torch.equal(narrow.float(), scales) else scales


def _pairs(codes: Tensor) -> Tensor:
    """(N, K / 2) uint8 from codes (N, K) in [-8, 7]."""
    raised = (codes + 8).view(torch.uint8)
    return raised[:, 0::2] | (raised[:, 1::2] << 4)
