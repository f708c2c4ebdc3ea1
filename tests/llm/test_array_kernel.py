"""The compiled kernels for arrays: near plain arithmetic, and the same bits whatever is beside."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from llm.errors import KernelUnavailable
from llm.kernels.build import REFERENCE, Variant
from llm.kernels.cpu.arrays import ArrayKernel
from tests.llm.native_kernels import VARIANTS, built


@pytest.fixture(params=VARIANTS, ids=lambda variant: variant.name)
def kernel(request: pytest.FixtureRequest, kernel_folder: Path) -> ArrayKernel:
    variant: Variant = request.param
    return ArrayKernel(built(variant, kernel_folder), variant.name)


@pytest.fixture
def reference(kernel_folder: Path) -> ArrayKernel:
    return ArrayKernel(built(REFERENCE, kernel_folder), REFERENCE.name)


def normal(*size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size, dtype=np.float32)


def attended(query: np.ndarray, key_value: np.ndarray, num_heads: int) -> np.ndarray:
    """softmax(q k^T) v by head, in float64."""
    keys, values = np.split(key_value.astype(np.float64), 2, axis=1)
    parts = []
    for q, k, v in zip(
        *(np.split(of, num_heads, axis=1) for of in (query, keys, values)), strict=True
    ):
        weights = np.exp(q @ k.T - (q @ k.T).max(axis=1, keepdims=True))
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ v)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize(("asked", "tokens"), [(1, 1), (3, 17), (64, 64), (5, 130)])
@pytest.mark.parametrize(("heads", "dim"), [(1, 16), (2, 32), (3, 48), (1, 80)])
def test_attention_is_that_of_plain_arithmetic(
    kernel: ArrayKernel, asked: int, tokens: int, heads: int, dim: int
) -> None:
    query = normal(asked, heads * dim) / np.float32(np.sqrt(dim))
    key_value = normal(tokens, 2 * heads * dim, seed=1)
    found = kernel.attend(query, key_value, heads)
    assert np.abs(found - attended(query, key_value, heads)).max() < 2e-6


def test_large_scores_overflow_nothing(kernel: ArrayKernel) -> None:
    query, key_value = 60 * normal(4, 32), 60 * normal(9, 64, seed=1)
    found = kernel.attend(query, key_value, 2)
    assert np.isfinite(found).all()
    assert np.abs(found - attended(query, key_value, 2)).max() < 1e-3


def test_a_token_is_attended_alike_whoever_is_asked_beside_it(kernel: ArrayKernel) -> None:
    query, key_value = normal(7, 32), normal(21, 64, seed=1)
    whole = kernel.attend(query, key_value, 2)
    for row in range(7):
        alone = kernel.attend(query[row : row + 1], key_value, 2)
        assert alone.tobytes() == whole[row : row + 1].tobytes()


def test_every_instruction_set_gives_the_same_bits(
    kernel: ArrayKernel, reference: ArrayKernel
) -> None:
    query, key_value = normal(5, 64), normal(37, 128, seed=1)
    one, other = (of.attend(query, key_value, 2) for of in (kernel, reference))
    assert one.tobytes() == other.tobytes()
    one, other = (of.gelu(normal(3, 33)) for of in (kernel, reference))
    assert one.tobytes() == other.tobytes()


def test_heads_of_no_whole_vector_are_refused(kernel: ArrayKernel) -> None:
    with pytest.raises(ValueError, match="no whole vectors"):
        kernel.attend(normal(2, 24), normal(2, 48), 1)


def test_the_unit_is_that_of_the_library_far_out_too(kernel: ArrayKernel) -> None:
    import torch

    values = np.concatenate((np.linspace(-40, 40, 4001), [0.0, -0.0, 1e-30])).astype(np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(values)).numpy()
    found = kernel.gelu(values.copy())
    assert np.abs(found - expected).max() < 2e-6


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (64, 128), (70, 384), (129, 200)])
def test_a_product_is_near_that_of_the_bytes(kernel: ArrayKernel, rows: int, columns: int) -> None:
    codes = np.random.default_rng(1).integers(-127, 128, (rows, columns)).astype(np.int8)
    scales, bias, x = np.abs(normal(rows, seed=2)), normal(rows, seed=3), normal(9, columns)
    product = kernel.affine(codes, scales, bias)
    expected = x.astype(np.float64) @ (codes * scales[:, None]).T + bias
    sizes = np.abs(x) @ np.abs(codes * scales[:, None]).T + np.abs(bias)
    assert (np.abs(product(x) - expected) <= 0.01 * sizes).all()
    assert product(x[4:5]).tobytes() == product(x)[4:5].tobytes()


def test_a_product_refuses_what_does_not_fit(kernel: ArrayKernel) -> None:
    product = kernel.affine(np.zeros((3, 5), np.int8), np.ones(3, np.float32), normal(3))
    with pytest.raises(ValueError, match="does not fit"):
        product(normal(2, 4))


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelUnavailable, match=r"none\.so"):
        ArrayKernel(tmp_path / "none.so", "none")


def test_torch_is_not_loaded_for_arrays() -> None:
    code = (
        "import llm.kernels.cpu.arrays as a, sys; a.array_kernel(); print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
