"""The dense leg: inner product over embeddings in segments that are written once.

Knows vectors and chunk ids. Knows nothing of texts, documents, snapshots or the database. What
comes in stands in memory until it is a few thousand, and in a file of its own from then on; four
files of about one size become one. A removed chunk is a mark beside its row, until its segment is
merged. Not thread-safe: the owner locks; a merge alone may go on beside everything else.

Kinds of a segment: `flat` up to FLAT_LIMIT vectors (all are read, the result is exact), `ivf` above
(those of a seventh of the lists).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import Vector
from retrievers.engine import single_thread
from retrievers.lexical import Hit
from retrievers.vector_segment import Taken, VectorSegment, in_memory, merged

FLAT_LIMIT = 50_000
"""Vectors up to which all are compared, within some ten milliseconds."""

SEAL_ROWS = 4096
"""Vectors that are kept in memory at most, 6 MB of 384 numbers each, where there is a folder."""

TIER = 4
"""So many segments of one size become one of the next, TIER times as large."""

MERGED_AT_ONCE = 16_384
"""Vectors that are merged in somebody's time: 25 MB, a tenth of a second."""

LIST_FILE = "segments.json"
GONE_FILE = "gone.npy"


@dataclass(frozen=True, slots=True)
class Merge:
    """Segments that are to be one. `run` may take minutes and needs no lock."""

    index: "DenseIndex"
    segments: tuple[VectorSegment, ...]
    folder: Path
    kind: str

    def run(self) -> str:
        """Write the merged segment; return its name. Raises OSError."""
        with single_thread():
            return merged(self.segments, self.folder, self.index.dimension, self.kind)


