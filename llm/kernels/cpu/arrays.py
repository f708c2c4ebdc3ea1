"""The compiled kernels for numpy arrays, without torch: what a small encoder is made of.

Knows the C signatures of linear.cpp and sequence.cpp and the panel layout of panels.py. Each call
computes on the thread that makes it.

T tokens, A asked tokens, N rows and K columns of a weight, C channels.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llm.errors import KernelUnavailable
from llm.kernels.build import best_variant, is_intact, library_path

ROWS = 64  # of a panel
INT8_GROUP = 128  # activations' columns that share a scale beside int8 weights
LANES = 16

_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
LINEAR = [*[_POINTER] * 3, _SIZE, _POINTER, _SIZE, _SIZE, _POINTER, _INT, _INT]
"""The C signature of linear_int8 and linear_int4."""

_SIGNATURES = {
    "linear_int8": LINEAR,
    "attend_sequence": [*[_POINTER] * 2, *[_SIZE] * 4, _POINTER],
    "gelu": [_POINTER, _SIZE],
}  # fmt: skip

_log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]


class ArrayKernel:
    """Products with weights of bytes, attention, and the unit between two products."""

    def __init__(self, library: Path, name: str) -> None:
        """Load a library. Raises KernelUnavailable when it is not as it was built."""
        if not is_intact(library):
            raise KernelUnavailable(f"{library} is not built, or changed since it was")
        self.name = name
        try:
            loaded = ctypes.CDLL(str(library))
            self._functions = {name: _function(loaded, name) for name in _SIGNATURES}
        except (OSError, AttributeError) as error:
            raise KernelUnavailable(f"cannot load {library}: {error}") from error

    def affine(
        self, codes: npt.NDArray[np.int8], scales: Floats, bias: Floats
    ) -> Callable[[Floats], Floats]:
        """x (T, K) -> (T, N) for codes (N, K) with a scale a row, (N,), and bias (N,).

        A token's activations are rounded to 8 bits by groups of 128 columns on the way.
        """
        num_rows, num_columns = codes.shape
        panels = _panels(codes)
        scales, bias = (np.ascontiguousarray(of, dtype=np.float32) for of in (scales, bias))
        multiply = self._functions["linear_int8"]

        def product(x: Floats) -> Floats:
            x = np.ascontiguousarray(x, dtype=np.float32)
            if x.ndim != 2 or x.shape[1] != num_columns:
                raise ValueError(f"{x.shape} does not fit a weight of {codes.shape}")
            out = np.empty((len(x), num_rows), dtype=np.float32)
            multiply(
                panels.ctypes.data, scales.ctypes.data, bias.ctypes.data, num_rows, x.ctypes.data,
                len(x), num_columns, out.ctypes.data, 0, 1,
            )  # fmt: skip
            return out

        return product

    def attend(self, query: Floats, key_value: Floats, num_heads: int) -> Floats:
        """(A, C) for a query (A, C) that was scaled already and [key | value] (T, 2 C).

        Raises ValueError where C / num_heads is no multiple of 16.
        """
        channels = query.shape[1]
        if channels % (num_heads * LANES):
            raise ValueError(f"{channels} channels in {num_heads} heads are no whole vectors")
        query, key_value = np.ascontiguousarray(query), np.ascontiguousarray(key_value)
        out = np.empty_like(query)
        self._functions["attend_sequence"](
            query.ctypes.data, key_value.ctypes.data, len(query), len(key_value), num_heads,
            channels // num_heads, out.ctypes.data,
        )  # fmt: skip
        return out

    def gelu(self, values: Floats) -> Floats:
        """Put x times the normal distribution function of x in the place of x; return it."""
        if not values.flags.c_contiguous:
            raise ValueError("the values do not lie together")
        self._functions["gelu"](values.ctypes.data, values.size)
        return values


@cache
def array_kernel() -> ArrayKernel | None:
    """The compiled kernel of this machine, None (said once in the log) where there is none."""
    try:
        variant = best_variant()
        return ArrayKernel(library_path(variant), variant.name)
    except KernelUnavailable as reason:
        _log.warning(
            "the encoder runs without its compiled kernel, several times slower: %s"
            " (python -m llm.kernels.build compiles it)",
            reason,
        )
        return None


def _panels(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """(P, K / 4, 64, 4) as in panels.py: code + 128, rows and columns filled with zeros."""
    num_rows, num_columns = codes.shape
    filled = np.zeros(
        (-(-num_rows // ROWS) * ROWS, -(-num_columns // INT8_GROUP) * INT8_GROUP), np.int8
    )
    filled[:num_rows, :num_columns] = codes
    raised = filled.view(np.uint8) ^ 128
    return np.ascontiguousarray(raised.reshape(-1, ROWS, filled.shape[1] // 4, 4).swapaxes(1, 2))


def _function(library: ctypes.CDLL, name: str) -> Callable[..., None]:
    function: Any = getattr(library, name)
    function.argtypes = _SIGNATURES[name]
    # A callable gets the C int that the function returns.
    function.restype = None if name == "gelu" else require_memory
    return function


def require_memory(status: int) -> None:
    """Raise MemoryError for a status that is not 0."""
    if status != 0:
        raise MemoryError("too little memory is left for what the compiled kernel keeps meanwhile")
