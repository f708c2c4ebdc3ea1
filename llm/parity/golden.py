"""The io.npz of a golden folder: which prompts it has, and what was recorded for each.

Knows the names and axis orders that recorded arrays come in. Runs no model.

B sequences, T tokens, C channels, G key/value groups, D head dimension, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llm.errors import CheckpointError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN_FILE = "io.npz"
_NOT_PROMPTS = ("greedy", "position")
_SHORT_ROLES = {"pos": "position_ids", "mask": "attention_mask"}


@dataclass(frozen=True, slots=True)
class GoldenPrompt:
    """Ids (B, T), which of them are no padding (B, T), and the arrays recorded for them.

    `arrays` has them by what they are: `logits`, `position_ids`, `attention_mask`, `greedy_ids`
    and so on; `names` tells what each is called in the file.
    """

    ids: NDArray[Any]
    kept: NDArray[Any]
    arrays: dict[str, NDArray[Any]]
    names: dict[str, str]

    @property
    def sequences(self) -> list[list[int]]:
        """The ids of each row without its padding."""
        return [row[kept].tolist() for row, kept in zip(self.ids, self.kept, strict=True)]

    @property
    def inputs(self) -> set[str]:
        """Names of arrays that say what to run, not what came out."""
        mask = self.arrays.get("attention_mask")
        is_input = mask is not None and mask.ndim == 2
        return {self.names["ids"], *([self.names["attention_mask"]] if is_input else [])}

    def kept_rows(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """(B, T, …) as one array (T_i, …) for each row, without its padding."""
        return [row[kept] for row, kept in zip(array, self.kept, strict=True)]

    def states(self, role: str) -> list[NDArray[Any]]:
        """States of every row, recorded as (B, T, C) or (T, B, C)."""
        array = self.arrays[role]
        batch_first = array.shape[:2] == self.ids.shape
        return self.kept_rows(array if batch_first else array.swapaxes(0, 1))

    def cached(self, role: str, num_groups: int) -> list[NDArray[Any]]:
        """Keys or values (P + T_i, G, D) of every row, from (P + T, B, G, D) or (B, G, P + T, D).

        P prefix tokens stand before the padding.
        """
        array = self.arrays[role]
        groups_second = array.shape[:2] == (self.ids.shape[0], num_groups)
        array = array.swapaxes(1, 2) if groups_second else array.swapaxes(0, 1)
        num_prefix = array.shape[1] - self.ids.shape[1]
        seen = np.pad(self.kept, ((0, 0), (num_prefix, 0)), constant_values=True)
        return [row[kept] for row, kept in zip(array, seen, strict=True)]


def read_golden(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a golden folder.

    Raises:
        CheckpointError: no readable io.npz, or one without a prompt and its scores.
    """
    path = folder / GOLDEN_FILE
    try:
        with np.load(path, allow_pickle=False) as archive:
            golden = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    missing = {"input_ids", "logits"} - golden.keys()
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}")
    return golden


def golden_prompts(golden: dict[str, NDArray[Any]]) -> list[GoldenPrompt]:
    """Every prompt `X_ids` with the arrays `X_…`; those without a prefix belong to `input_ids`."""
    owners = [
        key.removesuffix("_ids")
        for key in golden
        if key.endswith("_ids") and not key.removesuffix("_ids").endswith(_NOT_PROMPTS)
    ]
    return [_prompt(owner, owners, golden) for owner in owners]


def _prompt(owner: str, owners: list[str], golden: dict[str, NDArray[Any]]) -> GoldenPrompt:
    names = {}
    for key in golden:
        prefix = next((f"{each}_" for each in owners if key.startswith(f"{each}_")), "input_")
        if prefix == f"{owner}_":
            role = key.removeprefix(prefix)
            names[_SHORT_ROLES.get(role, role)] = key
    arrays = {role: golden[key] for role, key in names.items()}
    ids = arrays["ids"]
    return GoldenPrompt(ids, _kept(ids, arrays.get("attention_mask")), arrays, names)


def _kept(ids: NDArray[Any], mask: NDArray[Any] | None) -> NDArray[Any]:
    """Which ids (B, T) are no padding.

    A mask (B, T) is 1 at real tokens. One of more axes (B, 1, T, T) is true where a query does
    not see a key; padding is what no query sees.
    """
    if mask is None:
        return np.ones_like(ids, dtype=bool)
    if mask.ndim == 2:
        return mask.astype(bool)
    hidden = mask.reshape(ids.shape[0], -1, ids.shape[1]).astype(bool)
    return np.logical_or.accumulate(np.logical_not(hidden.min(axis=1)), axis=1)
