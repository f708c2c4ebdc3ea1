"""Keys and values of every cached token, in pages of fixed size that any sequence may point to.

Knows where a slot lies in memory. Does not know who owns a page (pages.py) or what a query may
see (attention.py).

T new tokens, S cached slots read, G key/value groups, D head dimension.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm.models.config import ModelConfig


class KVCache:
    """`num_pages` pages of `page_tokens` slots; a slot holds one token's keys and values.

    Slot s lies in page s // page_tokens. Memory: 2 * layers * G * D elements a slot. `devices`
    has one device for all layers, or one for each.
    """

    def __init__(
        self,
        config: ModelConfig,
        num_pages: int,
        page_tokens: int,
        *,
        dtype: torch.dtype = torch.float32,
        devices: Sequence[torch.device | str] = ("cpu",),
    ) -> None:
        shape = (num_pages, page_tokens, config.num_kv_groups, config.head_dim)
        each = devices if len(devices) > 1 else [devices[0]] * config.num_layers
        self._keys = [torch.empty(shape, dtype=dtype, device=device) for device in each]
        self._values = [torch.empty(shape, dtype=dtype, device=device) for device in each]
        self.num_pages = num_pages
        self.page_tokens = page_tokens

    def write(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """Store keys and values (T, G, D) of one layer in slots (T,)."""
        self._keys[layer].flatten(0, 1).index_copy_(0, slots, keys)
        self._values[layer].flatten(0, 1).index_copy_(0, slots, values)

    def read(self, layer: int, pages: Tensor, num_tokens: int) -> tuple[Tensor, Tensor]:
        """The first `num_tokens` keys and values (S, G, D) that lie in `pages`, in their order."""
        keys = self._keys[layer].index_select(0, pages).flatten(0, 1)
        values = self._values[layer].index_select(0, pages).flatten(0, 1)
        return keys[:num_tokens], values[:num_tokens]

    def layer(self, layer: int) -> tuple[Tensor, Tensor]:
        """All keys and values of one layer: (num_pages, page_tokens, G, D) each."""
        return self._keys[layer], self._values[layer]


def slot_bytes(config: ModelConfig, dtype: torch.dtype) -> int:
    """Bytes that one cached token takes."""
    return 2 * config.num_layers * config.num_kv_groups * config.head_dim * dtype.itemsize
