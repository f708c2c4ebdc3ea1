"""Compiled attention and pointwise passes against torch's, alone and inside a quantised model."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.runner import PlainRunner
from llm.engine.scheduler import EngineLimits
from llm.kernels.build import CACHE_VARIABLE, REFERENCE, library_path
from llm.kernels.cpu.compiled import compiled_attention, use_compiled
from llm.kernels.cpu.native import NativeKernel
from llm.kernels.paged_attention import TOLERANCE, gathered, largest_error, relative_error
from llm.kernels.quantized_linear import quantize_model
from llm.models.batch import PromptLayout, TokenSlice
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.kv_cache import KVCache
from llm.models.model import ChatGLM, RMSNorm
from llm.models.pointwise import IN_TORCH
from tests.llm.little_memory import NOT_HELD
from tests.llm.native_kernels import VARIANTS, compiled
from tests.llm.test_paged_attention import CONFIG, random_rows
from tests.llm.tiny_checkpoint import tiny_config_json
from tests.llm.visits import GREEDY, PROMPTS, SAMPLED

SHARING = replace(
    ModelConfig.from_json(tiny_config_json(96, seq_length=128)),
    hidden_size=64, num_heads=8, num_kv_groups=1, head_dim=8, rope_dim=4, ffn_size=96,
)  # fmt: skip


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("heads", "groups", "size"), [(32, 2, 128), (40, 2, 20), (6, 6, 8)])
def test_attention_is_right_for_any_number_of_heads(
    native: NativeKernel, heads: int, groups: int, size: int, dtype: torch.dtype
) -> None:
    config = replace(CONFIG, num_heads=heads, num_kv_groups=groups, head_dim=size, rope_dim=size)
    keys = torch.empty((1, 16, groups, size), dtype=dtype)
    assert largest_error(native.attend, config, keys) < TOLERANCE[dtype] / 10


@pytest.mark.parametrize(
    ("lengths", "page_tokens"),
    [([1], 1), ([31, 32, 33], 7), ([511, 1, 512], 9), ([513, 1100, 2, 1100], 16)],
)
def test_a_row_has_the_same_bits_alone_among_others_and_on_any_threads(
    native: NativeKernel, lengths: list[int], page_tokens: int
) -> None:
    query, cache, tables, counts = random_rows(lengths, page_tokens, seed=len(lengths))
    together = native.attend(query, *cache.layer(0), tables, counts)
    assert relative_error(together, gathered(query, *cache.layer(0), tables, counts)) < 1e-5
    torch.set_num_threads(3)
    try:
        for row in range(len(lengths)):
            one = slice(row, row + 1)
            alone = native.attend(query[one], *cache.layer(0), tables[one], counts[one])
            assert torch.equal(alone[0], together[row])
    finally:
        torch.set_num_threads(1)


def test_all_instruction_sets_attend_with_the_same_bits(
    native: NativeKernel, kernel_folder: Path
) -> None:
    query, cache, tables, counts = random_rows([700, 3], 16, seed=1)
    reference = compiled(REFERENCE, kernel_folder)
    inputs = (query, *cache.layer(0), tables, counts)
    assert torch.equal(native.attend(*inputs), reference.attend(*inputs))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [1, 15, 16, 100, 4096])
def test_pointwise_passes_equal_those_of_torch(
    native: NativeKernel, size: int, dtype: torch.dtype
) -> None:
    near = {"atol": 1e-6, "rtol": 2e-6 if dtype == torch.float32 else 2e-2}
    x, weight = normal(3, size, dtype=dtype), normal(size, seed=1, dtype=dtype)
    torch.testing.assert_close(
        native.rms_norm(x, weight, 1e-5), IN_TORCH.rms_norm(x, weight, 1e-5), **near
    )
    gate_up = normal(3, 2 * size, seed=2, dtype=dtype) * 8
    torch.testing.assert_close(native.swiglu(gate_up), IN_TORCH.swiglu(gate_up), **near)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_turning_has_the_bits_of_torch_and_leaves_the_other_heads(
    native: NativeKernel, dtype: torch.dtype
) -> None:
    heads, cos, sin = (
        normal(5, 6, 24, dtype=dtype),
        normal(5, 1, 8, seed=1),
        normal(5, 1, 8, seed=2),
    )
    expected, given = IN_TORCH.rotate(heads, 4, cos, sin), heads.clone()
    assert torch.equal(native.rotate(given, 4, cos, sin), expected)
    assert torch.equal(given[:, 4:], heads[:, 4:])


def test_turning_takes_tensors_that_lie_in_memory_with_gaps(native: NativeKernel) -> None:
    """Copies of cosines and sines once died before their use, one in the other's place."""
    heads = normal(5, 24, 6).transpose(1, 2)
    cos, sin = normal(5, 1, 16, seed=1)[..., ::2], normal(5, 1, 16, seed=2)[..., ::2]
    expected = IN_TORCH.rotate(heads, 4, cos, sin)
    assert torch.equal(native.rotate(heads, 4, cos, sin), expected)


