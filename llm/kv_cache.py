"""The preallocated key/value cache of one batch, and which of its slots a query may see.

Knows slots, lengths and padding. Does not know positions (padding makes the two differ),
rotary angles or sampling.

B batch, T time (new tokens), S slots filled so far, G key/value groups, D head dimension.
"""

import torch
from torch import Tensor

from llm.config import ModelConfig


class KVCache:
    """Keys and values of every layer, (layers, B, G, capacity, D) each, filled from the left."""

    def __init__(
        self,
        config: ModelConfig,
        capacity: int,
        *,
        batch: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        shape = (config.num_layers, batch, config.num_kv_groups, capacity, config.head_dim)
        self._keys = torch.empty(shape, dtype=dtype, device=device)
        self._values = torch.empty(shape, dtype=dtype, device=device)
        self._padding: Tensor | None = None
        self.capacity = capacity
        self.length = 0

    def hide(self, padding: Tensor) -> None:
        """Mark the slots (B, T) that hold left padding: True means no other query sees it."""
        self._padding = padding.to(device=self._keys.device, dtype=torch.bool)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write new keys and values (B, G, T, D) of one layer behind the filled slots.

        Returns everything up to and including them, (B, G, S + T, D), as views.
        The length grows only with `advance`, once every layer has written.
        """
        end = self.length + keys.shape[2]
        if end > self.capacity:
            raise ValueError(f"KV cache needs {end} slots; its capacity is {self.capacity}")
        self._keys[layer, :, :, self.length : end] = keys
        self._values[layer, :, :, self.length : end] = values
        return self._keys[layer, :, :, :end], self._values[layer, :, :, :end]

    def advance(self, num_tokens: int) -> None:
        """Count `num_tokens` slots, written by every layer, as filled."""
        self.length += num_tokens

    def attention_bias(self, num_tokens: int, dtype: torch.dtype) -> Tensor | None:
        """What to add to the scores of the next `num_tokens` queries: (1 or B, T, S + T).

        0 where a query may look, -inf elsewhere; None where everything is visible.
        A padding query sees itself, so that no row is empty and no NaN arises.
        """
        if num_tokens == 1 and self._padding is None:
            return None
        end = self.length + num_tokens
        slot = torch.arange(end, device=self._keys.device)
        query = slot[self.length :, None]
        visible = (slot <= query)[None]  # (1, T, S + T)
        if self._padding is not None:
            is_padding = torch.zeros(
                (self._padding.shape[0], end), dtype=torch.bool, device=slot.device
            )
            is_padding[:, : self._padding.shape[1]] = self._padding[:, :end]
            visible = visible & (~is_padding[:, None] | (slot == query))
        bias = torch.zeros(visible.shape, dtype=dtype, device=slot.device)
        return bias.masked_fill_(~visible, float("-inf"))
