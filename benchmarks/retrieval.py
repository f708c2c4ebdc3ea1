"""How well the real retriever finds: lexical leg, dense leg and hybrid, by chunk and by document.

Makes a base of the texts of a question set and asks every answerable question. By chunk, relevant
is a chunk of the right document that holds the answer; by document, any chunk of it. Random order:
the expected value, worked out, not sampled.

    python -m benchmarks.retrieval --data DIR [--model DIR] [--set NAME …] [--json FILE]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.memory_base import ALL_SETS, KB, Corpus, MemoryBase, load_corpus
from kb_service.domain.documents import ChunkDraft
from kb_service.domain.ports import Embedder, Reranker
from kb_service.domain.queries import Query, ScoredChunk
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.ranking import DEPTH, Scores, expected_scores, score_found
from kb_service.evaluation.report import Report, SetReport, report_json, report_markdown
from kb_service.evaluation.resampling import Resampling
from kb_service.evaluation.summaries import summarise_rankings
from kb_service.language.asked import parse_question
from kb_service.settings import EmbeddingSettings
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever
from retrievers.reranking import RerankPolicy

POLICIES = {
    "lexical": FusionPolicy(dense_weight=0.0, is_pinning=False),
    "dense": FusionPolicy(lexical_weight=0.0, is_pinning=False),
    "hybrid": FusionPolicy(),
}
RANDOM = "random order"


@dataclass(frozen=True, slots=True)
class Rankings:
    """Per-question scores of one system, in the order of the questions; seconds per question."""

    by_chunk: list[Scores] = field(default_factory=list)
    by_document: list[Scores] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def placed_questions(corpus: Corpus) -> list[LabelledQuestion]:
    """Return the questions whose answer stands somewhere in the documents."""
    return [q for q in corpus.questions if q.is_answerable and corpus.places.get(q.id)]


def relevant_chunks(question: LabelledQuestion, corpus: Corpus, base: MemoryBase) -> set[int]:
    """Return the chunks of the question's first document that hold an answer."""
    places = corpus.places[question.id]
    chunks = base.chunks_of(question.relevant[0].document)
    return {chunk_id for chunk_id, draft in chunks if holds_answer(draft, places)}


def holds_answer(draft: ChunkDraft, places: Sequence[TextSpan]) -> bool:
    """True when the chunk has an answer, or half of what fits of one that is longer than it."""
    for span in places:
        shared = draft.span.overlap(span)
        if shared is not None and len(shared) >= min(len(span), 0.5 * len(draft.span)):
            return True
    return False


def askable(corpus: Corpus, base: MemoryBase) -> list[LabelledQuestion]:
    """Return the placed questions that some chunk answers."""
    return [q for q in placed_questions(corpus) if relevant_chunks(q, corpus, base)]


def random_level(
    corpus: Corpus, base: MemoryBase, questions: Sequence[LabelledQuestion]
) -> Rankings:
    """Return what a random order of all chunks, and of all documents, is expected to score."""
    level = Rankings()
    for question in questions:
        num_good = len(relevant_chunks(question, corpus, base))
        level.by_chunk.append(expected_scores(num_good, base.num_chunks))
        num_relevant = len(question.relevant)
        level.by_document.append(expected_scores(num_relevant, len(corpus.documents)))
    return level


def rank_all(
    corpus: Corpus,
    base: MemoryBase,
    retriever: HybridRetriever,
    questions: Sequence[LabelledQuestion],
) -> Rankings:
    """Ask every question."""
    rankings = Rankings()
    for question in questions:
        began = time.perf_counter()
        items = retriever.retrieve(Query(KB, parse_question(question.text), DEPTH)).items
        rankings.seconds.append(time.perf_counter() - began)
        chunks = relevant_chunks(question, corpus, base)
        rankings.by_chunk.append(score_found([item.chunk.id for item in items], chunks))
        rankings.by_document.append(_by_document(question, items))
    return rankings


def _by_document(question: LabelledQuestion, items: Sequence[ScoredChunk]) -> Scores:
    relevant = {place.document for place in question.relevant}
    return score_found([item.chunk.document_id for item in items], relevant)


@contextmanager
def open_retriever(
    base: MemoryBase,
    embedder: Embedder,
    policy: FusionPolicy,
    reranker: Reranker | None = None,
    rerank_policy: RerankPolicy | None = None,
) -> Iterator[HybridRetriever]:
    """Yield the product's retriever over a base, its indexes built."""
    with tempfile.TemporaryDirectory() as folder:
        retriever = HybridRetriever(
            base,
            embedder,
            Path(folder),
            policy=policy,
            reranker=lambda: reranker,
            rerank_policy=rerank_policy,
        )
        retriever.retrieve(Query(KB, parse_question("warm up")))
        yield retriever
        retriever.close()


def measure(corpus: Corpus, embedder: Embedder, resampling: Resampling) -> list[SetReport]:
    """Ask every question through every policy; one part by chunk, one by document."""
    base = MemoryBase(corpus, embedder)
    questions = askable(corpus, base)
    found = {RANDOM: random_level(corpus, base, questions)}
    for name, policy in POLICIES.items():
        with open_retriever(base, embedder, policy) as retriever:
            found[name] = rank_all(corpus, base, retriever, questions)
    facts = {"questions": len(questions), "documents": len(corpus.documents)}
    facts["chunks"] = base.num_chunks
    units: dict[str, Callable[[Rankings], list[Scores]]]
    units = {"chunk": lambda r: r.by_chunk, "document": lambda r: r.by_document}
    return [
        SetReport(
            f"{corpus.name} by {unit}",
            facts,
            [summarise_rankings(n, of(r), resampling, r.seconds) for n, r in found.items()],
        )
        for unit, of in units.items()
    ]


def main() -> int:
    """Measure every set and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the shared data folder")
    parser.add_argument("--model", default=EmbeddingSettings().model, help="embedding model")
    parser.add_argument("--set", dest="sets", action="append", choices=ALL_SETS)
    parser.add_argument("--json", type=Path, help="also write the report to this file")
    arguments = parser.parse_args()
    embedder = load_embedder(arguments.model)
    resampling = Resampling()
    parts = [
        part
        for name in arguments.sets or ALL_SETS
        for part in measure(load_corpus(arguments.data, name), embedder, resampling)
    ]
    run: dict[str, str | int] = {"embedding model": embedder.profile.name, "seed": resampling.seed}
    report = Report("Retrieval", run, parts)
    sys.stdout.write(report_markdown(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report_json(report)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
