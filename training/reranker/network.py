"""The reranker before its first step: a BERT classifier over given word vectors.

Knows the layout and what stands in the first vectors; `wiring` sets the first heads. Knows no data.

V pieces, C content channels, P position channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from training.reranker.recipe import MAX_TOKENS, Size
from training.reranker.wiring import RARITY, SINK, TEXT, waves, wire

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification

FloatArray = npt.NDArray[np.float32]


def build(table: FloatArray, num_ids: int, size: Size, seed: int) -> BertForSequenceClassification:
    """A model over the pieces of `table` (V, channels) and the control tokens after.

    ValueError: the table is not as wide as the model.
    """
    from transformers import BertConfig, BertForSequenceClassification

    if table.shape[1] != size.hidden_size:
        raise ValueError(f"word vectors have {table.shape[1]} channels, not {size.hidden_size}")

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


def _fill_embeddings(model: BertForSequenceClassification, table: FloatArray, size: Size) -> None:
    embeddings = model.bert.embeddings
    num_pieces, first = len(table), size.num_content + size.num_position
    words = torch.zeros_like(embeddings.word_embeddings.weight)
    given = torch.from_numpy(table)
    # What else the model before it wrote beside them is no beginning.
    words[:num_pieces, : size.num_content] = given[:, : size.num_content]
    words[:num_pieces, first + RARITY] = given[:, first + RARITY]
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
