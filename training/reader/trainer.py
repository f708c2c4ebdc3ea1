"""The training loop of the reader: batches by step, and what is lost on them.

Knows no source of text.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from training.reader.introducing import Maker
from training.reader.network import ReaderNetwork, losses, stack
from training.reader.passages import Encoder, Example
from training.reader.recipe import Recipe
from training.run import Run

PAD = 1


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


class ReaderRun(Run[ReaderNetwork]):
    """A run of the reader."""

    names = ("span_loss", "answerable_loss", "exact")

    def __init__(
        self, folder: Path, network: ReaderNetwork, batches: Batches, recipe: Recipe, bf16: bool
    ) -> None:
        super().__init__(folder, network, recipe, bf16)
        self._batches, self._share = batches, recipe.schedule.answerable_share

    def loss(self, step: int) -> tuple[Tensor, tuple[float, ...]]:
        """See Run."""
        examples = self._batches.of_step(step)
        ids, mask = stack([example.ids for example in examples], PAD)
        first = torch.tensor([example.first for example in examples])
        last = torch.tensor([example.last for example in examples])
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            span, answerable = self.network(ids, mask)
        placed, whether = losses(span.float(), answerable.float(), first, last)
        exact = (span[..., 0].argmax(1) == first) & (span[..., 1].argmax(1) == last)
        numbers = (placed.item(), whether.item(), exact.float().mean().item())
        return placed + self._share * whether, numbers
