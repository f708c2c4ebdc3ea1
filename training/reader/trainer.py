"""The training loop: steps, running average of the weights, checkpoints, the curve.

Knows how a run goes on after it was killed: a checkpoint is weights, average, optimiser and the
step, and everything else is a function of seed and step. Does not know text or what is exported.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llm.models.build import random_model
from training.reader.batches import Order, rows_of
from training.reader.copy_circuit import wire
from training.reader.encoding import Part
from training.reader.network import Losses, ReaderNetwork
from training.reader.recipe import Recipe, Schedule, model_config
from training.reader.shards import Shard
from training.run_files import (
    CHECKPOINT_FILE,
    CURVE_FILE,
    CurveFile,
    follow,
    read_checkpoint,
    restore_optimiser,
    save_checkpoint,
)

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to train: device, threads on a CPU, and whether to compile the forward pass."""

    device: str = "cpu"
    num_threads: int = 2
    compiled: bool = True

    @property
    def mixed(self) -> bool:
        """bfloat16 products on a GPU; float32 on a CPU, where it is the faster one."""
        return self.device != "cpu"


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up, then a cosine down to a tenth (Loshchilov & Hutter 2017)."""
    if step < schedule.warmup_steps:
        return schedule.learning_rate * (step + 1) / schedule.warmup_steps
    span = max(1, schedule.num_steps - schedule.warmup_steps)
    progress = (step - schedule.warmup_steps) / span
    return schedule.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, progress))))


class Run:
    """One training run in a folder; ``resume`` goes on where the last checkpoint stands."""

    def __init__(
        self,
        folder: Path,
        shards: Mapping[str, Shard],
        num_ids: int,
        recipe: Recipe,
        machine: Machine,
    ) -> None:
        torch.set_num_threads(machine.num_threads)
        torch.manual_seed(recipe.seed)
        self.folder = folder
        self.recipe = recipe
        self.machine = machine
        self.step = 0
        self.seconds = 0.0
        self._shards = shards
        self._order = Order({name: len(shard) for name, shard in shards.items()}, recipe)
        model = random_model(model_config(recipe.size, num_ids), recipe.seed)
        wire(model, recipe.seed)
        network = ReaderNetwork(model.requires_grad_(requires_grad=True), recipe.losses)
        self.network = network.to(machine.device).train()
        self._average = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        schedule = recipe.schedule
        self._optimiser = torch.optim.AdamW(
            self._groups(), lr=schedule.learning_rate, betas=schedule.betas, fused=True
        )
        self._forward: Callable[..., Losses] = (
            torch.compile(self.network) if machine.compiled else self.network
        )

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices decay, vectors (norms, biases) do not."""
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        vectors = [p for p in self.network.parameters() if p.ndim < 2]
        return [
            {"params": matrices, "weight_decay": self.recipe.schedule.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]

    def train(self, until: int, deadline: float | None, log: Log, *, is_dry: bool = False) -> None:
        """Train up to the step ``until``; stop earlier at ``deadline`` (seconds since the epoch).

        The learning rate follows the schedule of the recipe, whenever the run is stopped. A dry
        run writes no file.
        """
        curve = None if is_dry else CurveFile(self.folder / CURVE_FILE, self.step)
        means = _Means()
        schedule = self.recipe.schedule
        while self.step < min(until, schedule.num_steps):
            began = time.monotonic()
            losses = self._train_step()
            self.step += 1
            self.seconds += time.monotonic() - began
            means.add(losses)
            is_over = deadline is not None and time.time() >= deadline
            if self.step % schedule.report_every == 0 or is_over or is_dry:
                line = self._progress() | means.take()
                log(curve.add(line) if curve else json.dumps(line))
            is_due = self.step % schedule.checkpoint_every == 0 or is_over
            if is_due and not is_dry:
                self.save()
            if is_over:
                return
        if not is_dry:
            self.save()

    def _progress(self) -> dict[str, float]:
        num_tokens = self.step * self.recipe.schedule.tokens_per_step
        return {"step": self.step, "tokens": num_tokens, "seconds": round(self.seconds, 1)}

    def _train_step(self) -> Losses:
        schedule = self.recipe.schedule
        device = torch.device(self.machine.device)
        rows = rows_of(self._order.picks(self.step), self._shards, self.step, self.recipe, device)
        rate = learning_rate(schedule, self.step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=self.machine.mixed):
            losses = self._forward(rows)
        self._optimiser.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        self._optimiser.step()
        follow(self._average, self.network, self.step, schedule.average_decay)
        return losses

    def averaged(self) -> dict[str, Tensor]:
        """The averaged weights of llm's model, by its own names."""
        prefix = "model."
        return {
            name.removeprefix(prefix): value
            for name, value in self._average.items()
            if name.startswith(prefix)
        }

    def save(self) -> None:
        """Write the checkpoint; whoever kills the process finds the old one or the new one."""
        tensors: dict[str, Tensor] = {f"live.{n}": p for n, p in self.network.named_parameters()}
        tensors |= {f"average.{n}": value for n, value in self._average.items()}
        facts = {"step": str(self.step), "seconds": repr(self.seconds), "recipe": self.recipe.name}
        save_checkpoint(self.folder, tensors, self._optimiser, facts)

    def resume(self) -> bool:
        """Load the checkpoint; False when there is none.

        Raises:
            ValueError: the checkpoint is of another recipe.
        """
        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        facts, tensors = read_checkpoint(path)
        if facts["recipe"] != self.recipe.name:
            raise ValueError(
                f"{path} is of the recipe {facts['recipe']!r}; expected {self.recipe.name!r}"
            )
        self._restore(tensors)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
        return True

    @torch.no_grad()
    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, parameter in self.network.named_parameters():
            parameter.copy_(tensors[f"live.{name}"])
            self._average[name].copy_(tensors[f"average.{name}"])
        restore_optimiser(self._optimiser, tensors)


class _Means:
    """Sums losses between reports."""

    def __init__(self) -> None:
        self._pending: list[Losses] = []

    def add(self, losses: Losses) -> None:
        self._pending.append(losses)

    def take(self) -> dict[str, float]:
        sums, hits, counts = (
            torch.stack([getattr(each, name).detach() for each in self._pending]).sum(0).tolist()
            for name in ("sums", "hits", "counts")
        )
        labels = torch.stack([each.labels for each in self._pending]).mean().item()
        self._pending = []
        line = {"labels": round(labels, 4)}
        for part in Part:
            if part is not Part.UNSCORED and counts[part]:
                name = part.name.lower()
                line[name] = round(sums[part] / counts[part], 4)
                line[f"{name}_hits"] = round(hits[part] / counts[part], 4)
        return line
