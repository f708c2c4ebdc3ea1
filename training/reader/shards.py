"""Token shards on disk: examples packed into rows of one length, ready to be trained on.

Knows how examples share a row, the files of a prepared folder and how they are read back without
loading them whole. Does not know text or models.

R rows, T tokens of a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.reader.encoding import Codes, Encoded, Ids, Part

MANIFEST_FILE = "shards.json"
NUM_OPEN_ROWS = 48
ARRAYS = ("ids", "examples", "parts", "labels")


@dataclass(frozen=True, slots=True)
class Shard:
    """One source's rows, each array (R, T): ids, number of the example in its row (0 padding),
    Part of the successor, labels."""

    ids: Ids
    examples: Codes
    parts: Codes
    labels: Codes

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """What a shard holds. ``num_tokens`` counts no padding."""

    num_examples: int
    num_rows: int
    num_tokens: int
    num_too_long: int


class Packer:
    """Fills rows: an example goes into the fullest open row that still has room for it."""

    def __init__(self, row_tokens: int) -> None:
        self._row_tokens = row_tokens
        self._open: list[tuple[int, list[Encoded]]] = []
        self.num_examples = 0
        self.num_tokens = 0
        self.num_too_long = 0

    def feed(self, example: Encoded) -> Iterator[list[Encoded]]:
        """Take an example; yields a row once no more of the open ones may be kept."""
        size = len(example.ids)
        if size > self._row_tokens:
            self.num_too_long += 1
            return
        self.num_examples += 1
        self.num_tokens += size
        fitting = [i for i, (used, _) in enumerate(self._open) if used + size <= self._row_tokens]
        if fitting:
            best = max(fitting, key=lambda i: self._open[i][0])
            used, members = self._open[best]
            self._open[best] = (used + size, [*members, example])
            return
        self._open.append((size, [example]))
        if len(self._open) > NUM_OPEN_ROWS:
            fullest = max(range(len(self._open)), key=lambda i: self._open[i][0])
            yield self._open.pop(fullest)[1]

    def flush(self) -> Iterator[list[Encoded]]:
        """The rows still open."""
        for _, members in self._open:
            yield members
        self._open = []


def pack(examples: Iterable[Encoded], row_tokens: int) -> tuple[Shard, ShardFacts]:
    """Rows of ``row_tokens``; examples that are longer are left out and counted."""
    packer = Packer(row_tokens)
    rows = [row for example in examples for row in packer.feed(example)]
    rows += packer.flush()
    shape = (len(rows), row_tokens)
    shard = Shard(np.zeros(shape, np.uint16), *(np.zeros(shape, np.uint8) for _ in ARRAYS[1:]))
    for number, row in enumerate(rows):
        start = 0
        for index, example in enumerate(row, start=1):
            place = (number, slice(start, start + len(example.ids)))
            shard.ids[place], shard.examples[place] = example.ids, index
            shard.parts[place], shard.labels[place] = example.parts, example.labels
            start += len(example.ids)
    facts = ShardFacts(packer.num_examples, len(rows), packer.num_tokens, packer.num_too_long)
    return shard, facts


def write_shard(folder: Path, name: str, shard: Shard) -> None:
    """One .npy file for each array."""
    folder.mkdir(parents=True, exist_ok=True)
    for array in ARRAYS:
        np.save(folder / f"{name}.{array}.npy", getattr(shard, array), allow_pickle=False)


def read_shard(folder: Path, name: str) -> Shard:
    """The arrays, mapped from their files.

    Raises:
        FileNotFoundError: the folder was not prepared; the message says how to.
    """
    files = [folder / f"{name}.{array}.npy" for array in ARRAYS]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{missing[0]} is missing; run `python -m training.reader prepare` first"
        )
    return Shard(*(np.load(file, mmap_mode="r", allow_pickle=False) for file in files))


def write_manifest(folder: Path, facts: dict[str, ShardFacts], rest: dict[str, Any]) -> None:
    """What was prepared, for the model card and the curve."""
    content = {**rest, "shards": {name: asdict(each) for name, each in facts.items()}}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """What ``write_manifest`` wrote.

    Raises:
        FileNotFoundError: the folder was not prepared.
    """
    manifest: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    return manifest


def positions_of(examples: Codes) -> npt.NDArray[np.int64]:
    """(R, T): how far each token stands behind the first one of its example."""
    index = np.broadcast_to(np.arange(examples.shape[1]), examples.shape)
    begins = np.ones(examples.shape, dtype=bool)
    begins[:, 1:] = examples[:, 1:] != examples[:, :-1]
    starts = np.maximum.accumulate(np.where(begins, index, 0), axis=1)
    return index - starts


def thinned_parts(parts: Codes, share: float, rng: np.random.Generator) -> Codes:
    """Keep all of the reply and of the question; of what is left as many as the share allows.

    ``share`` of all tokens may be scored, so that the output layer computes that many rows only.
    """
    needed = (parts != Part.UNSCORED) & (parts < Part.EVIDENCE)
    optional = parts >= Part.EVIDENCE
    room = max(0, int(parts.size * share) - int(needed.sum()))
    chance = min(1.0, room / max(1, int(optional.sum())))
    kept = needed | (optional & (rng.random(parts.shape) < chance))
    return np.where(kept, parts, Part.UNSCORED).astype(np.uint8)
