"""One knowledge base's searchable state: lexical and dense index, and who owns each chunk.

Knows how a state is built from chunks, loaded from and written into a folder, and how committed
changes are replayed on it. Knows nothing of snapshots, locks or the database. Replaying a change
twice is the same as once. Not thread-safe: the owner locks.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path

from kb_service.domain.ports import IndexChange, IndexedChunk, Vector
from kb_service.language.scripts import LANGUAGES, nearest_language
from retrievers.dense import FLAT_LIMIT, Merge
from retrievers.failures import IndexFailed, index_failures
from retrievers.folders import ClaimedFolder
from retrievers.languages import DenseIndexes
from retrievers.lexical import Hit, LexicalIndex
from retrievers.owners import Owners
from retrievers.snapshots import IndexCounts, SnapshotDraft, SnapshotRejected

MAX_WORN_SHARE = 0.1
"""Share of removed chunks in an index above which it is better rebuilt than carried on."""

MAX_EXACT_CHUNKS = 500
"""Chunks up to which an index is made anew, in 0.1 s, rather than have removed chunks weigh."""

MAX_PINNED_DOCUMENTS = 3
"""Documents an identifier may stand in and still name one of them."""

MAX_CHECKED_CHUNKS = 3
"""Chunks of a document that are read to see whether its words stand together as a name has them."""

MAX_PIN_CHUNKS = 200
"""The best chunks with an identifier, whose documents are counted."""

_MAX_HITS = 500
_VECTORS_AT_ONCE = 1024
LEXICAL_FOLDER = "lexical"
_REWRITTEN = frozenset({"meta.json", ".managed.json"})
"""Files of tantivy that keep their names; every other one is written once."""


class LiveIndex:
    """Implements `index.Index`: what is searchable in one base, at change number `seq`."""

    def __init__(self, folder: ClaimedFolder | None, dense: DenseIndexes, seq: int) -> None:
        """Take over a claimed folder whose `lexical` part may already be filled.

        Without a folder the index lives in memory.
        """
        self.seq = seq
        self.snapshot: str | None = None
        self.holds_deleted = False
        """True while terms and vectors of a deleted document are in it, though never returned."""
        self._folder = folder
        lexical = folder.path / LEXICAL_FOLDER if folder else None
        if lexical:
            lexical.mkdir(exist_ok=True)
        self._lexical = LexicalIndex(lexical)
        self._dense = dense
        self._owners = Owners()

    @classmethod
    def build(
        cls,
        folder: ClaimedFolder | None,
        dimension: int,
        chunks: Iterable[IndexedChunk],
        seq: int,
        flat_limit: int = FLAT_LIMIT,
    ) -> "LiveIndex":
        """Index every chunk from nothing."""
        dense = DenseIndexes(dimension, LANGUAGES, folder.path if folder else None, flat_limit)
        index = cls(folder, dense, seq)
        index._lexical.apply((), index._registered(index._with_vectors(chunks)))
        return index

    @classmethod
    def load(
        cls, folder: ClaimedFolder, source: Path, seq: int, flat_limit: int = FLAT_LIMIT
    ) -> "LiveIndex":
        """Open what `save` wrote into `source`; what happens there afterwards has no effect.

        Raises SnapshotRejected when a part is gone or cannot be read.
        """
        try:
            with index_failures(f"read {source}"):
                dense = DenseIndexes.load(source, LANGUAGES, folder.path, flat_limit)
                owners = Owners.load(source)
            _copy_lexical(source / LEXICAL_FOLDER, folder.path / LEXICAL_FOLDER)
        except IndexFailed as error:
            raise SnapshotRejected(error.message) from error
        index = cls(folder, dense, seq)
        index._owners = owners
        return index

    @property
    def counts(self) -> IndexCounts:
        """What is searchable; chunks without a vector are found by their words only."""
        return IndexCounts(self._lexical.num_chunks, self._dense.num_chunks, len(self._owners))

    @property
    def is_in_memory(self) -> bool:
        """True when no folder allowed it to work there: it cannot be saved."""
        return self._folder is None

    @property
    def is_worn(self) -> bool:
        """True when a rebuild pays: many removed chunks."""
        removed = max(self._lexical.num_removed, self._dense.num_removed)
        return removed > MAX_WORN_SHARE * max(self._lexical.num_chunks, 1)

    @property
    def num_own(self) -> int:
        """The number of vectors in files that no other process reads."""
        return self._dense.num_own

    def due(self) -> Merge | None:
        """Return a merge that waits for a time when nobody does, None when none does."""
        return self._dense.due()

    def merge_all(self) -> None:
        """Do every merge that waits; minutes for millions."""
        while merge := self.due():
            merge.index.adopt(merge, merge.run())

    @property
    def is_skewed(self) -> bool:
        """True when removed chunks weigh in the scores of a base that is soon indexed anew.

        Of a few chunks one is much, and what is found must not depend on what was there before. In
        a larger base they are at most `MAX_WORN_SHARE` once it is published.
        """
        return self._lexical.num_removed > 0 and self._lexical.num_chunks <= MAX_EXACT_CHUNKS

    def replay(
        self,
        changes: Sequence[IndexChange],
        fetch: Callable[[int], Iterable[IndexedChunk]],
        head: int,
    ) -> None:
        """Apply committed changes in order; `fetch` gives the live chunks of a revision.

        One that is added again with the chunks it has brings their vectors alone.
        """
        is_added = {change.revision_id: change.is_added for change in changes}
        added = {rev: list(fetch(rev)) for rev, flag in is_added.items() if flag}
        known = {rev for rev, chunks in added.items() if self._knows(rev, chunks)}
        vectors = dict(self._new_vectors(chunk for rev in known for chunk in added[rev]))
        stale = is_added.keys() - known
        if stale:
            gone = {owner for rev in stale if (owner := self._owners.document_of(rev))}
            gone -= {chunk.document_id for chunks in added.values() for chunk in chunks}
            self.holds_deleted = self.holds_deleted or bool(gone)
            for revision_id in stale:
                self._dense.remove(self._owners.remove(revision_id))
            fresh = [chunk for rev in added.keys() - known for chunk in added[rev]]
            self._lexical.apply(stale, self._registered(fresh))
            vectors |= _vectors_of(fresh)
        self._dense.add(vectors)
        self.seq = max([head, *(change.seq for change in changes)])

    def search_lexical(
        self, terms: Mapping[str, float], limit: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Return the best chunks by BM25, best first."""
        return self._lexical.search(terms, limit, documents)

    def confidence(self, terms: Mapping[str, float], hits: Sequence[Hit]) -> float:
        """Return how well the best of the lexical hits holds the terms, from 0.0 on."""
        return self._lexical.confidence(terms, hits)

    def search_dense(
        self, vector: Vector, limit: int, documents: Collection[str] | None = None
    ) -> dict[str, list[Hit]]:
        """Return the nearest chunks of each language, best first."""
        allowed = None if documents is None else self._owners.chunks_in(documents)
        return self._dense.search(vector, limit, allowed)

    def are_in(self, language: str, hits: Iterable[Hit]) -> list[Hit]:
        """Return the hits in a language, in their order; without a vector a chunk is in none."""
        return [hit for hit in hits if self._dense.is_in(language, hit[0])]

    def pins(self, identifiers: Iterable[str]) -> dict[str, int]:
        """Return how many of the identifiers each document holds.

        An identifier that stands in more than MAX_PINNED_DOCUMENTS documents pins none.
        """
        num_pins: dict[str, int] = {}
        for term in identifiers:
            revisions = self._lexical.revisions_with(term, MAX_PIN_CHUNKS)
            documents = {self._document_of(revision) for revision in revisions}
            if len(documents) <= MAX_PINNED_DOCUMENTS:
                for document_id in documents:
                    num_pins[document_id] = num_pins.get(document_id, 0) + 1
        return num_pins

    def chunks_with_all(
        self, terms: Collection[str], documents: Collection[str]
    ) -> dict[str, list[int]]:
        """Return by document, of those given, its best chunks whose words hold every term."""
        found: dict[str, list[int]] = {}
        remaining = set(documents)
        while remaining:
            hits = self._lexical.chunks_with_all(terms, remaining, _MAX_HITS)
            for revision_id, chunk_id in hits:
                found.setdefault(self._document_of(revision_id), []).append(chunk_id)
            if len(hits) < _MAX_HITS:
                break
            remaining -= found.keys()  # what is left had no room beside those
        return {document: ids[:MAX_CHECKED_CHUNKS] for document, ids in found.items()}

    def spread(self, num_pins: Mapping[str, int]) -> dict[int, int]:
        """Return the pins of documents as pins of each of their chunks."""
        return {
            chunk_id: num
            for document_id, num in num_pins.items()
            for chunk_id in self._owners.chunks_in({document_id})
        }

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term."""
        return self._lexical.idf(terms)

    def save(self, draft: SnapshotDraft) -> None:
        """Write this state into a draft; what was published before is taken from there.

        Raises IndexFailed when its own files are gone.
        """
        if self._folder is None:
            raise IndexFailed("an index in memory cannot be saved")
        _copy_lexical(self._folder.path / LEXICAL_FOLDER, draft.path / LEXICAL_FOLDER, draft.take)
        self._dense.save(draft.path, draft.take)
        self._owners.save(draft.path, draft.take)

    def close(self) -> None:
        """Remove the private folder; the index is of no use afterwards."""
        if self._folder:
            self._folder.close()

    def _registered(self, chunks: Iterable[IndexedChunk]) -> Iterator[IndexedChunk]:
        """Pass chunks on, and note whose they are; those of a revision come one after another."""
        for (revision_id, document_id), group in groupby(chunks, _owner_of):
            ids = []
            for chunk in group:
                ids.append(chunk.chunk_id)
                yield chunk
            known = self._owners.chunks_of(revision_id) or ()
            self._owners.add(revision_id, document_id, [*known, *ids])

    def _with_vectors(self, chunks: Iterable[IndexedChunk]) -> Iterator[IndexedChunk]:
        """Pass chunks on, and take in their vectors, some at a time."""
        coming = iter(chunks)
        while group := list(islice(coming, _VECTORS_AT_ONCE)):
            self._dense.add(_vectors_of(group))
            yield from group

    def _document_of(self, revision_id: int) -> str:
        document_id = self._owners.document_of(revision_id)
        if document_id is None:
            raise IndexFailed(f"words of revision {revision_id}, which is of no document")
        return document_id

    def _knows(self, revision_id: int, chunks: Sequence[IndexedChunk]) -> bool:
        known = self._owners.chunks_of(revision_id)
        return known is not None and list(known) == [chunk.chunk_id for chunk in chunks]

    def _new_vectors(
        self, chunks: Iterable[IndexedChunk]
    ) -> Iterator[tuple[int, tuple[str, Vector]]]:
        for chunk in chunks:
            if chunk.vector is not None and chunk.chunk_id not in self._dense:
                yield chunk.chunk_id, (nearest_language(chunk.text), chunk.vector)


def _owner_of(chunk: IndexedChunk) -> tuple[int, str]:
    return chunk.revision_id, chunk.document_id


def _vectors_of(chunks: Iterable[IndexedChunk]) -> dict[int, tuple[str, Vector]]:
    return {
        chunk.chunk_id: (nearest_language(chunk.text), chunk.vector)
        for chunk in chunks
        if chunk.vector is not None
    }


def _copy_lexical(
    source: Path, target: Path, is_taken: Callable[[Path], bool] = lambda _: False
) -> None:
    """Give `target` the lexical files of `source`, or those of the same names that can be taken.

    Copies, not links: a file that is changed in place under a memory map ends the whole process.
    """
    if target.exists():
        shutil.rmtree(target)  # an earlier attempt's
    target.mkdir()
    try:
        for path in source.iterdir():
            is_final = path.suffix != ".lock" and path.name not in _REWRITTEN
            if not (is_final and is_taken(target / path.name)) and path.suffix != ".lock":
                shutil.copyfile(path, target / path.name)
    except FileNotFoundError as error:
        raise IndexFailed(f"{source} lost {error.filename} while it was read") from error
