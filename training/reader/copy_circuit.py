"""First weights that can already copy: a previous-token head and heads that match content.

Small models do not find copying by themselves in a short training, so it is put there before the
first step; training is free to change all of it, and the file is an ordinary checkpoint.

Channels are shared out: the first half holds a token's own code, the third quarter that of the
token before, the last quarter what was found. Layer 0 looks one and two tokens back: its queries
and keys are constant (the qkv bias, in the rotary dimensions), so only distance decides. Layers 1
and 3 look for places whose previous token is the current one (the induction of Olsson et al.
2022) and bring the token that stands there; the output layer reads it. Knows one model's weights;
knows no data.

C channels, D head dimension, R rotated dimensions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from llm.models.config import ModelConfig
from llm.models.model import Attention, ChatGLM

BACKGROUND = 0.02


@dataclass(frozen=True, slots=True)
class Loudness:
    """How strongly the circuit is wired; found with the probe in the tests."""

    distance: float = 10.0
    match: float = 16.0
    found: float = 3.0
    output: float = 0.1
    embedding: float = 1.0


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channels hold what: own code [0, own), previous [own, own + code), found the rest."""

    own: int
    code: int

    @classmethod
    def of(cls, config: ModelConfig) -> Channels:
        own = config.hidden_size // 2
        return cls(own, min(config.head_dim, config.hidden_size // 4))

    @property
    def previous(self) -> slice:
        return slice(self.own, self.own + self.code)

    @property
    def found(self) -> slice:
        return slice(self.own + self.code, self.own + 2 * self.code)


@torch.no_grad()
def wire(model: ChatGLM, seed: int, loudness: Loudness | None = None) -> None:
    """Fill every weight of the model in place: small random numbers, and the circuit.

    Raises:
        ValueError: fewer than two layers, or channels that do not divide by four.
    """
    config, loud = model.config, loudness or Loudness()
    if config.num_layers < 2 or config.hidden_size % 4:
        raise ValueError(
            f"{config.num_layers} layers of {config.hidden_size} channels; expected at least 2"
            " layers and a multiple of 4"
        )
    generator = torch.Generator().manual_seed(seed)
    _small_random(model, generator)
    channels = Channels.of(config)
    code = _orthogonal(channels.code, channels.own, generator)  # (code, own)
    own = torch.randn(config.vocab_size, channels.own, generator=generator)
    model.embedding.weight[:, : channels.own] = own * loud.embedding
    model.head.weight[:, channels.found] = own @ code.T * loud.output
    _look_back(_attention(model, 0), config, channels, code, loud)
    for layer in {1, min(3, config.num_layers - 1)}:
        _match(_attention(model, layer), config, channels, code, loud)


def _attention(model: ChatGLM, layer: int) -> Attention:
    attention = model.layers[layer].attention
    if not isinstance(attention, Attention):
        raise TypeError(f"layer {layer} has {type(attention).__name__}; expected Attention")
    return attention


def _small_random(model: ChatGLM, generator: torch.Generator) -> None:
    depth = (2 * model.config.num_layers) ** -0.5
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            parameter.fill_(1.0 if "norm" in name else 0.0)
            continue
        scale = BACKGROUND if "embedding" in name or "head" in name else parameter.shape[1] ** -0.5
        writes = "attention.out" in name or "mlp.down" in name
        size = scale * (depth if writes else 1.0)
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * size)


def _orthogonal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """(rows, columns) with orthonormal rows."""
    basis: Tensor = torch.linalg.qr(torch.randn(columns, rows, generator=generator))[0]
    return basis.T.contiguous()


def _rows(config: ModelConfig, kind: str, number: int) -> slice:
    """Rows of qkv that make one head's query, or one group's key or value."""
    before = {
        "query": 0,
        "key": config.num_heads,
        "value": config.num_heads + config.num_kv_groups,
    }[kind]
    start = (before + number) * config.head_dim
    return slice(start, start + config.head_dim)


def _look_back(
    attention: Attention, config: ModelConfig, channels: Channels, code: Tensor, loud: Loudness
) -> None:
    """Heads 0 and 1 of group 0 see one and two tokens back and write that token's code.

    Their score at distance d is the sum over rotary pairs of cos((d - offset) * frequency), times
    ``distance``: largest at the offset.
    """
    weight, bias = attention.qkv.weight, attention.qkv.bias
    pairs = torch.arange(config.rope_dim // 2)
    frequency = config.rope_base ** (-2.0 * pairs / config.rope_dim)
    strength = (loud.distance * config.head_dim**0.5) ** 0.5
    used = (frequency > 0.05).float() * strength
    key = _rows(config, "key", 0)
    weight[key] = 0.0
    bias[key][0 : config.rope_dim : 2] = used
    value = _rows(config, "value", 0)
    weight[value] = 0.0
    weight[value.start : value.start + channels.code, : channels.own] = code
    share = config.num_heads // config.num_kv_groups
    targets = (channels.previous, channels.found)
    for head in range(min(2, share)):
        query = _rows(config, "query", head)
        offset = head + 1.0
        weight[query] = 0.0
        # A query turned back by `offset` positions meets a key `offset` tokens earlier.
        bias[query][0 : config.rope_dim : 2] = used * torch.cos(offset * frequency)
        bias[query][1 : config.rope_dim : 2] = -used * torch.sin(offset * frequency)
        _writes(attention, config, head, channels, targets[head], 1.0 if head == 0 else 0.3)


def _match(
    attention: Attention, config: ModelConfig, channels: Channels, code: Tensor, loud: Loudness
) -> None:
    """Group 0: keys are the previous token's code, queries the own; brings what stands there.

    Only dimensions that do not turn, or turn slowly, carry the codes.
    """
    weight = attention.qkv.weight
    pairs = torch.arange(config.head_dim) // 2
    frequency = config.rope_base ** (-2.0 * pairs / config.rope_dim)
    still = [
        d
        for d in range(config.head_dim)
        if d >= config.rope_dim or frequency[d].item() < 2.0 / 1000
    ][: channels.code]
    scale = (loud.match * config.head_dim**0.5 / len(still)) ** 0.5
    key, value = _rows(config, "key", 0), _rows(config, "value", 0)
    weight[key] = 0.0
    weight[value] = 0.0
    previous = torch.arange(channels.previous.start, channels.previous.stop)
    for index, dimension in enumerate(still):
        weight[key.start + dimension, previous[index]] = scale
    weight[value.start : value.start + channels.code, : channels.own] = code
    query = _rows(config, "query", 0)
    weight[query] = 0.0
    for index, dimension in enumerate(still):
        weight[query.start + dimension, : channels.own] = code[index] * scale
    _writes(attention, config, 0, channels, channels.found, loud.found)


def _writes(
    attention: Attention,
    config: ModelConfig,
    head: int,
    channels: Channels,
    target: slice,
    loudness: float,
) -> None:
    """A head's values, which are codes, go into the target channels."""
    columns = slice(head * config.head_dim, (head + 1) * config.head_dim)
    attention.out.weight[:, columns] = 0.0
    first = columns.start
    for index, channel in enumerate(range(target.start, target.stop)):
        attention.out.weight[channel, first + index] = loudness
