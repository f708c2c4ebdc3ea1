"""Heads that find matches before the first step of training.

Random weights take longer to learn that equal words match than a CPU's hour allows. So some heads
are wired: in the first layer two match each word with the words of the other text, two look at the
neighbours; in the second one averages what was matched nearby, two match again. It is only where
learning starts; the result is an ordinary BERT checkpoint. Knows attention; knows no words.

H channels, D dimensions of a head, C content channels, P position channels.
Channels: content 0..C-1, position C..C+P-1, then RARITY, TEXT, SINK, then what heads write.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from training.reranker.recipe import Size

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification

NUM_SINGLE = 3
RARITY, TEXT, SINK = range(NUM_SINGLE)
MATCH_SCORE = 14.0
"""Attention score of two equal words, before the softmax."""
OTHER_TEXT_SCORE = 6.0
SINK_SCORE = 7.0
NEIGHBOUR_SCORE = 10.0
NUM_WIRED = 3
"""Dimensions of a matching head that are not content: text, sink, and one left free."""


@dataclass(frozen=True, slots=True)
class _Attention:
    """The projections of one layer's attention."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    output: nn.Linear

    @classmethod
    def of(cls, layer: Any) -> _Attention:  # noqa: ANN401 - a BertLayer, which is not exported
        own = layer.attention.self
        return cls(own.query, own.key, own.value, layer.attention.output.dense)


def _frequencies(num_position: int) -> Tensor:
    """(P/2,) from one radian a token down to one in 40 tokens."""
    half = num_position // 2
    return torch.exp(-torch.arange(half) / (half - 1) * math.log(40.0))


def waves(num_rows: int, num_position: int) -> Tensor:
    """(rows, P) sines and cosines of each position (Vaswani et al. 2017, section 3.5)."""
    angles = torch.arange(num_rows)[:, None] * _frequencies(num_position)[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _shift(num_position: int, offset: int) -> Tensor:
    """(P, P) that turns the waves of position t into those of t + offset."""
    angles = _frequencies(num_position) * offset
    sin, cos = torch.diag(angles.sin()), torch.diag(angles.cos())
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


def wire(model: BertForSequenceClassification, size: Size) -> None:
    """Set the first heads; to be called without gradients."""
    attentions = [_Attention.of(layer) for layer in model.bert.encoder.layer]
    free = size.num_content + size.num_position + NUM_SINGLE
    for head in (0, 1):
        _match(attentions[0], head, size)
        _write(attentions[0], head, free + 2 * head, size)
    _look(attentions[0], 2, -1, NEIGHBOUR_SCORE, size)
    _look(attentions[0], 3, +1, NEIGHBOUR_SCORE, size)
    if size.num_layers < 2:
        return
    _look(attentions[1], 0, 0, NEIGHBOUR_SCORE / 4, size)
    _pass_on(attentions[1], 0, free, free + 4, size)
    for head in (1, 2):
        _match(attentions[1], head, size)


def _rows(head: int, size: Size) -> slice:
    width = size.hidden_size // size.num_heads
    return slice(head * width, (head + 1) * width)


def _match(attention: _Attention, head: int, size: Size) -> None:
    """Equal words of the other text first, then a control token, then everything else."""
    width = size.hidden_size // size.num_heads
    root, first = math.sqrt(width), size.num_content + size.num_position
    num_projected = width - NUM_WIRED
    mixing = torch.randn(size.num_content, size.num_content)
    projection = torch.linalg.qr(mixing).Q[:num_projected]  # (D - 3, C)
    # A projected vector of norm sqrt(C) has the squared norm D - 3 on average.
    scale = math.sqrt(MATCH_SCORE * root / num_projected)
    query, key = torch.zeros(width, size.hidden_size), torch.zeros(width, size.hidden_size)
    query[:num_projected, : size.num_content] = scale * projection
    key[:num_projected, : size.num_content] = scale * projection
    aside = math.sqrt(OTHER_TEXT_SCORE * root)
    query[num_projected, first + TEXT], key[num_projected, first + TEXT] = aside, -aside
    sink = math.sqrt(SINK_SCORE * root)
    key[num_projected + 1, first + SINK] = sink
    attention.query.weight[_rows(head, size)] = query
    attention.key.weight[_rows(head, size)] = key
    attention.query.bias[_rows(head, size)][num_projected + 1] = sink


def _write(attention: _Attention, head: int, channel: int, size: Size) -> None:
    """Write two channels: how rare the matched word is, and that one was matched at all."""
    first, start = size.num_content + size.num_position, _rows(head, size).start
    own, output = attention, attention.output
    own.value.weight[start : start + 2] = 0.0
    own.value.weight[start, first + RARITY] = 1.0
    own.value.weight[start + 1, first + SINK] = -1.0
    own.value.bias[start + 1] = 1.0
    output.weight[channel, start] = 1.0
    output.weight[channel + 1, start + 1] = 1.0


def _look(attention: _Attention, head: int, offset: int, score: float, size: Size) -> None:
    """Attend to the position `offset` away, its neighbours less."""
    width = size.hidden_size // size.num_heads
    count, start = size.num_position, size.num_content
    scale = math.sqrt(2 * score * math.sqrt(width) / count)
    query, key = torch.zeros(width, size.hidden_size), torch.zeros(width, size.hidden_size)
    query[:count, start : start + count] = scale * _shift(count, offset)
    key[:count, start : start + count] = scale * torch.eye(count)
    attention.query.weight[_rows(head, size)] = query
    attention.key.weight[_rows(head, size)] = key


def _pass_on(attention: _Attention, head: int, source: int, target: int, size: Size) -> None:
    """Write the average of four channels over what the head attends to into four others."""
    start = _rows(head, size).start
    for number in range(4):
        attention.value.weight[start + number] = 0.0
        attention.value.weight[start + number, source + number] = 1.0
        attention.output.weight[target + number, start + number] = 1.0
