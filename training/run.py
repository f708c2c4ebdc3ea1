"""The training loop that runs share: steps, checkpoints, the average of the weights, the curve.

A checkpoint is weights, their average, the optimiser and the step; everything else is a function of
seed and step, so a run that was killed goes on as if it had not been. Knows no source of text and
no loss.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from training.rates import Rates, rate_at
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
Network = TypeVar("Network", bound=nn.Module)


class RunSchedule(Rates, Protocol):
    """What a loop has to know of a schedule, beside its rates."""

    @property
    def batch_size(self) -> int:
        """Examples of a step."""

    @property
    def weight_decay(self) -> float:
        """Of matrices."""

    @property
    def clip(self) -> float:
        """The longest gradient."""

    @property
    def average_decay(self) -> float:
        """Of the average of the weights, a step."""

    @property
    def report_every(self) -> int:
        """Steps a line of the curve."""

    @property
    def checkpoint_every(self) -> int:
        """Steps a checkpoint."""


class RunRecipe(Protocol):
    """Everything that decides the result beside the data; kept with a checkpoint as it prints."""

    @property
    def schedule(self) -> RunSchedule:
        """Steps and rates."""


class Run(ABC, Generic[Network]):
    """One training run in a folder; `resume` goes on where the last checkpoint stands."""

    names: ClassVar[tuple[str, ...]]
    """What the numbers of a step are called in the curve."""

    def __init__(self, folder: Path, network: Network, recipe: RunRecipe, bf16: bool) -> None:
        self.folder, self.recipe, self.step, self.seconds = folder, recipe, 0, 0.0
        self._bf16 = bf16
        self.network: Network = network.train()
        self._learning = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._average = {n: p.detach().clone() for n, p in self._learning.items()}
        self._optimiser = torch.optim.AdamW(self._groups(), lr=0.0, betas=(0.9, 0.98), fused=True)

    @abstractmethod
    def loss(self, step: int) -> tuple[Tensor, tuple[float, ...]]:
        """Return the loss of a step and its numbers for the curve, in the order of `names`."""

    def _groups(self) -> list[dict[str, object]]:
        matrices = [p for p in self._learning.values() if p.ndim > 1]
        vectors = [p for p in self._learning.values() if p.ndim < 2]
        decay = self.recipe.schedule.weight_decay
        return [
            {"params": matrices, "weight_decay": decay},
            {"params": vectors, "weight_decay": 0.0},
        ]

    def train(self, deadline: float | None, log: Log) -> None:
        """Train to the last step; stop earlier at `deadline` (seconds since the epoch)."""
        schedule = self.recipe.schedule
        curve, pending = CurveFile(self.folder / CURVE_FILE, self.step), list[tuple[float, ...]]()
        while self.step < schedule.num_steps:
            began = time.monotonic()
            pending.append(self._train_step())
            self.step += 1
            self.seconds += time.monotonic() - began
            is_over = deadline is not None and time.time() >= deadline
            if self.step % schedule.report_every == 0 or is_over:
                log(curve.add(self._line(pending)))
                pending = []
            if self.step % schedule.checkpoint_every == 0 or is_over:
                self.save()
            if is_over:
                return
        self.save()

    def _line(self, pending: list[tuple[float, ...]]) -> dict[str, float]:
        means = [round(sum(values) / len(pending), 4) for values in zip(*pending, strict=True)]
        line = {"step": self.step, "examples": self.step * self.recipe.schedule.batch_size}
        return (
            line | {"seconds": round(self.seconds, 1)} | dict(zip(self.names, means, strict=True))
        )

    def _train_step(self) -> tuple[float, ...]:
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(self.recipe.schedule, self.step)
        loss, numbers = self.loss(self.step)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.utils.clip_grad_norm_(list(self._learning.values()), self.recipe.schedule.clip)
        self._optimiser.step()
        follow(self._average, self.network, self.step, self.recipe.schedule.average_decay)
        return numbers

    @torch.no_grad()
    def averaged(self) -> Network:
        """The network with the average of its weights in place of the last ones."""
        for name, parameter in self._learning.items():
            parameter.copy_(self._average[name])
        return self.network.eval()

    def save(self) -> None:
        """Write the checkpoint; whoever kills the process finds the old one or the new one."""
        tensors: dict[str, Tensor] = {f"live.{n}": p for n, p in self._learning.items()}
        tensors |= {f"average.{n}": value for n, value in self._average.items()}
        facts = {"step": str(self.step), "seconds": repr(self.seconds), "recipe": repr(self.recipe)}
        save_checkpoint(self.folder, tensors, self._optimiser, facts)

    @torch.no_grad()
    def resume(self) -> bool:
        """Load the checkpoint; False when there is none. The schedule may have changed."""
        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        facts, tensors = read_checkpoint(path)
        for name, parameter in self._learning.items():
            parameter.copy_(tensors[f"live.{name}"])
            self._average[name].copy_(tensors[f"average.{name}"])
        restore_optimiser(self._optimiser, tensors)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
        return True
