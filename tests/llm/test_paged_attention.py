"""Attention over pages: the plain way against each slice alone, kernels against the plain way."""

import importlib
import importlib.util
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from llm.kernels import paged_attention
from llm.kernels.paged_attention import TOLERANCE, choose, gathered, relative_error
from llm.models.attention import PagedAttention, attend
from llm.models.batch import PlacedSlice
from llm.models.config import ModelConfig
from llm.models.kv_cache import KVCache
from tests.llm.tiny_checkpoint import tiny_config_json

CONFIG = replace(
    ModelConfig.from_json(tiny_config_json(96)), num_heads=8, num_kv_groups=2, head_dim=24
)


def random_rows(
    lengths: list[int], page_tokens: int, seed: int
) -> tuple[Tensor, KVCache, Tensor, Tensor]:
    """Query, a cache full of NaN but for what the rows see, tables of scattered pages, lengths."""
    torch.manual_seed(seed)
    nums = [-(-length // page_tokens) for length in lengths]
    order = torch.randperm(sum(nums) + 2)
    cache = KVCache(CONFIG, len(order), page_tokens)
    for cached in cache.layer(0):
        cached.fill_(torch.nan)
    tables = torch.zeros(len(lengths), max(nums) + 1, dtype=torch.int32)
    for row, (length, pages) in enumerate(zip(lengths, torch.split(order[:-2], nums), strict=True)):
        tables[row, : len(pages)] = pages
        slots = (pages[:, None] * page_tokens + torch.arange(page_tokens)).flatten()[:length]
        shape = (length, CONFIG.num_kv_groups, CONFIG.head_dim)
        cache.write(0, slots, torch.randn(shape), torch.randn(shape))
    query = torch.randn(len(lengths), CONFIG.num_heads, CONFIG.head_dim)
    return query, cache, tables, torch.tensor(lengths, dtype=torch.int32)


row_lengths = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(row_lengths, st.integers(1, 9), st.integers(0, 2**31))
@settings(deadline=None, max_examples=40)
def test_every_row_equals_attention_over_its_own_keys(
    lengths: list[int], page_tokens: int, seed: int
) -> None:
    query, cache, tables, counts = random_rows(lengths, page_tokens, seed)
    mixed = gathered(query, *cache.layer(0), tables, counts)
    for row, length in enumerate(lengths):
        part = PlacedSlice(0, 1, length - 1, tables[row, : -(-length // page_tokens)])
        keys, values = cache.read(0, part.pages, length)
        alone = attend(query[row : row + 1], keys, values, part, None)
        torch.testing.assert_close(mixed[row], alone[0], atol=1e-5, rtol=1e-5)


@pytest.fixture
def in_triton(monkeypatch: pytest.MonkeyPatch) -> PagedAttention:
    """The Triton kernel, run by Triton's interpreter where there is no GPU."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton is not installed (it comes with the cuda extra)")
    if not torch.cuda.is_available():
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    kernel: PagedAttention = importlib.import_module(
        "llm.kernels.gpu.triton_attention"
    ).paged_attention
    return kernel


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize(
    ("lengths", "page_tokens"),
    [([1], 16), ([900], 16), ([1, 15, 16, 17, 63, 64, 65, 130], 16), ([7] * 12, 4), ([300], 256)],
)
def test_the_triton_kernel_equals_the_plain_way(
    in_triton: PagedAttention, lengths: list[int], page_tokens: int, dtype: torch.dtype
) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    query, cache, tables, counts = random_rows(lengths, page_tokens, seed=5)
    inputs = [part.to(device, dtype) for part in (query, *cache.layer(0))]
    wide = torch.cat((inputs[0], inputs[0]), dim=1)  # rows as they lie in a fused projection
    found = in_triton(
        wide[:, : CONFIG.num_heads], *inputs[1:], tables.to(device), counts.to(device)
    )
    expected = gathered(*(part.float().cpu() for part in inputs), tables, counts)
    assert relative_error(found.cpu(), expected) < TOLERANCE[dtype] / 10


def test_a_right_kernel_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def right(
        query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
    ) -> Tensor:
        return gathered(query, keys, values, tables, lengths)

    offer(monkeypatch, right)
    assert choose(CONFIG, torch.empty(1, 16, 2, 24)) is right


def forgets_the_last(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    return gathered(query, keys, values, tables, (lengths - 1).clamp(min=1))


def sees_one_too_many(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    return gathered(query, keys, values, tables, lengths + 1)


def mixes_up_groups(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    return gathered(query, keys.flip(2), values.flip(2), tables, lengths)


def does_not_compile(*inputs: Tensor) -> Tensor:
    raise LookupError("no such instruction")


@pytest.mark.parametrize(
    ("kernel", "complaint"),
    [
        (forgets_the_last, "is wrong by"),
        (sees_one_too_many, "is wrong by nan"),
        (mixes_up_groups, "is wrong by"),
        (does_not_compile, "does not run here: LookupError: no such instruction"),
    ],
)
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_a_wrong_kernel_is_left_aside_with_a_warning(
    kernel: PagedAttention,
    complaint: str,
    dtype: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    offer(monkeypatch, kernel)
    assert choose(CONFIG, torch.empty(1, 16, 2, 24, dtype=dtype)) is gathered
    assert complaint in caplog.text


def test_only_kernels_that_this_machine_has_are_tried() -> None:
    has_triton = importlib.util.find_spec("triton") is not None
    assert ("in Triton" in paged_attention._candidates()) == has_triton


def offer(monkeypatch: pytest.MonkeyPatch, kernel: PagedAttention) -> None:
    monkeypatch.setattr(paged_attention, "_candidates", lambda: {"under test": kernel})
