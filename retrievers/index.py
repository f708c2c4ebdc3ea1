"""The port under the fusion: what an index answers, and what keeps the indexes of many bases.

Two implementations: segments in files of this machine (`live`, `library`) and collections in Milvus
(`milvus`). Fusion, pins, languages, live checks and reranking stand above it and know neither.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from kb_service.domain.errors import KbError
from kb_service.domain.ports import Vector
from retrievers.lexical import Hit
from retrievers.snapshots import IndexCounts

Answer = TypeVar("Answer")


class Index(Protocol):
    """One base's searchable state. What it finds may be gone since: who asks checks every hit.

    Every method raises IndexFailed. `documents`: ids that hits must be of, None for all.
    """

    @property
    def counts(self) -> IndexCounts:
        """What is searchable; chunks without a vector are found by their words only."""

    def search_lexical(
        self, terms: Mapping[str, float], limit: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Return the best chunks for weighted terms by BM25, best first, equal ones by id."""

    def search_dense(
        self, vector: Vector, limit: int, documents: Collection[str] | None = None
    ) -> dict[str, list[Hit]]:
        """Return the nearest chunks of each language with positive similarity, best first."""

    def are_in(self, language: str, hits: Iterable[Hit]) -> list[Hit]:
        """Return the hits in a language, in their order; without a vector a chunk is in none."""

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term."""

    def confidence(self, terms: Mapping[str, float], hits: Sequence[Hit]) -> float:
        """Return how well the best of the lexical hits holds the terms, from 0.0 on."""

    def pins(self, identifiers: Iterable[str]) -> dict[str, int]:
        """Return how many of the identifiers each document holds; common ones count for none."""

    def spread(self, num_pins: Mapping[str, int]) -> dict[int, int]:
        """Return the pins of documents as pins of each of their chunks."""

    def chunks_with_all(
        self, terms: Collection[str], documents: Collection[str]
    ) -> dict[str, list[int]]:
        """Return by document, of those given, its best chunks whose words hold every term."""


class Indexes(Protocol):
    """The indexes of many bases, brought up to the database's head. Thread-safe."""

    def ask(self, kb_id: str, question: Callable[[Index], Answer]) -> Answer | None:
        """Ask the base's index, up to the head; None when nothing was ever committed.

        The question may be asked more than once. Raises StorageError.
        """

    def counts(self, kb_id: str) -> IndexCounts:
        """Return what the index in force holds, never one that stands in for it.

        Raises StorageError.
        """

    def outage(self) -> KbError | None:
        """Return why the index in force is not the one that answers, None when it is."""

    def follow(self, kb_ids: Sequence[str] = ()) -> None:
        """Open these bases' indexes, and bring every open one up to the head, in nobody's time."""

    def refresh(self, kb_id: str) -> None:
        """Share with other processes what was committed, when that is worth it."""

    def tend(self, kb_id: str) -> bool:
        """Do a part of what waits for a quiet time; False when nothing does."""

    def rebuild(self, kb_id: str) -> None:
        """Make the index from the database alone."""

    def forget(self, kb_id: str) -> None:
        """Let nothing of deleted documents stay in files of this machine."""

    def drop(self, kb_id: str) -> None:
        """Remove what is kept of a deleted base."""

    def close(self) -> None:
        """Release what is open."""