class DenseIndex:
    """Chunks searchable by their vectors."""

    def __init__(
        self, dimension: int, folder: Path | None = None, flat_limit: int = FLAT_LIMIT
    ) -> None:
        """Start empty. `folder`: for segments of its own; without one all stays in memory."""
        self.dimension = dimension
        self._folder = folder
        self._flat_limit = flat_limit
        self._segments: list[VectorSegment] = []
        self._young_ids: list[int] = []
        self._young: list[Vector] = []
        self._young_segment: VectorSegment | None = None

    @property
    def kind(self) -> str:
        """Return `flat` while every search is exact."""
        return "ivf" if any(segment.lists for segment in self._segments) else "flat"

    @property
    def num_chunks(self) -> int:
        """The number of searchable chunks."""
        return sum(segment.num_live for segment in self._all())

    @property
    def num_removed(self) -> int:
        """The number of rows that only wait for their segment to be merged."""
        return sum(len(segment.ids) for segment in self._all()) - self.num_chunks

    @property
    def num_own(self) -> int:
        """The number of vectors in files of this process's own, which it shares with no other."""
        return sum(len(segment.ids) for segment in self._segments if self._is_own(segment))

    def __contains__(self, chunk_id: int) -> bool:
        wanted = np.array([chunk_id], dtype=np.int64)
        return any(len(segment.rows_of(wanted)) for segment in self._all())

    def add(self, chunk_ids: Sequence[int], vectors: Sequence[Vector]) -> None:
        """Take in chunks. Raises StorageError when a vector has the wrong length, OSError."""
        expected = 4 * self.dimension
        for chunk_id, vector in zip(chunk_ids, vectors, strict=True):
            if len(vector) != expected:
                raise StorageError(
                    f"the vector of chunk {chunk_id} has {len(vector)} bytes, not {expected}",
                    code="vector_size_mismatch",
                )
        if not chunk_ids:
            return
        self._keep_young_marks()
        self._young_ids += chunk_ids
        self._young += vectors
        self._young_segment = None
        if len(self._young) >= SEAL_ROWS:
            self.seal()

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; unknown ids are no error."""
        gone = np.array(list(chunk_ids), dtype=np.int64)
        for segment in self._all():
            segment.is_live[segment.rows_of(gone)] = False

    def search(self, vector: Vector, limit: int, allowed: Iterable[int] | None = None) -> list[Hit]:
        """Return the nearest chunks with positive similarity, best first.

        `allowed`: chunk ids that may be returned, None for all of them. Raises OSError.
        """
        query = np.frombuffer(vector, dtype="<f4").astype(np.float32)
        only = None if allowed is None else np.array(sorted(allowed), dtype=np.int64)
        if not query.any() or limit < 1:
            return []
        hits: list[Hit] = []
        with single_thread():
            for segment in self._all():
                ids, scores = segment.search(query, limit, only)
                hits += zip(ids.tolist(), scores.tolist(), strict=True)
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def seal(self) -> None:
        """Make a segment of what came in last, and merge what is small. Raises OSError."""
        young, folder = self._young_of(), self._folder
        if young is not None and young.num_live:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                name = merged([young], folder, self.dimension, "flat")
                young = VectorSegment.open(folder, name, self.dimension)
            self._segments.append(young)
        self._young_ids, self._young, self._young_segment = [], [], None
        while merge := self._due(most=MERGED_AT_ONCE):
            self.adopt(merge, merge.run())

    def due(self) -> Merge | None:
        """Return the next merge that waits for a time when nobody does, None when none does."""
        return self._due(most=None)

    def adopt(self, merge: Merge, name: str) -> bool:
        """Put the merged segment in the place of its parts; False when these are not here any more.

        Raises OSError.
        """
        if not all(segment in self._segments for segment in merge.segments):
            return False
        whole = VectorSegment.open(merge.folder, name, self.dimension)
        live = [segment.ids[segment.is_live] for segment in merge.segments]
        whole.is_live[:] = np.isin(whole.ids, np.concatenate(live))
        self._segments = [s for s in self._segments if s not in merge.segments] + [whole]
        for segment in merge.segments:
            if self._is_own(segment):
                segment.discard()
        return True

    def save(self, folder: Path, is_taken: Taken = lambda _: False) -> None:
        """Write this index into an empty folder. Raises OSError.

        `is_taken`: see `VectorSegment.write`; what is there already is not written again.
        """
        self.seal()
        segments = self._all()
        names = [segment.write(folder, is_taken) for segment in segments]
        listed = {"dimension": self.dimension, "segments": names}
        (folder / LIST_FILE).write_text(json.dumps(listed), encoding="utf-8")
        gone = [
            [number, row]
            for number, segment in enumerate(segments)
            for row in np.flatnonzero(~segment.is_live).tolist()
        ]
        with (folder / GONE_FILE).open("wb") as file:
            np.save(file, np.array(gone, dtype=np.int64).reshape(-1, 2), allow_pickle=False)

    @classmethod
    def load(
        cls, source: Path, folder: Path | None = None, flat_limit: int = FLAT_LIMIT
    ) -> "DenseIndex":
        """Open what `save` wrote. The caller has verified the files' checksums. Raises OSError."""
        listed = json.loads((source / LIST_FILE).read_bytes())
        loaded = cls(int(listed["dimension"]), folder, flat_limit)
        loaded._segments = [
            VectorSegment.open(source, name, loaded.dimension) for name in listed["segments"]
        ]
        for number, row in np.load(source / GONE_FILE, allow_pickle=False).tolist():
            loaded._segments[number].is_live[row] = False
        return loaded

    def _is_own(self, segment: VectorSegment) -> bool:
        return self._folder is not None and segment.folder == self._folder

    def _all(self) -> list[VectorSegment]:
        young = self._young_of()
        return [*self._segments, *([young] if young is not None else [])]

    def _young_of(self) -> VectorSegment | None:
        """Return what stands in memory as a segment."""
        if self._young_segment is None and self._young:
            rows = np.frombuffer(b"".join(self._young), dtype="<f4")
            ids = np.array(self._young_ids, dtype=np.int64)
            self._young_segment = in_memory(ids, rows.reshape(-1, self.dimension))
        return self._young_segment

    def _keep_young_marks(self) -> None:
        """Leave out of memory what was removed, before more comes in."""
        if self._young_segment is None:
            return
        kept = np.flatnonzero(self._young_segment.is_live).tolist()
        if len(kept) < len(self._young_ids):
            self._young_ids = [self._young_ids[row] for row in kept]
            self._young = [self._young[row] for row in kept]

    def _due(self, most: int | None) -> Merge | None:
        """Return TIER segments of one size, the smallest size first; of `most` vectors together."""
        if self._folder is None:
            return None
        tiers: dict[int, list[VectorSegment]] = {}
        for segment in self._segments:
            tiers.setdefault(tier_of(segment.num_live), []).append(segment)
        for tier in sorted(tiers):
            parts = tuple(tiers[tier][:TIER])
            num = sum(segment.num_live for segment in parts)
            if len(parts) == TIER and (most is None or num <= most):
                return Merge(self, parts, self._folder, kind_for(num, self._flat_limit))
        return None


def tier_of(num_vectors: int) -> int:
    """Return the size of a segment as a power of TIER."""
    tier = 0
    while num_vectors >= TIER:
        num_vectors, tier = num_vectors // TIER, tier + 1
    return tier


def kind_for(num_vectors: int, flat_limit: int = FLAT_LIMIT) -> str:
    """Return the kind of a segment of that many vectors."""
    return "flat" if num_vectors <= flat_limit else "ivf"
