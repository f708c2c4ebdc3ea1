"""Vectors in lists around centroids, so that a question reads a seventh of them (IVF).

Knows rows and their order. Knows nothing of chunks, folders and languages. After Jégou, Douze and
Schmid: Product quantization for nearest neighbor search (2011), section IV, without the quantiser:
the lists hold whole vectors, one after another.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np

from retrievers.engine import faiss
from retrievers.vector_rows import BLOCK_ROWS, Ids, Mask, Matrix

LIST_SHARE = 7
"""One row of so many is read: 0.95 of the ten nearest of real sentences (benchmarks/RESULTS.md)."""

MIN_ROWS = 2000
"""Rows that are read at least: a millisecond."""

MANY = 4
"""Lists are read until they hold this many times the hits that are wanted."""

_SAMPLES_A_LIST = 40
_ROUNDS = 8
_SEED = 7

Read = Callable[[Ids], Matrix]
"""Returns the vectors of some rows, in their order."""


@dataclass(frozen=True, slots=True)
class Partition:
    """`centroids`: `(lists, dimension)`. `starts`: the first row of each list, and the last's end.

    `(lists + 1,)`. Rows are stored list by list.
    """

    centroids: Matrix
    starts: Ids

    def ranges(self, query: Matrix, num_wanted: int, mask: Mask | None) -> list[tuple[int, int]]:
        """Return the rows of the lists nearest to the query, as ranges.

        `mask`: which rows may be found, None for all: lists are read until enough of these are met.
        """
        order = np.argsort(-(self.centroids @ query), kind="stable")
        if mask is None:
            counts = np.diff(self.starts)
        else:
            met = np.concatenate([[0], np.cumsum(mask, dtype=np.int64)])
            counts = np.diff(met[self.starts])
        enough = int(np.searchsorted(np.cumsum(counts[order]), MANY * num_wanted)) + 1
        sizes = np.cumsum(np.diff(self.starts)[order])
        least = int(np.searchsorted(sizes, max(MIN_ROWS, int(sizes[-1]) // LIST_SHARE))) + 1
        num_lists = max(enough, least)
        return [(int(self.starts[i]), int(self.starts[i + 1])) for i in order[:num_lists]]


def partition(num_rows: int, read: Read) -> tuple[Partition, Ids]:
    """Return lists for so many rows, and the rows in the order of the lists.

    Takes minutes for millions: for a thread that nobody waits for. A tenth of them is in memory at
    most.
    """
    num_lists = min(2 * isqrt(num_rows), num_rows)
    num_samples = min(num_rows, _SAMPLES_A_LIST * num_lists)
    chosen = np.random.default_rng(_SEED).choice(num_rows, num_samples, replace=False)
    centroids = _trained(read(np.sort(chosen)), num_lists)
    nearest = _nearest(centroids, _blocks(num_rows, read))
    order = np.argsort(nearest, kind="stable").astype(np.int64)
    counts = np.bincount(nearest, minlength=len(centroids))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Partition(centroids, starts), order


def _trained(samples: Matrix, num_lists: int) -> Matrix:
    options = {"spherical": True, "niter": _ROUNDS, "seed": _SEED, "verbose": False}
    options |= {"min_points_per_centroid": 1, "max_points_per_centroid": _SAMPLES_A_LIST}
    kmeans = faiss().Kmeans(samples.shape[1], num_lists, **options)
    kmeans.train(np.ascontiguousarray(samples, dtype=np.float32))
    return np.array(kmeans.centroids, dtype="<f4")


def _nearest(centroids: Matrix, blocks: Iterable[Matrix]) -> Ids:
    index = faiss().IndexFlatIP(centroids.shape[1])
    index.add(np.ascontiguousarray(centroids))
    found = [index.search(np.ascontiguousarray(block), 1)[1][:, 0] for block in blocks]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _blocks(num_rows: int, read: Read) -> Iterator[Matrix]:
    for first in range(0, num_rows, BLOCK_ROWS):
        yield read(np.arange(first, min(first + BLOCK_ROWS, num_rows), dtype=np.int64))
