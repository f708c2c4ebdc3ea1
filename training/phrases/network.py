"""The judge's network: phrases read beside a record that is read without them.

The tokens of a record see each other; those of a phrase see themselves and the record, so that one
pass over a record judges many phrases. As kb_service.encoder.bert.Bert.beside computes it.

B batch, T tokens, P phrases, C channels. Knows tensors; knows no files of data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import BertConfig, BertModel

from kb_service.encoder.folder import WEIGHTS_FILE, WORDS
from kb_service.encoder.tensors import open_tensors
from kb_service.generation.phrase_scorer import RECORD_AT
from training.phrases.recipe import HIDDEN_SIZE, Schedule
from training.reader.network import shipped

PAD = 1
ENCODER, HEAD = "encoder.", "fits."


class PhraseNetwork(nn.Module):
    """`fits`: the logit of a phrase fitting the record, from the phrase's first token."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.fits = nn.Linear(HIDDEN_SIZE, 1)

    def forward(self, ids: Tensor, positions: Tensor, sees: Tensor, firsts: Tensor) -> Tensor:
        """(B, T) ids and positions, (B, T, T) whether one sees another, (B, P) -> logits (B, P)."""
        told = self.encoder(input_ids=ids, position_ids=positions, attention_mask=sees[:, None])
        hidden = told.last_hidden_state.float()
        chosen = hidden.gather(1, firsts[..., None].expand(-1, -1, hidden.shape[-1]))
        logits: Tensor = self.fits(chosen).squeeze(-1)
        return logits


@dataclass(frozen=True, slots=True)
class Packed:
    """Records in one batch, each with its phrases behind it; `is_phrase` (B, P): there is one."""

    ids: Tensor
    positions: Tensor
    sees: Tensor
    firsts: Tensor
    is_phrase: Tensor


def pack(rows: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]]) -> Packed:
    """Pack (record ids, ids of each phrase) of several records."""
    lengths = [len(text) + sum(map(len, phrases)) for text, phrases in rows]
    size, most = -(-max(lengths) // 16) * 16, max(len(phrases) for _, phrases in rows)
    ids = torch.full((len(rows), size), PAD, dtype=torch.long)
    positions = torch.zeros_like(ids)
    sees = torch.eye(size, dtype=torch.bool).repeat(
        len(rows), 1, 1
    )  # a row of nothing is no number
    firsts = torch.zeros((len(rows), most), dtype=torch.long)
    is_phrase = torch.zeros((len(rows), most), dtype=torch.bool)
    for row, (text, phrases) in enumerate(rows):
        end = len(text)
        ids[row, :end], positions[row, :end] = torch.tensor(text), RECORD_AT + torch.arange(end)
        sees[row, :end, :end] = True
        for number, phrase in enumerate(phrases):
            first, last = end, end + len(phrase)
            ids[row, first:last] = torch.tensor(phrase)
            positions[row, first:last] = torch.arange(len(phrase))
            sees[row, first:last, : len(text)] = True
            sees[row, first:last, first:last] = True
            firsts[row, number], is_phrase[row, number] = first, True
            end = last
    return Packed(ids, positions, sees, firsts, is_phrase)


def open_network(words: Path, reader: Path, schedule: Schedule) -> PhraseNetwork:
    """The network over the weights of a shipped reader, which has learned to look from one to the
    other; its logit of there being an answer is where the one of a fit begins.

    `words`: the folder of the encoder that has the word vectors.
    """
    config = BertConfig.from_pretrained(words)
    config.attention_probs_dropout_prob, config.hidden_dropout_prob = 0.0, schedule.dropout
    config._attn_implementation = "sdpa"  # noqa: SLF001 - the library's own switch
    network = PhraseNetwork(BertModel(config, add_pooling_layer=False))
    network.load_state_dict(begun_with(words, reader))
    layers = network.encoder.encoder.layer[: schedule.frozen_layers]
    for frozen in (network.encoder.embeddings, *layers):
        frozen.requires_grad_(requires_grad=False)
    return network


def begun_with(words: Path, reader: Path) -> dict[str, Tensor]:
    """The weights that a run begins with, under the network's names."""
    of_reader = shipped(reader / WEIGHTS_FILE)
    vectors = {f"{ENCODER}{WORDS}": torch.tensor(open_tensors(words / WEIGHTS_FILE)[WORDS])}
    layers = {name: value for name, value in of_reader.items() if name.startswith(ENCODER)}
    head = {f"{HEAD}{part}": of_reader[f"answerable.{part}"] for part in ("weight", "bias")}
    return vectors | layers | head


def loss_of(logits: Tensor, fits: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of whether each phrase fits, (B, P), as each weighs; 0 for none."""
    each = binary_cross_entropy_with_logits(logits, fits, reduction="none")
    return (each * weights).sum() / weights.sum()
