"""The retriever of the product: question → two legs → fuse → pin → live chunks → rerank.

Knows the order of the steps and what each contributed. Knows nothing of how an index works
(`live`), stays current or reaches the disk (`library`, `snapshots`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import structlog

from kb_service.domain.errors import InvalidRequest, KbError
from kb_service.domain.history import PastState
from kb_service.domain.ports import (
    Embedder,
    IndexSource,
    Reranker,
    Searcher,
    StoredChunk,
    Vector,
)
from kb_service.domain.queries import Query, Reranking, RetrievalResult, ScoredChunk
from kb_service.domain.questions import Question
from kb_service.language.identifiers import MIN_PIN_LENGTH, names_whole, pinning_terms
from kb_service.language.scripts import language_of
from kb_service.language.text import index_terms, normalise
from retrievers.across import Legs, across, together
from retrievers.dense import FLAT_LIMIT
from retrievers.fusion import FusedHit, FusionPolicy, pin
from retrievers.index import Index, Indexes
from retrievers.lexical import Hit
from retrievers.library import IndexLibrary
from retrievers.past import MAX_OPEN, PastRetriever
from retrievers.reranking import RerankPolicy, reorder
from retrievers.snapshots import IndexCounts
from retrievers.stated import look_up
from retrievers.terms import across_weights, question_weights

log = structlog.get_logger("retriever")

_MAX_ATTEMPTS = 3
"""Searches until enough hits are live; each failure means a commit came in between."""


class HybridRetriever:
    """Implements `domain.ports.Retriever` with BM25 and vectors over a database's chunks.

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
        reranker: Callable[[], Reranker | None] = lambda: None,
        rerank_policy: RerankPolicy | None = None,
        places: Sequence[Path] | None = None,
        past: IndexSource | None = None,
        indexes: Indexes | None = None,
    ) -> None:
        """`candidates`: hits of each leg that are fused. `max_open`: bases held open at once.

        `flat_limit`: vectors up to which the dense leg searches exactly. `reranker` is called with
        the first question: those who only keep indexes current need not load its model.
        `places`: folders for this process's private working copies, the preferred one first; none:
        in memory. `past`: the bases as of a change, by the keys of their states. `indexes`: asked
        instead of segments, but for the past.
        """
        segments = partial(
            IndexLibrary, profile=embedder.profile, index_root=index_root, flat_limit=flat_limit
        )
        self._past: HybridRetriever | None = None
        if past is not None:
            self._past = HybridRetriever(
                past,
                embedder,
                index_root,
                candidates=candidates,
                policy=policy,
                reranker=reranker,
                rerank_policy=rerank_policy,
                indexes=segments(past, max_open=MAX_OPEN, places=()),
            )
        self._source = source
        self._embedder = embedder
        self._candidates = candidates
        self._policy = policy or FusionPolicy()
        self._reranker = reranker
        self._rerank_policy = rerank_policy or RerankPolicy()
        self._indexes: Indexes = indexes or segments(source, max_open=max_open, places=places)

    def retrieve(self, query: Query) -> RetrievalResult:
        """Return at most `query.top_k` live chunks, best first.

        Raises InvalidRequest when top_k is below 1.
        """
        if query.top_k < 1:
            raise InvalidRequest(f"top_k is {query.top_k}, it must be at least 1")
        started = perf_counter()
        timings = dict.fromkeys(("lexical_s", "dense_s", "fuse_s", "hydrate_s"), 0.0)
        found = self._search(query, timings)
        reranking = None
        if query.is_reranked and (reranker := self._reranker()):
            found, reranking = self._rerank(reranker, query, found, timings)
        with _clock(timings, "hydrate_s"):
            items = self._items(query, found[: query.top_k])
        timings["total_s"] = perf_counter() - started
        return RetrievalResult(items, timings, reranking)

    def as_of(self, kb_id: str, change: int) -> Searcher:
        """Return what searches a base as it was after a change; its index is made when asked."""
        if self._past is None:
            raise InvalidRequest("earlier states cannot be searched here", code="invalid_as_of")
        return PastRetriever(self._past, PastState(kb_id, change))

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term; 0.0 in a base without documents."""
        wanted = list(terms)
        found = self._indexes.ask(kb_id, lambda index: index.idf(wanted))
        return found if found is not None else dict.fromkeys(wanted, 0.0)

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return by normalised name which of the documents hold it whole in their words.

        Looked up in the index; what that cannot tell (the characters of a longer Chinese name, the
        parts of a number in a longer one) is looked at in a few chunks.
        """
        found = self._indexes.ask(kb_id, lambda index: look_up(index, names, document_ids))
        if found is None:
            return {}
        stated, possible = found
        read = self._source.hydrate(kb_id, [chunk_id for _, chunk_id in possible])
        for name, stored in ((name, read[i]) for name, i in possible if i in read):
            if names_whole(normalise(stored.chunk.draft.text), name):
                stated[name].add(stored.chunk.document_id)
        return {name: frozenset(documents) for name, documents in stated.items()}

    def counts(self, kb_id: str) -> IndexCounts:
        """Return what is searchable; `num_chunks - num_vectors` chunks await their embedding."""
        return self._indexes.counts(kb_id)

    def outage(self) -> KbError | None:
        """Return why another index answers than the one in force, None when that one does."""
        return self._indexes.outage()

    def refresh(self, kb_id: str) -> None:
        """Publish an index snapshot when the changes since the last one are worth it.

        Raises StorageError when the disk refuses; searching goes on without it.
        """
        self._indexes.refresh(kb_id)

    def tend(self, kb_id: str) -> bool:
        """Merge some segments of the base's index; False when none wait.

        For a thread that nobody waits for. Raises StorageError.
        """
        return self._indexes.tend(kb_id)

    def follow(self, kb_ids: Sequence[str] = ()) -> None:
        """Open the indexes of these bases, and bring every open one up to the head.

        Raises StorageError.
        """
        self._indexes.follow(kb_ids)

    def rebuild(self, kb_id: str) -> None:
        """Make the indexes of a base from the database and publish them.

        Raises StorageError when the disk refuses.
        """
        self._indexes.rebuild(kb_id)

    def forget(self, kb_id: str) -> None:
        """Let nothing of deleted documents stay in index files of this machine.

        Raises StorageError.
        """
        self._indexes.forget(kb_id)

    def drop(self, kb_id: str) -> None:
        """Remove every index file of a deleted base."""
        self._indexes.drop(kb_id)

    def close(self) -> None:
        """Release every open index."""
        if self._past is not None:
            self._past.close()
        self._indexes.close()

    def _items(self, query: Query, found: "list[_Found]") -> tuple[ScoredChunk, ...]:
        chunks = [stored.chunk for _, stored in found]
        regions = self._source.chunk_regions(chunks) if query.with_regions else [()] * len(chunks)
        return tuple(
            ScoredChunk(stored.chunk, stored.sha256, hit.score, hit.ranks, hit.scores, where)
            for (hit, stored), where in zip(found, regions, strict=True)
        )

    def _search(self, query: Query, timings: dict[str, float]) -> "list[_Found]":
        documents = self._documents(query)
        if documents is not None and not documents:
            return []
        question = self._read(query, timings)
        num_wanted = self._num_wanted(query)
        found: list[_Found] = []
        for _ in range(_MAX_ATTEMPTS):
            ranked = self._rank(query, question, documents, timings)
            found, num_stale = self._hydrate(query.kb_id, num_wanted, ranked, timings)
            if num_stale == 0 or len(found) == num_wanted:
                break
        return found

    def _num_wanted(self, query: Query) -> int:
        """Chunks to find: those asked for, and those that a reranker chooses them from."""
        is_read = query.is_reranked and self._reranker() is not None
        return max(query.top_k, self._rerank_policy.candidates if is_read else 0)

    def _rerank(
        self, reranker: Reranker, query: Query, found: "list[_Found]", timings: dict[str, float]
    ) -> "tuple[list[_Found], Reranking]":
        policy = self._rerank_policy
        texts = [stored.chunk.draft.embedded_text for _, stored in found[: policy.candidates]]
        timings["rerank_s"] = 0.0
        with _clock(timings, "rerank_s"):
            scores = reranker.score(query.question.text, texts)
        outcome = Reranking(reranker.name, len(texts), len(scores))
        if not outcome.is_complete:
            log.warning("not all candidates reranked", **asdict(outcome))
        stored_by_id = {hit.chunk_id: stored for hit, stored in found}
        ordered = reorder([hit for hit, _ in found], scores, policy.weight)
        return [(hit, stored_by_id[hit.chunk_id]) for hit in ordered], outcome

    def _documents(self, query: Query) -> frozenset[str] | None:
        if query.filters.is_empty:
            return None
        return self._source.matching_documents(query.kb_id, query.filters)

    def _read(self, query: Query, timings: dict[str, float]) -> "_Asked":
        with _clock(timings, "dense_s"):
            is_dense = self._policy.dense_weight > 0
            vector = self._embedder.embed_query(query.question.text) if is_dense else None
        named = _pinning(query.question) if self._policy.is_pinning else []
        language = language_of(query.question.text)
        terms = question_weights(query.question)
        if query.is_across:
            terms = across_weights(query.question) | terms
        return _Asked(terms, named, language, vector)

    def _rank(
        self,
        query: Query,
        question: "_Asked",
        documents: Collection[str] | None,
        timings: dict[str, float],
    ) -> list[FusedHit]:
        limit = max(self._candidates, self._num_wanted(query))

        def ranked(index: Index) -> list[FusedHit]:
            with _clock(timings, "lexical_s"):
                num_pins = _pins(index, question, documents)
                lexical = self._lexical(index, question, limit, documents, num_pins)
            with _clock(timings, "dense_s"):
                dense = _dense(index, question, limit, documents, num_pins)
            with _clock(timings, "fuse_s"):
                confidence = index.confidence(question.terms, lexical)
                legs = _legs(index, question.language, lexical, dense)
                if query.is_across:
                    fused = across(legs, self._policy)
                else:
                    fused = together(legs, self._policy, confidence)
                return pin(fused, index.spread(num_pins))

        return self._indexes.ask(query.kb_id, ranked) or []

    def _lexical(
        self,
        index: Index,
        question: "_Asked",
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
        self, kb_id: str, num_wanted: int, ranked: Sequence[FusedHit], timings: dict[str, float]
    ) -> "tuple[list[_Found], int]":
        """Return the first live and distinct chunks, and how many were dead on the way."""
        found: list[_Found] = []
        seen: set[tuple[str, ...]] = set()
        num_stale = 0
        with _clock(timings, "hydrate_s"):
            for first in range(0, len(ranked), num_wanted):
                batch = ranked[first : first + num_wanted]
                stored = self._source.hydrate(kb_id, [hit.chunk_id for hit in batch])
                num_stale += len(batch) - len(stored)
                live = [(hit, stored[hit.chunk_id]) for hit in batch if hit.chunk_id in stored]
                found += _distinct(live, seen)
                if len(found) >= num_wanted:
                    break
        return found[:num_wanted], num_stale


