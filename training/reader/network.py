"""The reader's network: the encoder, a span head over its tokens, and a head over the first one.

B batch, T tokens, C channels. Knows tensors; knows no text and no files of data.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import BertConfig, BertModel

from kb_service.encoder.folder import HEAD
from kb_service.encoder.tensors import open_tensors
from training.reader.recipe import HIDDEN_SIZE, Schedule

FAR = -1e4


class ReaderNetwork(nn.Module):
    """`span`: start and end of the answer, 0 for none. `answerable`: logit of there being one."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.span = nn.Linear(HIDDEN_SIZE, 2)
        self.answerable = nn.Linear(HIDDEN_SIZE, 1)
        nn.init.zeros_(self.answerable.weight)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T) ids and mask -> span logits (B, T, 2), answerable logits (B,)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        span = self.span(hidden).masked_fill(mask[..., None] == 0, FAR)
        return span, self.answerable(hidden[:, 0]).squeeze(-1)


def open_network(base: Path, start: Path | None, schedule: Schedule) -> ReaderNetwork:
    """The network over the weights of `base`; `start`: those of a shipped reader to go on from."""
    config = BertConfig.from_pretrained(base)
    config.attention_probs_dropout_prob, config.hidden_dropout_prob = 0.0, schedule.dropout
    config._attn_implementation = "sdpa"  # noqa: SLF001 - the library's own switch
    encoder = BertModel.from_pretrained(base, config=config, add_pooling_layer=False)
    network = ReaderNetwork(encoder)
    if start is not None:
        _, unknown = network.load_state_dict(shipped(start), strict=False)
        if unknown:
            raise ValueError(f"{start} holds what the network does not: {unknown[:3]}")
    for frozen in (encoder.embeddings, *encoder.encoder.layer[: schedule.frozen_layers]):
        frozen.requires_grad_(requires_grad=False)
    return network


def shipped(weights: Path) -> dict[str, Tensor]:
    """The weights of a shipped reader, its bytes made float32, under the network's names."""
    return {
        name.removeprefix(HEAD) if name.startswith(HEAD) else f"encoder.{name}": torch.tensor(value)
        for name, value in open_tensors(weights).items()
    }


def losses(span: Tensor, answerable: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of start and end (mean of both), and of whether there is an answer."""
    placed = (cross_entropy(span[..., 0], first) + cross_entropy(span[..., 1], last)) / 2
    return placed, binary_cross_entropy_with_logits(answerable, (first > 0).float())


def stack(rows: list[tuple[int, ...]], pad: int) -> tuple[Tensor, Tensor]:
    """Token ids of different lengths as (B, T) ids and mask."""
    longest = -(-max(len(row) for row in rows) // 16) * 16
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask
