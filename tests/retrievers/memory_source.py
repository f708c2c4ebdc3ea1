"""An IndexSource in memory, and an embedder of letter counts: fakes for the retriever's tests."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.ports import (
    EmbeddingProfile,
    IndexChange,
    IndexedChunk,
    StoredChunk,
    Vector,
)
from kb_service.domain.queries import Filters
from kb_service.domain.spans import PageRegion, TextSpan

KB = "kb_test"
LETTERS = "abcdefghijklmnop"


class LetterEmbedder:
    """Counts letters: deterministic, and equal texts have equal vectors."""

    def __init__(self, fingerprint: str = "f" * 64) -> None:
        self.profile = EmbeddingProfile("letters", len(LETTERS), fingerprint)

    def embed_query(self, text: str) -> Vector:
        counts = [float(text.casefold().count(letter)) for letter in LETTERS]
        norm = math.sqrt(sum(count * count for count in counts)) or 1.0
        return struct.pack(f"<{len(LETTERS)}f", *(count / norm for count in counts))

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        return [self.embed_query(text) for text in texts]


class MemorySource:
    """One base: document -> (revision, chunks), and the log of its changes."""

    def __init__(self) -> None:
        self.log: list[IndexChange] = []
        self.live: dict[str, list[IndexedChunk]] = {}
        self.num_revisions = self.num_chunks = 0

    def put(self, document_id: str, *texts: str, title: str = "", embed: bool = True) -> None:
        self.delete(document_id)
        self.num_revisions += 1
        self.live[document_id] = []
        for text in texts:
            self.num_chunks += 1
            vector = LetterEmbedder().embed_query(f"{title}\n{text}") if embed else None
            chunk = (self.num_chunks, self.num_revisions, document_id, title, text, vector)
            self.live[document_id].append(IndexedChunk(*chunk))
        self._record(self.num_revisions, is_added=True)

    def delete(self, document_id: str) -> None:
        for revision_id in {chunk.revision_id for chunk in self.live.pop(document_id, [])}:
            self._record(revision_id, is_added=False)

    def embed(self, document_id: str) -> None:
        """Give a document its vectors, and announce its revision once more."""
        chunks = self.live.get(document_id, [])
        self.live[document_id] = [
            replace(chunk, vector=LetterEmbedder().embed_query(f"{chunk.title}\n{chunk.text}"))
            for chunk in chunks
        ]
        for revision_id in {chunk.revision_id for chunk in chunks}:
            self._record(revision_id, is_added=True)

    def _record(self, revision_id: int, *, is_added: bool) -> None:
        self.log.append(IndexChange(len(self.log) + 1, revision_id, is_added))

    def _chunks(self) -> list[IndexedChunk]:
        return [chunk for chunks in list(self.live.values()) for chunk in chunks]

    def head(self, kb_id: str) -> int:
        return len(self.log) if kb_id == KB else 0

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        later = self.log[after:]
        last = {change.revision_id: change for change in later}
        return [change for change in later if last[change.revision_id] is change]

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        return [c for c in self.live_chunks(KB, profile) if c.revision_id == revision_id]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        chunks = sorted(self._chunks(), key=lambda chunk: chunk.chunk_id)
        if profile.dimension == 0:
            chunks = [replace(chunk, vector=None) for chunk in chunks]
        return iter(chunks)

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        return {c.chunk_id: stored(c) for c in self._chunks() if c.chunk_id in set(chunk_ids)}

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        return [(PageRegion(chunk.revision_id),) for chunk in found]

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        return frozenset(filters.document_ids) & self.live.keys()


def stored(chunk: IndexedChunk) -> StoredChunk:
    """Return the chunk as the database gives it back."""
    draft = ChunkDraft(0, TextSpan(0, len(chunk.text)), chunk.text, (), chunk.title)
    owner = (chunk.document_id, chunk.revision_id, chunk.title)
    return StoredChunk(Chunk(chunk.chunk_id, KB, *owner, draft), f"{chunk.revision_id:064x}")
