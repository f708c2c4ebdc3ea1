"""The number formats: equal to the released one, and as near to the weights as they can be."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm.errors import CheckpointError
from llm.kernels.quantization import (
    dequantize_groups,
    dequantize_rows,
    pack_int4,
    quantize_groups,
    quantize_rows,
    unpack_int4,
)
from llm.parity.quantised import quant_parity


def weights(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def test_every_array_of_the_golden_file_is_equal(goldens: Path) -> None:
    report = quant_parity(goldens / "quant.npz")
    assert report.num_values == 444
    assert report.passed, report.wrong_arrays


@pytest.mark.parametrize("name", ["q4_packed", "q4_unpacked", "scale8", "dequant4"])
def test_one_changed_golden_value_is_noticed(goldens: Path, tmp_path: Path, name: str) -> None:
    with np.load(goldens / "quant.npz") as archive:
        arrays = {key: archive[key].copy() for key in archive.files}
    arrays[name].flat[1] += 1
    np.savez(tmp_path / "quant.npz", **arrays)
    assert name in quant_parity(tmp_path / "quant.npz").wrong_arrays


def test_a_golden_file_that_lacks_an_array_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "quant.npz", weight=np.ones((2, 2), np.float32))
    with pytest.raises(CheckpointError, match="lacks dequant4"):
        quant_parity(tmp_path / "quant.npz")


def test_the_first_of_two_columns_is_the_high_nibble() -> None:
    codes = torch.tensor([[1, -2, 7, -7]], dtype=torch.int8)
    packed = pack_int4(codes)
    assert packed.view(torch.uint8).tolist() == [[0x1E, 0x79]]
    assert torch.equal(unpack_int4(packed), codes)


def test_an_odd_number_of_columns_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="3 columns"):
        pack_int4(torch.zeros(2, 3, dtype=torch.int8))


def test_halves_round_to_even_codes() -> None:
    codes, scale = quantize_rows(torch.tensor([[127.0, 0.5, 1.5, -2.5]]), 8)
    assert scale.tolist() == [1.0]
    assert codes.tolist() == [[127, 0, 2, -2]]


@pytest.mark.parametrize("bits", [8, 4])
def test_a_row_of_zeros_stays_zero(bits: int) -> None:
    codes, scale = quantize_rows(torch.zeros(2, 8), bits)
    assert scale.tolist() == [0, 0]
    assert dequantize_rows(codes, scale).tolist() == [[0.0] * 8] * 2


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    weight = weights(4, 64, 0)
    weight[2, 5] = value
    for quantize in (lambda: quantize_rows(weight, 8), lambda: quantize_groups(weight)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            quantize()


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="bits is 5; expected 8 or 4"):
        quantize_rows(torch.ones(1, 2), 5)


@given(rows=st.integers(1, 5), columns=st.integers(1, 80), seed=st.integers(0, 999))
def test_groups_err_by_half_a_step_and_by_more_at_the_ends_only(
    rows: int, columns: int, seed: int
) -> None:
    weight = weights(rows, columns, seed)
    codes, multiples, scale = quantize_groups(weight)
    assert codes.shape == weight.shape
    steps = multiples * scale[:, None]
    step = steps.abs().repeat_interleave(32, dim=1)[:, :columns]
    error = (dequantize_groups(codes, steps) - weight).abs()
    inside = (codes < 7) & (codes > -8)
    assert bool((error <= 0.501 * step)[inside].all())
    # 8 steps have no code; steps are whole multiples, and one in 20 smaller than the group wants.
    allowed = 1.01 * step + 8 * (0.05 * step + 0.55 * scale[:, None])
    assert bool((error <= allowed).all())


@pytest.mark.parametrize("tail", [2.5, 5.0, 100.0])
def test_groups_err_less_than_with_an_fp16_step_for_each(tail: float) -> None:
    """Such a step, 4.5 bits a weight, is llama.cpp's Q4_0: the extreme value becomes -8."""
    distribution = torch.distributions.StudentT(tail)
    torch.manual_seed(0)
    weight = distribution.sample((64, 1024))
    codes, multiples, scale = quantize_groups(weight)
    error = dequantize_groups(codes, multiples * scale[:, None]) - weight
    groups = weight.view(64, 32, 32)
    step = groups.gather(2, groups.abs().argmax(2, keepdim=True)) / -8
    simple = torch.round(groups / step).clamp(-8, 7) * step - groups
    assert float(error.square().sum() / simple.square().sum()) < 0.97


def test_groups_of_small_values_beside_a_large_one_round_to_whole_scales() -> None:
    values = [1000.0, 2.0, 0.6, 1e-3]  # the last is lost
    codes, multiples, scale = quantize_groups(torch.tensor([values]).repeat_interleave(32, dim=1))
    assert scale.tolist() == [1.0]
    assert multiples.tolist() == [[-125, -1, -1, -1]]
    restored = dequantize_groups(codes, multiples * scale[:, None])
    assert restored[0, ::32].tolist() == [1000.0, 2.0, 1.0, 0.0]


def test_a_group_of_zeros_has_no_step() -> None:
    assert quantize_groups(torch.zeros(1, 32))[1].tolist() == [[0]]


@given(rows=st.integers(1, 5), pairs=st.integers(1, 20), seed=st.integers(0, 999))
def test_packing_loses_nothing(rows: int, pairs: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(-8, 8, (rows, 2 * pairs), generator=generator, dtype=torch.int8)
    assert torch.equal(unpack_int4(pack_int4(codes)), codes)
