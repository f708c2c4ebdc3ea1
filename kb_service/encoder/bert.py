"""The hidden states of a BERT encoder (Devlin et al. 2019), without torch.

Knows the layers. Knows no file, no tokenizer and no head. Each sequence is computed by itself on
one core, so that its states are the same to the last bit whatever is asked for beside it; cores
share the sequences of a call.

T tokens, A asked tokens, C channels, F feed-forward channels, H heads, D = C / H.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kb_service.encoder.arithmetic import FloatArray, normed
from kb_service.encoder.kernel import Affine, Kernel, NumpyKernel
from kb_service.encoder.tensors import Matrix, above, scaled, whole

Stored = Mapping[str, Matrix]
"""Tensors by name, as they are stored."""


@dataclass(frozen=True, slots=True)
class BertShape:
    """What the tensors do not say by themselves."""

    num_layers: int
    num_heads: int
    epsilon: float = 1e-12


class Rows(Protocol):
    """A table that gives single rows; an array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(V, C)."""

    def __getitem__(self, numbers: npt.NDArray[np.int64], /) -> FloatArray:
        """(T,) -> (T, C)."""


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: FloatArray
    bias: FloatArray
    epsilon: np.float32

    def __call__(self, states: FloatArray) -> FloatArray:
        return normed(states, self.weight, self.bias, self.epsilon)


@dataclass(frozen=True, slots=True)
class _Layer:
    num_heads: int
    kernel: Kernel
    query: Affine  # divided by the root of D already
    key_value: Affine
    attended: Affine
    attended_norm: _Norm
    inner: Affine
    outer: Affine
    outer_norm: _Norm

    def __call__(self, asked: FloatArray, states: FloatArray) -> FloatArray:
        """The next states (A, C) of the asked ones (A, C), which look at all (T, C)."""
        mixed = self.kernel.attend(self.query(asked), self.key_value(states), self.num_heads)
        between = self.attended(mixed)
        between += asked
        between = self.attended_norm(between)
        after = self.outer(self.kernel.gelu(self.inner(between)))
        after += between
        return self.outer_norm(after)


class Bert:
    """An encoder over sequences of token ids; on one thread unless told to share them out."""

    def __init__(
        self,
        tensors: Stored,
        shape: BertShape,
        *,
        words: Rows | None = None,
        num_threads: int = 1,
        kernel: Kernel | None = None,
    ) -> None:
        """``tensors``: float32 or bytes, named as those of transformers' BertModel.

        ``words``: the word embeddings, where they lie elsewhere. Raises KeyError naming a tensor
        that is missing and ValueError for one of another size than the others need.
        """
        kernel = kernel or NumpyKernel()
        embeddings = "embeddings."
        self._words = tensors[f"{embeddings}word_embeddings.weight"] if words is None else words
        self._positions = _floats(tensors, f"{embeddings}position_embeddings.weight")
        self._types = _floats(tensors, f"{embeddings}token_type_embeddings.weight")
        self._norm = _norm(tensors, f"{embeddings}LayerNorm", shape)
        self._layers = [
            _layer(tensors, f"encoder.layer.{number}.", shape, kernel)
            for number in range(shape.num_layers)
        ]
        self._num_threads = num_threads
        self._pool = ThreadPoolExecutor(num_threads, "encoder") if num_threads > 1 else None
        _keep_products_on_their_thread()

    @property
    def num_channels(self) -> int:
        return int(self._positions.shape[1])

    @property
    def max_tokens(self) -> int:
        return int(self._positions.shape[0])

    @property
    def num_words(self) -> int:
        return int(self._words.shape[0])

    def hidden(
        self,
        sequences: Sequence[Sequence[int]],
        types: Sequence[Sequence[int]] | None = None,
        *,
        num_asked: int | None = None,
    ) -> list[FloatArray]:
        """The last states (T, C) of each sequence of ids; with ``num_asked`` those of its first.

        ``types``: token types, all 0 where not given. Raises IndexError for an id that is no word
        and ValueError for an empty sequence or one of more than ``max_tokens`` tokens.
        """
        if types is None:
            types = [[0] * len(ids) for ids in sequences]
        states_of = partial(self._states, num_asked=num_asked)
        if self._pool is None or len(sequences) < 2:
            return [states_of(*both) for both in zip(sequences, types, strict=True)]
        return list(self._pool.map(states_of, sequences, types))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _states(
        self, ids: Sequence[int], types: Sequence[int], num_asked: int | None
    ) -> FloatArray:
        if not 0 < len(ids) <= self.max_tokens:
            raise ValueError(f"a sequence of {len(ids)} tokens; 1 to {self.max_tokens} are read")
        states = self._words[np.asarray(ids, dtype=np.int64)]  # (T, C), a copy
        states += self._positions[: len(ids)]
        states += self._types[np.asarray(types, dtype=np.int64)]
        states = self._norm(states)
        for layer in self._layers[:-1]:
            states = layer(states, states)
        return self._layers[-1](states[:num_asked], states)


def _layer(tensors: Stored, at: str, shape: BertShape, kernel: Kernel) -> _Layer:
    attention = f"{at}attention.self."

    def affine(name: str) -> Affine:
        return kernel.affine(tensors[f"{at}{name}.weight"], _floats(tensors, f"{at}{name}.bias"))

    weight, bias = tensors[f"{attention}query.weight"], _floats(tensors, f"{attention}query.bias")
    scale = np.float32(1 / math.sqrt(weight.shape[1] // shape.num_heads))
    both = [_floats(tensors, f"{attention}{name}.bias") for name in ("key", "value")]
    return _Layer(
        num_heads=shape.num_heads,
        kernel=kernel,
        query=kernel.affine(scaled(weight, scale), bias * scale),
        key_value=kernel.affine(
            above(tensors[f"{attention}key.weight"], tensors[f"{attention}value.weight"]),
            np.concatenate(both),
        ),
        attended=affine("attention.output.dense"),
        attended_norm=_norm(tensors, f"{at}attention.output.LayerNorm", shape),
        inner=affine("intermediate.dense"),
        outer=affine("output.dense"),
        outer_norm=_norm(tensors, f"{at}output.LayerNorm", shape),
    )


def _norm(tensors: Stored, name: str, shape: BertShape) -> _Norm:
    weight, bias = (_floats(tensors, f"{name}.{part}") for part in ("weight", "bias"))
    return _Norm(weight, bias, np.float32(shape.epsilon))


def _floats(tensors: Stored, name: str) -> FloatArray:
    return whole(tensors[name])


def _keep_products_on_their_thread() -> None:
    """Let no product of this process be split over cores: sums would depend on how many are free.

    Cores are shared out by sequence instead.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # no stubs

    threadpool_limits(limits=1, user_api="blas")
