"""Question sets as bases in memory: the real chunker and retriever over texts that never change.

Knows the files of the shared data and how a set becomes documents and questions. Knows no reader
and no metric.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.chunking import SentenceChunker
from kb_service.domain.documents import (
    Chunk,
    ChunkDraft,
    KnowledgeBase,
    Page,
    PageKind,
    ParsedDocument,
    regions_of,
)
from kb_service.domain.ports import (
    Embedder,
    EmbeddingProfile,
    IndexChange,
    IndexedChunk,
    StoredChunk,
    Vector,
)
from kb_service.domain.queries import Filters
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.evaluation.questions import (
    LabelledQuestion,
    RelevantPlace,
    Row,
    enumerate_rows,
    question_of,
)
from kb_service.language.units import marked

KB = "kb_benchmark"
SHA256 = "0" * 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)
READING_SETS = ("dev/zh_cmrc2018_trial", "dev/zh_drcd", "dev/en_squad", "dev/en_covidqa")
EVIDENCE_SETS = ("dev/en_expmrc_evidence",)
DEMO_SETS = {
    "demo/en_ntsb_qa": "demo/en_ntsb_docs",
    "demo/zh_synth_incident_qa": "demo/zh_synth_incident_docs",
    "dev/zh_law_article_lookup": "demo/zh_safety_law_docs",
}
ALL_SETS = (*READING_SETS, *EVIDENCE_SETS, *DEMO_SETS)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A question set and the documents (id -> title, text) it was asked of.

    `places`: question id -> where its answers stand in the text of its document, where known.
    """

    name: str
    documents: dict[str, tuple[str, str]]
    questions: list[LabelledQuestion]
    places: dict[str, tuple[TextSpan, ...]]


def load_corpus(data: Path, name: str) -> Corpus:
    """Return a set by name. `data`: the folder with dev/ and demo/."""
    if name in DEMO_SETS:
        return demo_corpus(data, name, DEMO_SETS[name])
    return reading_corpus(data, name)


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a JSON-lines file, packed or not."""
    return [row for _, row in enumerate_rows(path)]


def reading_rows(path: Path) -> list[Row]:
    """Return the rows of a reading set; CMRC 2018 has one whose question is blank, left out."""
    return [row for row in read_rows(path) if str(row["question"]).strip()]


def reading_corpus(data: Path, name: str) -> Corpus:
    """Return a reading set as a corpus."""
    return corpus_of_rows(name, reading_rows(data / f"{name}.jsonl.gz"))


def corpus_of_rows(name: str, rows: Sequence[Row]) -> Corpus:
    """Every distinct context of the rows is a document, and what answers its questions."""
    ids: dict[str, str] = {}
    documents: dict[str, tuple[str, str]] = {}
    asked = []
    for row in rows:
        context = str(row["context"])
        document_id = ids.setdefault(context, f"doc_{len(ids)}")
        documents[document_id] = (str(row["title"]), context)
        asked.append((question_of(row), document_id))
    questions = [_at(question, document_id) for question, document_id in asked]
    places = {q.id: _places(q.answers, documents[d][1]) for q, d in asked if q.is_answerable}
    return Corpus(name, documents, questions, places)


def demo_corpus(data: Path, name: str, documents_name: str) -> Corpus:
    """Every report is a document; questions about documents outside the set are left out."""
    documents = {
        str(row["doc"]): (str(row["title"]), _report_text(row))
        for row in read_rows(data / f"{documents_name}.jsonl.gz")
    }
    questions, places = [], {}
    for row in read_rows(data / f"{name}.jsonl.gz"):
        question = question_of(row)
        if any(place.document not in documents for place in question.relevant):
            continue
        questions.append(question)
        refs = row["refs"] if question.is_answerable else []
        if isinstance(refs, list) and refs and refs[0]["doc"] in documents:
            places[question.id] = _places([refs[0]["text"]], documents[refs[0]["doc"]][1])
    return Corpus(name, documents, questions, places)


def _at(question: LabelledQuestion, document_id: str) -> LabelledQuestion:
    relevant = (RelevantPlace(document_id),) if question.is_answerable else ()
    return replace(question, relevant=relevant)


def _report_text(row: Row) -> str:
    """Return the words of the report's file: the synthetic ones begin with their number."""
    return f"编号：{row['no']}\n\n{row['text']}" if "no" in row else str(row["text"])


