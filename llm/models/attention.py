"""Which cached tokens a new token looks at, and what it takes from them.

Knows causality, the part of a prompt that is seen from both sides, and learned prefixes. Does
not know rotary angles, projections or pages.

n new tokens of one sequence, S tokens it has in all, P learned prefix tokens, H query heads,
G key/value groups, D head dimension.
"""

from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor

from llm.models.batch import PlacedSlice

# Decoding and verifying a draft take the same path, one query after the other, so that a
# token's scores do not depend on how many were drafted with it.
MAX_SINGLE_QUERIES = 16

# Queries that look at once at all keys up to the last of them: short enough to skip most of what
# lies behind, long enough to keep the product busy.
QUERY_BLOCK = 64


class PagedAttention(Protocol):
    """Scaled dot-product attention of query (B, H, D) over keys and values (N, page, G, D).

    Row b sees the first lengths[b] slots, at least 1, of the pages tables[b]; both are int32,
    (B,) and (B, P). Head h reads group h // (H / G). Returns (B, H, D). What lies in slots that
    a row does not see may be anything, NaN too.
    """

    def __call__(
        self, query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
    ) -> Tensor: ...


def visibility(part: PlacedSlice, num_prefix: int, dtype: torch.dtype) -> Tensor | None:
    """What to add to the scores of a slice's queries: (n, P + S) of 0 and -inf.

    None where queries go one by one, each over exactly the keys it may see.
    """
    if goes_one_by_one(part):
        return None
    device = part.pages.device
    index = torch.arange(part.num_tokens, device=device)
    seen = (index <= index[part.num_cached :, None]) | (index < part.num_bidirectional)
    bias = torch.zeros((part.num_new, num_prefix + part.num_tokens), dtype=dtype, device=device)
    bias[:, num_prefix:].masked_fill_(~seen, float("-inf"))
    return bias


def goes_one_by_one(part: PlacedSlice) -> bool:
    """Whether a slice is a few tokens behind everything that is seen from both sides."""
    return part.num_new <= MAX_SINGLE_QUERIES and part.num_bidirectional <= part.num_cached


def attend(
    query: Tensor, keys: Tensor, values: Tensor, part: PlacedSlice, bias: Tensor | None
) -> Tensor:
    """Scaled dot-product attention of query (n, H, D) over keys and values (P + S, G, D).

    Head h reads group h // (H / G). Returns (n, H, D).
    """
    num_groups = keys.shape[1]
    keys, values = keys.transpose(0, 1), values.transpose(0, 1)  # (G, P + S, D)
    grouped = query.view(query.shape[0], num_groups, -1, query.shape[2])  # (n, G, H/G, D)
    if bias is None:
        num_hidden = part.num_new - 1
        mixed = [
            _single(rows, keys, values, keys.shape[1] - num_hidden + number)
            for number, rows in enumerate(grouped)
        ]
        return torch.stack(mixed).flatten(1, 2)
    mixed = []
    for start in range(0, part.num_new, QUERY_BLOCK):
        stop = min(start + QUERY_BLOCK, part.num_new)
        num_hidden = min(part.num_new - stop, part.num_tokens - part.num_bidirectional)
        num_seen = keys.shape[1] - num_hidden
        mixed.append(_block(grouped[start:stop], keys, values, bias[start:stop, :num_seen]))
    return torch.cat(mixed).flatten(1, 2)


def _block(grouped: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Queries (m, G, H/G, D) over as many keys as bias (m, seen) has columns: their shape."""
    rows = grouped.permute(1, 2, 0, 3)  # (G, H/G, m, D)
    wide = (*rows.shape[:2], bias.shape[1], keys.shape[2])
    seen_keys, seen_values = (
        each[:, None, : bias.shape[1]].expand(wide) for each in (keys, values)
    )
    mixed = F.scaled_dot_product_attention(rows, seen_keys, seen_values, attn_mask=bias)
    return mixed.permute(2, 0, 1, 3)


def _single(rows: Tensor, keys: Tensor, values: Tensor, num_seen: int) -> Tensor:
    """One token's heads (G, H/G, D) over the first `num_seen` keys: (G, H/G, D)."""
    return F.scaled_dot_product_attention(
        rows.unsqueeze(1), keys[:, None, :num_seen], values[:, None, :num_seen]
    ).squeeze(1)
