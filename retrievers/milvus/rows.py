"""A chunk as a row of Milvus, and what BM25 needs of a row: our terms as a sparse vector.

Knows columns and the numbers of terms. Knows no connection. A row depends on its chunk alone: a
term's weight in it is its BM25 share at a fixed average length, so that Milvus finds candidates by
inner product; from it and the length the frequency comes back, and with it the exact score by the
averages of now.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import IndexedChunk
from kb_service.language.scripts import nearest_language
from retrievers import bm25
from retrievers.milvus.connection import Field, Row
from retrievers.terms import passage_terms, title_terms

BODY, TITLE = 0, 1
BOOSTS = (1.0, bm25.TITLE_BOOST)

NOMINAL_LENGTHS = (200.0, 20.0)
"""Average terms of a body and of a title as rows assume them; only candidates depend on it."""

NO_LANGUAGE = ""
"""Of a chunk without a vector."""

STATE = 0
"""The number of no term: the key of a base's state, and a column that keeps a row from having no
terms at all, which Milvus refuses."""

_MAX_NUMBER = 2**31 - 2
_MIN_DIMENSION = 2
_FLAT = {"index_type": "FLAT", "metric_type": "IP"}
_AUTOMATIC = {"index_type": "AUTOINDEX", "metric_type": "IP"}
_SPARSE = {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"}
_SCALAR = {"index_type": "INVERTED"}

CHUNK_FIELDS = ("chunk_id", "document_id", "language", "body_length", "title_length", "terms")


def chunk_columns(dimension: int, is_exact: bool) -> tuple[Field, ...]:
    """Return the columns of chunks. `is_exact`: every vector is compared with a question's."""
    size = {"dim": max(dimension, _MIN_DIMENSION)}
    return (
        Field("chunk_id", "INT64", {}),
        Field("revision_id", "INT64", {}, _SCALAR),
        Field("batch", "INT64", {}, _SCALAR),
        Field("document_id", "VARCHAR", {"max_length": 128}, _SCALAR),
        Field("language", "VARCHAR", {"max_length": 16}, _SCALAR),
        Field("body_length", "INT64", {}),
        Field("title_length", "INT64", {}),
        Field("terms", "SPARSE_FLOAT_VECTOR", {}, _SPARSE),
        Field("vector", "FLOAT_VECTOR", size, _FLAT if is_exact else _AUTOMATIC),
    )


TERM_COLUMNS = (
    Field("number", "INT64", {}),
    Field("holding", "INT64", {}),
    Field("before", "INT64", {}),
    Field("batch", "INT64", {}, _SCALAR),
    Field("state", "VARCHAR", {"max_length": 65_535}),
    # No collection may be without a vector.
    Field("unused", "FLOAT_VECTOR", {"dim": _MIN_DIMENSION}, _FLAT),
)


def term_number(term: str, field: int) -> int:
    """Return the number of a term in a field, from 2 to 2**32 - 3. Of two billion terms a field two
    may share one."""
    digest = int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")
    return 2 * (1 + digest % (_MAX_NUMBER - 1)) + field


def field_of(number: int) -> int:
    """Return the field that a term's number is of."""
    return number % 2


@dataclass(frozen=True, slots=True)
class Words:
    """How often each term stands in a chunk, by number, and how many terms its fields have."""

    frequencies: Mapping[int, int]
    lengths: tuple[int, int]

    @classmethod
    def of_chunk(cls, chunk: IndexedChunk) -> "Words":
        """Count the terms of a chunk."""
        fields = (passage_terms(chunk.text), title_terms(chunk.title))
        counted = Counter(
            term_number(term, field) for field, terms in enumerate(fields) for term in terms
        )
        return cls(counted, (len(fields[BODY]), len(fields[TITLE])))

    @classmethod
    def of_row(cls, row: Row) -> "Words":
        """Read the terms of a row back."""
        lengths = (int(row["body_length"]), int(row["title_length"]))
        damps = _nominal(lengths)
        frequencies = {
            int(number): bm25.frequency_of(float(part), damps[field_of(int(number))])
            for number, part in row["terms"].items()
            if int(number) != STATE
        }
        return cls(frequencies, lengths)

    def score(self, weights: Mapping[int, float], averages: Sequence[float]) -> float:
        """Return the sum of weight * share over the terms. `averages`: of the fields' lengths."""
        damps = [
            bm25.damping(bm25.kept_length(length), average)
            for length, average in zip(self.lengths, averages, strict=True)
        ]
        return sum(
            weight * bm25.share(self.frequencies[number], damps[field_of(number)])
            for number, weight in weights.items()
            if number in self.frequencies
        )


def row_of(chunk: IndexedChunk, words: Words, dimension: int, batch: int) -> Row:
    """Return the row of a chunk that comes with a batch.

    Raises StorageError when its vector has the wrong length.
    """
    damps = _nominal(words.lengths)
    terms = {
        number: bm25.share(frequency, damps[field_of(number)])
        for number, frequency in words.frequencies.items()
    }
    return {
        "chunk_id": chunk.chunk_id,
        "revision_id": chunk.revision_id,
        "batch": batch,
        "document_id": chunk.document_id,
        "language": nearest_language(chunk.text) if has_vector(chunk) else NO_LANGUAGE,
        "body_length": words.lengths[BODY],
        "title_length": words.lengths[TITLE],
        "terms": {STATE: 1.0, **terms},
        "vector": _numbers_of(chunk, dimension),
    }


def has_vector(chunk: IndexedChunk) -> bool:
    """True when the meaning of a chunk is known."""
    return chunk.vector is not None


def vector_of(vector: bytes) -> list[float]:
    """Return the numbers of an embedding."""
    return [float(number) for number in np.frombuffer(vector, dtype="<f4")]


def term_row(number: int, holding: int, before: int, batch: int, state: str = "") -> Row:
    """Return the row of a term: in how many chunks it stands, and stood before the batch."""
    return {
        "number": number,
        "holding": holding,
        "before": before,
        "batch": batch,
        "state": state,
        "unused": [0.0] * _MIN_DIMENSION,
    }


def counted(texts: Iterable[Words]) -> Counter[int]:
    """Return in how many of the chunks each term stands."""
    return Counter(number for words in texts for number in words.frequencies)


def _nominal(lengths: Sequence[int]) -> list[float]:
    return [
        bm25.damping(bm25.kept_length(length), average)
        for length, average in zip(lengths, NOMINAL_LENGTHS, strict=True)
    ]


def _numbers_of(chunk: IndexedChunk, dimension: int) -> list[float]:
    if chunk.vector is None:
        return [0.0] * max(dimension, _MIN_DIMENSION)
    if len(chunk.vector) != 4 * dimension:
        raise StorageError(
            f"the vector of chunk {chunk.chunk_id} has {len(chunk.vector)} bytes, "
            f"not {4 * dimension}",
            code="vector_size_mismatch",
        )
    return vector_of(chunk.vector)
