"""Linear layers with int8 or int4 weights that stand where an nn.Linear stood.

Knows how weights become modules and which modules of a model are replaced. The arithmetic is in
llm.kernels, the number formats in llm.kernels.quantization. Activations of any float type work; the
product rounds them to int8 in groups, so a token's result does not depend on its neighbours.

N output channels, K input channels, P panels of 64 channels, G groups of 32 columns.
"""

from __future__ import annotations

from operator import is_
from typing import Self

import torch
from torch import Tensor, nn

from llm.kernels import quantization
from llm.kernels.cpu import panels
from llm.kernels.cpu.selection import kernel_for


class QuantizedLinear(nn.Module):
    """What both widths share.

    Scales and bias are kept as integer bits: `.to(dtype)` of a whole model must not round them.
    """

    codes: Tensor
    scale_bits: Tensor
    bias_bits: Tensor | None

    def __init__(
        self, codes: Tensor, scale_bits: Tensor, bias: Tensor | None, shape: tuple[int, int]
    ) -> None:
        super().__init__()
        self.out_features, self.in_features = shape
        self._panels: panels.Panels | None = None
        self._laid_out: tuple[Tensor | None, ...] = ()  # the buffers that _panels was made of
        if bias is not None:
            _require_shape("bias", bias, shape[:1])
        self.register_buffer("codes", codes)
        self.register_buffer("scale_bits", scale_bits)
        bits = None if bias is None else bias.detach().to(torch.float32, copy=True)
        self.register_buffer("bias_bits", None if bits is None else bits.view(torch.int32))

    @property
    def scales(self) -> Tensor:
        """(N,) float32."""
        return self.scale_bits.view(torch.float32)

    @property
    def bias(self) -> Tensor | None:
        """(N,) float32."""
        return None if self.bias_bits is None else self.bias_bits.view(torch.float32)

    @property
    def weight_panels(self) -> panels.Panels:
        """The weight as a kernel takes it, kept until a buffer is another: each token asks."""
        buffers = tuple(self._buffers.values())
        if self._panels is None or not all(map(is_, buffers, self._laid_out)):
            self._panels = panels.Panels(self.codes, self.scales, self.bias)
            self._laid_out = buffers
        return self._panels

    def forward(self, x: Tensor) -> Tensor:
        """(..., N) in the type of x (..., K)."""
        if x.shape[-1] != self.in_features:
            raise ValueError(f"x has {x.shape[-1]} columns; this layer takes {self.in_features}")
        is_taken = x.dtype in (torch.float32, torch.bfloat16)
        if is_taken and x.dim() == 2:
            return self._product(x)
        rows = x.reshape(-1, self.in_features)
        product = self._product(rows if is_taken else rows.float())
        return product.view(*x.shape[:-1], self.out_features).to(x.dtype)

    def dequantized(self) -> Tensor:
        """The weight (N, K) float32 that this layer multiplies with."""
        raise NotImplementedError

    def _product(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}"


class Int8Linear(QuantizedLinear):
    """One scale per output channel."""

    @classmethod
    def from_float(cls, weight: Tensor, bias: Tensor | None = None) -> Self:
        """Quantise weight (N, K); its scales are float32.

        Raises:
            ValueError: a weight that is not finite, or a bias of another shape.
        """
        parts = (quantization.quantize_rows(part.float(), 8) for part in panels.slabs(weight))
        codes, scales = panels.stack_int8(_shape(weight), parts, weight.device)
        return cls(codes, scales.view(torch.int32), bias, _shape(weight))

    @classmethod
    def from_canonical(cls, codes: Tensor, scale: Tensor, bias: Tensor | None = None) -> Self:
        """Take the released format: codes (N, K) int8, scale (N,).

        Raises:
            ValueError: tensors of other shapes or types.
        """
        _require_int8("codes", codes)
        _require_shape("scale", scale, codes.shape[:1])
        parts = zip(panels.slabs(codes), panels.slabs(scale), strict=True)
        stacked, scales = panels.stack_int8(_shape(codes), parts, codes.device)
        return cls(stacked, scales.view(torch.int32), bias, _shape(codes))

    def canonical(self) -> tuple[Tensor, Tensor]:
        """Codes (N, K) int8 and scale (N,) float32."""
        codes = panels.int8_codes(self.codes)[: self.out_features, : self.in_features]
        return codes, self.scales

    def dequantized(self) -> Tensor:
        """The weight (N, K) float32 that this layer multiplies with."""
        return quantization.dequantize_rows(*self.canonical())

    def _product(self, x: Tensor) -> Tensor:
        return kernel_for(x).linear_int8(x, self.weight_panels)


