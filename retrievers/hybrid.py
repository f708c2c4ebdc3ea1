"""The retriever of the product: question → two legs → fuse → pin → live chunks.

Knows the order of the steps and what each contributed. Knows nothing of how an index works
(`live`), stays current or reaches the disk (`library`, `generations`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.ports import Embedder, IndexSource, StoredChunk, Vector
from kb_service.domain.queries import Query, RetrievalResult, ScoredChunk
from kb_service.domain.text import index_terms
from retrievers.dense import FLAT_LIMIT
from retrievers.fusion import FusedHit, FusionPolicy, fuse, pin
from retrievers.generations import IndexCounts
from retrievers.identifiers import identifiers
from retrievers.lexical import Hit
from retrievers.library import IndexLibrary
from retrievers.live import LiveIndex
from retrievers.terms import question_weights

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
        policy: FusionPolicy | None = None,
    ) -> None:
        """`candidates`: hits of each leg that are fused. `max_open`: bases held open at once.

        `flat_limit`: vectors up to which the dense leg searches exactly.
        """
        self._source = source
        self._embedder = embedder
        self._candidates = candidates
        self._policy = policy or FusionPolicy()
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
        with _clock(timings, "dense_s"):
            is_dense = self._policy.dense_weight > 0
            vector = self._embedder.embed_query(query.text) if is_dense else None
        named = identifiers(query.text) if self._policy.is_pinning else []
        return _Question(question_weights(query.text), named, vector)

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
            with _clock(timings, "lexical_s"):
                num_pins = _pins(index, question, documents)
                lexical = self._lexical(index, question, limit, documents, num_pins)
            with _clock(timings, "dense_s"):
                vector = question.vector
                dense = index.search_dense(vector, limit, documents) if vector else []
            with _clock(timings, "fuse_s"):
                confidence = index.confidence(question.terms, lexical)
                fused = fuse({"lexical": lexical, "dense": dense}, self._policy, confidence)
                return pin(fused, index.spread(num_pins))

    def _lexical(
        self,
        index: LiveIndex,
        question: "_Question",
        limit: int,
        documents: Collection[str] | None,
        num_pins: Mapping[str, int],
    ) -> list[Hit]:
        if self._policy.lexical_weight == 0:
            return []
        hits = index.search_lexical(question.terms, limit, documents)
        if not num_pins:
            return hits
        # A pinned document's chunks must be there to be moved; a chunk scores the same in both.
        pinned = index.search_lexical(question.terms, limit, num_pins.keys())
        return sorted({**dict(hits), **dict(pinned)}.items(), key=lambda hit: (-hit[1], hit[0]))

    def _hydrate(
        self, query: Query, ranked: Sequence[FusedHit], timings: dict[str, float]
    ) -> tuple[list[ScoredChunk], int]:
        """Return the first `top_k` live and distinct chunks, and how many were dead on the way."""
        items: list[ScoredChunk] = []
        seen: set[tuple[str, ...]] = set()
        num_stale = 0
        with _clock(timings, "hydrate_s"):
            for first in range(0, len(ranked), query.top_k):
                batch = ranked[first : first + query.top_k]
                stored = self._source.hydrate(query.kb_id, [hit.chunk_id for hit in batch])
                num_stale += len(batch) - len(stored)
                live = [(hit, stored[hit.chunk_id]) for hit in batch if hit.chunk_id in stored]
                items += _distinct(live, seen)
                if len(items) >= query.top_k:
                    break
        return items[: query.top_k], num_stale


@dataclass(frozen=True, slots=True)
class _Question:
    terms: dict[str, float]
    identifiers: list[str]
    vector: Vector | None


def _pins(
    index: LiveIndex, question: _Question, documents: Collection[str] | None
) -> dict[str, int]:
    found = index.pins(question.identifiers)
    return {name: num for name, num in found.items() if documents is None or name in documents}


@contextmanager
def _clock(timings: dict[str, float], step: str) -> Iterator[None]:
    started = perf_counter()
    yield
    timings[step] += perf_counter() - started


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
