"""The encoder as a network: how it starts, and how texts become vectors.

Knows the layout of transformers' EuroBERT (pre-norm layers, rotary positions, both directions) and
padded batches. Does not know pairs or files.

At the start every output projection is zero, so the network is the mean of its word vectors: the
bag it continues. Its norm divides each token by its length, which would undo how much a word
weighs; so the first dimension of every word vector fills it up to one common length, and the last
norm takes that dimension out again.

B texts, T tokens, V pieces, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.encoder.recipe import EncoderSize

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]

WORD_GAIN, FILLING_GAIN = 2.0, 0.05
"""What the norm in front of a layer does, at the start, to the word's share of a vector and to the
first dimension, which else would drown it.
"""

NUM_MARKS = 2
"""The mark in front of every text, so that none is empty, and the padding; behind the pieces."""


def front_mark(num_pieces: int) -> int:
    """Id of the mark in front of every text."""
    return num_pieces


def padding(num_pieces: int) -> int:
    """Id of the padding."""
    return num_pieces + 1


def reduced(table: FloatArray, dimensions: int) -> FloatArray:
    """(V, D) rows turned so that the first `dimensions` hold most of their squares, and cut there.

    Turning changes no cosine. A table that is narrower is filled with zeros.
    """
    _, axes = np.linalg.eigh(table.T.astype(np.float64) @ table)
    turned = table @ axes[:, ::-1].astype(np.float32)
    spare = max(0, dimensions - table.shape[1])
    return np.pad(turned[:, :dimensions], ((0, 0), (0, spare)))


def starting_vectors(table: FloatArray, width: int) -> FloatArray:
    """(V + NUM_MARKS, W): rows of square sum W, proportional to the table's in all but column 0.

    The longest row of the table has nothing in column 0, an empty one and both marks all of it.
    """
    rows = np.concatenate([reduced(table, width - 1), np.zeros((NUM_MARKS, width - 1))])
    squares = (rows**2).sum(axis=1)
    scale = width / squares.max()
    rest = np.sqrt(np.maximum(width - squares * scale, 0.0))
    return np.concatenate([rest[:, None], rows * np.sqrt(scale)], axis=1).astype(np.float32)


def encoder_config(size: EncoderSize, num_pieces: int) -> Any:  # noqa: ANN401 - transformers is untyped
    """The configuration of a EuroBERT of this size."""
    from transformers import EuroBertConfig

    return EuroBertConfig(
        vocab_size=num_pieces + NUM_MARKS,
        hidden_size=size.width,
        intermediate_size=size.inner_width,
        num_hidden_layers=size.num_layers,
        num_attention_heads=size.num_heads,
        num_key_value_heads=size.num_heads,
        head_dim=size.head_dimension,
        max_position_embeddings=size.max_tokens,
        rms_norm_eps=1e-6,
        bos_token_id=front_mark(num_pieces),
        eos_token_id=None,
        mask_token_id=padding(num_pieces),
        pad_token_id=padding(num_pieces),
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )


def starting_encoder(table: FloatArray, size: EncoderSize, seed: int) -> nn.Module:
    """The network whose vectors are those of the bag `table` (V, D), turned by `reduced`."""
    from transformers import EuroBertModel

    torch.manual_seed(seed)
    model: nn.Module = EuroBertModel(encoder_config(size, len(table)))
    with torch.no_grad():
        vectors = torch.from_numpy(starting_vectors(table, size.width))
        model.get_parameter("embed_tokens.weight").copy_(vectors)
        for index in range(size.num_layers):
            for name in ("self_attn.o_proj", "mlp.down_proj"):
                model.get_parameter(f"layers.{index}.{name}.weight").zero_()
            for name in ("input_layernorm", "post_attention_layernorm"):
                gains = model.get_parameter(f"layers.{index}.{name}.weight")
                gains.fill_(WORD_GAIN)
                gains[0] = FILLING_GAIN
        model.get_parameter("norm.weight")[0] = 0.0
    return model


def padded(texts: Sequence[IntArray], max_tokens: int, num_pieces: int) -> tuple[Tensor, Tensor]:
    """(B, T) ids with the mark in front, cut at `max_tokens` in all, and (B, T) ones for tokens."""
    cut = [text[: max_tokens - 1] for text in texts]
    longest = 1 + max(len(text) for text in cut)
    ids = np.full((len(cut), longest), padding(num_pieces), dtype=np.int64)
    for row, text in zip(ids, cut, strict=True):
        row[0] = front_mark(num_pieces)
        row[1 : 1 + len(text)] = text
    rows = torch.from_numpy(ids)
    return rows, (rows != padding(num_pieces)).long()


def embed(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """(B, W) unit vectors: the mean over the tokens of each text."""
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state  # (B, T, W)
    weights = mask[:, :, None].to(states.dtype)
    return nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


def embed_all(
    model: nn.Module, texts: Sequence[IntArray], max_tokens: int, rows_per_pass: int
) -> Tensor:
    """(B, W) unit vectors in the order of the texts, computed in passes of like lengths."""
    parameter = model.get_parameter("embed_tokens.weight")
    num_pieces, device = len(parameter) - NUM_MARKS, parameter.device
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    parts = []
    for start in range(0, len(order), rows_per_pass):
        chosen = [texts[index] for index in order[start : start + rows_per_pass]]
        ids, mask = padded(chosen, max_tokens, num_pieces)
        parts.append(embed(model, ids.to(device), mask.to(device)))
    back = torch.tensor(np.argsort(order), device=device)
    return torch.cat(parts)[back]
