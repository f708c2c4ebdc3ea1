"""The compiled kernel behind the same two methods as the torch one.

Knows the C signatures of linear.cpp and which tensors may be handed over by address. Building and
choosing are elsewhere.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm.errors import KernelUnavailable
from llm.kernels.build import is_intact
from llm.kernels.panels import INT8_GROUP, Int4Panels, Int8Panels
from llm.kernels.quantization import GROUP_SIZE

_SEGMENT = 512  # kSegment of linear.cpp
_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
_LINEAR = [*[_POINTER] * 3, _SIZE, *[_POINTER] * 3, _SIZE, _SIZE, _POINTER, _INT, _INT]
_SIGNATURES = {
    "quantize_tokens": [_POINTER, _INT, *[_SIZE] * 4, *[_POINTER] * 3, _INT],
    "linear_int8": _LINEAR,
    "linear_int4": _LINEAR,
}


class NativeKernel:
    """linear.cpp on torch's own threads, as many as torch is set to use."""

    def __init__(self, library: Path, name: str) -> None:
        """Load a library that is as it was built.

        Raises:
            KernelUnavailable: it is missing, changed since it was built, or cannot be loaded.
        """
        if not is_intact(library):
            raise KernelUnavailable(f"{library} is not built, or changed since it was")
        self.name = name
        try:
            self._functions = _functions(ctypes.CDLL(str(library)))
        except (OSError, AttributeError) as error:
            raise KernelUnavailable(f"cannot load {library}: {error}") from error

    def linear_int8(self, x: Tensor, weight: Int8Panels) -> Tensor:
        """(M, N) in the type of x (M, K), float32 or bfloat16, on the CPU."""
        num_rows = weight.scales.shape[0]
        return self._linear("linear_int8", x, weight, num_rows, INT8_GROUP, 128)

    def linear_int4(self, x: Tensor, weight: Int4Panels) -> Tensor:
        """(M, N) in the type of x (M, K), float32 or bfloat16, on the CPU."""
        return self._linear("linear_int4", x, weight, weight.num_rows, GROUP_SIZE, 8)

    def quantize(self, x: Tensor, group: int, offset: int) -> tuple[Tensor, Tensor, Tensor]:
        """The arrays of linear.cpp's Activations, for x (M, K) float32 or bfloat16.

        Values (K / 512, M, 512) int8, scales (G, M) float32, and -offset * sums (G, M) int32.
        """
        num_tokens, num_columns = x.shape
        num_groups = -(-num_columns // group)
        segments = -(-num_columns // _SEGMENT)
        values = torch.empty((segments, num_tokens, _SEGMENT), dtype=torch.int8)
        scales = torch.empty((num_groups, num_tokens))
        starts = torch.empty((num_groups, num_tokens), dtype=torch.int32)
        self._functions["quantize_tokens"](
            _address(x), x.dtype == torch.bfloat16, num_tokens, num_columns, group, offset,
            _address(values), _address(scales), _address(starts), torch.get_num_threads(),
        )  # fmt: skip
        return values, scales, starts

    def _linear(
        self,
        function: str,
        x: Tensor,
        weight: Int8Panels | Int4Panels,
        num_rows: int,
        group: int,
        offset: int,
    ) -> Tensor:
        values, scales, starts = self.quantize(x.contiguous(), group, offset)
        out = torch.empty((x.shape[0], num_rows), dtype=x.dtype)
        self._functions[function](
            _address(weight.codes), _address(weight.scales), _address(weight.bias), num_rows,
            _address(values), _address(scales), _address(starts), x.shape[0], scales.shape[0],
            _address(out), x.dtype == torch.bfloat16, torch.get_num_threads(),
        )  # fmt: skip
        return out


def _functions(library: ctypes.CDLL) -> dict[str, Any]:
    functions = {name: getattr(library, name) for name in _SIGNATURES}
    for name, function in functions.items():
        function.argtypes = _SIGNATURES[name]
        function.restype = None
    return functions


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
