"""The training loop of the encoder: steps, checkpoints, the curve and what the probes say.

Knows how a run goes on after it was killed: a checkpoint is weights, optimiser and the step, and
everything else is a function of seed and step. Does not know text, retrieval or what is exported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.contrastive import EncodedPair, IntArray, by_source, contrastive_loss, drawn
from training.encoder.network import embed_all, starting_encoder
from training.encoder.prepared import Prepared, Probe
from training.encoder.recipe import EncoderRecipe, Schedule, kind_of
from training.run_files import (
    CHECKPOINT_FILE,
    CURVE_FILE,
    CurveFile,
    read_checkpoint,
    restore_optimiser,
    save_checkpoint,
)

VECTORS = "embed_tokens.weight"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to train: device, and threads on a CPU."""

    device: str = "cpu"
    num_threads: int = 1


def rate_factor(schedule: Schedule, step: int) -> float:
    """Share of the learning rates at a step (from 0): linear up, then linear down to zero."""
    up = (step + 1) / max(1, schedule.warmup_steps)
    return min(up, (schedule.num_steps - step) / schedule.num_steps)


def source_shares(prepared: Prepared, recipe: EncoderRecipe) -> list[float]:
    """How often each source gives a batch: the share of its kind, divided by root of its size."""
    sizes = np.bincount([p.source for p in prepared.pairs], minlength=len(prepared.sources)) ** 0.5
    kinds = [kind_of(source) for source in prepared.sources]
    shares = dict(recipe.shares)
    sums = {kind: sum(s for s, k in zip(sizes, kinds, strict=True) if k == kind) for kind in shares}
    return [
        float(shares[kind] * size / sums[kind]) for size, kind in zip(sizes, kinds, strict=True)
    ]


class Run:
    """One training run in a folder; ``resume`` goes on where the last checkpoint stands."""

    def __init__(
        self, folder: Path, prepared: Prepared, recipe: EncoderRecipe, machine: Machine
    ) -> None:
        torch.set_num_threads(machine.num_threads)
        self.folder = folder
        self.recipe = recipe
        self.step = 0
        self.seconds = 0.0
        self._prepared = prepared
        self._device = machine.device
        model = starting_encoder(prepared.table, recipe.size, recipe.seed)
        self.model = model.to(machine.device).train()
        self._optimiser = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98), fused=True)
        self._rates = [group["lr"] for group in self._optimiser.param_groups]

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices of the layers decay; word vectors and norms do not."""
        schedule = self.recipe.schedule
        layers = {n: p for n, p in self.model.named_parameters() if n != VECTORS}
        return [
            {"params": [self.model.get_parameter(VECTORS)], "lr": schedule.vector_rate}
            | {"weight_decay": 0.0},
            {"params": [p for p in layers.values() if p.ndim > 1], "lr": schedule.learning_rate}
            | {"weight_decay": schedule.weight_decay},
            {"params": [p for p in layers.values() if p.ndim < 2], "lr": schedule.learning_rate}
            | {"weight_decay": 0.0},
        ]

    def train(self, until: int, deadline: float | None, log: Log) -> None:
        """Train up to the step ``until``; stop earlier at ``deadline`` (seconds since the epoch).

        The learning rate follows the schedule of the recipe, whenever the run is stopped.
        """
        schedule = self.recipe.schedule
        curve = CurveFile(self.folder / CURVE_FILE, self.step)
        if self.step == 0:
            log(curve.add({"step": 0, "pairs": 0, "seconds": 0.0} | self.probe()))
        losses: list[float] = []
        hits: list[float] = []
        for batch in islice(self._batches(), self.step, min(until, schedule.num_steps)):
            began = time.monotonic()
            loss, share = self._train_step(batch)
            losses.append(loss)
            hits.append(share)
            self.step += 1
            self.seconds += time.monotonic() - began
            is_over = deadline is not None and time.time() >= deadline
            is_last = self.step == min(until, schedule.num_steps)
            if self.step % schedule.report_every == 0 or is_over or is_last:
                log(curve.add(self._line(losses, hits)))
                losses, hits = [], []
            if self.step % schedule.checkpoint_every == 0 or is_over:
                self.save()
            if is_over:
                return
        self.save()

    def _line(self, losses: list[float], hits: list[float]) -> dict[str, float]:
        schedule = self.recipe.schedule
        line: dict[str, float] = {
            "step": self.step,
            "pairs": self.step * schedule.batch_size,
            "seconds": round(self.seconds, 1),
            "loss": round(float(np.mean(losses)), 4),
            "hits": round(float(np.mean(hits)), 4),
        }
        is_probed = self.step % schedule.probe_every == 0 or self.step == schedule.num_steps
        return line | (self.probe() if is_probed else {})

    def _batches(self) -> Iterator[list[EncodedPair]]:
        sources = by_source(self._prepared.pairs)
        shares = source_shares(self._prepared, self.recipe)
        return drawn(sources, shares, self.recipe.schedule.batch_size, self.recipe.seed)

    def _train_step(self, batch: list[EncodedPair]) -> tuple[float, float]:
        schedule = self.recipe.schedule
        factor = rate_factor(schedule, self.step)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device != "cpu"):
            queries = self._embed([p.query for p in batch], schedule.query_tokens)
            passages = self._embed([p.passage for p in batch], schedule.passage_tokens)
        groups = torch.tensor([p.group for p in batch], device=self._device)
        queries, passages = queries.float(), passages.float()
        loss = contrastive_loss(queries, passages, groups, 1 / schedule.temperature)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.model.parameters(), schedule.clip)
        self._optimiser.step()
        return loss.item(), _share_first(queries.detach() @ passages.detach().T, groups)

    def _embed(self, texts: Sequence[IntArray], max_tokens: int) -> Tensor:
        return embed_all(self.model, texts, max_tokens, self.recipe.schedule.rows_per_pass)

    @torch.no_grad()
    def probe(self) -> dict[str, float]:
        """Mean reciprocal rank of the right passage for the held-out questions of each set."""
        self.model.eval()
        found = {probe.name: round(self._rank(probe), 4) for probe in self._prepared.probes}
        self.model.train()
        return found

    def _rank(self, probe: Probe) -> float:
        schedule = self.recipe.schedule
        queries = self._embed(probe.questions, schedule.query_tokens)
        scores = (queries @ self._embed(probe.passages, self.recipe.size.max_tokens).T).cpu()
        right = torch.from_numpy(probe.right).long()
        own = scores.gather(1, right[:, None])
        return float((1 / (scores >= own).sum(1)).mean())

    def save(self) -> None:
        """Write the checkpoint; whoever kills the process finds the old one or the new one."""
        tensors = {f"model.{n}": p for n, p in self.model.named_parameters()}
        facts = {"step": str(self.step), "seconds": repr(self.seconds), "recipe": self._recipe()}
        save_checkpoint(self.folder, tensors, self._optimiser, facts)

    def _recipe(self) -> str:
        return repr(self.recipe)

    def resume(self) -> bool:
        """Load the checkpoint; False when there is none. ValueError when of another recipe."""
        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        facts, tensors = read_checkpoint(path)
        if facts["recipe"] != self._recipe():
            raise ValueError(f"{path} is of {facts['recipe']}; expected {self._recipe()}")
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(tensors[f"model.{name}"])
        restore_optimiser(self._optimiser, tensors)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
        return True


def _share_first(scores: Tensor, groups: Tensor) -> float:
    """Share of the queries whose passage, or one of its group, scores best in the batch."""
    return (groups[scores.argmax(1)] == groups).float().mean().item()
