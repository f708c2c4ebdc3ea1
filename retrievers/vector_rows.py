"""Rows of vectors that are read where they lie, and the scores of some of them for a question.

Knows float32 rows in a file or in memory. Knows nothing of chunks and indexes. A file is read, not
mapped: what somebody cuts in place under a map ends the process, and a read tells of it. The system
keeps one copy of what is read for all processes.
"""

import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrievers.engine import faiss

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BYTES = 4
BLOCK_ROWS = 1024
"""Rows that are read at once: 1.5 MB of 384 numbers each, which the cache of a core holds."""


class Rows(Protocol):
    """Vectors by their row, `(rows, dimension)`. Every method raises OSError."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def check(self) -> None:
        """Raise OSError when the rows are not any more what they were."""

    def read(self, first: int, last: int) -> Matrix:
        """Return the rows from `first` to before `last`."""

    def write_to(self, path: Path) -> None:
        """Write all rows into a new file."""


class MemoryRows:
    """Rows that this process holds."""

    def __init__(self, rows: Matrix) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def check(self) -> None:
        """Nobody else can change them."""

    def read(self, first: int, last: int) -> Matrix:
        return self._rows[first:last]

    def write_to(self, path: Path) -> None:
        self._rows.tofile(path)


class FileRows:
    """Rows of a file that is never written again: held open, it stays readable when it is removed.

    A file that was changed in place all the same is found out by its size and time, before it is
    searched.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        """Raises OSError, also for a file that holds no whole number of rows."""
        self._row_bytes = BYTES * dimension
        self._dimension = dimension
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self._stamp = self._stamp_now()
        self._num_rows, rest = divmod(self._stamp[0], self._row_bytes)
        if rest:
            raise OSError(f"{path.name} is cut off")

    def __len__(self) -> int:
        return self._num_rows

    def check(self) -> None:
        if self._stamp_now() != self._stamp:
            raise OSError(f"{self._path.name} was changed while it was open")

    def read(self, first: int, last: int) -> Matrix:
        rows = np.empty((last - first, self._dimension), dtype="<f4")
        self._fill(rows.data.cast("B"), first * self._row_bytes)
        return rows

    def write_to(self, path: Path) -> None:
        self.check()
        with path.open("xb", buffering=0) as target:
            for first in range(0, self._num_rows, BLOCK_ROWS):
                target.write(self.read(first, min(first + BLOCK_ROWS, self._num_rows)).data)

    def _stamp_now(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def _fill(self, buffer: memoryview, offset: int) -> None:
        done = 0
        while done < len(buffer):
            num_read = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            if num_read == 0:
                raise OSError(f"{self._path.name} is cut off")
            done += num_read


def scores_of(rows: Rows, query: Matrix, ranges: Iterable[tuple[int, int]]) -> Matrix:
    """Return the inner product of the query with each row of the ranges, one after another.

    A row has the same score whatever rows stand around it.
    """
    found: list[Matrix] = []
    for start, end in ranges:
        for first in range(start, end, BLOCK_ROWS):
            block = np.ascontiguousarray(rows.read(first, min(first + BLOCK_ROWS, end)))
            scores = np.empty(len(block), dtype=np.float32)
            pointers = (faiss().swig_ptr(array) for array in (scores, query, block))
            faiss().fvec_inner_products_ny(*pointers, block.shape[1], len(block))
            found.append(scores)
    return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def runs(rows: Ids) -> list[tuple[int, int]]:
    """Return ascending row numbers as ranges of neighbours, `(first, past the last)`."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    starts, ends = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(rows)]])
    pairs = zip(rows[starts].tolist(), rows[ends - 1].tolist(), strict=True)
    return [(first, last + 1) for first, last in pairs]