_Found = tuple[FusedHit, StoredChunk]


@dataclass(frozen=True, slots=True)
class _Asked:
    terms: dict[str, float]
    identifiers: list[str]
    language: str
    vector: Vector | None


def _pinning(question: Question) -> list[str]:
    """Return what may pin documents: terms of the question, and numbers that it labels."""
    whole = (name for name in question.identifiers if len(name) >= MIN_PIN_LENGTH)
    return list(dict.fromkeys((*whole, *pinning_terms(question.words))))


def _pins(index: Index, question: _Asked, documents: Collection[str] | None) -> dict[str, int]:
    found = index.pins(question.identifiers)
    return {name: num for name, num in found.items() if documents is None or name in documents}


def _dense(
    index: Index,
    question: _Asked,
    limit: int,
    documents: Collection[str] | None,
    num_pins: Mapping[str, int],
) -> dict[str, list[Hit]]:
    """Return the nearest chunks, each language apart.

    In a document that an identifier names, the words know better which chunk is meant, where they
    are of the question's language; elsewhere nothing is wanted then.
    """
    if question.vector is None:
        return {}
    found = index.search_dense(question.vector, limit, num_pins.keys() if num_pins else documents)
    return {
        name: hits for name, hits in found.items() if not (num_pins and name == question.language)
    }


def _legs(
    index: Index, language: str, lexical: Sequence[Hit], dense: Mapping[str, Sequence[Hit]]
) -> Legs:
    others = {name: hits for name, hits in dense.items() if name != language}
    foreign = {hit[0] for name in others for hit in index.are_in(name, lexical)}
    nearest = sorted((hit for hits in others.values() for hit in hits), key=lambda hit: -hit[1])
    return Legs(lexical, dense.get(language, ()), nearest, foreign)


@contextmanager
def _clock(timings: dict[str, float], step: str) -> Iterator[None]:
    started = perf_counter()
    yield
    timings[step] += perf_counter() - started


def _distinct(found: Sequence[_Found], seen: set[tuple[str, ...]]) -> list[_Found]:
    """Leave out chunks that say what a better one said, word for word, about the same thing.

    Chunks whose prefixes name different identifiers are about different things.
    """
    kept = []
    for hit, stored in found:
        draft = stored.chunk.draft
        key = (*pinning_terms(index_terms(draft.prefix)), "", *index_terms(draft.text))
        if key in seen:
            continue
        seen.add(key)
        kept.append((hit, stored))
    return kept
