"""The transformer of the family: one ragged forward for prefill, decode and verification.

Knows the forward pass. Does not know files, tokens' meaning, sampling or batching policy;
what differs between families arrives as numbers in ModelConfig. The rotary pairs are always
interleaved and the rows of qkv always [Q | K | V]: the loader brings other layouts into this one.

T new tokens of all sequences, H query heads, G key/value groups, D head dimension, C channels
(hidden size), F feed-forward size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from llm.models.attention import PagedAttention, attend, goes_one_by_one, visibility
from llm.models.batch import Batch, PlacedSlice, PromptLayout
from llm.models.config import ModelConfig
from llm.models.kv_cache import KVCache
from llm.models.pointwise import IN_TORCH, Pointwise
from llm.models.rope import rotation


class AnyStep(Protocol):
    """What all layers share during one forward pass, and how they look at what is cached."""

    @property
    def cos(self) -> Tensor: ...

    @property
    def sin(self) -> Tensor: ...

    def mix(
        self, layer: int, query: Tensor, keys: Tensor, values: Tensor, prefix: Tensor | None
    ) -> Tensor:
        """Cache keys and values (T, G, D) of the new tokens, then attend: (T, H, D)."""
        ...


@dataclass(frozen=True, slots=True)
class Singles:
    """The B tokens of a batch that look at the cache one by one.

    `rows` (B,) are their places among the new tokens, `tables` (B, P) their pages and `lengths`
    (B,) how many slots of these they see, both int32.
    """

    rows: Tensor
    tables: Tensor
    lengths: Tensor
    attend: PagedAttention

    @classmethod
    def of(cls, batch: Batch, attend: PagedAttention) -> Singles | None:
        """Those of a batch; None where it has none."""
        slices = [part for part in batch.slices if goes_one_by_one(part)]
        if not slices:
            return None
        rows = torch.cat([torch.arange(part.start, part.stop) for part in slices])
        lengths = torch.cat([torch.arange(part.num_cached, part.num_tokens) + 1 for part in slices])
        tables = torch.zeros(
            (len(rows), max(len(part.pages) for part in slices)), dtype=torch.int32
        )
        first = 0
        for part in slices:
            tables[first : first + part.num_new, : len(part.pages)] = part.pages
            first += part.num_new
        return cls(rows, tables, lengths.int(), attend)

    def mix(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What these tokens' queries (B, H, D) find in a layer's pages: (B, H, D)."""
        return self.attend(query, keys, values, self.tables, self.lengths)


@dataclass(frozen=True, slots=True)
class Step:
    """A step in which every slice attends by itself; one bias for each slice of the batch.

    Where there are `singles`, the slices without a bias attend as those say.
    """

    batch: Batch
    cache: KVCache
    cos: Tensor
    sin: Tensor
    biases: tuple[Tensor | None, ...]
    singles: Singles | None = None

    def mix(
        self, layer: int, query: Tensor, keys: Tensor, values: Tensor, prefix: Tensor | None
    ) -> Tensor:
        """Cache keys and values (T, G, D) of the new tokens, then attend: (T, H, D)."""
        self.cache.write(layer, self.batch.slots, keys, values)
        if self.singles and len(self.singles.rows) == len(query):
            return self.singles.mix(query, *self.cache.layer(layer))
        mixed = torch.empty(query.shape, dtype=query.dtype, device=query.device)
        if self.singles:
            rows = self.singles.rows
            mixed[rows] = self.singles.mix(query[rows], *self.cache.layer(layer))
        for part, bias in zip(self.batch.slices, self.biases, strict=True):
            if bias is not None or self.singles is None:
                own, seen = slice(part.start, part.stop), self._seen(layer, part, prefix)
                mixed[own] = attend(query[own], *seen, part, bias)
        return mixed

    def _seen(self, layer: int, part: PlacedSlice, prefix: Tensor | None) -> tuple[Tensor, Tensor]:
        """Keys and values (P + S, G, D) of a slice, new tokens included."""
        keys, values = self.cache.read(layer, part.pages, part.num_tokens)
        if prefix is None:
            return keys, values
        return torch.cat((prefix[0], keys)), torch.cat((prefix[1], values))


class RMSNorm(nn.Module):
    """w * x / rms(x) over C channels."""

    pointwise: Pointwise = IN_TORCH

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise.rms_norm(x, self.weight, self.eps)


def new_norm(config: ModelConfig) -> nn.Module:
    """The kind of norm that a config asks for, over C channels."""
    if config.norm == "rms":
        return RMSNorm(config.hidden_size, config.norm_eps)
    return nn.LayerNorm(config.hidden_size, config.norm_eps)


