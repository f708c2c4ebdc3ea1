"""The dense leg of each language: an encoder prefers the language of the question, so chunks of one
are ranked among themselves.

Knows one dense index a language. Knows nothing of how a language is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kb_service.domain.ports import Vector
from retrievers.dense import FLAT_LIMIT, DenseIndex, Merge
from retrievers.lexical import Hit
from retrievers.vector_segment import Taken

Entries = Mapping[int, tuple[str, Vector]]
"""Chunk id -> its language and its vector."""

_FOLDER = "dense-{}"


class DenseIndexes:
    """Chunks searchable by their vectors, language by language."""

    def __init__(
        self,
        dimension: int,
        languages: Sequence[str],
        folder: Path | None = None,
        flat_limit: int = FLAT_LIMIT,
    ) -> None:
        """`folder`: for the files of this process; without one all stays in memory."""
        self._of = {
            language: DenseIndex(dimension, _place(folder, language), flat_limit)
            for language in languages
        }

    @classmethod
    def load(
        cls, source: Path, languages: Sequence[str], folder: Path, flat_limit: int
    ) -> "DenseIndexes":
        """Open what `save` wrote. The caller has verified the files' checksums."""
        loaded = cls(0, ())
        loaded._of = {
            language: DenseIndex.load(
                source / _FOLDER.format(language), _place(folder, language), flat_limit
            )
            for language in languages
        }
        return loaded

    @property
    def num_chunks(self) -> int:
        return sum(index.num_chunks for index in self._of.values())

    @property
    def num_removed(self) -> int:
        return sum(index.num_removed for index in self._of.values())

    def __contains__(self, chunk_id: int) -> bool:
        return any(chunk_id in index for index in self._of.values())

    def is_in(self, language: str, chunk_id: int) -> bool:
        """True when the chunk has a vector among those of a language."""
        return language in self._of and chunk_id in self._of[language]

    @property
    def num_own(self) -> int:
        """The number of vectors in files that no other process reads."""
        return sum(index.num_own for index in self._of.values())

    def due(self) -> Merge | None:
        """Return a merge that waits for a time when nobody does, None when none does."""
        return next((merge for index in self._of.values() if (merge := index.due())), None)

    def add(self, entries: Entries) -> None:
        """Append chunks. Raises StorageError when a vector has the wrong length."""
        for language, index in self._of.items():
            mine = {number: vector for number, (own, vector) in entries.items() if own == language}
            index.add(list(mine), list(mine.values()))

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; unknown ids are no error."""
        gone = list(chunk_ids)
        for index in self._of.values():
            index.remove(gone)

    def search(
        self, vector: Vector, limit: int, allowed: Iterable[int] | None = None
    ) -> dict[str, list[Hit]]:
        """Return the nearest chunks of each language, best first; `allowed` as in DenseIndex."""
        ids = None if allowed is None else list(allowed)
        return {name: index.search(vector, limit, ids) for name, index in self._of.items()}

    def save(self, folder: Path, is_taken: Taken) -> None:
        """Write every index into a folder of its own. Raises OSError."""
        for language, index in self._of.items():
            place = folder / _FOLDER.format(language)
            place.mkdir()
            index.save(place, is_taken)


def _place(folder: Path | None, language: str) -> Path | None:
    return folder / _FOLDER.format(language) if folder else None
