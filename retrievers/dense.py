"""The dense leg: inner product over embeddings in one FAISS index, chunk ids beside it.

Knows vectors and chunk ids. Knows nothing of texts, documents, snapshots or the database. FAISS
rows are only ever appended; `chunk_ids[row]` names the chunk of a row and -1 marks a removed one,
which searches skip through a selector. So removal works the same for every kind of index (HNSW has
none of its own, and IndexIDMap2 over IVF corrupts ids). Not thread-safe: the owner locks.

Kinds: `flat` up to FLAT_LIMIT vectors (exact), `hnsw` above. A third kind for millions of vectors,
IVF-PQ, would be one more branch in `_empty_index` plus training; nothing else depends on the kind.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import Vector
from retrievers.lexical import Hit

FLAT_LIMIT = 50_000
"""Vectors up to which the exact index answers within a few milliseconds."""

EXACT_LIMIT = 5_000
"""Allowed rows up to which a filtered HNSW search is answered exactly from the vectors."""

INDEX_FILE = "dense.faiss"
IDS_FILE = "dense_ids.npy"
_HNSW_LINKS = 32
_HNSW_CONSTRUCTION = 80
_HNSW_SEARCH = 128
_REMOVED = -1

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class DenseIndex:
    """Chunks searchable by their vectors."""

    def __init__(self, dimension: int, kind: str = "flat") -> None:
        """Start empty. `kind`: `flat` or `hnsw`."""
        self.dimension = dimension
        self.kind = kind
        self._index = _empty_index(dimension, kind)
        self._chunk_ids: Ids = np.empty(0, dtype=np.int64)
        self._row_of: dict[int, int] = {}

    @property
    def num_chunks(self) -> int:
        """The number of searchable chunks."""
        return len(self._row_of)

    @property
    def num_removed(self) -> int:
        """The number of rows that only wait for the next rebuild."""
        return len(self._chunk_ids) - len(self._row_of)

    def __contains__(self, chunk_id: int) -> bool:
        return chunk_id in self._row_of

    def add(self, chunk_ids: Sequence[int], vectors: Sequence[Vector]) -> None:
        """Append chunks. Raises StorageError when a vector has the wrong length."""
        if not chunk_ids:
            return
        matrix = self._matrix(chunk_ids, vectors)
        first = len(self._chunk_ids)
        with single_thread():
            self._index.add(matrix)
        self._chunk_ids = np.concatenate([self._chunk_ids, np.array(chunk_ids, dtype=np.int64)])
        self._row_of.update(zip(chunk_ids, range(first, len(self._chunk_ids)), strict=True))

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; unknown ids are no error."""
        for chunk_id in chunk_ids:
            row = self._row_of.pop(chunk_id, None)
            if row is not None:
                self._chunk_ids[row] = _REMOVED

    def search(self, vector: Vector, limit: int, allowed: Iterable[int] | None = None) -> list[Hit]:
        """Return the nearest chunks with positive similarity, best first.

        `allowed`: chunk ids that may be returned, None for all of them.
        """
        query = np.frombuffer(vector, dtype="<f4").reshape(1, -1)
        rows = None if allowed is None else self._rows(allowed)
        num_possible = len(self._row_of) if rows is None else len(rows)
        if num_possible == 0 or not query.any():
            return []
        with single_thread():
            if rows is not None and self.kind != "flat" and len(rows) <= EXACT_LIMIT:
                return self._exact(query, rows, limit)
            return self._nearest(query, rows, min(limit, num_possible))

    def save(self, folder: Path) -> None:
        """Write the two files of this index into `folder`. Raises OSError."""
        faiss = _faiss()

        try:
            faiss.write_index(self._index, str(folder / INDEX_FILE))
        except RuntimeError as error:
            raise OSError(f"FAISS cannot write {folder / INDEX_FILE}: {error}") from error
        with (folder / IDS_FILE).open("wb") as file:
            np.save(file, self._chunk_ids, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "DenseIndex":
        """Read what `save` wrote. The caller has verified the files' checksums."""
        faiss = _faiss()

        stored = faiss.read_index(str(folder / INDEX_FILE))
        loaded = cls(int(stored.d), "flat" if isinstance(stored, faiss.IndexFlat) else "hnsw")
        loaded._index = stored
        loaded._chunk_ids = np.load(folder / IDS_FILE, allow_pickle=False)
        rows = enumerate(loaded._chunk_ids.tolist())
        loaded._row_of = {chunk_id: row for row, chunk_id in rows if chunk_id != _REMOVED}
        return loaded

    def _matrix(self, chunk_ids: Sequence[int], vectors: Sequence[Vector]) -> Matrix:
        expected = 4 * self.dimension
        for chunk_id, vector in zip(chunk_ids, vectors, strict=True):
            if len(vector) != expected:
                raise StorageError(
                    f"the vector of chunk {chunk_id} has {len(vector)} bytes, not {expected}",
                    code="vector_size_mismatch",
                )
        joined = np.frombuffer(b"".join(vectors), dtype="<f4")
        return joined.reshape(len(chunk_ids), self.dimension).astype(np.float32, copy=False)

    def _rows(self, chunk_ids: Iterable[int]) -> Ids:
        found = (self._row_of.get(chunk_id) for chunk_id in chunk_ids)
        return np.array(sorted(row for row in found if row is not None), dtype=np.int64)

    def _nearest(self, query: Matrix, rows: Ids | None, limit: int) -> list[Hit]:
        parameters, _bits = self._parameters(rows, limit)
        scores, found = self._index.search(query, limit, params=parameters)
        return self._hits(found[0], scores[0])

    def _parameters(self, rows: Ids | None, limit: int) -> tuple[Any, Any]:
        """Return FAISS search parameters and the bitmap they point into (keep it alive)."""
        faiss = _faiss()

        options: dict[str, Any] = {}
        bits = self._bitmap(rows)
        if bits is not None:
            options["sel"] = faiss.IDSelectorBitmap(bits)
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(
                efSearch=max(_HNSW_SEARCH, 2 * limit), **options
            ), bits
        return (faiss.SearchParameters(**options) if options else None), bits

    def _bitmap(self, rows: Ids | None) -> npt.NDArray[np.uint8] | None:
        if rows is None and not self.num_removed:
            return None
        if rows is None:
            mask = self._chunk_ids != _REMOVED
        else:
            mask = np.zeros(len(self._chunk_ids), dtype=np.bool_)
            mask[rows] = True
        return np.packbits(mask, bitorder="little")

    def _exact(self, query: Matrix, rows: Ids, limit: int) -> list[Hit]:
        scores = self._index.reconstruct_batch(rows) @ query[0]
        return self._hits(rows, scores)[:limit]

    def _hits(self, rows: Ids, scores: Matrix) -> list[Hit]:
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        hits = [(int(self._chunk_ids[row]), score) for row, score in pairs if row >= 0 < score]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))


@contextmanager
def single_thread() -> Iterator[None]:
    """Run FAISS on one thread, then give the calling thread its OpenMP setting back.

    One question gains nothing from more threads, and FAISS shares its OpenMP with torch, which
    must not stay at one thread afterwards.
    """
    faiss = _faiss()

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def kind_for(num_vectors: int, flat_limit: int = FLAT_LIMIT) -> str:
    """Return the kind of index for that many vectors."""
    return "flat" if num_vectors <= flat_limit else "hnsw"


def _faiss() -> Any:  # noqa: ANN401 - its stubs do not describe its Python layer
    """Import FAISS when it is first needed, untyped."""
    return import_module("faiss")


def _empty_index(dimension: int, kind: str) -> Any:  # noqa: ANN401 - see _faiss
    faiss = _faiss()

    if kind == "flat":
        return faiss.IndexFlatIP(dimension)
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(dimension, _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _HNSW_CONSTRUCTION
        return index
    raise ValueError(f"index kind {kind!r} is neither 'flat' nor 'hnsw'")
