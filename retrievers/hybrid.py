"""The retriever of the product: question → two legs → fuse → pin → live chunks.

Knows the order of the steps and what each contributed. Knows nothing of how an index works
(`live`), stays current or reaches the disk (`library`, `generations`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.ports import Embedder, IndexSource, StoredChunk, Vector
from kb_service.domain.queries import Query, RetrievalResult, ScoredChunk
from kb_service.domain.text import index_terms
from retrievers.dense import FLAT_LIMIT
from retrievers.fusion import WEIGHTS, FusedHit, fuse, pin
from retrievers.generations import IndexCounts
from retrievers.identifiers import identifiers
from retrievers.lexical import Hit
from retrievers.library import IndexLibrary
from retrievers.live import LiveIndex

_MAX_ATTEMPTS = 3
"""Searches until enough hits are live; each failure means a commit came in between."""


class HybridRetriever:
    """Implements `domain.ports.Retriever` with BM25 and FAISS over a database's chunks.

    A commit of any process is visible in the next `retrieve`. Thread-safe.
    """

    def __init__(
        self,
        source: IndexSource,
        embedder: Embedder,
        index_root: Path,
        *,
        candidates: int = 100,
        max_open: int = 32,
        flat_limit: int = FLAT_LIMIT,
    ) -> None:
        """`candidates`: hits of each leg that are fused. `max_open`: bases held open at once.

        `flat_limit`: vectors up to which the dense leg searches exactly.
        """
        self._source = source
        self._embedder = embedder
        self._candidates = candidates
        self._library = IndexLibrary(
            source, embedder.profile, index_root, max_open=max_open, flat_limit=flat_limit
        )

    def retrieve(self, query: Query) -> RetrievalResult:
        """Return at most `query.top_k` live chunks, best first.

        Raises InvalidRequest when top_k is below 1.
        """
        if query.top_k < 1:
            raise InvalidRequest(f"top_k is {query.top_k}, it must be at least 1")
        started = perf_counter()
        timings = dict.fromkeys(("lexical_s", "dense_s", "fuse_s", "hydrate_s"), 0.0)
        items = self._search(query, timings)
        timings["total_s"] = perf_counter() - started
        return RetrievalResult(tuple(items), timings)

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term; 0.0 in a base without documents."""
        with self._library.current(kb_id) as index:
            return index.idf(terms) if index is not None else dict.fromkeys(terms, 0.0)

    def counts(self, kb_id: str) -> IndexCounts:
        """Return what is searchable; `num_chunks - num_vectors` chunks await their embedding."""
        with self._library.current(kb_id) as index:
            return index.counts if index is not None else IndexCounts(0, 0, 0)

    def refresh(self, kb_id: str) -> None:
        """Publish an index generation when the changes since the last one are worth it.

        Raises StorageError when the disk refuses; searching goes on without it.
        """
        self._library.refresh(kb_id)

    def drop(self, kb_id: str) -> None:
        """Remove every index file of a deleted base."""
        self._library.drop(kb_id)

    def close(self) -> None:
        """Release every open index."""
        self._library.close()

    def _search(self, query: Query, timings: dict[str, float]) -> list[ScoredChunk]:
        documents = self._documents(query)
        if documents is not None and not documents:
            return []
        question = self._read(query, timings)
        items: list[ScoredChunk] = []
        for _ in range(_MAX_ATTEMPTS):
            ranked = self._rank(query, question, documents, timings)
            items, num_stale = self._hydrate(query, ranked, timings)
            if num_stale == 0 or len(items) == query.top_k:
                break
        return items

    def _documents(self, query: Query) -> frozenset[str] | None:
        if query.filters.is_empty:
            return None
        return self._source.matching_documents(query.kb_id, query.filters)

    def _read(self, query: Query, timings: dict[str, float]) -> "_Question":
        started = perf_counter()
        vector = self._embedder.embed_query(query.text)
        timings["dense_s"] += perf_counter() - started
        return _Question(index_terms(query.text), identifiers(query.text), vector)

    def _rank(
        self,
        query: Query,
        question: "_Question",
        documents: Collection[str] | None,
        timings: dict[str, float],
    ) -> list[FusedHit]:
        limit = max(self._candidates, query.top_k)
        with self._library.current(query.kb_id) as index:
            if index is None:
                return []
            return _ranked(index, question, limit, documents, timings)

    def _hydrate(
        self, query: Query, ranked: Sequence[FusedHit], timings: dict[str, float]
    ) -> tuple[list[ScoredChunk], int]:
        """Return the first `top_k` live and distinct chunks, and how many were dead on the way."""
        started = perf_counter()
        items: list[ScoredChunk] = []
        seen: set[tuple[str, ...]] = set()
        num_stale = 0
        for first in range(0, len(ranked), query.top_k):
            batch = ranked[first : first + query.top_k]
            stored = self._source.hydrate(query.kb_id, [hit.chunk_id for hit in batch])
            num_stale += len(batch) - len(stored)
            items += _distinct(
                [(hit, stored[hit.chunk_id]) for hit in batch if hit.chunk_id in stored], seen
            )
            if len(items) >= query.top_k:
                break
        timings["hydrate_s"] += perf_counter() - started
        return items[: query.top_k], num_stale


@dataclass(frozen=True, slots=True)
class _Question:
    terms: list[str]
    identifiers: list[str]
    vector: Vector


def _ranked(
    index: LiveIndex,
    question: _Question,
    limit: int,
    documents: Collection[str] | None,
    timings: dict[str, float],
) -> list[FusedHit]:
    started = perf_counter()
    pins = index.pins(question.identifiers)
    if documents is not None:
        pins = {document_id: num for document_id, num in pins.items() if document_id in documents}
    lexical = index.search_lexical(question.terms, limit, documents)
    if pins:
        lexical = _merged(lexical, index.search_lexical(question.terms, limit, pins.keys()))
    searched = perf_counter()
    dense = index.search_dense(question.vector, limit, documents)
    compared = perf_counter()
    fused = fuse({"lexical": lexical, "dense": dense}, WEIGHTS)
    num_pins = {
        chunk: num for document, num in pins.items() for chunk in index.chunks_in([document])
    }
    ranked = pin(fused, num_pins)
    timings["lexical_s"] += searched - started
    timings["dense_s"] += compared - searched
    timings["fuse_s"] += perf_counter() - compared
    return ranked


def _merged(hits: Sequence[Hit], more: Sequence[Hit]) -> list[Hit]:
    """Join two lists of the same query; a chunk scores the same in both."""
    return sorted({**dict(hits), **dict(more)}.items(), key=lambda hit: (-hit[1], hit[0]))


def _distinct(
    found: Sequence[tuple[FusedHit, StoredChunk]], seen: set[tuple[str, ...]]
) -> list[ScoredChunk]:
    """Leave out chunks that say what a better one said, word for word, about the same thing.

    Chunks whose prefixes name different identifiers are about different things.
    """
    kept = []
    for hit, stored in found:
        draft = stored.chunk.draft
        key = (*identifiers(draft.prefix), "", *index_terms(draft.text))
        if key in seen:
            continue
        seen.add(key)
        kept.append(
            ScoredChunk(
                stored.chunk, stored.sha256, hit.score, hit.ranks, hit.scores, stored.regions
            )
        )
    return kept
