"""The arithmetic of an encoder's layers: what a kernel offers, and the one of numpy.

Knows float32 arrays and weights of bytes. Knows no layer. A compiled kernel is handed in by whoever
composes the service; without one everything is computed here.

T tokens, A asked tokens, C channels, H heads, D = C / H.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kb_service.encoder.arithmetic import FloatArray, gelu, softmax
from kb_service.encoder.tensors import Matrix, QuantizedRows, whole

Affine = Callable[[FloatArray], FloatArray]

VECTOR = 16
"""The channels of a head that the compiled attention takes at once."""


class Kernel(Protocol):
    """Computes on the thread that calls it; a token's numbers do not depend on its neighbours."""

    @property
    def name(self) -> str:
        """Name of the implementation."""

    def affine(self, weight: Matrix, bias: FloatArray) -> Affine:
        """The map x (T, in) -> x weight^T + bias (T, out), for a weight (out, in)."""

    def attend(self, query: FloatArray, key_value: FloatArray, num_heads: int) -> FloatArray:
        """(A, C) for a query (A, C) that was scaled already and [key | value] (T, 2 C)."""

    def gelu(self, values: FloatArray) -> FloatArray:
        """Put x times the normal distribution function of x in the place of x; return it."""


class NumpyKernel:
    """Everything in float32."""

    name: str = "numpy"

    def affine(self, weight: Matrix, bias: FloatArray) -> Affine:
        """See Kernel."""
        turned = np.ascontiguousarray(whole(weight).T)  # twice as fast for few tokens

        def product(states: FloatArray) -> FloatArray:
            result: FloatArray = states @ turned
            result += bias
            return result

        return product

    def attend(self, query: FloatArray, key_value: FloatArray, num_heads: int) -> FloatArray:
        """See Kernel."""
        keys, values = (_split(of, num_heads) for of in np.split(key_value, 2, axis=1))
        weights = softmax(_split(query, num_heads) @ keys.swapaxes(1, 2))  # (H, A, T)
        mixed = weights @ values  # (H, A, D)
        return mixed.swapaxes(0, 1).reshape(query.shape)

    def gelu(self, values: FloatArray) -> FloatArray:
        """See Kernel."""
        return gelu(values)


class CompiledParts(Protocol):
    """What a compiled library offers; see llm.kernels.cpu.arrays."""

    @property
    def name(self) -> str:
        """Name of the library's instruction set."""

    def affine(self, codes: npt.NDArray[np.int8], scales: FloatArray, bias: FloatArray) -> Affine:
        """The map of a weight of bytes with a scale a row."""

    def attend(self, query: FloatArray, key_value: FloatArray, num_heads: int) -> FloatArray:
        """As Kernel has it, for heads of whole vectors."""

    def gelu(self, values: FloatArray) -> FloatArray:
        """As Kernel has it."""


class CompiledKernel(NumpyKernel):
    """A compiled library for weights of bytes; float weights keep all their digits."""

    def __init__(self, parts: CompiledParts) -> None:
        self.name, self._parts = parts.name, parts

    def affine(self, weight: Matrix, bias: FloatArray) -> Affine:
        """See Kernel."""
        if isinstance(weight, QuantizedRows):
            return self._parts.affine(weight.codes, weight.scales, bias)
        return super().affine(weight, bias)

    def attend(self, query: FloatArray, key_value: FloatArray, num_heads: int) -> FloatArray:
        """See Kernel."""
        if query.shape[1] % (num_heads * VECTOR):
            return super().attend(query, key_value, num_heads)
        return self._parts.attend(query, key_value, num_heads)

    def gelu(self, values: FloatArray) -> FloatArray:
        """See Kernel."""
        return self._parts.gelu(values)


def _split(states: FloatArray, num_heads: int) -> FloatArray:
    """(T, C) -> (H, T, D)."""
    split: FloatArray = states.reshape(len(states), num_heads, -1).swapaxes(0, 1)
    return split
