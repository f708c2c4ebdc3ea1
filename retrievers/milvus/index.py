"""One base in Milvus as a question sees it: candidates by inner product, scores by our own BM25.

Implements `retrievers.index.Index`. Made for one question: what it learnt of terms and chunks it
keeps that long. Knows nothing of how the base came there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from kb_service.domain.ports import Vector
from kb_service.language.scripts import LANGUAGES
from retrievers import bm25
from retrievers.lexical import Hit
from retrievers.live import MAX_CHECKED_CHUNKS, MAX_PIN_CHUNKS, MAX_PINNED_DOCUMENTS
from retrievers.milvus.connection import MAX_HITS, MilvusConnection, Row, named, numbered
from retrievers.milvus.generation import Generation
from retrievers.milvus.rows import (
    BODY,
    BOOSTS,
    CHUNK_FIELDS,
    Words,
    term_number,
    vector_of,
)
from retrievers.snapshots import IndexCounts

OVERFETCH = 2
"""Candidates for each hit: the order by nominal lengths is not quite that by the true ones."""

_CHECKED_AT_ONCE = 500


class MilvusIndex:
    """Implements `index.Index` on one generation."""

    def __init__(self, connection: MilvusConnection, generation: Generation) -> None:
        self._connection = connection
        self._generation = generation
        self._state = generation.state
        self._names = generation.names
        self._holding: dict[int, int] = {}
        self._language_of: dict[int, str] = {}

    @property
    def counts(self) -> IndexCounts:
        """What is there, counted row by row."""
        return self._generation.counts()

    def search_lexical(
        self, terms: Mapping[str, float], limit: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Return the best chunks by BM25, best first."""
        weights = self._weights(bm25.rarest(terms, self._frequencies(terms)))
        if not weights or (documents is not None and not documents):
            return []
        rows = self._matching(weights, OVERFETCH * limit, documents)
        averages = self._state.averages
        hits = [(int(row["chunk_id"]), Words.of_row(row).score(weights, averages)) for row in rows]
        found = [hit for hit in hits if hit[1] > 0]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def search_dense(
        self, vector: Vector, limit: int, documents: Collection[str] | None = None
    ) -> dict[str, list[Hit]]:
        """Return the nearest chunks of each language, best first."""
        query = vector_of(vector)
        is_asked = any(query) and limit > 0 and (documents is None or bool(documents))
        return {
            name: self._nearest(name, query, limit, documents) if is_asked else []
            for name in LANGUAGES
        }

    def are_in(self, language: str, hits: Iterable[Hit]) -> list[Hit]:
        """Return the hits in a language, in their order; without a vector a chunk is in none."""
        listed = list(hits)
        if unknown := [hit[0] for hit in listed if hit[0] not in self._language_of]:
            condition = numbered("chunk_id", unknown)
            self._note(
                self._connection.rows(self._names.chunks, condition, ("chunk_id", "language"))
            )
        return [hit for hit in listed if self._language_of.get(hit[0]) == language]

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term; see `bm25.idf_of`."""
        return bm25.idf_of(self._frequencies(terms), self._state.num_chunks)

    def confidence(self, terms: Mapping[str, float], hits: Sequence[Hit]) -> float:
        """Return how well the best of the lexical hits holds the terms; see `bm25.confidence`."""
        best = hits[0][1] if hits else 0.0
        return bm25.confidence(terms, self._frequencies(terms), self._state.num_chunks, best)

    def pins(self, identifiers: Iterable[str]) -> dict[str, int]:
        """Return how many of the identifiers each document holds.

        An identifier that stands in more than MAX_PINNED_DOCUMENTS documents pins none.
        """
        num_pins: dict[str, int] = {}
        for term in identifiers:
            weights = self._weights({term: 1.0})
            rows = self._matching(weights, MAX_PIN_CHUNKS, None) if weights else []
            documents = {str(row["document_id"]) for row in rows}
            if len(documents) <= MAX_PINNED_DOCUMENTS:
                for document_id in documents:
                    num_pins[document_id] = num_pins.get(document_id, 0) + 1
        return num_pins

    def spread(self, num_pins: Mapping[str, int]) -> dict[int, int]:
        """Return the pins of documents as pins of each of their chunks."""
        if not num_pins:
            return {}
        condition = named("document_id", sorted(num_pins))
        rows = self._connection.rows(self._names.chunks, condition, ("chunk_id", "document_id"))
        return {int(row["chunk_id"]): num_pins[row["document_id"]] for row in rows}

    def chunks_with_all(
        self, terms: Collection[str], documents: Collection[str]
    ) -> dict[str, list[int]]:
        """Return by document, of those given, its best chunks whose words hold every term."""
        numbers = {term: term_number(term, BODY) for term in terms}
        holding = self._num_holding(numbers.values())
        if not terms or not all(holding[number] for number in numbers.values()):
            return {}
        rarest = min(numbers.values(), key=lambda number: holding[number])
        weights = self._weights(dict.fromkeys(terms, 1.0), (BODY,))
        scored: dict[str, list[Hit]] = {}
        for row in self._all_with(rarest, sorted(documents)):
            words = Words.of_row(row)
            if all(number in words.frequencies for number in numbers.values()):
                score = words.score(weights, self._state.averages)
                scored.setdefault(row["document_id"], []).append((int(row["chunk_id"]), score))
        return {
            document: [hit[0] for hit in sorted(hits, key=lambda hit: (-hit[1], hit[0]))][
                :MAX_CHECKED_CHUNKS
            ]
            for document, hits in scored.items()
        }

    def _all_with(self, number: int, documents: Sequence[str]) -> list[Row]:
        """Return every chunk of the documents whose body holds a term; of one document the best
        MAX_HITS."""
        if not documents:
            return []
        limit = MAX_HITS if len(documents) == 1 else _CHECKED_AT_ONCE
        rows = self._matching({number: 1.0}, limit, documents)
        if len(rows) < limit or len(documents) == 1:
            return rows
        middle = len(documents) // 2
        halves = (documents[:middle], documents[middle:])
        return [row for half in halves for row in self._all_with(number, half)]

    def _matching(
        self, weights: Mapping[int, float], limit: int, documents: Collection[str] | None
    ) -> list[Row]:
        found = self._connection.search(
            self._names.chunks,
            "terms",
            dict(weights),
            limit,
            condition=named("document_id", sorted(documents)) if documents is not None else "",
            fields=CHUNK_FIELDS,
        )
        rows = [row for _, row in found]
        self._note(rows)
        return rows

    def _nearest(
        self, language: str, query: list[float], limit: int, documents: Collection[str] | None
    ) -> list[Hit]:
        condition = named("language", [language])
        if documents is not None:
            condition += f" and {named('document_id', sorted(documents))}"
        found = self._connection.search(
            self._names.chunks, "vector", query, limit, condition=condition, fields=("chunk_id",)
        )
        hits = [(int(row["chunk_id"]), score) for score, row in found if score > 0]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def _note(self, rows: Iterable[Row]) -> None:
        self._language_of |= {int(row["chunk_id"]): str(row["language"]) for row in rows}

    def _weights(
        self, terms: Mapping[str, float], fields: Sequence[int] = range(len(BOOSTS))
    ) -> dict[int, float]:
        """Return what each term that some chunk holds weighs in each field."""
        numbers = {(term, field): term_number(term, field) for term in terms for field in fields}
        holding = self._num_holding(numbers.values())
        total = self._state.num_chunks
        return {
            number: terms[term] * BOOSTS[field] * bm25.idf(holding[number], total)
            for (term, field), number in numbers.items()
            if holding[number]
        }

    def _frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return how many chunks hold each term, of the field in which more do."""
        numbers = {term: [term_number(term, f) for f in range(len(BOOSTS))] for term in terms}
        holding = self._num_holding(number for pair in numbers.values() for number in pair)
        return {term: max(holding[number] for number in pair) for term, pair in numbers.items()}

    def _num_holding(self, numbers: Iterable[int]) -> Mapping[int, int]:
        if unknown := [number for number in numbers if number not in self._holding]:
            self._holding |= dict.fromkeys(unknown, 0) | self._generation.num_holding(unknown)
        return self._holding
