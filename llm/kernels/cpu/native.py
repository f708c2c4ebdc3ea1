"""The compiled kernels behind Python's methods: quantised products, attention, pointwise passes.

Knows the C signatures of the .cpp files and which tensors may be handed over by address. Building
and choosing are elsewhere.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm.errors import KernelUnavailable
from llm.kernels.build import is_intact
from llm.kernels.cpu.arrays import LINEAR, require_memory
from llm.kernels.cpu.panels import Panels

_SEGMENT = 512  # kSegment of linear.cpp
_POINTER, _SIZE, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_SIGNATURES = {
    "quantize_tokens": [_POINTER, _INT, *[_SIZE] * 4, *[_POINTER] * 3, _INT],
    "linear_int8": LINEAR,
    "linear_int4": LINEAR,
    "attend_pages": [
        *[_POINTER] * 3, _INT, _POINTER, _SIZE, _POINTER, *[_SIZE] * 5, _POINTER, _INT,
    ],
    "rms_norm": [_POINTER, _POINTER, _FLOAT, _INT, _SIZE, _SIZE, _POINTER],
    "swiglu": [_POINTER, _INT, _SIZE, _SIZE, _POINTER, _INT],
    "rotate": [_POINTER, _INT, _POINTER, _POINTER, *[_SIZE] * 5],
}  # fmt: skip
_WITH_STATUS = frozenset(("linear_int8", "linear_int4", "attend_pages"))


class NativeKernel:
    """The compiled kernels, on as many threads as torch is set to use.

    Tensors are on the CPU, float32 or bfloat16, all of a call in one type unless said otherwise.
    """

    TYPES = frozenset((torch.float32, torch.bfloat16))

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

    def linear_int8(self, x: Tensor, weight: Panels) -> Tensor:
        """(M, N) in the type of x (M, K)."""
        return self._linear("linear_int8", x, weight)

    def linear_int4(self, x: Tensor, weight: Panels) -> Tensor:
        """(M, N) in the type of x (M, K)."""
        return self._linear("linear_int4", x, weight)

    def attend(
        self, query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
    ) -> Tensor:
        """See paged_attention.PagedAttention."""
        query, (_, page_tokens, num_groups, head_dim) = query.contiguous(), keys.shape
        out = torch.empty_like(query)
        self._functions["attend_pages"](
            _address(query), _address(keys), _address(values), query.dtype == torch.bfloat16,
            _address(tables), tables.stride(0), _address(lengths), *query.shape[:2], num_groups,
            head_dim, page_tokens, _address(out), torch.get_num_threads(),
        )  # fmt: skip
        return out

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """See pointwise.Pointwise."""
        x = x.contiguous()
        out = torch.empty_like(x)
        self._functions["rms_norm"](
            _address(x), _address(weight), eps, x.dtype == torch.bfloat16, *x.shape, _address(out)
        )
        return out

    def swiglu(self, gate_up: Tensor) -> Tensor:
        """See pointwise.Pointwise."""
        gate_up = gate_up.contiguous()
        num_tokens, size = gate_up.shape[0], gate_up.shape[1] // 2
        out = gate_up.new_empty((num_tokens, size))
        self._functions["swiglu"](
            _address(gate_up), gate_up.dtype == torch.bfloat16, num_tokens, size, _address(out),
            torch.get_num_threads(),
        )  # fmt: skip
        return out

    def rotate(self, heads: Tensor, num_turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """See pointwise.Pointwise."""
        # Copies, where these are any, must live until the call is over.
        heads, cos, sin = heads.contiguous(), cos.contiguous(), sin.contiguous()
        num_tokens, num_heads, head_dim = heads.shape
        self._functions["rotate"](
            _address(heads), heads.dtype == torch.bfloat16, _address(cos), _address(sin),
            num_tokens, num_heads, num_turned, head_dim, cos.shape[-1],
        )  # fmt: skip
        return heads[:, :num_turned]

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

    def _linear(self, function: str, x: Tensor, weight: Panels) -> Tensor:
        x = x.contiguous()
        num_rows = weight.scales.shape[0]
        out = x.new_empty((x.shape[0], num_rows))
        self._functions[function](
            _address(weight.codes), _address(weight.scales), _address(weight.bias), num_rows,
            _address(x), *x.shape, _address(out), x.dtype == torch.bfloat16,
            torch.get_num_threads(),
        )  # fmt: skip
        return out


def _functions(library: ctypes.CDLL) -> dict[str, Any]:
    functions = {name: getattr(library, name) for name in _SIGNATURES}
    for name, function in functions.items():
        function.argtypes = _SIGNATURES[name]
        # A callable gets the C int that the function returns.
        function.restype = require_memory if name in _WITH_STATUS else None
    return functions


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