def _places(answers: Sequence[str], text: str) -> tuple[TextSpan, ...]:
    found = {span for answer in answers if answer.strip() for span in occurrences(answer, text)}
    return tuple(sorted(found))


def occurrences(words: str, text: str) -> Iterator[TextSpan]:
    """Yield where the words stand in the text, whatever the white space between them."""
    pattern = r"\s*".join(re.escape(piece) for piece in re.findall(r"\S", words))
    for match in re.finditer(pattern, text):
        yield TextSpan(match.start(), match.end())


class MemoryBase:
    """An IndexSource, and the library of an answering service, over documents that stay."""

    def __init__(self, corpus: Corpus, embedder: Embedder | None) -> None:
        """Chunk the documents, and embed them unless there is nothing to embed with."""
        self._documents = corpus.documents
        owned = [
            (document_id, draft)
            for document_id, (title, text) in corpus.documents.items()
            for draft in SentenceChunker().chunk(_parsed(title, text), title)
        ]
        vectors: Sequence[Vector | None] = [None] * len(owned)
        if embedder is not None:
            vectors = embedder.embed_passages([draft.embedded_text for _, draft in owned])
        self._revisions = {name: number for number, name in enumerate(corpus.documents, start=1)}
        self._texts = {self._revisions[name]: text for name, (_, text) in corpus.documents.items()}
        self._marked: dict[int, MarkedText] = {}
        self._chunks: dict[int, tuple[IndexedChunk, ChunkDraft]] = {}
        self._by_document: dict[str, list[tuple[int, ChunkDraft]]] = defaultdict(list)
        for chunk_id, ((name, draft), vector) in enumerate(zip(owned, vectors, strict=True), 1):
            revision_id = self._revisions[name]
            chunk = IndexedChunk(chunk_id, revision_id, name, draft.prefix, draft.text, vector)
            self._chunks[chunk_id] = (chunk, draft)
            self._by_document[name].append((chunk_id, draft))

    @property
    def num_chunks(self) -> int:
        """Count of all chunks."""
        return len(self._chunks)

    def chunks_of(self, document_id: str) -> list[tuple[int, ChunkDraft]]:
        """Return ids and drafts of a document's chunks."""
        return self._by_document[document_id]

    def head(self, kb_id: str) -> int:
        """One change: everything."""
        return 1

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        """Nothing changes."""
        return []

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        """Return the chunks of one document."""
        return [chunk for chunk, _ in self._chunks.values() if chunk.revision_id == revision_id]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        """Yield every chunk."""
        return (chunk for chunk, _ in self._chunks.values())

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return the chunks asked for."""
        return {chunk_id: self._stored(chunk_id) for chunk_id in chunk_ids}

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        """No pages."""
        return [()] * len(found)

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        """Return the documents asked for by id, else every one."""
        return frozenset(filters.document_ids or self._documents)

    def get_kb(self, key: str) -> KnowledgeBase:
        """Return the one base."""
        return KnowledgeBase(key, key, "", len(self._documents), self.num_chunks, NOW, NOW)

    def stretches(
        self, places: Sequence[tuple[int, TextSpan]], margin: int
    ) -> list[MarkedText | None]:
        """Return words of the documents, marked when they are first asked for."""
        found: list[MarkedText | None] = []
        for number, span in places:
            if number not in self._marked:
                self._marked[number] = marked(self._texts[number])
            found.append(self._marked[number].around(span, margin))
        return found

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return one page without boxes."""
        return regions_of((Page(1, TextSpan(0, span.end), PageKind.TEXT),), span)

    def _stored(self, chunk_id: int) -> StoredChunk:
        chunk, draft = self._chunks[chunk_id]
        title = self._documents[chunk.document_id][0]
        owner = (chunk.document_id, chunk.revision_id, title)
        return StoredChunk(Chunk(chunk_id, KB, *owner, draft), SHA256)


def _parsed(title: str, text: str) -> ParsedDocument:
    return ParsedDocument(text, (Page(1, TextSpan(0, len(text)), PageKind.TEXT),), title=title)
