"""The hidden states of a BERT encoder (Devlin et al. 2019), by numpy alone.

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

from kb_service.encoder.arithmetic import FloatArray, gelu, normed, softmax


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
class _Affine:
    weight: FloatArray  # (in, out): as the product reads it, which is twice as fast for few tokens
    bias: FloatArray

    def __call__(self, states: FloatArray) -> FloatArray:
        product: FloatArray = states @ self.weight
        product += self.bias
        return product


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
    query: _Affine  # divided by the root of D already
    key_value: _Affine
    attended: _Affine
    attended_norm: _Norm
    inner: _Affine
    outer: _Affine
    outer_norm: _Norm

    def __call__(self, asked: FloatArray, states: FloatArray) -> FloatArray:
        """The next states (A, C) of the asked ones (A, C), which look at all (T, C)."""
        between = self.attended(self._attend(asked, states))
        between += asked
        between = self.attended_norm(between)
        after = self.outer(gelu(self.inner(between)))
        after += between
        return self.outer_norm(after)

    def _attend(self, asked: FloatArray, states: FloatArray) -> FloatArray:
        query = self._split(self.query(asked))  # (H, A, D)
        keys, values = np.split(self.key_value(states), 2, axis=1)
        weights = softmax(query @ self._split(keys).swapaxes(1, 2))  # (H, A, T)
        mixed = weights @ self._split(values)  # (H, A, D)
        return mixed.swapaxes(0, 1).reshape(asked.shape)

    def _split(self, states: FloatArray) -> FloatArray:
        """(T, C) -> (H, T, D)."""
        split: FloatArray = states.reshape(len(states), self.num_heads, -1).swapaxes(0, 1)
        return split


class Bert:
    """An encoder over sequences of token ids; on one thread unless told to share them out."""

    def __init__(
        self,
        tensors: Mapping[str, FloatArray],
        shape: BertShape,
        *,
        words: Rows | None = None,
        num_threads: int = 1,
    ) -> None:
        """``tensors``: float32, named as those of transformers' BertModel.

        ``words``: the word embeddings, where they lie elsewhere. Raises KeyError naming a tensor
        that is missing and ValueError for one of another size than the others need.
        """
        embeddings = "embeddings."
        self._words = tensors[f"{embeddings}word_embeddings.weight"] if words is None else words
        self._positions = tensors[f"{embeddings}position_embeddings.weight"]
        self._types = tensors[f"{embeddings}token_type_embeddings.weight"]
        self._norm = _norm(tensors, f"{embeddings}LayerNorm", shape)
        self._layers = [
            _layer(tensors, f"encoder.layer.{number}.", shape) for number in range(shape.num_layers)
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


def _layer(tensors: Mapping[str, FloatArray], at: str, shape: BertShape) -> _Layer:
    attention = f"{at}attention.self."
    query = _affine(tensors, f"{attention}query")
    scale = np.float32(1 / math.sqrt(query.weight.shape[1] // shape.num_heads))
    key, value = (_affine(tensors, f"{attention}{name}") for name in ("key", "value"))
    return _Layer(
        num_heads=shape.num_heads,
        query=_Affine(query.weight * scale, query.bias * scale),
        key_value=_Affine(
            np.concatenate((key.weight, value.weight), axis=1),
            np.concatenate((key.bias, value.bias)),
        ),
        attended=_affine(tensors, f"{at}attention.output.dense"),
        attended_norm=_norm(tensors, f"{at}attention.output.LayerNorm", shape),
        inner=_affine(tensors, f"{at}intermediate.dense"),
        outer=_affine(tensors, f"{at}output.dense"),
        outer_norm=_norm(tensors, f"{at}output.LayerNorm", shape),
    )


def _affine(tensors: Mapping[str, FloatArray], name: str) -> _Affine:
    return _Affine(np.ascontiguousarray(tensors[f"{name}.weight"].T), tensors[f"{name}.bias"])


def _norm(tensors: Mapping[str, FloatArray], name: str, shape: BertShape) -> _Norm:
    return _Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"], np.float32(shape.epsilon))


def _keep_products_on_their_thread() -> None:
    """Let no product of this process be split over cores: sums would depend on how many are free.

    Cores are shared out by sequence instead.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # no stubs

    threadpool_limits(limits=1, user_api="blas")
