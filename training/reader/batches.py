"""Which rows a step trains on, and those rows as tensors.

The whole order is a function of seed and step, so a run that starts again at any step sees what
the unbroken run would have seen. Does not know the model.

B rows, T tokens of a row, S scored positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from training.reader.encoding import Part
from training.reader.network import Rows
from training.reader.recipe import Mixture, Recipe
from training.reader.shards import Shard, positions_of, thinned_parts

IntArray = npt.NDArray[np.int64]
STEPS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Pick:
    """One row: the source's name and the row's index."""

    source: str
    row: int


def mixture_at(mixtures: Sequence[Mixture], progress: float) -> Mixture:
    """The last mixture that has begun at this share of the run."""
    return [mixture for mixture in mixtures if mixture.begins <= progress][-1]


class Order:
    """The picks of every step. Rows of a source come in a new random order in each round.

    Raises:
        ValueError: a source that the mixtures need has no rows.
    """

    def __init__(self, sizes: Mapping[str, int], recipe: Recipe) -> None:
        self._recipe = recipe
        self._sizes = dict(sizes)
        self._sources = self._drawn_sources()
        for name in set(self._sources.flatten().tolist()):
            if not self._sizes[self._names[name]]:
                raise ValueError(f"the shard {self._names[name]!r} has 0 rows; expected some")
        self._shuffled: dict[tuple[int, int], IntArray] = {}
        # How many rows of each source all the steps before have used.
        self._before = {
            index: np.concatenate([[0], np.cumsum((self._sources == index).sum(1))])
            for index in range(len(self._names))
        }

    @property
    def _names(self) -> list[str]:
        return list(self._sizes)

    def _drawn_sources(self) -> IntArray:
        """(steps, B) indices of sources."""
        schedule = self._recipe.schedule
        rng = np.random.default_rng([self._recipe.seed, 1])
        drawn = []
        for step in range(schedule.num_steps):
            mixture = mixture_at(self._recipe.mixtures, step / schedule.num_steps)
            shares = np.array([getattr(mixture, name) for name in self._names], dtype=float)
            drawn.append(rng.choice(len(shares), schedule.rows_per_batch, p=shares / shares.sum()))
        return np.stack(drawn)

    def picks(self, step: int) -> list[Pick]:
        """The rows of a step, from 0."""
        used = {index: int(counts[step]) for index, counts in self._before.items()}
        picks = []
        for source in self._sources[step].tolist():
            name = self._names[source]
            round_number, place = divmod(used[source], self._sizes[name])
            used[source] += 1
            picks.append(Pick(name, self._row(source, round_number, place)))
        return picks

    def _row(self, source: int, round_number: int, place: int) -> int:
        key = (source, round_number)
        if key not in self._shuffled:
            rng = np.random.default_rng([self._recipe.seed, 2, *key])
            self._shuffled[key] = rng.permutation(self._sizes[self._names[source]])
        return int(self._shuffled[key][place])


def rows_of(
    picks: Sequence[Pick],
    shards: Mapping[str, Shard],
    step: int,
    recipe: Recipe,
    device: torch.device,
) -> Rows:
    """The tensors of one step; S is the same for every step, so that one compilation serves all."""
    taken = {
        name: np.stack([getattr(shards[pick.source], name)[pick.row] for pick in picks])
        for name in ("ids", "examples", "parts", "labels")
    }
    rng = np.random.default_rng([recipe.seed, 3, step])
    parts = thinned_parts(taken["parts"], recipe.schedule.scored_share, rng).flatten()
    num_scored = int(parts.size * recipe.schedule.scored_share)
    scored = np.flatnonzero(parts)[:num_scored]
    scored = np.pad(scored, (0, num_scored - len(scored)), constant_values=parts.size - 1)
    ids = taken["ids"].astype(np.int64)
    following = np.roll(ids.flatten(), -1)

    def tensor(values: npt.NDArray[np.integer]) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(device, non_blocking=True)

    # The last position of a batch has no successor: its part is UNSCORED, and it fills up.
    parts[-1] = Part.UNSCORED
    return Rows(
        ids=tensor(ids),
        positions=tensor(positions_of(taken["examples"])),
        examples=tensor(taken["examples"]),
        labels=tensor(taken["labels"]),
        scored=tensor(scored),
        targets=tensor(following[scored]),
        parts=tensor(parts[scored]),
    )
