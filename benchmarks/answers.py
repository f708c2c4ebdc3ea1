"""How well questions are answered: containment, span F1, refusals, citations.

    python -m benchmarks.answers --data DIR [--set NAME …] [--limit N] [--failures FILE]

The real answering service with the extractive reader over the real chunker; documents are taken as
text. Ranking is BM25 over the product's own index terms, written out here so that the numbers
belong to gate, reader and citations and not to an embedding model.
"""

import argparse
import gzip
import json
import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.chunking import SentenceChunker
from ingest.limits import ParseLimits
from ingest.pdf import PdfLoader
from kb_service.domain.answers import Answer, AnswerAudit, Conversation
from kb_service.domain.documents import (
    Chunk,
    KnowledgeBase,
    Page,
    PageKind,
    ParsedDocument,
    Revision,
    regions_of,
)
from kb_service.domain.errors import NotFound
from kb_service.domain.queries import Query, RetrievalResult, ScoredChunk
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.text import CJK, index_terms, normalise
from kb_service.generation.extractive import ExtractiveReader
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.settings import RetrievalSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
K1, B = 1.2, 0.75
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with its gold answers; none when the documents do not answer it."""

    text: str
    answers: tuple[str, ...]
    kind: str


@dataclass
class Shelf:
    """Documents in memory: the library, the answer log and a BM25 retriever in one."""

    chunks: dict[int, Chunk] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    frequencies: dict[int, Counter[str]] = field(default_factory=dict)
    postings: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, title: str, text: str) -> None:
        """Chunk and index one document."""
        page = Page(1, TextSpan(0, len(text)), PageKind.TEXT)
        revision_id = len(self.texts) + 1
        self.texts[name] = text
        for draft in SentenceChunker().chunk(ParsedDocument(text, (page,)), title):
            chunk = Chunk(len(self.chunks) + 1, "kb", name, revision_id, title, draft)
            self.chunks[chunk.id] = chunk
            counts = Counter(index_terms(f"{draft.prefix}\n{draft.text}"))
            self.frequencies[chunk.id] = counts
            for term in counts:
                self.postings[term].append(chunk.id)

    def retrieve(self, query: Query) -> RetrievalResult:
        """Rank chunks by BM25."""
        scores: dict[int, float] = defaultdict(float)
        average = sum(c.total() for c in self.frequencies.values()) / len(self.frequencies)
        for term, weight in self.idf("kb", set(index_terms(query.text))).items():
            for chunk_id in self.postings.get(term, ()):
                counts = self.frequencies[chunk_id]
                norm = K1 * (1 - B + B * counts.total() / average)
                scores[chunk_id] += weight * counts[term] * (K1 + 1) / (counts[term] + norm)
        wanted = query.filters.document_ids
        ranked = [
            (chunk_id, score)
            for chunk_id, score in sorted(scores.items(), key=lambda pair: -pair[1])
            if not wanted or self.chunks[chunk_id].document_id in wanted
        ][: query.top_k]
        items = (
            ScoredChunk(self.chunks[i], "0" * 64, score, {"lexical": n}, {"lexical": score})
            for n, (i, score) in enumerate(ranked, start=1)
        )
        return RetrievalResult(tuple(items), {})

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """Return BM25 rarities."""
        num = len(self.chunks)
        return {
            term: math.log(1 + (num - found + 0.5) / (found + 0.5))
            for term in terms
            for found in [len(self.postings.get(term, ()))]
        }

    def refresh(self, kb_id: str) -> None:
        """Nothing to do: it is always fresh."""

    drop = refresh

    def get_kb(self, key: str) -> KnowledgeBase:
        """Return the one base."""
        return KnowledgeBase(key, key, "", len(self.texts), len(self.chunks), NOW, NOW)

    def revision_text(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Revision, str]:
        """Return a document's text."""
        text = self.texts[document_id]
        return Revision(1, document_id, "0" * 64, len(text), "text/plain", 1, 1, NOW), text

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return one page without boxes."""
        return regions_of((Page(1, TextSpan(0, span.end), PageKind.TEXT),), span)

    def new_answer_id(self) -> str:
        """Return a constant: nothing is kept."""
        return "ans_0"

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Know no conversation."""
        raise NotFound(conversation_id)

    def save_turn(self, answer: Answer, audit: AnswerAudit) -> Answer:
        """Keep nothing."""
        return answer


