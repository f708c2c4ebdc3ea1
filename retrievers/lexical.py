"""The lexical leg: BM25 over pre-tokenised terms in one tantivy index inside one folder.

Knows how chunks become terms and how a question becomes a query of terms. Knows nothing of
vectors, snapshots or the database. Queries are built term by term through the library's API; a
user's text never reaches a query parser. Not thread-safe: the owner locks.

BM25 has k1 = 1.2 and b = 0.75 (fixed by tantivy); idf = ln(1 + (N - n + 0.5) / (n + 0.5)). Until
segments merge, removed chunks still count in N and n, as in every Lucene-like index; they are never
returned.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import tantivy

from kb_service.domain.ports import IndexedChunk
from retrievers import bm25
from retrievers.bm25 import TITLE_BOOST
from retrievers.terms import passage_terms, title_terms

Hit = tuple[int, float]
"""(chunk_id, score), higher is better."""

_HEAP_BYTES = 64_000_000
_FIELDS = ("body", "title")


class LexicalIndex:
    """Chunks searchable by their words. The folder belongs to this object alone.

    What is open is held by the system: searching goes on when the folder is removed.
    """

    def __init__(self, folder: Path | None, *, title_boost: float = TITLE_BOOST) -> None:
        """Open the index in `folder`, or create an empty one there; without one, in memory."""
        self._folder = folder
        self._title_boost = title_boost
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder) if folder else None)
        self._searcher = self._index.searcher()
        self.num_removed = _num_removed(folder) if folder else 0
        """Removed chunks whose words still weigh in the statistics; in memory, at most so many."""

    @property
    def num_chunks(self) -> int:
        """The number of searchable chunks."""
        return int(self._searcher.num_docs)

    def apply(self, removed: Iterable[int], added: Iterable[IndexedChunk]) -> None:
        """Remove the chunks of the revisions `removed`, then add chunks, in one commit."""
        num_before, num_added = self.num_chunks, 0
        writer = self._index.writer(_HEAP_BYTES, 1)
        try:
            # Deleting by term does nothing on an unsigned field; deleting by query does.
            gone = tantivy.Query.term_set_query(self._schema, "revision_id", list(removed))
            writer.delete_documents_by_query(gone)
            for chunk in added:
                writer.add_document(_document(chunk))
                num_added += 1
            writer.commit()
        finally:
            writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        if self._folder:
            self.num_removed = _num_removed(self._folder)
        else:
            self.num_removed += num_before + num_added - self.num_chunks

    def search(
        self, terms: Mapping[str, float], limit: int, documents: Collection[str] | None = None
    ) -> list[Hit]:
        """Return the best chunks for the weighted terms, best first; `documents` says where."""
        wanted = bm25.rarest(terms, self._frequencies(terms))
        if not wanted or (documents is not None and not documents):
            return []
        query = self._any_of(wanted)
        if documents is not None:
            query = _both(query, self._among(documents))
        return self._run(query, limit)

    def confidence(self, terms: Mapping[str, float], hits: Sequence[Hit]) -> float:
        """Return how well the best hit holds the terms: 0.0 not at all, about 1.0 every one once.

        See `bm25.confidence`.
        """
        best = hits[0][1] if hits else 0.0
        return bm25.confidence(terms, self._frequencies(terms), self.num_chunks, best)

    def revisions_with(self, term: str, limit: int) -> set[int]:
        """Return the revisions of the best `limit` chunks that hold the term in body or title."""
        addresses = [address for _, address in self._hits(self._any_of({term: 1.0}), limit)]
        return set(self._numbers("revision_id", addresses))

    def chunks_with_all(
        self, terms: Collection[str], documents: Collection[str], limit: int
    ) -> list[tuple[int, int]]:
        """Return (revision_id, chunk_id) of at most `limit` chunks whose bodies hold every term."""
        if not terms or not documents:
            return []
        clauses = [(tantivy.Occur.Must, self._term("body", term, 1.0)) for term in terms]
        query = _both(tantivy.Query.boolean_query(clauses), self._among(documents))
        addresses = [address for _, address in self._hits(query, limit)]
        revisions, chunks = (self._numbers(f, addresses) for f in ("revision_id", "chunk_id"))
        return list(zip(revisions, chunks, strict=True))

    def idf(self, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term; see `bm25.idf_of`."""
        return bm25.idf_of(self._frequencies(terms), self.num_chunks)

    def _frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return how many chunks hold each term, of the field in which more do."""
        return {
            term: max(int(self._searcher.doc_freq(field, term)) for field in _FIELDS)
            for term in terms
        }

    def _any_of(self, terms: Mapping[str, float]) -> tantivy.Query:
        clauses = [
            (tantivy.Occur.Should, self._term(field, term, weight * boost))
            for term, weight in terms.items()
            for field, boost in (("body", 1.0), ("title", self._title_boost))
        ]
        return tantivy.Query.boolean_query(clauses)

    def _term(self, field: str, term: str, weight: float) -> tantivy.Query:
        query = tantivy.Query.term_query(self._schema, field, term, "freq")
        return tantivy.Query.boost_query(query, weight)

    def _among(self, documents: Collection[str]) -> tantivy.Query:
        members = tantivy.Query.term_set_query(self._schema, "document_id", sorted(documents))
        return tantivy.Query.const_score_query(members, 0.0)

    def _hits(self, query: tantivy.Query, limit: int) -> list[tuple[float, tantivy.DocAddress]]:
        return list(self._searcher.search(query, limit, count=False).hits)

    def _run(self, query: tantivy.Query, limit: int) -> list[Hit]:
        hits = self._hits(query, limit)
        chunk_ids = self._numbers("chunk_id", [address for _, address in hits])
        scored = zip(chunk_ids, (score for score, _ in hits), strict=True)
        return sorted(scored, key=lambda hit: (-hit[1], hit[0]))

    def _numbers(self, field: str, addresses: list[tantivy.DocAddress]) -> list[int]:
        values = self._searcher.fast_field_values(field, addresses)
        return [value for value in values if isinstance(value, int)]


def _num_removed(folder: Path) -> int:
    meta = json.loads((folder / "meta.json").read_bytes())
    deletes = (segment.get("deletes") for segment in meta["segments"])
    return sum(entry["num_deleted_docs"] for entry in deletes if entry)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field in _FIELDS:
        builder.add_text_field(
            field, stored=False, tokenizer_name="whitespace", index_option="freq"
        )
    for field in ("chunk_id", "revision_id"):
        builder.add_unsigned_field(field, stored=True, indexed=True, fast=True)
    builder.add_text_field("document_id", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _document(chunk: IndexedChunk) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("body", " ".join(passage_terms(chunk.text)))
    document.add_text("title", " ".join(title_terms(chunk.title)))
    document.add_unsigned("chunk_id", chunk.chunk_id)
    document.add_unsigned("revision_id", chunk.revision_id)
    document.add_text("document_id", chunk.document_id)
    return document


def _both(left: tantivy.Query, right: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, left), (tantivy.Occur.Must, right)])
