"""A segment of the dense leg: chunks with their vectors, written once and searched where it lies.

Knows its files, which of its rows are gone, and how its rows are found. Knows nothing of other
segments; which are merged is the index's to say.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrievers.partition import Partition, partition
from retrievers.vector_rows import (
    BLOCK_ROWS,
    FileRows,
    Ids,
    Mask,
    Matrix,
    MemoryRows,
    Rows,
    runs,
    scores_of,
)

VECTORS, IDS, CENTROIDS, STARTS = ".vectors", ".ids.npy", ".centroids.npy", ".starts.npy"
EXACT_LIMIT = 5_000
"""Allowed rows up to which a filtered search in lists reads just these."""

SMALL_ROWS = 64
"""Vectors that are held in memory, 100 kB of 384 numbers each, rather than a file held open."""

Taken = Callable[[Path], bool]
"""Puts a file that was published before at this place; False when there is none."""


class VectorSegment:
    """Chunks by row. `name`: of its files in `folder`; a segment in memory has none yet."""

    def __init__(
        self,
        name: str | None,
        rows: Rows,
        ids: Ids,
        lists: Partition | None = None,
        folder: Path | None = None,
    ) -> None:
        if len(rows) != len(ids):
            raise OSError(f"segment {name} has {len(rows)} vectors for {len(ids)} chunks")
        self.name = name
        self.folder = folder
        self.rows = rows
        self.ids = ids
        self.lists = lists
        self.is_live: Mask = np.ones(len(ids), dtype=np.bool_)
        self._order = np.argsort(ids, kind="stable") if np.any(np.diff(ids) <= 0) else None
        self._sorted = ids if self._order is None else ids[self._order]

    @classmethod
    def open(cls, folder: Path, name: str, dimension: int) -> "VectorSegment":
        """Return a segment whose files lie in the folder. Raises OSError, ValueError."""
        ids = np.load(folder / f"{name}{IDS}", allow_pickle=False)
        lists = None
        if (folder / f"{name}{CENTROIDS}").exists():
            arrays = (folder / f"{name}{end}" for end in (CENTROIDS, STARTS))
            lists = Partition(*(np.load(path, allow_pickle=False) for path in arrays))
        rows: Rows = FileRows(folder / f"{name}{VECTORS}", dimension)
        if len(rows) <= SMALL_ROWS:
            rows = MemoryRows(rows.read(0, len(rows)))
        return cls(name, rows, ids, lists, folder)

    @property
    def num_live(self) -> int:
        return int(np.count_nonzero(self.is_live))

    def rows_of(self, chunk_ids: Ids) -> Ids:
        """Return the live rows of those of the chunks that are here, ascending."""
        if not len(self.ids) or not len(chunk_ids):
            return np.empty(0, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._sorted, chunk_ids), len(self.ids) - 1)
        places = places[self._sorted[places] == chunk_ids]
        rows = places if self._order is None else self._order[places]
        return np.sort(rows[self.is_live[rows]]).astype(np.int64)

    def search(self, query: Matrix, limit: int, allowed: Ids | None) -> tuple[Ids, Matrix]:
        """Return chunk ids and positive scores, the best `limit` and what equals the last of them.

        Raises OSError when the vectors cannot be read any more.
        """
        self.rows.check()
        ranges = self._ranges(query, limit, allowed)
        scores = scores_of(self.rows, query, ranges)
        rows = np.concatenate(
            [np.arange(*each) for each in ranges] or [np.empty(0, dtype=np.int64)]
        )
        wanted = self.is_live[rows] & (scores > 0)
        if allowed is not None:
            wanted &= np.isin(self.ids[rows], allowed)
        rows, scores = rows[wanted], scores[wanted]
        if len(scores) > limit:
            least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            rows, scores = rows[scores >= least], scores[scores >= least]
        return self.ids[rows], scores

    def write(self, folder: Path, is_taken: Taken = lambda _: False) -> str:
        """Put the files into the folder; return their name. Raises OSError."""
        name = self.name or secrets.token_hex(8)
        if not is_taken(folder / f"{name}{VECTORS}"):
            self.rows.write_to(folder / f"{name}{VECTORS}")
        arrays: dict[str, Ids | Matrix] = {IDS: self.ids}
        if self.lists:
            arrays |= {CENTROIDS: self.lists.centroids, STARTS: self.lists.starts}
        for end, array in arrays.items():
            if not is_taken(folder / f"{name}{end}"):
                with (folder / f"{name}{end}").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
        return name

    def discard(self) -> None:
        """Remove the files; what is open stays readable."""
        if self.folder is not None:
            for end in (VECTORS, IDS, CENTROIDS, STARTS):
                (self.folder / f"{self.name}{end}").unlink(missing_ok=True)

    def _ranges(self, query: Matrix, limit: int, allowed: Ids | None) -> list[tuple[int, int]]:
        if allowed is not None:
            rows = self.rows_of(allowed)
            if len(rows) <= (EXACT_LIMIT if self.lists else len(self.ids) // 2):
                return runs(rows)
        if self.lists is None:
            return [(0, len(self.ids))]
        mask = self.is_live
        if allowed is not None:
            mask = np.zeros(len(self.ids), dtype=np.bool_)
            mask[rows] = True
        return self.lists.ranges(query, limit, mask)


def merged(segments: Sequence[VectorSegment], folder: Path, dimension: int, kind: str) -> str:
    """Write what is live of the segments as one segment; return its name. Raises OSError.

    `kind`: `flat`, or `ivf`: in lists. Reads and writes in blocks.
    """
    live = [np.flatnonzero(segment.is_live) for segment in segments]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in live])])
    ids = np.concatenate([s.ids[rows] for s, rows in zip(segments, live, strict=True)])

    def read(wanted: Ids) -> Matrix:
        found = np.empty((len(wanted), dimension), dtype="<f4")
        for segment, rows, first, last in zip(segments, live, starts, starts[1:], strict=False):
            inside = np.flatnonzero((wanted >= first) & (wanted < last))
            own = rows[wanted[inside] - first]
            order = np.argsort(own, kind="stable")
            ranges = runs(own[order])
            if ranges:
                found[inside[order]] = np.concatenate([segment.rows.read(*each) for each in ranges])
        return found

    lists, order = None, np.argsort(ids, kind="stable")
    if kind == "ivf":
        lists, order = partition(len(ids), read)
    name = secrets.token_hex(8)
    with (folder / f"{name}{VECTORS}").open("xb", buffering=0) as file:
        for first in range(0, len(order), BLOCK_ROWS):
            file.write(read(order[first : first + BLOCK_ROWS]).data)
    whole = FileRows(folder / f"{name}{VECTORS}", dimension)
    return VectorSegment(name, whole, ids[order], lists).write(folder, lambda path: path.exists())


def in_memory(chunk_ids: Ids, rows: Matrix) -> VectorSegment:
    """Return a segment that lies in no file."""
    return VectorSegment(None, MemoryRows(rows), chunk_ids)
