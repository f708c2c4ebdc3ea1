"""The training loop of the judge of phrases: what is lost on the records of a step.

Knows tokens of records and phrases; knows no source of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from kb_service.generation.phrase_scorer import phrase_ids, record_ids
from training.phrases.network import Packed, PhraseNetwork, loss_of, pack
from training.phrases.recipe import Recipe
from training.phrases.records import Batches, Judged
from training.run import Run

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class PhraseRun(Run[PhraseNetwork]):
    """A run of the judge."""

    names = ("loss", "fits_right", "others_right")

    def __init__(
        self,
        folder: Path,
        network: PhraseNetwork,
        batches: Batches,
        tokenizer: Tokenizer,
        recipe: Recipe,
        bf16: bool,
    ) -> None:
        super().__init__(folder, network, recipe, bf16)
        self._batches, self._tokenizer = batches, tokenizer

    def loss(self, step: int) -> tuple[Tensor, tuple[float, ...]]:
        """See Run."""
        judged = self._batches.of_step(step)
        packed = packed_of(judged, self._tokenizer)
        logits = self._logits(packed)
        fits, weights = (_table(judged, of, packed) for of in ("fits", "weights"))
        loss = loss_of(logits, fits, weights)
        right = (logits > 0) == (fits > 0)
        own, others = (fits > 0) & packed.is_phrase, (fits == 0) & packed.is_phrase
        return loss, (loss.item(), right[own].float().mean().item(),
                      right[others].float().mean().item())  # fmt: skip

    def _logits(self, packed: Packed) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            logits: Tensor = self.network(packed.ids, packed.positions, packed.sees, packed.firsts)
        return logits.float()


def packed_of(judged: Sequence[Judged], tokenizer: Tokenizer) -> Packed:
    """The tokens of records with their phrases."""
    return pack(
        [
            (record_ids(one.text, tokenizer), [phrase_ids(p, tokenizer) for p in one.phrases])
            for one in judged
        ]
    )


def _table(judged: Sequence[Judged], name: str, packed: Packed) -> Tensor:
    """Numbers of each phrase (B, P), 0 where there is none."""
    table = torch.zeros(packed.is_phrase.shape)
    for row, one in enumerate(judged):
        values: tuple[float, ...] = getattr(one, name)
        table[row, : len(values)] = torch.tensor(values)
    return table
