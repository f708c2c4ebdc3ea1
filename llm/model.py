"""The transformer of ChatGLM2, ChatGLM3 and GLM-4: pre-norm blocks with grouped attention.

Knows the forward pass. Does not know files, tokens' meaning, sampling or batching policy;
what differs between generations arrives as numbers in ModelConfig.

B batch, T time, S cached slots plus T, H query heads, G key/value groups, D head dimension,
C channels (hidden size), F feed-forward size, V vocabulary.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from llm.config import ModelConfig
from llm.kv_cache import KVCache
from llm.rope import rotate, rotation


@dataclass(frozen=True, slots=True)
class Step:
    """What all layers share during one forward pass: rotation, attention bias and cache."""

    cos: Tensor
    sin: Tensor
    bias: Tensor | None
    cache: KVCache


class RMSNorm(nn.Module):
    """w * x / rms(x), computed in float32 and cast once at the end (Zhang & Sennrich 2019)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (self.weight * (wide * scale)).to(x.dtype)


class Attention(nn.Module):
    """Causal attention whose H query heads share G key/value groups."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.num_groups = config.num_kv_groups
        self.head_dim = config.head_dim
        rows = (config.num_heads + 2 * config.num_kv_groups) * config.head_dim
        self.qkv = nn.Linear(config.hidden_size, rows, bias=config.qkv_bias)
        self.out = nn.Linear(config.num_heads * config.head_dim, config.hidden_size, bias=False)

    def forward(self, x: Tensor, step: Step, layer: int) -> Tensor:
        batch, time, _ = x.shape
        heads, groups = self.num_heads, self.num_groups
        qkv = self.qkv(x).view(batch, time, heads + 2 * groups, self.head_dim)
        query, key, value = qkv.split((heads, groups, groups), dim=2)
        keys, values = step.cache.extend(
            layer, rotate(key, step.cos, step.sin).transpose(1, 2), value.transpose(1, 2)
        )  # (B, G, S, D)
        # The H / G heads of a group become further query rows of it: no copy of keys or values.
        query = rotate(query, step.cos, step.sin).view(batch, time, groups, -1, self.head_dim)
        rows = query.permute(0, 2, 3, 1, 4).flatten(2, 3)  # (B, G, H/G * T, D)
        mixed = F.scaled_dot_product_attention(rows, keys, values, attn_mask=step.bias)
        mixed = mixed.reshape(batch, groups, -1, time, self.head_dim).permute(0, 3, 1, 2, 4)
        return self.out(mixed.flatten(2))  # (B, T, C)


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate) * up), gate being the first half of one projection."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.hidden_size, 2 * config.ffn_size, bias=False)
        self.down = nn.Linear(config.ffn_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # (B, T, F) each
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    """One layer: attention and feed-forward, each on a normalised copy of the stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.attention = Attention(config)
        self.post_norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, step: Step, layer: int) -> Tensor:
        x = x + self.attention(self.input_norm(x), step, layer)
        return x + self.mlp(self.post_norm(x))


class ChatGLM(nn.Module):
    """Token ids in, scores over the vocabulary out; the past lives in the KVCache."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.weight.device

    def new_cache(self, capacity: int, batch: int = 1) -> KVCache:
        """An empty cache of this model's sizes, dtype and device."""
        return KVCache(self.config, capacity, batch=batch, dtype=self.dtype, device=self.device)

    def hidden(self, ids: Tensor, positions: Tensor, cache: KVCache) -> Tensor:
        """Run ids (B, T) at positions (B, T) behind the cache: normalised states (B, T, C)."""
        x = self.embedding(ids)
        step = self._step(positions, cache)
        for layer, block in enumerate(self.layers):
            x = block(x, step, layer)
        cache.advance(ids.shape[1])
        return self.final_norm(x)

    def forward(self, ids: Tensor, positions: Tensor, cache: KVCache) -> Tensor:
        """Scores (B, T, V) of the token that follows each of ids (B, T)."""
        return self.head(self.hidden(ids, positions, cache))

    def _step(self, positions: Tensor, cache: KVCache) -> Step:
        cos, sin = rotation(positions, self.config)
        bias = cache.attention_bias(positions.shape[1], self.dtype)
        if bias is not None:  # one copy per head of a group, as Attention lays its rows out
            heads_per_group = self.config.num_heads // self.config.num_kv_groups
            bias = bias.repeat(1, heads_per_group, 1).unsqueeze(1)  # (1 or B, 1, H/G * T, S)
        return Step(cos, sin, bias, cache)


def empty_model(config: ModelConfig) -> ChatGLM:
    """A model of the right shapes that takes no memory; its weights are to be assigned."""
    with torch.device("meta"):
        return ChatGLM(config).requires_grad_(requires_grad=False).eval()


def random_model(
    config: ModelConfig,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> ChatGLM:
    """A model with small random weights, for tests and for speed where values do not matter."""
    model = empty_model(config).to(dtype).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            parameter.fill_(1.0)
        else:
            parameter.normal_(0.0, 0.02, generator=generator)
    return model
