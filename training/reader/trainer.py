"""The training loop of the reader: batches by step, checkpoints, the curve.

A checkpoint is weights, their average, the optimiser and the step; everything else is a function of
seed and step, so a run that was killed goes on as if it had not been. Knows no source of text.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from training.rates import rate_at
from training.reader.introducing import Maker
from training.reader.network import ReaderNetwork, losses, stack
from training.reader.passages import Encoder, Example
from training.reader.recipe import Recipe
from training.run_files import (
    CHECKPOINT_FILE,
    CURVE_FILE,
    CurveFile,
    follow,
    read_checkpoint,
    restore_optimiser,
    save_checkpoint,
)

PAD = 1
Log = Callable[[str], None]


class Batches:
    """The examples of every step: drawn by seed, batches of about equal length."""

    def __init__(self, makers: Mapping[str, Maker], encoder: Encoder, recipe: Recipe) -> None:
        self._makers, self._encoder, self._recipe = makers, encoder, recipe
        self._pool: tuple[int, list[list[Example]]] = (-1, [])

    def of_step(self, step: int) -> list[Example]:
        """The examples of a step."""
        number, place = divmod(step, self._recipe.schedule.pool_steps)
        if self._pool[0] != number:
            self._pool = (number, self._draw(number))
        return self._pool[1][place]

    def _draw(self, number: int) -> list[list[Example]]:
        schedule = self._recipe.schedule
        rng = random.Random(f"{self._recipe.seed}-{number}")  # noqa: S311 - no secret
        shares = self._shares(number * schedule.pool_steps)
        wanted, found = schedule.pool_steps * schedule.batch_size, list[Example]()
        while len(found) < wanted:
            name = rng.choices(list(shares), list(shares.values()))[0]
            asked = self._makers[name](rng)
            example = self._encoder.encode(asked, rng) if asked else None
            if example:
                found.append(example)
        found.sort(key=lambda example: len(example.ids))
        size = schedule.batch_size
        batches = [found[start : start + size] for start in range(0, wanted, size)]
        rng.shuffle(batches)
        return batches

    def _shares(self, step: int) -> dict[str, float]:
        mix = self._recipe.mix
        names = ("chinese", "traditional", "english", "science", "reports", "written")
        shares = {name: float(getattr(mix, name)) for name in names}
        if step < self._recipe.schedule.reports_from:
            del shares["reports"]
        return shares


class Run:
    """One training run in a folder; `resume` goes on where the last checkpoint stands."""

    def __init__(
        self, folder: Path, network: ReaderNetwork, batches: Batches, recipe: Recipe, bf16: bool
    ) -> None:
        self.folder, self.recipe, self.step, self.seconds = folder, recipe, 0, 0.0
        self._batches, self._bf16 = batches, bf16
        self.network = network.train()
        self._learning = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._average = {n: p.detach().clone() for n, p in self._learning.items()}
        self._optimiser = torch.optim.AdamW(self._groups(), lr=0.0, betas=(0.9, 0.98), fused=True)

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
        names = ("span_loss", "answerable_loss", "exact")
        return line | {"seconds": round(self.seconds, 1)} | dict(zip(names, means, strict=True))

    def _train_step(self) -> tuple[float, float, float]:
        schedule, examples = self.recipe.schedule, self._batches.of_step(self.step)
        ids, mask = stack([example.ids for example in examples], PAD)
        first = torch.tensor([example.first for example in examples])
        last = torch.tensor([example.last for example in examples])
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(schedule, self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            span, answerable = self.network(ids, mask)
        placed, whether = losses(span.float(), answerable.float(), first, last)
        self._optimiser.zero_grad(set_to_none=True)
        (placed + schedule.answerable_share * whether).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.utils.clip_grad_norm_(list(self._learning.values()), schedule.clip)
        self._optimiser.step()
        self._follow()
        exact = (span[..., 0].argmax(1) == first) & (span[..., 1].argmax(1) == last)
        return placed.item(), whether.item(), exact.float().mean().item()

    def _follow(self) -> None:
        follow(self._average, self.network, self.step, self.recipe.schedule.average_decay)

    @torch.no_grad()
    def averaged(self) -> ReaderNetwork:
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
