"""Quantised modules in the place of nn.Linear: shapes, types, where values come from, the model."""

import weakref

import pytest
import torch
from torch import nn

from llm.kernels import quantized_linear
from llm.kernels.gpu import linear as gpu_linear
from llm.kernels.gpu.linear import GpuLinear, to_gpu_modules
from llm.kernels.quantization import (
    dequantize_groups,
    dequantize_rows,
    pack_int4,
    quantize_groups,
    quantize_rows,
)
from llm.kernels.quantized_linear import Int4Linear, Int8Linear, quantize_linear, quantize_model
from llm.models.build import random_model
from llm.models.config import ModelConfig
from tests.llm.tiny_checkpoint import tiny_config_json


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (0, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_stands_where_a_linear_stood(bits: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    module = quantize_linear(normal(7, 5), normal(7, seed=1), bits)
    exact = nn.Linear(5, 7, dtype=dtype)
    x = normal(*shape).to(dtype)
    assert module(x).shape == exact(x).shape
    assert module(x).dtype == exact(x).dtype


@pytest.mark.parametrize(("bits", "error"), [(8, 0.015), (4, 0.11)])
def test_the_result_is_near_that_of_the_float_weight(bits: int, error: float) -> None:
    weight, bias, x = normal(96, 320), normal(96, seed=1), normal(40, 320, seed=2)
    expected = nn.functional.linear(x, weight, bias)
    actual = quantize_linear(weight, bias, bits)(x)
    assert float((actual - expected).norm() / expected.norm()) < error


def test_released_int8_values_are_taken_as_they_are() -> None:
    codes, scale = quantize_rows(normal(70, 130).half(), 8)
    module = Int8Linear.from_canonical(codes, scale)
    assert torch.equal(module.canonical()[0], codes)
    assert torch.equal(module.dequantized(), dequantize_rows(codes, scale.float()))


def test_released_int4_values_are_taken_as_they_are() -> None:
    codes, scale = quantize_rows(normal(70, 130).half(), 4)
    module = Int4Linear.from_canonical(pack_int4(codes), scale)
    assert torch.equal(module.canonical()[0], codes)
    assert torch.equal(module.dequantized(), dequantize_rows(codes, scale.float()))


def test_rows_beyond_one_portion_are_laid_out_too() -> None:
    weight = normal(4200, 40)
    codes, multiples, scale = quantize_groups(weight)
    expected = dequantize_groups(codes, multiples * scale[:, None])
    assert torch.equal(Int4Linear.from_float(weight).dequantized(), expected)
    rows, row_scale = quantize_rows(weight, 8)
    assert torch.equal(
        Int8Linear.from_float(weight).dequantized(), dequantize_rows(rows, row_scale)
    )


@pytest.mark.parametrize("bits", [8, 4])
def test_casting_the_model_changes_no_stored_value(bits: int) -> None:
    module = quantize_linear(normal(70, 40), normal(70, seed=1), bits)
    x = normal(3, 40, seed=2)
    before = module(x)
    assert torch.equal(module.to(torch.bfloat16)(x), before)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_product_follows_its_weight_to_other_memory(bits: int) -> None:
    module, other = (quantize_linear(normal(9, 40, seed=s), None, bits) for s in (0, 1))
    x = normal(3, 40, seed=2)
    module(x)
    module.load_state_dict(other.state_dict(), assign=True)
    assert torch.equal(module(x), other(x))
    assert module.to("meta").weight_panels.codes.device.type == "meta"


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", ["codes", "scale_bits", "bias_bits"])
def test_a_product_follows_each_buffer_that_is_replaced_alone(bits: int, name: str) -> None:
    """Panels that were kept as long as the codes stayed once hid new scales and biases."""
    module, other = (
        quantize_linear(normal(9, 40, seed=s), normal(9, seed=s + 2), bits) for s in (0, 1)
    )
    x = normal(3, 40, seed=2)
    module(x)
    module.load_state_dict({name: other.state_dict()[name]}, strict=False, assign=True)
    expected = nn.functional.linear(x, module.dequantized(), module.bias)
    assert float((module(x) - expected).norm() / expected.norm()) < 0.02


@pytest.mark.parametrize("bits", [8, 4])
def test_the_state_dict_restores_the_module(bits: int) -> None:
    source, target = (quantize_linear(normal(9, 40, seed=s), None, bits) for s in (0, 1))
    target.load_state_dict(source.state_dict())
    assert torch.equal(source.dequantized(), target.dequantized())


@pytest.mark.parametrize(("bits", "bits_per_weight"), [(8, 8.1), (4, 4.3)])
def test_weights_are_stored_once(bits: int, bits_per_weight: float) -> None:
    module = quantize_linear(normal(256, 1024), None, bits)
    assert not list(module.parameters())
    num_bytes = sum(b.numel() * b.element_size() for b in module.buffers())
    assert num_bytes * 8 / (256 * 1024) < bits_per_weight


def test_shapes_that_do_not_fit_are_refused() -> None:
    codes, scale = quantize_rows(normal(6, 8), 8)
    with pytest.raises(ValueError, match=r"scale has the shape \[5\]; expected \[6\]"):
        Int8Linear.from_canonical(codes, scale[:5])
    with pytest.raises(ValueError, match=r"bias has the shape \[5\]; expected \[6\]"):
        Int8Linear.from_canonical(codes, scale, scale[:5])
    with pytest.raises(ValueError, match=r"torch.float32 \[6, 8\]; expected torch.int8"):
        Int4Linear.from_canonical(codes.float(), scale)
    with pytest.raises(ValueError, match=r"shape \[6\]; expected \[N, K\]"):
        quantize_linear(normal(6), None, 8)
    with pytest.raises(ValueError, match="bits is 3; expected 8 or 4"):
        quantize_linear(normal(6, 8), None, 3)
    with pytest.raises(ValueError, match="x has 9 columns; this layer takes 8"):
        Int8Linear.from_canonical(codes, scale)(normal(2, 9))


@pytest.mark.parametrize("kind", [Int8Linear, Int4Linear])
@pytest.mark.parametrize("shape", [(3, 0), (0, 4)])
def test_a_released_weight_without_values_is_refused(
    kind: type[Int8Linear | Int4Linear], shape: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match=r"the weight has the shape .* expected \[N, K\]"):
        kind.from_canonical(torch.zeros(shape, dtype=torch.int8), torch.ones(shape[0]))


@pytest.mark.parametrize(("bits", "kind"), [(8, Int8Linear), (4, Int4Linear)])
def test_a_model_keeps_embedding_and_norms_and_gets_an_int8_head(
    bits: int, kind: type[nn.Module]
) -> None:
    model = random_model(ModelConfig.from_json(tiny_config_json(96, seq_length=64)), seed=3)
    embedding = model.embedding.weight.clone()
    quantize_model(model, bits)
    linears = {n: m for n, m in model.named_modules() if isinstance(m, Int8Linear | Int4Linear)}
    assert not [name for name, m in model.named_modules() if isinstance(m, nn.Linear)]
    assert isinstance(linears.pop("head"), Int8Linear)
    assert len(linears) == 4 * model.config.num_layers
    assert {type(module) for module in linears.values()} == {kind}
    assert torch.equal(model.embedding.weight, embedding)


def test_each_weight_is_given_back_before_the_next_is_converted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A list of all modules once kept every old weight until the last new one was made."""
    model = nn.Module()
    model.layers = nn.Sequential(*[nn.Linear(32, 64) for _ in range(3)])
    seen: list[int] = []

    def counted(of: object) -> object:
        seen.append(sum(weight() is not None for weight in weights))
        return of

    weights = [weakref.ref(layer.weight) for layer in model.layers]
    quantize = quantized_linear.quantize_linear
    monkeypatch.setattr(quantized_linear, "quantize_linear", lambda *of: counted(quantize(*of)))
    quantize_model(model, 4)
    assert seen == [3, 2, 1]

    weights = [weakref.ref(layer.codes) for layer in model.layers]
    seen.clear()
    monkeypatch.setattr(gpu_linear, "_checked_product", lambda *_: None)
    monkeypatch.setattr(gpu_linear, "GpuLinear", lambda *of: counted(GpuLinear(*of)))
    to_gpu_modules(model, torch.float32)
    assert seen == [3, 2, 1]