def rows_of(path: Path) -> list[Row]:
    """Read a compressed JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def load_demo(data: Path, docs: str, questions: str) -> tuple[Shelf, list[QuestionRow]]:
    """Load a demo set: documents as a base, questions with one gold answer."""
    shelf = Shelf()
    for row in rows_of(data / "demo" / docs):
        markdown = data / "demo" / "md" / "zh_synth" / f"{row['doc']}.md"
        text = markdown.read_text(encoding="utf-8") if markdown.is_file() else row["text"]
        shelf.add(row["doc"], row["title"], text)
    asked = [
        QuestionRow(r["question"], (r["answer"],) if r["answerable"] else (), r["qtype"])
        for r in rows_of(data / "demo" / questions)
    ]
    return shelf, asked


def load_pdfs(data: Path, folder: str, questions: str) -> tuple[Shelf, list[QuestionRow]]:
    """Load a demo set from its PDFs; questions on documents without a text layer are left out."""
    loader, shelf, unreadable = PdfLoader(ParseLimits()), Shelf(), set()
    for path in sorted((data / "demo" / "pdf" / folder).glob("*.pdf")):
        *_, parsed = loader.load(path, path.name, "application/pdf")
        if not isinstance(parsed, ParsedDocument):
            raise RuntimeError(f"the loader ended {path.name} without a document")
        if parsed.text.strip():
            shelf.add(path.stem, parsed.title or path.name, parsed.text)
        else:
            unreadable.add(path.stem)
    asked = [
        QuestionRow(r["question"], (r["answer"],) if r["answerable"] else (), r["qtype"])
        for r in rows_of(data / "demo" / questions)
        if not unreadable & {Path(doc).name for doc in r["docs"]}
    ]
    return shelf, asked


def load_squad_like(path: Path) -> tuple[Shelf, list[QuestionRow]]:
    """Load contexts with their questions."""
    shelf, asked = Shelf(), []
    names: dict[str, str] = {}
    for row in rows_of(path):
        if row["context"] not in names:
            names[row["context"]] = f"doc{len(names)}"
            shelf.add(names[row["context"]], row["title"], row["context"])
        golds = tuple(a["text"] for a in row["answers"]) if row["answerable"] else ()
        kind = "answerable" if row["answerable"] else "unanswerable"
        asked.append(QuestionRow(row["question"], golds, kind))
    return shelf, asked


def tokens_of(text: str) -> list[str]:
    """CMRC 2018 evaluation: each CJK character alone, Latin words whole, no punctuation."""
    return re.findall(f"[{CJK}]|[^\\W_{CJK}]+", normalise(text))


def span_f1(prediction: str, golds: Sequence[str]) -> float:
    """CMRC 2018 F1: longest common run of tokens, best over golds."""
    return max((_lcs_f1(tokens_of(prediction), tokens_of(gold)) for gold in golds), default=0.0)


def _lcs_f1(left: list[str], right: list[str]) -> float:
    longest, before = 0, [0] * (len(right) + 1)
    for a in left:
        row = [0] * (len(right) + 1)
        for j, b in enumerate(right):
            if a == b:
                row[j + 1] = before[j] + 1
                longest = max(longest, row[j + 1])
        before = row
    return 2 * longest / (len(left) + len(right)) if longest else 0.0


def contains(answer: str, golds: Sequence[str]) -> bool:
    """True when some gold stands in the answer; case, white space and width do not count."""
    compact = "".join(normalise(answer).split())
    return any("".join(normalise(gold).split()) in compact for gold in golds)


@dataclass
class Score:
    """Sums of one group of questions."""

    num: int = 0
    refused: int = 0
    contained: int = 0
    f1: float = 0.0
    exact: int = 0
    bad_quotes: int = 0
    seconds: float = 0.0
    chars: int = 0

    def add(self, row: QuestionRow, answer: Answer, seconds: float, shelf: Shelf) -> None:
        """Count one answer."""
        words = answer.highlight.of(answer.answer) if answer.highlight else answer.answer
        self.num += 1
        self.seconds += seconds
        self.refused += answer.status == "refused"
        if answer.status != "refused":
            self.chars += len(answer.answer)
            self.contained += contains(answer.answer, row.answers)
            self.f1 += span_f1(words, row.answers)
            self.exact += any(tokens_of(words) == tokens_of(gold) for gold in row.answers)
        self.bad_quotes += sum(
            c.source.of(shelf.texts[c.document_id]) != c.cited_text for c in answer.citations
        )

    def line(self, name: str) -> str:
        """Return a row of the table."""
        n = max(1, self.num)
        shares = (self.contained, self.refused, self.f1, self.exact)
        numbers = " | ".join(f"{100 * share / n:5.1f}" for share in shares)
        chars = self.chars / max(1, self.num - self.refused)
        milliseconds = 1000 * self.seconds / n
        sizes = f"{chars:.0f} | {milliseconds:.0f} | {self.bad_quotes}"
        return f"| {name} | {self.num} | {numbers} | {sizes} |"


HEADER = (
    "| set | n | contains % | refused % | span F1 | span EM | chars | ms | wrong quotes |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def evaluate(
    shelf: Shelf, rows: Sequence[QuestionRow]
) -> Iterator[tuple[QuestionRow, Answer, float]]:
    """Ask every question."""
    service = AnsweringService(
        retriever=shelf,
        catalog=shelf,
        generator=ExtractiveReader(),
        answers=shelf,
        settings=RetrievalSettings(),
    )
    for row in rows:
        began = time.perf_counter()
        answer = service.ask(AskRequest("kb", row.text))
        yield row, answer, time.perf_counter() - began


def sets_of(data: Path) -> dict[str, Any]:
    """Return the loader of each set by name."""
    dev = {p.name.split(".")[0]: p for p in sorted((data / "dev").glob("*.jsonl.gz"))}
    train = {p.name.split(".")[0]: p for p in sorted((data / "train").glob("*.jsonl.gz"))}
    squad_like = {
        "dev/zh_cmrc2018_trial": dev.get("zh_cmrc2018_trial"),
        "dev/zh_drcd": dev.get("zh_drcd"),
        "dev/en_squad": dev.get("en_squad"),
        "train/zh_cmrc2018": train.get("zh_cmrc2018"),
        "train/zh_drcd": train.get("zh_drcd"),
        "train/en_squad": train.get("en_squad"),
    }
    loaders: dict[str, Any] = {
        "demo/ntsb": lambda: load_demo(data, "en_ntsb_docs.jsonl.gz", "en_ntsb_qa.jsonl.gz"),
        "demo/zh_synth": lambda: load_demo(
            data, "zh_synth_incident_docs.jsonl.gz", "zh_synth_incident_qa.jsonl.gz"
        ),
    }
    loaders["demo/ntsb_pdf"] = lambda: load_pdfs(data, "ntsb", "en_ntsb_qa.jsonl.gz")
    loaders["demo/zh_synth_pdf"] = lambda: load_pdfs(
        data, "zh_synth", "zh_synth_incident_qa.jsonl.gz"
    )
    for name, path in squad_like.items():
        if path is not None:
            loaders[name] = lambda path=path: load_squad_like(path)
    return loaders


def main() -> None:
    """Print one table row per set and per kind of question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="sets", action="append")
    parser.add_argument("--limit", type=int, default=300, help="questions per set, seeded sample")
    parser.add_argument("--failures", type=Path)
    options = parser.parse_args()
    failures: list[Row] = []
    print(HEADER)
    loaders = sets_of(options.data)
    for name in options.sets or [n for n in loaders if not n.startswith("train/")]:
        shelf, rows = loaders[name]()
        if not name.startswith("demo/"):
            rows = random.Random(7).sample(rows, min(options.limit, len(rows)))
        scores: dict[str, Score] = defaultdict(Score)
        for row, answer, seconds in evaluate(shelf, rows):
            groups = ("answerable" if row.answers else "unanswerable", row.kind)
            for group in dict.fromkeys(groups):
                scores[group].add(row, answer, seconds, shelf)
            if (row.answers and not contains(answer.answer, row.answers)) or (
                not row.answers and answer.status != "refused"
            ):
                failures.append(
                    {"set": name, "kind": row.kind, "question": row.text, "gold": row.answers,
                     "answer": answer.answer, "reason": answer.reason}
                )  # fmt: skip
        for group in sorted(scores):
            print(scores[group].line(f"{name} {group}"), flush=True)
    if options.failures:
        lines = (json.dumps(failure, ensure_ascii=False) for failure in failures)
        options.failures.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
