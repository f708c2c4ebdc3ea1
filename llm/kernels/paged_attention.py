"""One query a row over cached pages, all rows at once and in shapes that never change.

Knows three ways of computing it, and how to find out which of them this machine does right.
Does not know layers, batches or who owns a page.

B rows (each one token that looks at what is cached), P pages a row may have, N pages of the
cache, S = P * page size, H query heads, G key/value groups, D head dimension.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor

from llm.models.attention import PagedAttention
from llm.models.config import ModelConfig

log = logging.getLogger(__name__)

# The largest relative error of a row, |a - b| / |b|, that rounding explains. Float32 leaves room
# for another order of summation, the halves for another order in each of many layers.
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def gathered(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    """The plain way, and the reference of the others: copies every row's pages together."""
    num_rows, num_heads, _ = query.shape
    num_groups = keys.shape[2]
    seen = torch.arange(tables.shape[1] * keys.shape[1], device=query.device) < lengths[:, None]

    def collect(cached: Tensor) -> Tensor:
        rows = cached[tables.long()].flatten(1, 2)  # (B, S, G, D)
        # Zeroed, because 0 * NaN is NaN and nobody has written there yet.
        return rows.masked_fill(~seen[:, :, None, None], 0.0).transpose(1, 2)  # (B, G, S, D)

    heads = query.view(num_rows, num_groups, num_heads // num_groups, -1)
    mixed = F.scaled_dot_product_attention(
        heads, collect(keys), collect(values), attn_mask=seen[:, None, None]
    )
    return mixed.flatten(1, 2)


def by_torch(
    query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
) -> Tensor:
    """The kernel that comes with torch, from the version on whose `varlen_attn` takes pages."""
    varlen = importlib.import_module("torch.nn.attention.varlen")
    starts = torch.arange(len(query) + 1, dtype=torch.int32, device=query.device)
    longest = tables.shape[1] * keys.shape[1]
    mixed: Tensor = varlen.varlen_attn(
        query, keys, values, starts, None, 1, longest,
        seqused_k=lengths, block_table=tables, enable_gqa=True,
    )  # fmt: skip
    return mixed


def choose(config: ModelConfig, keys: Tensor) -> PagedAttention:
    """The fastest way that gives the right numbers here, for a layer's keys (N, page, G, D)."""
    for name, kernel in _candidates().items():
        try:
            error = largest_error(kernel, config, keys)
        except Exception as failure:  # every kernel compiler has errors of its own
            reason = f"{type(failure).__name__}: {str(failure)[:200]}"
            log.warning("paged attention %s does not run here: %s", name, reason)
            log.debug("how it failed", exc_info=True)
            continue
        if error <= TOLERANCE[keys.dtype]:
            log.info("paged attention %s is right within %.2g", name, error)
            return kernel
        log.warning("paged attention %s is wrong by %.2g here and not used", name, error)
    log.warning("no kernel for paged attention; pages are copied together, which is slower")
    return gathered


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The largest |found - expected| / |expected| of a row of two (B, …); NaN where one is."""
    difference = (found.float() - expected.float()).flatten(1).norm(dim=1)
    return float((difference / expected.float().flatten(1).norm(dim=1)).max())


def _candidates() -> Mapping[str, PagedAttention]:
    """Ways to try, the fastest first."""
    found: dict[str, PagedAttention] = {}
    if importlib.util.find_spec("torch.nn.attention.varlen"):
        varlen = importlib.import_module("torch.nn.attention.varlen")
        if "block_table" in inspect.signature(varlen.varlen_attn).parameters:
            found["of torch"] = by_torch
    if importlib.util.find_spec("triton"):
        found["in Triton"] = importlib.import_module(
            "llm.kernels.gpu.triton_attention"
        ).paged_attention
    return found


def largest_error(kernel: PagedAttention, config: ModelConfig, like: Tensor) -> float:
    """Of a kernel against the reference in float32, on random rows of every awkward length."""
    worst = 0.0
    for query, keys, values, tables, lengths in _trials(config, like):
        found = kernel(query, keys, values, tables, lengths)
        expected = gathered(query.float(), keys.float(), values.float(), tables, lengths)
        error = relative_error(found, expected)
        if not error <= worst:  # also true of NaN, which must not be lost
            worst = error
            if worst != worst:
                break
    return worst


def _trials(config: ModelConfig, like: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Inputs of a kernel; slots that no row sees hold NaN."""
    page_tokens, device = like.shape[1], like.device
    generator = torch.Generator().manual_seed(0)
    edges = [1, 2, page_tokens, page_tokens + 1, 5 * page_tokens - 1, 63, 64, 65, 700, 1500]
    for lengths in ([1], [1000], edges):
        num_pages = [-(-length // page_tokens) for length in lengths]
        pages = torch.randperm(sum(num_pages) + 1, generator=generator)
        tables = torch.zeros(len(lengths), max(num_pages) + 2, dtype=torch.int32)
        shape = (len(pages), page_tokens, config.num_kv_groups, config.head_dim)
        keys, values = torch.full(shape, torch.nan), torch.full(shape, torch.nan)
        for row, (length, own) in enumerate(
            zip(lengths, torch.split(pages[:-1], num_pages), strict=True)
        ):
            tables[row, : len(own)] = own
            for cached in (keys, values):
                fresh = torch.randn(length, *shape[2:], generator=generator)
                slots = (own[:, None] * page_tokens + torch.arange(page_tokens)).flatten()
                cached.flatten(0, 1)[slots[:length]] = fresh
        query = torch.randn(len(lengths), config.num_heads, config.head_dim, generator=generator)
        halves = (part.to(device, like.dtype) for part in (query, keys, values))
        yield (*halves, tables.to(device), torch.tensor(lengths, dtype=torch.int32, device=device))
