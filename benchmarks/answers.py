"""How well the extractive reader answers, kind by kind: wording, refusals, citations.

    python -m benchmarks.answers --data DIR [--set NAME …] [--limit N] [--failures FILE]

The real answering service with the extractive reader over the real chunker; documents are taken as
text. Ranking is BM25 over the product's own index terms, written out here so that the numbers
belong to gate, reader and citations and not to an embedding model.
"""

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.memory_base import NOW, read_rows, reading_rows
from ingest.chunking import SentenceChunker
from ingest.limits import ParseLimits
from ingest.pdf import PdfLoader
from kb_service.domain.documents import (
    Chunk,
    KnowledgeBase,
    Page,
    PageKind,
    ParsedDocument,
    regions_of,
)
from kb_service.domain.queries import Query, RetrievalResult, ScoredChunk
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import LabelledQuestion, question_of, read_questions, sample
from kb_service.evaluation.report import Report, SetReport, report_markdown
from kb_service.evaluation.resampling import DEFAULT_SEED, Resampling
from kb_service.evaluation.summaries import summarise_answers
from kb_service.evaluation.trials import UnkeptAnswers, ask_all
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.identifiers import names_whole
from kb_service.language.text import index_terms, normalise
from kb_service.language.units import marked
from kb_service.model_parts import choose_reader
from kb_service.services.answering import AnsweringService
from kb_service.settings import ReaderSettings, RetrievalSettings

K1, B = 1.2, 0.75
DEMO_SETS = {"ntsb": "en_ntsb", "zh_synth": "zh_synth_incident"}
READING_SETS = (
    "dev/zh_cmrc2018_trial",
    "dev/zh_drcd",
    "dev/en_squad",
    "train/zh_cmrc2018",
    "train/zh_drcd",
    "train/en_squad",
)
Loaded = tuple["Shelf", list[LabelledQuestion]]


@dataclass
class Shelf:
    """Documents in memory: the library and a BM25 retriever in one."""

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
        for term, weight in self.idf("kb", set(query.question.words)).items():
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

    rebuild = drop = refresh

    def get_kb(self, key: str) -> KnowledgeBase:
        """Return the one base."""
        return KnowledgeBase(key, key, "", len(self.texts), len(self.chunks), NOW, NOW)

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Look the names up in the whole texts."""
        folded = {document_id: normalise(self.texts[document_id]) for document_id in document_ids}
        return {
            name: frozenset(d for d, text in folded.items() if names_whole(text, name))
            for name in names
        }

    def stretches(
        self, places: Sequence[tuple[int, TextSpan]], margin: int
    ) -> list[MarkedText | None]:
        """Return words of the documents; a revision's id is its document's number from 1 on."""
        texts = list(self.texts.values())
        return [marked(texts[number - 1]).around(span, margin) for number, span in places]

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return one page without boxes."""
        return regions_of((Page(1, TextSpan(0, span.end), PageKind.TEXT),), span)


def load_demo(data: Path, docs: str, questions: str) -> Loaded:
    """Load a demo set: documents as a base, questions with one gold answer."""
    shelf = Shelf()
    for row in read_rows(data / "demo" / docs):
        markdown = data / "demo" / "md" / "zh_synth" / f"{row['doc']}.md"
        text = markdown.read_text(encoding="utf-8") if markdown.is_file() else str(row["text"])
        shelf.add(str(row["doc"]), str(row["title"]), text)
    return shelf, read_questions(data / "demo" / questions)


def load_pdfs(data: Path, folder: str, questions: str) -> Loaded:
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
        question_of(row)
        for row in read_rows(data / "demo" / questions)
        if isinstance(row["docs"], list) and not unreadable & {Path(d).name for d in row["docs"]}
    ]
    return shelf, asked


def load_squad_like(path: Path) -> Loaded:
    """Load contexts with their questions."""
    shelf, asked = Shelf(), []
    names: dict[str, str] = {}
    for row in reading_rows(path):
        context = str(row["context"])
        if context not in names:
            names[context] = f"doc{len(names)}"
            shelf.add(names[context], str(row["title"]), context)
        asked.append(question_of(row))
    return shelf, asked


def sets_of(data: Path) -> dict[str, Callable[[], Loaded]]:
    """Return the loader of each set by name."""
    loaders: dict[str, Callable[[], Loaded]] = {}
    for name, files in DEMO_SETS.items():
        docs, asked = f"{files}_docs.jsonl.gz", f"{files}_qa.jsonl.gz"
        loaders[f"demo/{name}"] = partial(load_demo, data, docs, asked)
        loaders[f"demo/{name}_pdf"] = partial(load_pdfs, data, name, asked)
    for name in READING_SETS:
        path = data / f"{name}.jsonl.gz"
        if path.is_file():
            loaders[name] = partial(load_squad_like, path)
    return loaders


def evaluate(shelf: Shelf, questions: Sequence[LabelledQuestion]) -> list[Outcome]:
    """Ask every question of the real answering service."""
    service = AnsweringService(
        retriever=shelf,
        find_base=shelf.get_kb,
        library=shelf,
        reader=choose_reader(ReaderSettings()).model,
        generator=ExtractiveReader(),
        answers=UnkeptAnswers(),
        settings=RetrievalSettings(),
    )
    return ask_all(questions, service, "kb", lambda document_id, _: shelf.texts[document_id])


def set_report(name: str, outcomes: Sequence[Outcome], resampling: Resampling) -> SetReport:
    """Return a row for all questions and one for each kind."""
    groups: dict[str, list[Outcome]] = {"all": list(outcomes)}
    for outcome in outcomes:
        label = "answerable" if outcome.question.is_answerable else "unanswerable"
        groups.setdefault(outcome.question.kind or label, []).append(outcome)
    shown = groups if len(groups) > 2 else {"all": groups["all"]}
    rows = [summarise_answers(kind, found, resampling) for kind, found in shown.items()]
    return SetReport(name, {"questions": len(outcomes)}, answers=rows)


def is_failure(outcome: Outcome) -> bool:
    """True when the gold words are not in the answer, or an unanswerable question got one."""
    if outcome.question.is_answerable:
        return not outcome.scores["contains"]
    return not outcome.is_refused


def main() -> None:
    """Print a table for each set, one row per kind of question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="sets", action="append")
    parser.add_argument("--limit", type=int, default=300, help="questions per set, seeded sample")
    parser.add_argument("--failures", type=Path)
    options = parser.parse_args()
    loaders, resampling = sets_of(options.data), Resampling()
    parts, failures = [], []
    for name in options.sets or [n for n in loaders if not n.startswith("train/")]:
        shelf, questions = loaders[name]()
        limit = None if name.startswith("demo/") else options.limit
        outcomes = evaluate(shelf, sample(questions, limit, DEFAULT_SEED))
        parts.append(set_report(name, outcomes, resampling))
        failures += [
            {"set": name, "kind": found.question.kind, "question": found.question.text,
             "gold": found.question.answers, "answer": found.answer, "reason": found.reason}
            for found in outcomes if is_failure(found)
        ]  # fmt: skip
    print(report_markdown(Report("Answers", {"seed": DEFAULT_SEED}, parts)))
    if options.failures:
        lines = (json.dumps(failure, ensure_ascii=False) for failure in failures)
        options.failures.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
