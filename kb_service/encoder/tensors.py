"""Reads the tensors of a safetensors file, matrices of bytes with a scale a row among them.

A matrix `name` of int8 is stored with `name.scale`, float32 of one value a row; its values are the
products. The file is mapped: what is read by row costs no memory of its own. Does not know what
the tensors are for.

V rows, C columns, N rows asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.arithmetic import FloatArray

SCALE = ".scale"
_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000  # as the reference reader has it
_TYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1"}


@dataclass(frozen=True, slots=True)
class QuantizedRows:
    """A matrix (V, C) as bytes with a scale a row; single rows become float32 when asked for."""

    codes: npt.NDArray[np.int8]  # (V, C)
    scales: FloatArray  # (V,)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    def __getitem__(self, numbers: npt.NDArray[np.int64], /) -> FloatArray:
        """(N,) -> (N, C). Raises IndexError for a row that is not there."""
        return _products(self.codes[numbers], self.scales[numbers])


Matrix = FloatArray | QuantizedRows
"""A tensor as it is stored."""


def whole(matrix: Matrix) -> FloatArray:
    """All of a tensor as float32."""
    if isinstance(matrix, QuantizedRows):
        return _products(matrix.codes, matrix.scales)
    return matrix


def scaled(matrix: Matrix, factor: np.float32) -> Matrix:
    """A matrix times a factor."""
    if isinstance(matrix, QuantizedRows):
        return QuantizedRows(matrix.codes, matrix.scales * factor)
    return matrix * factor


def above(upper: Matrix, lower: Matrix) -> Matrix:
    """The rows of one matrix and those of another one under them."""
    if isinstance(upper, QuantizedRows) and isinstance(lower, QuantizedRows):
        codes = np.concatenate((upper.codes, lower.codes))
        return QuantizedRows(codes, np.concatenate((upper.scales, lower.scales)))
    return np.concatenate((whole(upper), whole(lower)))


@dataclass(frozen=True, slots=True)
class TensorFile(Mapping[str, FloatArray]):
    """The tensors of a file by name, each made float32 when asked for."""

    path: Path
    stored: Mapping[str, npt.NDArray[Any]]

    def __getitem__(self, name: str) -> FloatArray:
        """Raises KeyError for a name that the file has not, or has as a scale only."""
        found = self.rows(name)
        if isinstance(found, QuantizedRows):
            return whole(found)
        return found.astype(np.float32)

    def as_stored(self) -> dict[str, Matrix]:
        """Every tensor by name, those of bytes as bytes."""
        rows = {name: self.rows(name) for name in self}
        return {
            name: found if isinstance(found, QuantizedRows) else found.astype(np.float32)
            for name, found in rows.items()
        }

    def rows(self, name: str) -> QuantizedRows | npt.NDArray[Any]:
        """A tensor as it lies in the file."""
        found = self.stored[name]
        if found.dtype != np.int8:
            return found
        scales = self.stored.get(name + SCALE)
        if scales is None or found.ndim != 2 or scales.size != len(found):
            raise _corrupt(f"{self.path}: {name} of bytes has no scale for each row", self.path)
        return QuantizedRows(found, scales.reshape(-1).astype(np.float32))

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.stored if not name.endswith(SCALE))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _products(codes: npt.NDArray[np.int8], scales: FloatArray) -> FloatArray:
    values = codes.astype(np.float32)
    values *= scales[:, None]
    return values


def open_tensors(path: Path) -> TensorFile:
    """The tensors of a safetensors file of float32, float16 and int8.

    Raises ConfigurationError `model_corrupt` naming the file.
    """
    try:
        mapped = np.memmap(path, dtype=np.uint8, mode="r")
        start = _LENGTH_BYTES + int.from_bytes(mapped[:_LENGTH_BYTES].tobytes(), "little")
        if not _LENGTH_BYTES < start <= min(len(mapped), _MAX_HEADER_BYTES):
            raise ValueError(f"it has {len(mapped)} bytes and a header up to {start}")
        header = json.loads(mapped[_LENGTH_BYTES:start].tobytes())
        header.pop("__metadata__", None)
        content = mapped[start:]
        return TensorFile(path, {name: _array(content, **of) for name, of in header.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _corrupt(f"{path} cannot be read: {error}", path) from error


def _array(
    content: npt.NDArray[np.uint8], dtype: str, shape: list[int], data_offsets: list[int]
) -> npt.NDArray[Any]:
    start, end = data_offsets
    kind = np.dtype(_TYPES[dtype])
    if not 0 <= start <= end <= len(content) or end - start != math.prod(shape) * kind.itemsize:
        raise ValueError(f"bytes {start} to {end} of {len(content)} do not hold {dtype} {shape}")
    return np.ndarray(shape, kind, buffer=content[start:end])


def _corrupt(message: str, path: Path) -> ConfigurationError:
    return ConfigurationError(message, code="model_corrupt", details={"file": str(path)})
