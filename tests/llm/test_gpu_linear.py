"""Quantised weights as a GPU holds them: the numbers of the modules that they stand for."""

import copy
import importlib
import importlib.util
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from llm.kernels.gpu import linear as gpu_linear
from llm.kernels.gpu.linear import MAX_KERNEL_ROWS, GpuLinear, Product, to_gpu_modules
from llm.kernels.paged_attention import TOLERANCE, relative_error
from llm.kernels.quantized_linear import QuantizedLinear, quantize_linear, quantize_model
from llm.models import naive
from llm.models.build import random_model
from llm.models.config import chatglm3_6b
from llm.models.model import ChatGLM

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CONFIG = replace(
    chatglm3_6b(), num_layers=2, hidden_size=64, num_heads=4, head_dim=16, rope_dim=8, ffn_size=96,
    vocab_size=96,
)  # fmt: skip
widths = pytest.mark.parametrize("bits", [8, 4])


def quantized(bits: int, num_columns: int = 320, num_channels: int = 70) -> QuantizedLinear:
    torch.manual_seed(bits)
    weight, bias = torch.randn(num_channels, num_columns), torch.randn(num_channels)
    return quantize_linear(weight, bias, bits)


@widths
def test_a_weight_keeps_its_numbers(bits: int) -> None:
    module = quantized(bits)
    layer = GpuLinear(module, torch.float32, None)
    assert torch.equal(layer.dequantized(torch.float32), module.dequantized())
    x = torch.randn(3, 320)
    assert torch.equal(layer(x), F.linear(x, module.dequantized(), module.bias))


@widths
@pytest.mark.parametrize("num_rows", [1, MAX_KERNEL_ROWS, MAX_KERNEL_ROWS + 1])
def test_the_kernel_gets_few_tokens_only(bits: int, num_rows: int) -> None:
    seen: list[int] = []

    def product(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
        seen.append(len(x))
        return x.new_zeros(len(x), len(codes))

    layer = GpuLinear(quantized(bits), torch.float32, product)
    found = layer(torch.randn(num_rows, 320))
    few = num_rows <= MAX_KERNEL_ROWS
    assert seen == [num_rows] * few
    assert torch.equal(found[0], layer.bias) == few


@pytest.fixture
def in_triton(monkeypatch: pytest.MonkeyPatch) -> Product:
    """The Triton kernel, run by Triton's interpreter where there is no GPU."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton is not installed (it comes with the cuda extra)")
    if DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    product: Product = importlib.import_module("llm.kernels.gpu.triton_linear").product
    return product


@widths
@pytest.mark.parametrize("num_rows", [1, 17])
@pytest.mark.parametrize("num_columns", [32, 320, 512])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_triton_kernel_equals_the_dequantised_product(
    in_triton: Product, bits: int, num_rows: int, num_columns: int, dtype: torch.dtype
) -> None:
    layer = GpuLinear(quantized(bits, num_columns), dtype, None).to(DEVICE)
    x = torch.randn(num_rows, num_columns).to(DEVICE, dtype)
    expected = x.float() @ layer.dequantized(torch.float32).T
    error = relative_error(in_triton(x, layer.codes, layer.scales), expected)
    assert error < TOLERANCE[dtype] / 5


def right(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
    if codes.dtype == torch.uint8:
        codes = torch.stack((codes & 15, codes >> 4), dim=2).flatten(1).to(torch.int8) - 8
    weight = codes.unflatten(1, (scales.shape[1], -1)) * scales[:, :, None].float()
    return (x.float() @ weight.flatten(1).T).to(x.dtype)


def swaps_columns(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
    return right(x, codes.flip(1), scales)


def needs_another_gpu(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
    raise LookupError("out of resources")


@widths
@pytest.mark.parametrize(
    ("product", "complaint"), [(right, ""), (swaps_columns, "is wrong by"),
                               (needs_another_gpu, "does not run here: LookupError")],
)  # fmt: skip
def test_a_model_says_the_same_whatever_the_kernel_is_worth(
    bits: int, product: Product, complaint: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(gpu_linear, "_kernel", lambda: product)
    model = random_model(CONFIG)
    quantize_model(model, bits)
    expected = naive.logits(dequantized(model), [[5, 6, 7, 8]])[0]
    to_gpu_modules(model, torch.float32)
    layers = [module for module in model.modules() if isinstance(module, GpuLinear)]
    assert {layer.product for layer in layers} == {None if complaint else product}
    torch.testing.assert_close(
        naive.logits(model, [[5, 6, 7, 8]])[0], expected, atol=1e-5, rtol=1e-5
    )
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert bool(warnings) == bool(complaint)
    assert all(complaint in warning for warning in warnings)


def knows_fp16_scales_only(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
    return right(x, codes, scales) * (1 if scales.dtype == torch.float16 else 2)


def test_the_kernel_is_tried_with_each_type_of_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of values near zero has steps that fp16 cannot hold; its layer keeps float32."""
    monkeypatch.setattr(gpu_linear, "_kernel", lambda: knows_fp16_scales_only)
    weight = torch.randn(70, 320)
    faint = weight * torch.cat((torch.full((1, 1), 1e-8), torch.ones(69, 1)))
    model = nn.Sequential(quantize_linear(weight, None, 4), quantize_linear(faint, None, 4))
    to_gpu_modules(model, torch.float32)
    layers = [module for module in model.modules() if isinstance(module, GpuLinear)]
    assert [layer.scales.dtype for layer in layers] == [torch.float16, torch.float32]
    assert [layer.product for layer in layers] == [knows_fp16_scales_only, None]


def dequantized(model: ChatGLM) -> ChatGLM:
    """A copy with float weights in the place of quantised ones."""
    model = copy.deepcopy(model)
    for name, module in list(model.named_modules()):
        if isinstance(module, QuantizedLinear):
            linear = nn.Linear(module.in_features, module.out_features, module.bias is not None)
            linear.weight = nn.Parameter(module.dequantized(), requires_grad=False)
            if module.bias is not None:
                linear.bias = nn.Parameter(module.bias, requires_grad=False)
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, linear)
    return model


def test_a_weight_with_a_short_group_stays_as_it_is() -> None:
    model = nn.Sequential(quantized(4, num_columns=40), quantized(8, num_columns=40))
    to_gpu_modules(model, torch.float32)
    assert [type(each).__name__ for each in model] == ["Int4Linear", "GpuLinear"]


@pytest.mark.skipif(importlib.util.find_spec("triton") is not None, reason="Triton is installed")
def test_without_triton_weights_are_dequantised_and_a_warning_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = nn.Sequential(quantized(8))
    to_gpu_modules(model, torch.float32)
    assert isinstance(model[0], GpuLinear)
    assert "does not run here: ModuleNotFoundError: No module named 'triton'" in caplog.text
