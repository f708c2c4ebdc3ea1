"""hit@1/5/10 and MRR@10 of the lexical leg, the dense leg and the hybrid, with the real retriever.

Reads the question sets of the shared data, makes a knowledge base of the texts they were asked of,
and asks every answerable question. A hit is a chunk of the right document that holds the answer;
"document" rows count any chunk of the right document. Random: the expected value of a random order.

    python -m benchmarks.retrieval --data DIR [--model DIR] [--json FILE]
"""

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.chunking import SentenceChunker
from kb_service.domain.documents import (
    Chunk,
    ChunkDraft,
    Page,
    PageKind,
    ParsedDocument,
)
from kb_service.domain.ports import (
    Embedder,
    EmbeddingProfile,
    IndexChange,
    IndexedChunk,
    StoredChunk,
)
from kb_service.domain.queries import Filters, Query
from kb_service.domain.spans import TextSpan
from kb_service.settings import EmbeddingSettings
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever

KB = "kb_benchmark"
CUTOFFS = (1, 5, 10)
POLICIES = {
    "lexical": FusionPolicy(dense_weight=0.0, is_pinning=False),
    "dense": FusionPolicy(lexical_weight=0.0, is_pinning=False),
    "hybrid": FusionPolicy(),
}
READING_SETS = ("dev/zh_cmrc2018_trial", "dev/zh_drcd", "dev/en_squad")
DEMO_SETS = {
    "demo/en_ntsb_qa": "demo/en_ntsb_docs",
    "demo/zh_synth_incident_qa": "demo/zh_synth_incident_docs",
    "dev/zh_law_article_lookup": "demo/zh_safety_law_docs",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the document that answers it and the places of the answer in its text."""

    text: str
    document_id: str
    spans: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A question set and the documents (id -> title, text) it was asked of."""

    name: str
    documents: dict[str, tuple[str, str]]
    questions: list[Question]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: shares from 0 to 1. `unit`: `chunk` or `document`."""

    corpus: str
    num_chunks: int
    num_questions: int
    unit: str
    leg: str
    hit: dict[int, float]
    mrr: float
    query_ms: float


class FrozenSource:
    """An IndexSource over chunks that never change."""

    def __init__(self, chunks: Sequence[IndexedChunk], drafts: dict[int, ChunkDraft]) -> None:
        self._chunks = {chunk.chunk_id: chunk for chunk in chunks}
        self._drafts = drafts

    def head(self, kb_id: str) -> int:
        """One change: everything."""
        return 1

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        """Nothing changes."""
        return []

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        """Return the chunks of one document."""
        return [c for c in self._chunks.values() if c.revision_id == revision_id]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        """Yield every chunk."""
        return iter(self._chunks.values())

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return the chunks asked for."""
        return {chunk_id: self._stored(chunk_id) for chunk_id in chunk_ids}

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        """Return every document: the benchmark does not filter."""
        return frozenset(chunk.document_id for chunk in self._chunks.values())

    def _stored(self, chunk_id: int) -> StoredChunk:
        chunk = self._chunks[chunk_id]
        draft = self._drafts[chunk_id]
        owner = (chunk.document_id, chunk.revision_id, chunk.title)
        return StoredChunk(Chunk(chunk_id, KB, *owner, draft), "", ())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def reading_corpus(data: Path, name: str) -> Corpus:
    """Every distinct context of the file is a document."""
    rows = read_rows(data / f"{name}.jsonl.gz")
    ids: dict[str, str] = {}
    documents: dict[str, tuple[str, str]] = {}
    for row in rows:
        document_id = ids.setdefault(row["context"], f"doc_{len(ids)}")
        documents[document_id] = (row["title"], row["context"])
    questions = [
        _question(
            row, ids[row["context"]], [answer["text"] for answer in row["answers"]], documents
        )
        for row in rows
        if row["answerable"]
    ]
    return Corpus(name, documents, [question for question in questions if question.spans])


def demo_corpus(data: Path, name: str, documents_name: str) -> Corpus:
    """Every report is a document; questions about a single place in one report are asked."""
    documents = {
        row["doc"]: (row["title"], _report_text(row))
        for row in read_rows(data / f"{documents_name}.jsonl.gz")
    }
    questions = [
        _question(row, row["refs"][0]["doc"], [row["refs"][0]["text"]], documents)
        for row in read_rows(data / f"{name}.jsonl.gz")
        if row["answerable"] and row["refs"] and row["refs"][0]["doc"] in documents
    ]
    return Corpus(name, documents, [question for question in questions if question.spans])


def _report_text(row: dict[str, Any]) -> str:
    """Return the words of the report's file: the synthetic ones begin with their number."""
    return f"编号：{row['no']}\n\n{row['text']}" if "no" in row else str(row["text"])


def _question(
    row: dict[str, Any],
    document_id: str,
    answers: Sequence[str],
    documents: dict[str, tuple[str, str]],
) -> Question:
    text = documents[document_id][1]
    spans = {span for answer in answers if answer.strip() for span in occurrences(answer, text)}
    return Question(row["question"], document_id, tuple(sorted(spans)))


def occurrences(words: str, text: str) -> Iterator[TextSpan]:
    """Yield where the words stand in the text, whatever the white space between them."""
    pattern = r"\s*".join(re.escape(piece) for piece in re.findall(r"\S", words))
    for match in re.finditer(pattern, text):
        yield TextSpan(match.start(), match.end())


def indexed(corpus: Corpus, embedder: Embedder) -> tuple[FrozenSource, dict[str, list[ChunkDraft]]]:
    """Chunk and embed the documents of a corpus."""
    chunker = SentenceChunker()
    by_document = {
        document_id: chunker.chunk(_parsed(title, text), title)
        for document_id, (title, text) in corpus.documents.items()
    }
    owned = [(name, draft) for name, drafts in by_document.items() for draft in drafts]
    vectors = embedder.embed_passages([draft.embedded_text for _, draft in owned])
    revisions = {name: number for number, name in enumerate(by_document, start=1)}
    chunks = [
        IndexedChunk(chunk_id, revisions[name], name, draft.prefix, draft.text, vector)
        for chunk_id, ((name, draft), vector) in enumerate(zip(owned, vectors, strict=True), 1)
    ]
    drafts = {chunk_id: draft for chunk_id, (_, draft) in enumerate(owned, start=1)}
    return FrozenSource(chunks, drafts), by_document


def _parsed(title: str, text: str) -> ParsedDocument:
    return ParsedDocument(text, (Page(1, TextSpan(0, len(text)), PageKind.TEXT),), title=title)


def holds_answer(draft: ChunkDraft, question: Question) -> bool:
    """True when the chunk has an answer, or half of what fits of one that is longer than it."""
    for span in question.spans:
        shared = draft.span.overlap(span)
        if shared is not None and len(shared) >= min(len(span), 0.5 * len(draft.span)):
            return True
    return False


def measure(corpus: Corpus, embedder: Embedder) -> list[Row]:
    """Ask every question through every policy."""
    source, by_document = indexed(corpus, embedder)
    rows = _random_rows(corpus, by_document)
    for leg, policy in POLICIES.items():
        with tempfile.TemporaryDirectory() as folder:
            retriever = HybridRetriever(source, embedder, Path(folder), policy=policy)
            rows += _asked(corpus, retriever, leg, sum(map(len, by_document.values())))
            retriever.close()
    return rows


def _asked(corpus: Corpus, retriever: HybridRetriever, leg: str, num_chunks: int) -> list[Row]:
    retriever.retrieve(Query(KB, corpus.questions[0].text))
    ranks: dict[str, list[int]] = {"chunk": [], "document": []}
    started = time.perf_counter()
    for question in corpus.questions:
        items = retriever.retrieve(Query(KB, question.text, max(CUTOFFS))).items
        is_right = [item.chunk.document_id == question.document_id for item in items]
        has_answer = [
            right and holds_answer(item.chunk.draft, question)
            for right, item in zip(is_right, items, strict=True)
        ]
        ranks["chunk"].append(_first(has_answer))
        ranks["document"].append(_first(is_right))
    query_ms = 1000 * (time.perf_counter() - started) / len(corpus.questions)
    return [_row(corpus, num_chunks, unit, leg, found, query_ms) for unit, found in ranks.items()]


def _first(flags: Sequence[bool]) -> int:
    """Return the 1-based rank of the first True, 0 when there is none."""
    return flags.index(True) + 1 if True in flags else 0


def _row(
    corpus: Corpus, num_chunks: int, unit: str, leg: str, ranks: list[int], query_ms: float
) -> Row:
    num = len(ranks)
    hit = {k: sum(0 < rank <= k for rank in ranks) / num for k in CUTOFFS}
    mrr = sum(1 / rank for rank in ranks if rank) / num
    return Row(corpus.name, num_chunks, num, unit, leg, hit, mrr, query_ms)


def _random_rows(corpus: Corpus, by_document: dict[str, list[ChunkDraft]]) -> list[Row]:
    """Return what a random order of all chunks is expected to score."""
    total = sum(map(len, by_document.values()))
    good = {
        "chunk": [
            sum(holds_answer(draft, question) for draft in by_document[question.document_id])
            for question in corpus.questions
        ],
        "document": [len(by_document[question.document_id]) for question in corpus.questions],
    }
    rows = []
    for unit, counts in good.items():
        first = {k: _mean([_chance(n, total, k) for n in counts]) for k in range(11)}
        mrr = sum((first[k] - first[k - 1]) / k for k in range(1, 11))
        hit = {k: first[k] for k in CUTOFFS}
        rows.append(Row(corpus.name, total, len(counts), unit, "random", hit, mrr, 0.0))
    return rows


def _chance(num_good: int, total: int, k: int) -> float:
    """Return the probability that k chunks drawn without putting back hold a good one."""
    missed = 1.0
    for drawn in range(min(k, total)):
        missed *= max(total - drawn - num_good, 0) / (total - drawn)
    return 1.0 - missed


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a markdown table, in per cent."""
    lines = [
        "| set (chunks, questions) | unit | leg | hit@1 | hit@5 | hit@10 | MRR@10 | ms/query |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: (row.corpus, row.unit)):
        name = f"{row.corpus} ({row.num_chunks}, {row.num_questions})"
        hits = " | ".join(f"{100 * row.hit[k]:.1f}" for k in CUTOFFS)
        speed = f"{row.query_ms:.1f}" if row.query_ms else "–"
        lines.append(f"| {name} | {row.unit} | {row.leg} | {hits} | {row.mrr:.3f} | {speed} |")
    return "\n".join(lines)


def main() -> int:
    """Measure every set and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the shared data folder")
    parser.add_argument("--model", default=EmbeddingSettings().model, help="embedding model")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    embedder = load_embedder(arguments.model)
    corpora = [reading_corpus(arguments.data, name) for name in READING_SETS]
    corpora += [demo_corpus(arguments.data, *names) for names in DEMO_SETS.items()]
    rows = [row for corpus in corpora for row in measure(corpus, embedder)]
    sys.stdout.write(table(rows) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
