"""The reranker before its first step: a BERT classifier over the static model's word vectors.

Knows the layout and what stands in the first vectors; `wiring` sets the first heads. Knows no data.

V pieces, C content channels, P position channels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.reranker.recipe import MAX_TOKENS, Size
from training.reranker.wiring import RARITY, SINK, TEXT, waves, wire

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification

FloatArray = npt.NDArray[np.float32]
WHITENING = 0.5
"""Power of the singular values that is taken out of the word vectors."""


def build(table: FloatArray, num_ids: int, size: Size, seed: int) -> BertForSequenceClassification:
    """A model over the pieces of `table` (V, static dimensions) and the control tokens after."""
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=num_ids,
        hidden_size=size.hidden_size,
        num_hidden_layers=size.num_layers,
        num_attention_heads=size.num_heads,
        intermediate_size=size.ffn_size,
        max_position_embeddings=MAX_TOKENS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.0,
        initializer_range=0.5 * size.hidden_size**-0.5,
        pad_token_id=len(table),
    )
    config.num_labels = 1
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        _fill_embeddings(model, table, size)
        wire(model, size)
    return model


def content_of(table: FloatArray, num_content: int) -> Tensor:
    """(V, C) principal components of the rows' directions, each row of norm sqrt(C)."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    directions = torch.from_numpy(table / np.maximum(norms, 1e-9))
    _, singular, components = torch.linalg.svd(directions, full_matrices=False)
    found = directions @ components[:num_content].T
    found = found / (singular[:num_content] / singular[0]) ** WHITENING
    scale = math.sqrt(num_content) / found.norm(dim=1, keepdim=True).clamp_min(1e-6)
    content: Tensor = found * scale
    return content


def rarity_of(table: FloatArray) -> Tensor:
    """(V,) from 0 to 2: how much a piece weighs in the static model, its vector's length."""
    lengths = torch.from_numpy(np.log(np.linalg.norm(table, axis=1) + 1e-3))
    low, high = torch.quantile(lengths, 0.001), torch.quantile(lengths, 0.999)
    return 2 * ((lengths - low) / (high - low)).clamp(0, 1)


def _fill_embeddings(model: BertForSequenceClassification, table: FloatArray, size: Size) -> None:
    embeddings = model.bert.embeddings
    num_pieces, first = len(table), size.num_content + size.num_position
    words = torch.zeros_like(embeddings.word_embeddings.weight)
    words[:num_pieces, : size.num_content] = content_of(table, size.num_content)
    words[:num_pieces, first + RARITY] = rarity_of(table)
    # The control tokens behind the pieces match nothing, and catch what matches nothing.
    words[num_pieces:, : size.num_content] = torch.randn(len(words) - num_pieces, size.num_content)
    words[num_pieces:, first + SINK] = 1.0
    embeddings.word_embeddings.weight.copy_(words)
    positions = torch.zeros_like(embeddings.position_embeddings.weight)
    positions[:, size.num_content : first] = waves(len(positions), size.num_position)
    embeddings.position_embeddings.weight.copy_(positions)
    types = torch.zeros_like(embeddings.token_type_embeddings.weight)
    types[:, first + TEXT] = torch.tensor([1.0, -1.0])
    embeddings.token_type_embeddings.weight.copy_(types)