def test_gates_at_the_ends_of_the_numbers(native: NativeKernel) -> None:
    gates = torch.tensor([-1e30, -200.0, -88.0, 0.0, 88.0, 200.0, 1e30, torch.nan, torch.inf])
    found = native.swiglu(torch.cat((gates, torch.ones(len(gates)))).unsqueeze(0))[0]
    expected = torch.nn.functional.silu(gates)
    torch.testing.assert_close(found[2:], expected[2:], atol=1e-30, rtol=1e-6, equal_nan=True)
    assert (found[:2].abs() < 1e-7).all()


@pytest.fixture
def quantised(native: NativeKernel, monkeypatch: pytest.MonkeyPatch) -> ChatGLM:
    """A tiny int8 model, on a machine whose kernel is `native`."""
    monkeypatch.setattr("llm.kernels.cpu.compiled.cpu_kernel", lambda: native)
    monkeypatch.setattr("llm.kernels.quantized_linear.kernel_for", lambda _: native)
    model = random_model(SHARING, seed=3)
    quantize_model(model, 8)
    return model


@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("max_draft_tokens", [0, 8])
def test_a_quantised_model_says_the_same_alone_and_among_sixteen(
    quantised: ChatGLM, params: SamplingParams, max_draft_tokens: int
) -> None:
    limits = EngineLimits(
        max_draft_tokens=max_draft_tokens, max_drafting=16, step_tokens=1024, cache_tokens=4096
    )
    params = replace(params, max_tokens=24)
    engine = Engine(quantised, limits=limits)
    streams = [engine.generate(prompt, params, tenant="together") for prompt in PROMPTS[:16]]
    together = [[token.id for token in stream] for stream in streams]
    for number, prompt in enumerate(PROMPTS[:16]):
        alone = engine.generate(prompt, params, tenant=f"alone {number}")
        assert [token.id for token in alone] == together[number]


def test_a_quantised_model_computes_nearly_what_torch_computes(
    quantised: ChatGLM, native: NativeKernel
) -> None:
    slices = [
        TokenSlice(PROMPTS[9], 0, range(8), PromptLayout()),
        TokenSlice([9], 0, [9], PromptLayout()),
    ]
    more = [
        TokenSlice([7], len(PROMPTS[9]), range(8), PromptLayout()),
        TokenSlice([8], 1, [9], PromptLayout()),
    ]
    scores = []
    for compiled_parts in (False, True):
        cache = KVCache(SHARING, 10, 16)
        attend = None
        if compiled_parts:
            assert use_compiled(quantised) is native
            attend = compiled_attention(native, SHARING, cache.layer(0)[0])
            assert attend is not None
        runner = PlainRunner(quantised, cache, attend)
        runner.run(slices, [1, 1])
        scores.append(runner.run(more, [1, 1]).scores)
    # Activations are rounded to int8: a last bit before that is a hundredth of one value behind.
    assert relative_error(scores[1], scores[0]) < 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="limits the process as Linux does")
def test_too_little_memory_is_an_error_and_not_the_end(
    native: NativeKernel, kernel_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What C++ throws must not reach Python's frames: it would end the process."""
    variant = next(variant for variant in VARIANTS if variant.name == native.name)
    monkeypatch.setenv(CACHE_VARIABLE, str(kernel_folder))
    command = [sys.executable, "-m", "tests.llm.little_memory", str(library_path(variant))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode == NOT_HELD:
        pytest.skip("this system does not hold a process to a limit of its addresses")
    *errors, after = done.stdout.splitlines()
    assert [error.count("the compiled kernel") for error in errors] == [1, 1, 1], done
    assert (done.returncode, after) == (0, "[[1.0], [1.0]]")


def test_what_is_not_quantised_stays_in_torch(native: NativeKernel) -> None:
    assert use_compiled(random_model(SHARING, seed=3)) is None


def test_types_that_the_kernel_does_not_know_stay_in_torch(quantised: ChatGLM) -> None:
    assert use_compiled(quantised.double()) is None
    assert all(
        module.pointwise is IN_TORCH
        for module in quantised.modules()
        if isinstance(module, RMSNorm)
    )


def test_a_model_that_is_not_on_the_cpu_alone_stays_in_torch(quantised: ChatGLM) -> None:
    """Its layers may lie on several devices; a kernel given another one's address crashes."""
    quantised.layers[1].to("meta")
    assert use_compiled(quantised) is None


def test_heads_that_share_too_little_attend_in_torch(native: NativeKernel) -> None:
    config = replace(SHARING, num_kv_groups=2)
    assert compiled_attention(native, config, torch.empty((1, 16, 2, 8))) is None


def test_a_wrong_attention_is_left_aside_with_a_warning(
    native: NativeKernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(NativeKernel, "attend", lambda _, *given: gathered(*given) * 1.1)
    assert compiled_attention(native, SHARING, torch.empty((1, 16, 1, 8))) is None
    assert "compiled attention is wrong by 0.1" in caplog.text
