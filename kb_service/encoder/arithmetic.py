"""The element-wise functions of a transformer, each in one pass over memory that is there already.

Knows float32 arrays. Knows no layer and no weight.

T tokens, C channels.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_ROWS_AT_ONCE = 16
"""So many rows of 1536 values and what is computed of them stay in a core's own cache."""
_ERF_SCALE = np.float32(0.3275911 * math.sqrt(0.5))
_ERF_TERMS = tuple(
    np.float32(0.5 * term)
    for term in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
)


def gelu(values: FloatArray) -> FloatArray:
    """Put x times the normal distribution function of x in the place of x (T, C); return it.

    Exact to 1e-6 (Abramowitz and Stegun, 7.1.26).
    """
    for start in range(0, len(values), _ROWS_AT_ONCE):
        _gelu_rows(values[start : start + _ROWS_AT_ONCE])
    return values


def _gelu_rows(values: FloatArray) -> None:
    sizes = np.abs(values)
    part = _ERF_SCALE * sizes
    part += 1
    np.reciprocal(part, out=part)
    tail = part * _ERF_TERMS[0]
    for term in _ERF_TERMS[1:]:
        tail += term
        tail *= part
    # x * Phi(x) = max(x, 0) - |x| * (1 - Phi(|x|)), and the tail is 1 - Phi(|x|) = series * exp.
    np.square(sizes, out=part)
    part *= np.float32(-0.5)
    np.exp(part, out=part)
    tail *= part
    tail *= sizes
    np.maximum(values, 0, out=values)
    values -= tail


def softmax(scores: FloatArray) -> FloatArray:
    """Put the exponentials over their sum in the place of the scores (..., T); return them."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def normed(
    states: FloatArray, weight: FloatArray, bias: FloatArray, epsilon: np.float32
) -> FloatArray:
    """Put the layer norm (Ba et al. 2016) in the place of the states (T, C); return it."""
    states -= states.mean(axis=-1, keepdims=True)
    variance = np.einsum("tc,tc->t", states, states)[:, None]
    variance /= states.shape[1]
    variance += epsilon
    np.sqrt(variance, out=variance)
    states /= variance
    states *= weight
    states += bias
    return states
