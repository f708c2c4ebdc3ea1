"""Logistic regression by Newton's method. Pure functions.

N trials, W weights.
"""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def fit_logistic(given: Numbers, right: Numbers, ridge: float = 1e-2) -> Numbers:
    """Return the most likely weights (W,) of (N, W) -> (N,), with a small ridge."""
    weights = np.zeros(given.shape[1])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-np.clip(given @ weights, -50, 50)))
        spread = (likely * (1 - likely))[:, None]
        curve = (given * spread).T @ given + ridge * np.eye(given.shape[1])
        weights += np.linalg.solve(curve, given.T @ (right - likely) - ridge * weights)
    return weights
