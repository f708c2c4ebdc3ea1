"""The element-wise functions against those of torch."""

import numpy as np
import torch

from kb_service.encoder.arithmetic import gelu, normed, softmax


def test_gelu_is_that_of_torch_to_a_millionth() -> None:
    values = np.linspace(-9, 9, 40 * 101, dtype=np.float32).reshape(40, 101)
    expected = torch.nn.functional.gelu(torch.from_numpy(values.copy())).numpy()
    assert np.abs(gelu(values) - expected).max() < 1e-6


def test_gelu_of_what_no_number_can_be_larger_than_is_a_limit() -> None:
    values = np.array([[-1e6, -100, 0, 100, 1e6]], dtype=np.float32)
    assert gelu(values).tolist() == [[0, 0, 0, 100, 1e6]]


def test_softmax_bears_large_scores() -> None:
    scores = np.array([[1000, 1000, -1000]], dtype=np.float32)
    assert softmax(scores).tolist() == [[0.5, 0.5, 0]]


def test_layer_norm_is_that_of_torch() -> None:
    random = np.random.default_rng(1)
    states, weight, bias = (random.standard_normal(n, dtype=np.float32) for n in ((5, 8), 8, 8))
    expected = torch.nn.functional.layer_norm(
        *map(torch.from_numpy, (states.copy(),)),
        (8,),
        *map(torch.from_numpy, (weight, bias)),
        1e-12,
    ).numpy()
    assert np.abs(normed(states, weight, bias, np.float32(1e-12)) - expected).max() < 1e-5