class Int4Linear(QuantizedLinear):
    """One scale per output channel and a multiple of it per 32 columns; 1 in released weights."""

    @classmethod
    def from_float(cls, weight: Tensor, bias: Tensor | None = None) -> Self:
        """Quantise weight (N, K) in groups of 32 columns.

        Raises:
            ValueError: a weight that is not finite, or a bias of another shape.
        """
        parts = (quantization.quantize_groups(part) for part in panels.slabs(weight))
        codes, scales = panels.stack_int4(_shape(weight), parts, weight.device)
        return cls(codes, scales.view(torch.int32), bias, _shape(weight))

    @classmethod
    def from_canonical(cls, packed: Tensor, scale: Tensor, bias: Tensor | None = None) -> Self:
        """Take the released format: packed (N, K / 2) int8, scale (N,).

        Raises:
            ValueError: tensors of other shapes or types.
        """
        _require_int8("packed codes", packed)
        _require_shape("scale", scale, packed.shape[:1])
        num_rows, num_pairs = _shape(packed)
        shape = (num_rows, 2 * num_pairs)
        groups = -(-shape[1] // quantization.GROUP_SIZE)
        parts = (
            (quantization.unpack_int4(codes), codes.new_ones((len(codes), groups)), rows)
            for codes, rows in zip(panels.slabs(packed), panels.slabs(scale), strict=True)
        )
        stacked, scales = panels.stack_int4(shape, parts, packed.device)
        return cls(stacked, scales.view(torch.int32), bias, shape)

    def canonical(self) -> tuple[Tensor, Tensor]:
        """Codes (N, K) int8 in [-8, 7] and scales (N, G) float32."""
        codes, multiples = panels.int4_codes(self.codes)
        scales = multiples[: self.out_features] * self.scales[:, None]
        return codes[: self.out_features, : self.in_features], scales

    def dequantized(self) -> Tensor:
        """The weight (N, K) float32 that this layer multiplies with."""
        return quantization.dequantize_groups(*self.canonical())

    def _product(self, x: Tensor) -> Tensor:
        return kernel_for(x).linear_int4(x, self.weight_panels)


def quantize_linear(weight: Tensor, bias: Tensor | None, bits: int) -> QuantizedLinear:
    """The module for one float weight (N, K).

    Raises:
        ValueError: bits other than 8 or 4, or what from_float refuses.
    """
    if bits not in (8, 4):
        raise ValueError(f"bits is {bits}; expected 8 or 4")
    return (Int8Linear if bits == 8 else Int4Linear).from_float(weight, bias)


def bits_of(name: str, bits: int) -> int | None:
    """The width that a model quantised to `bits` gives its linear module `name`; None leaves it.

    The products of the layers have the model's width. The head is int8 in both: its scores decide
    between near equals, and fp16 would be a fifth of what an int4 model reads per token.
    """
    if name.startswith("layers."):
        return bits
    return 8 if name == "head" else None


def quantize_model(model: nn.Module, bits: int) -> None:
    """Replace the linear modules of the layers and the head one by one, in place.

    Raises:
        ValueError: as quantize_linear; modules before the refused one are replaced already.
    """
    for name in [name for name, _ in model.named_modules()]:
        module = model.get_submodule(name)
        width = bits_of(name, bits)
        if width is not None and isinstance(module, nn.Linear):
            parent, _, attribute = name.rpartition(".")
            replacement = quantize_linear(module.weight, module.bias, width)
            setattr(model.get_submodule(parent), attribute, replacement)
            del module


def _shape(weight: Tensor) -> tuple[int, int]:
    if weight.dim() != 2 or 0 in weight.shape:
        raise ValueError(f"the weight has the shape {list(weight.shape)}; expected [N, K]")
    return weight.shape[0], weight.shape[1]


def _require_int8(what: str, codes: Tensor) -> None:
    if codes.dtype != torch.int8 or codes.dim() != 2:
        raise ValueError(
            f"the {what} are {codes.dtype} {list(codes.shape)}; expected torch.int8 [N, K]"
        )


def _require_shape(what: str, values: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(values.shape) != tuple(shape):
        raise ValueError(f"the {what} has the shape {list(values.shape)}; expected {list(shape)}")