class Attention(nn.Module):
    """Attention whose H query heads share G key/value groups.

    `prefix` are learned keys and values (2, P, G, D) that every token sees (P-tuning v2, Liu et
    al. 2022): they have no position and are not rotated.
    """

    prefix: Tensor | None
    pointwise: Pointwise = IN_TORCH

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.num_groups = config.num_kv_groups
        self.head_dim = config.head_dim
        rows = (config.num_heads + 2 * config.num_kv_groups) * config.head_dim
        self.qkv = nn.Linear(config.hidden_size, rows, bias=config.qkv_bias or config.linear_bias)
        self.out = nn.Linear(
            config.num_heads * config.head_dim, config.hidden_size, bias=config.linear_bias
        )
        shape = (2, config.num_prefix_tokens, config.num_kv_groups, config.head_dim)
        self.register_buffer("prefix", torch.empty(shape) if config.num_prefix_tokens else None)

    def forward(self, x: Tensor, step: AnyStep, layer: int) -> Tensor:
        heads, groups = self.num_heads, self.num_groups
        qkv = self.qkv(x).view(-1, heads + 2 * groups, self.head_dim)
        turned = self.pointwise.rotate(qkv, heads + groups, step.cos, step.sin)
        query, keys = turned[:, :heads], turned[:, heads:]  # (T, H, D), (T, G, D)
        mixed = step.mix(layer, query, keys, qkv[:, heads + groups :], self.prefix)
        return self.out(mixed.flatten(1))  # (T, C)


class SwiGLU(nn.Module):
    """down(silu(gate) * up), gate being the first half of one projection (Shazeer 2020)."""

    pointwise: Pointwise = IN_TORCH

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        bias = config.linear_bias
        self.gate_up = nn.Linear(config.hidden_size, 2 * config.ffn_size, bias=bias)
        self.down = nn.Linear(config.ffn_size, config.hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.pointwise.swiglu(self.gate_up(x)))


class DecoderLayer(nn.Module):
    """One layer: attention and feed-forward, each on a normalised copy of the stream."""

    def __init__(self, config: ModelConfig, feed_forward: nn.Module) -> None:
        super().__init__()
        self.input_norm = new_norm(config)
        self.attention = Attention(config)
        self.post_norm = new_norm(config)
        self.mlp = feed_forward
        self._from_norm = config.residual_from_norm
        self._scale = config.residual_scale

    def forward(self, x: Tensor, step: AnyStep, layer: int) -> Tensor:
        normed = self.input_norm(x)
        x = self._stream(x, normed) + self.attention(normed, step, layer)
        normed = self.post_norm(x)
        return self._stream(x, normed) + self.mlp(normed)

    def _stream(self, x: Tensor, normed: Tensor) -> Tensor:
        """What a sub-layer's output is added to."""
        return self._scale * normed if self._from_norm else x


class ChatGLM(nn.Module):
    """Token ids in, scores over the vocabulary out; the past lives in the KVCache."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            DecoderLayer(config, self.new_feed_forward(config)) for _ in range(config.num_layers)
        )
        self.final_norm = new_norm(config) if config.final_norm else nn.Identity()
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.num_labels:
            self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    @staticmethod
    def new_feed_forward(config: ModelConfig) -> nn.Module:
        """The feed-forward part of one layer."""
        return SwiGLU(config)

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.weight.device

    def layout(self, prompt_ids: Sequence[int]) -> PromptLayout:
        """Where the tokens of a sequence that starts with these ids stand."""
        return PromptLayout()

    def new_cache(self, num_pages: int, page_tokens: int) -> KVCache:
        """An empty cache of this model's sizes and dtype, each layer's part where the layer is."""
        devices = [next(block.parameters()).device for block in self.layers]
        return KVCache(self.config, num_pages, page_tokens, dtype=self.dtype, devices=devices)

    def hidden(
        self, batch: Batch, cache: KVCache, attend_pages: PagedAttention | None = None
    ) -> Tensor:
        """Run the new tokens of a batch behind the cached ones: normalised states (T, C).

        `attend_pages`, on the CPU, is how tokens that decode look at the cache.
        """
        cos, sin = rotation(batch.positions, self.config)
        num_prefix = self.config.num_prefix_tokens
        biases = tuple(visibility(part, num_prefix, self.dtype) for part in batch.slices)
        singles = Singles.of(batch, attend_pages) if attend_pages else None
        return self.through(batch.ids, Step(batch, cache, cos, sin, biases, singles))

    def through(self, ids: Tensor, step: AnyStep) -> Tensor:
        """Normalised states (T, C) of new tokens (T,), attending as `step` does."""
        x = self.embedding(ids)
        for layer, block in enumerate(self.layers):
            x = block(x, step, layer)
        return self.final_norm(x)

    def forward(self, batch: Batch, cache: KVCache) -> Tensor:
        """Scores (T, V) of the token that follows each new token of the batch."""
        return self.head(self.hidden(batch, cache))
