"""The compiled kernel, the torch one and plain float64 agree; tokens do not see their neighbours.

Where there is no compiler, or the CPU lacks a feature, the tests of that variant are skipped.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.kernels import build
from llm.kernels.cpu.native import NativeKernel
from llm.kernels.cpu.panels import Panels, int4_codes, int4_panels, int8_codes, int8_panels
from llm.kernels.cpu.selection import Kernel
from llm.kernels.cpu.torch_kernel import TorchKernel, quantize_activations
from llm.kernels.quantized_linear import Int4Linear, Int8Linear, quantize_linear
from tests.llm.native_kernels import compiled

TOLERANCE = 2e-6  # of the sizes of a result's terms together


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def product(kernel: Kernel, module: Int8Linear | Int4Linear, x: torch.Tensor) -> torch.Tensor:
    if isinstance(module, Int8Linear):
        return kernel.linear_int8(x, module.weight_panels)
    return kernel.linear_int4(x, module.weight_panels)


def layer(rows: int, columns: int, bits: int, seed: int = 0) -> Int8Linear | Int4Linear:
    module = quantize_linear(normal(rows, columns, seed=seed), normal(rows, seed=seed + 1), bits)
    assert isinstance(module, Int8Linear | Int4Linear)
    return module


def in_float64(module: Int8Linear | Int4Linear, x: torch.Tensor) -> torch.Tensor:
    """The product with the activations as the kernels round them, in another arithmetic."""
    group = 128 if isinstance(module, Int8Linear) else 32
    values, scales = quantize_activations(x, group)
    rounded = (values.double() * scales.double()[..., None]).flatten(1)[:, : x.shape[1]]
    assert module.bias is not None
    return rounded @ module.dequantized().double().T + module.bias.double()


def magnitudes(module: Int8Linear | Int4Linear, x: torch.Tensor) -> torch.Tensor:
    """Sums of the sizes of a result's terms: what its rounding error is proportional to.

    A result itself may be near zero where its terms cancel.
    """
    assert module.bias is not None
    return x.double().abs() @ module.dequantized().double().abs().T + module.bias.double().abs()


def assert_near(actual: torch.Tensor, expected: torch.Tensor, sizes: torch.Tensor) -> None:
    assert bool(((actual - expected).abs() <= TOLERANCE * sizes).all())


@pytest.mark.parametrize("bits", [8, 4])
@given(
    rows=st.integers(1, 200),
    columns=st.integers(1, 700),
    tokens=st.integers(1, 20),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_the_torch_kernel_equals_float64(
    bits: int, rows: int, columns: int, tokens: int, seed: int
) -> None:
    module, x = layer(rows, columns, bits, seed), normal(tokens, columns, seed=seed)
    actual = product(TorchKernel(), module, x).double()
    assert_near(actual, in_float64(module, x), magnitudes(module, x))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (64, 128), (65, 33), (130, 512), (100, 1300), (7, 2080)]
)
def test_every_compiled_variant_equals_float64_and_the_torch_kernel(
    native: NativeKernel, bits: int, rows: int, columns: int
) -> None:
    module, x = layer(rows, columns, bits), normal(19, columns)
    x[3] *= 1e4  # each token has its own scales
    actual = product(native, module, x)
    sizes = magnitudes(module, x)
    assert_near(actual.double(), in_float64(module, x), sizes)
    assert_near(actual, product(TorchKernel(), module, x), sizes)


@pytest.mark.parametrize("bits", [8, 4])
def test_all_variants_give_the_same_bits(
    native: NativeKernel, kernel_folder: Path, bits: int
) -> None:
    reference = compiled(build.REFERENCE, kernel_folder)
    module, x = layer(150, 1400, bits), normal(9, 1400)
    assert torch.equal(product(native, module, x), product(reference, module, x))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_token_alone_and_among_others_gets_the_same_bits(
    native: NativeKernel, bits: int, num_threads: int
) -> None:
    module, x = layer(200, 1100, bits), normal(300, 1100)
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        together = product(native, module, x)
        for size in (1, 2, 5, 8, 16, 257):
            parts = [product(native, module, part) for part in torch.split(x, size)]
            assert torch.equal(torch.cat(parts), together)
    finally:
        torch.set_num_threads(before)


def test_callers_who_share_the_helping_threads_get_the_same_bits(native: NativeKernel) -> None:
    module, x = layer(700, 256, 4), normal(3, 256)
    expected = product(native, module, x)

    def ask(_: int) -> bool:
        torch.set_num_threads(4)  # more than there may be cores: some helpers come too late
        return all(torch.equal(product(native, module, x), expected) for _ in range(100))

    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(3) as callers:
            assert all(callers.map(ask, range(3)))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bits", [8, 4])
def test_bfloat16_is_read_and_written_as_torch_casts_it(native: NativeKernel, bits: int) -> None:
    module, x = layer(70, 300, bits), normal(9, 300).bfloat16()
    x[2, 3] = torch.nan
    expected = product(native, module, x.float()).bfloat16()
    actual = product(native, module, x)
    assert actual.dtype == torch.bfloat16
    torch.testing.assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("group", [32, 128])
def test_both_kernels_round_activations_to_the_same_integers(
    native: NativeKernel, group: int
) -> None:
    x = normal(5, 600)
    x[1, :group] = 0
    x[2, :group] = 1e-42  # subnormal
    values, scales, starts = native.quantize(x, group, offset=8)
    expected, expected_scales = quantize_activations(x, group)
    rows = values.transpose(0, 1).flatten(1)[:, :600]
    assert torch.equal(rows.float(), expected.flatten(1)[:, :600])
    assert torch.equal(scales.T, expected_scales)
    assert torch.equal(starts.T.float(), -8 * expected.sum(2))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_token_that_is_not_finite_spoils_itself_only(
    native: NativeKernel, bits: int, value: float
) -> None:
    module, x = layer(70, 256, bits), normal(9, 256)
    clean, sizes = product(native, module, x), magnitudes(module, x)
    x[4, 17] = value
    for kernel in (native, TorchKernel()):
        spoilt = product(kernel, module, x)
        assert bool(spoilt[4].isnan().all())
        others = torch.arange(9) != 4
        assert_near(spoilt[others], clean[others], sizes[others])


@pytest.mark.parametrize("bits", [8, 4])
def test_largest_codes_and_activations_do_not_overflow(native: NativeKernel, bits: int) -> None:
    """The AVX2 instruction for bytes would saturate here; that variant must not use it."""
    rows, columns = 64, 13_696
    codes = torch.full((rows, columns), -127 if bits == 8 else -8, dtype=torch.int8)
    x = torch.full((2, columns), 127.0)
    if bits == 8:
        weight = Panels(int8_panels(codes), torch.ones(rows), None)
        result, expected = native.linear_int8(x, weight), -127.0 * 127 * columns
    else:
        multiples = torch.ones((rows, columns // 32), dtype=torch.int8)
        weight = Panels(int4_panels(codes, multiples), torch.ones(rows), None)
        result, expected = native.linear_int4(x, weight), -8.0 * 127 * columns
    assert torch.equal(result, torch.full((2, rows), expected))


def test_multiples_and_scales_of_every_size_are_read(native: NativeKernel) -> None:
    multiples = torch.arange(-127, 128, dtype=torch.int8)
    scales = torch.tensor([1.0, 6e-8, 3e30]).repeat(85)
    codes = torch.zeros(255, 32, dtype=torch.int8)
    codes[:, 0] = 1
    weight = Panels(int4_panels(codes, multiples[:, None]), scales, None)
    x = torch.zeros(1, 32)
    x[0, 0] = 127.0
    assert torch.equal(native.linear_int4(x, weight)[0], 127.0 * multiples * scales)


@given(rows=st.integers(1, 140), columns=st.integers(1, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_panels_hold_what_was_laid_out(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(-8, 8, (rows, columns), generator=generator, dtype=torch.int8)
    assert torch.equal(int8_codes(int8_panels(codes))[:rows, :columns], codes)
    multiples = torch.arange(rows * -(-columns // 32)).remainder(255).sub(127).to(torch.int8)
    multiples = multiples.view(rows, -1)
    laid_out = int4_codes(int4_panels(codes, multiples))
    assert torch.equal(laid_out[0][:rows, :columns], codes)
    assert torch.equal(laid_out[1][:rows], multiples)
