"""The training loop of the reranker: lists as batches, the loss, checkpoints, the curve.

Knows how a run goes on after it was killed: a checkpoint is weights, their average, the optimiser
and the step; everything else is a function of seed and step. Knows no text.

L lists of a step, K candidates of a list (the first is relevant), T tokens of a pair.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.rates import rate_at
from training.reranker.lists import ABSENT, Ints, Lists
from training.reranker.recipe import MAX_TOKENS, Recipe
from training.run_files import (
    CHECKPOINT_FILE,
    CURVE_FILE,
    CurveFile,
    follow,
    read_checkpoint,
    restore_optimiser,
    save_checkpoint,
)

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification

BLEND = "blend"
BATCHES_OF_A_POOL = 50
SUMMED = ("loss", "own_loss", "hits", "own_hits", "lexical_hits")
Log = Callable[[str], None]
_LENGTH = re.compile(r"num_steps=\d+")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Token ids, text numbers and mask, (L * K, T) each; `lexical`: standard scores (L, K)."""

    ids: Tensor
    types: Tensor
    mask: Tensor
    lexical: Tensor


@dataclass(frozen=True, slots=True)
class Tokens:
    """Ids of the control tokens."""

    pad: int
    cls: int
    sep: int


def standardised(scores: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """(N, K) scores of each row less their mean, by their standard deviation; 0 where absent."""
    count = is_there.sum(1, keepdims=True)
    mean = (scores * is_there).sum(1, keepdims=True) / count
    spread = np.sqrt((((scores - mean) * is_there) ** 2).sum(1, keepdims=True) / count)
    result: np.ndarray = (scores - mean) / np.maximum(spread, 1e-6) * is_there
    return result


def pack_pairs(
    pairs: Sequence[tuple[Ints, Ints]], tokens: Tokens, lexical: Tensor, device: str
) -> Pairs:
    """[CLS] question [SEP] passage [SEP], the passage cut so that MAX_TOKENS are not exceeded."""
    rows = []
    for question, passage in pairs:
        kept = passage[: MAX_TOKENS - 3 - len(question)]
        first = [tokens.cls, *question.tolist(), tokens.sep]
        rows.append((first, [*kept.tolist(), tokens.sep]))
    longest = max(len(first) + len(second) for first, second in rows)
    ids = torch.full((len(rows), longest), tokens.pad, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for number, (first, second) in enumerate(rows):
        end = len(first) + len(second)
        ids[number, :end] = torch.tensor(first + second)
        types[number, len(first) : end] = 1
        mask[number, :end] = 1
    return Pairs(ids.to(device), types.to(device), mask.to(device), lexical.to(device))


class Batches:
    """The lists of every step: a new random order in each round, other negatives each time."""

    def __init__(self, lists: Lists, tokens: Tokens, recipe: Recipe, device: str) -> None:
        self._lists, self._tokens, self._recipe, self._device = lists, tokens, recipe, device
        has_others = ((lists.candidates != ABSENT) & ~lists.relevant).any(1)
        self._rows = np.flatnonzero(has_others & ~lists.is_held_out)
        self._standard = standardised(lists.scores, lists.candidates != ABSENT)
        lengths = np.diff(lists.ends, prepend=0)
        of_candidates = np.where(lists.candidates == ABSENT, 0, lengths[lists.candidates])
        self._longest = of_candidates.max(1) + lengths[lists.questions]
        self._orders: dict[int, npt.NDArray[np.int64]] = {}

    def of_step(self, step: int) -> Pairs:
        """The pairs of a step: of each list one relevant candidate, then others."""
        schedule = self._recipe.schedule
        rng = np.random.default_rng((self._recipe.seed, 1, step))
        pairs, lexical = [], []
        for row in self._rows_of(step):
            chosen = self._chosen(row, rng, schedule.negatives)
            question = self._lists.text(int(self._lists.questions[row]))
            texts = [self._lists.text(int(self._lists.candidates[row, k])) for k in chosen]
            pairs += [(question, text) for text in texts]
            lexical.append(self._standard[row, chosen])
        scores = torch.from_numpy(np.stack(lexical)).float()
        return pack_pairs(pairs, self._tokens, scores, self._device)

    def _rows_of(self, step: int) -> list[int]:
        size = self._recipe.schedule.lists_per_step
        number, place = divmod(step, max(1, len(self._rows) // size))
        if number not in self._orders:
            self._orders = {number: self._order(number)}
        return [int(row) for row in self._orders[number][place * size : (place + 1) * size]]

    def _order(self, number: int) -> npt.NDArray[np.int64]:
        """The rows of a round, in batches of about equal length; which batches is chance."""
        size = self._recipe.schedule.lists_per_step
        rng = np.random.default_rng((self._recipe.seed, 2, number))
        shuffled = rng.permutation(self._rows)
        pools = np.array_split(shuffled, max(1, len(shuffled) // (size * BATCHES_OF_A_POOL)))
        ordered = np.concatenate([pool[np.argsort(self._longest[pool])] for pool in pools])
        num_batches = max(1, len(ordered) // size)
        whole = ordered[: num_batches * size]
        if len(whole) < size:
            return whole
        return whole.reshape(num_batches, size)[rng.permutation(num_batches)].reshape(-1)

    def _chosen(self, row: int, rng: np.random.Generator, num_negatives: int) -> list[int]:
        """Places in the list: a relevant one, then different others, the first ones likelier."""
        relevant = self._lists.relevant[row]
        others = np.flatnonzero(~relevant & (self._lists.candidates[row] != ABSENT))
        weights = 1 / (3 + others)
        count = min(num_negatives, len(others))
        drawn = rng.choice(others, count, replace=False, p=weights / weights.sum())
        repeated = np.resize(drawn, num_negatives)
        return [int(rng.choice(np.flatnonzero(relevant))), *repeated.tolist()]


class Run:
    """One training run in a folder; `resume` goes on where the last checkpoint stands."""

    def __init__(
        self,
        folder: Path,
        model: BertForSequenceClassification,
        batches: Batches,
        recipe: Recipe,
        device: str,
    ) -> None:
        self.folder, self.recipe, self.step, self.seconds = folder, recipe, 0, 0.0
        self._batches, self._device = batches, device
        self._model = model
        self.network = nn.ModuleDict({"model": model}).to(device).train()
        self.network.register_parameter(BLEND, nn.Parameter(torch.tensor(1.0, device=device)))
        self._average = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self._optimiser = torch.optim.AdamW(self._groups(), lr=0.0, betas=(0.9, 0.98), fused=True)

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices decay; vectors do not; word vectors neither, and learn slower."""
        schedule = self.recipe.schedule
        named = dict(self.network.named_parameters())
        words = [p for n, p in named.items() if "word_embeddings" in n]
        rest = [p for n, p in named.items() if "word_embeddings" not in n]
        decay = schedule.weight_decay
        return [
            {"params": [p for p in rest if p.ndim > 1], "weight_decay": decay, "share": 1.0},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0, "share": 1.0},
            {"params": words, "weight_decay": 0.0, "share": schedule.word_rate},
        ]

    def train(self, until: int, deadline: float | None, log: Log) -> None:
        """Train up to the step `until`; stop earlier at `deadline` (seconds since the epoch)."""
        schedule = self.recipe.schedule
        curve, means = CurveFile(self.folder / CURVE_FILE, self.step), _Means()
        while self.step < min(until, schedule.num_steps):
            began = time.monotonic()
            means.add(self._train_step())
            self.step += 1
            self.seconds += time.monotonic() - began
            is_over = deadline is not None and time.time() >= deadline
            if self.step % schedule.report_every == 0 or is_over:
                num_lists, seconds = self.step * schedule.lists_per_step, round(self.seconds, 1)
                line = {"step": self.step, "lists": num_lists, "seconds": seconds}
                log(curve.add(line | means.take()))
            if self.step % schedule.checkpoint_every == 0 or is_over:
                self.save()
            if is_over:
                return
        self.save()

    def _train_step(self) -> dict[str, float]:
        schedule = self.recipe.schedule
        pairs = self._batches.of_step(self.step)
        rate = rate_at(schedule, self.step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device != "cpu"):
            outputs = self.network["model"](
                input_ids=pairs.ids, token_type_ids=pairs.types, attention_mask=pairs.mask
            )
        own = outputs.logits.float().view(pairs.lexical.shape)
        blended = own + self.network.get_parameter(BLEND) * pairs.lexical
        loss, own_loss = list_loss(blended), list_loss(own)
        self._optimiser.zero_grad(set_to_none=True)
        (loss + schedule.own_share * own_loss).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        self._optimiser.step()
        follow(self._average, self.network, self.step, schedule.average_decay)
        values = (loss, own_loss, hits(blended), hits(own), hits(pairs.lexical))
        return {name: value.item() for name, value in zip(SUMMED, values, strict=True)}

    @torch.no_grad()
    def averaged(self) -> BertForSequenceClassification:
        """The model, with the average of its weights in place of the last ones."""
        for name, parameter in self.network.named_parameters():
            parameter.copy_(self._average[name])
        self.network.eval()
        return self._model

    @property
    def blend(self) -> float:
        """How much the lexical score counted beside the model's own."""
        return float(self._average[BLEND])

    def save(self) -> None:
        """Write the checkpoint; whoever kills the process finds the old one or the new one."""
        tensors: dict[str, Tensor] = {f"live.{n}": p for n, p in self.network.named_parameters()}
        tensors |= {f"average.{n}": value for n, value in self._average.items()}
        facts = {"step": str(self.step), "seconds": repr(self.seconds), "recipe": repr(self.recipe)}
        save_checkpoint(self.folder, tensors, self._optimiser, facts)

    def resume(self) -> bool:
        """Load the checkpoint; False when there is none.

        The schedule may have another length than before. ValueError: the recipe differs otherwise.
        """
        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        facts, tensors = read_checkpoint(path)
        if _LENGTH.sub("", facts["recipe"]) != _LENGTH.sub("", repr(self.recipe)):
            raise ValueError(f"{path} is of {facts['recipe']}; expected {self.recipe!r}")
        self._restore(tensors)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
        return True

    @torch.no_grad()
    def _restore(self, tensors: dict[str, Tensor]) -> None:
        for name, parameter in self.network.named_parameters():
            parameter.copy_(tensors[f"live.{name}"])
            self._average[name].copy_(tensors[f"average.{name}"])
        restore_optimiser(self._optimiser, tensors)


def list_loss(scores: Tensor) -> Tensor:
    """Cross-entropy of the first of each list (L, K)."""
    return nn.functional.cross_entropy(scores, torch.zeros_like(scores[:, 0], dtype=torch.long))


def hits(scores: Tensor) -> Tensor:
    """Share of lists whose first candidate scores highest."""
    return (scores.argmax(1) == 0).float().mean()


class _Means:
    """Averages what the steps since the last report gave."""

    def __init__(self) -> None:
        self._pending: list[dict[str, float]] = []

    def add(self, values: dict[str, float]) -> None:
        self._pending.append(values)

    def take(self) -> dict[str, float]:
        found = {n: sum(v[n] for v in self._pending) / len(self._pending) for n in SUMMED}
        self._pending = []
        return {name: round(mean, 4) for name, mean in found.items()}
