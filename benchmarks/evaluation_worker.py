"""One system on one question set, in a process of its own so that its memory is its own.

Reads a Task as JSON on standard input and writes its raw results as JSON on standard output.
Knows how each system is built; knows no interval and no table.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.memory_base import KB, Corpus, MemoryBase, load_corpus
from benchmarks.retrieval import Rankings, askable, open_retriever, random_level, rank_all
from kb_service.domain.ports import EmbeddingProfile, Generator, Reranker, Vector
from kb_service.evaluation.baselines import LexicalSentence, RandomSentence
from kb_service.evaluation.questions import sample
from kb_service.evaluation.resources import peak_memory_bytes
from kb_service.evaluation.trials import ask_all
from kb_service.generation.extractive import ExtractiveReader
from kb_service.model_parts import choose_generator, choose_reader
from kb_service.services.answering import AnsweringService
from kb_service.services.unkept import UnkeptAnswers
from kb_service.settings import LlmSettings, ReaderSettings, RerankSettings, RetrievalSettings
from retrievers.cross_encoder import load_reranker
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever
from retrievers.reranking import RerankPolicy

RANDOM_ORDER, LEXICAL, DENSE, HYBRID = "random order", "lexical", "dense", "hybrid"
RERANKED = "lexical + rerank"
RANDOM_SENTENCE, LEXICAL_SENTENCE, EXTRACTIVE = (
    "random sentence",
    "lexical sentence",
    "extractive-reader",
)


@dataclass(frozen=True, slots=True)
class Task:
    """What to measure. `system`: a retriever (`is_reader` false) or a reader of this module.

    `embedding`: model name or folder. `generator`: a folder that KB_LLM__MODEL may name; then
    `system` is its name. `limit`: questions of the seeded sample, None for all. `dense_weight`: of
    the hybrid, None for the policy's own; readers stand behind the service's default. `reranker`: a
    cross-encoder's folder, whose score counts with `rerank_weight`.
    """

    data: str
    set_name: str
    system: str
    is_reader: bool
    embedding: str
    seed: int
    limit: int | None = None
    generator: str = ""
    dense_weight: float | None = None
    reranker: str = ""
    rerank_weight: float = 1.0


class NoEmbedder:
    """An Embedder for a system without a dense leg: it has a name and makes no vectors."""

    profile = EmbeddingProfile("none", 1, "none")

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Raise: nothing of such a system is embedded."""
        raise NotImplementedError("a system without a dense leg embeds nothing")

    def embed_query(self, text: str) -> Vector:
        """Raise: nothing of such a system is embedded."""
        raise NotImplementedError("a system without a dense leg embeds nothing")


def perform(task: Task) -> dict[str, object]:
    """Return per-question results, the facts of the set and the peak memory of this process."""
    corpus = load_corpus(Path(task.data), task.set_name)
    asked = sample(corpus.questions, task.limit, task.seed)
    corpus = replace(corpus, questions=asked)
    has_vectors = task.is_reader or task.system not in (RANDOM_ORDER, LEXICAL, RERANKED)
    embedder = load_embedder(task.embedding) if has_vectors else None
    base = MemoryBase(corpus, embedder)
    if task.system == RANDOM_ORDER:
        measured = _ranking_body(random_level(corpus, base, askable(corpus, base)))
    else:
        reranker, read = _reranking(task)
        opened = open_retriever(base, embedder or NoEmbedder(), _policy(task), reranker, read)
        with opened as retriever:
            measure = _answers if task.is_reader else _rankings
            measured = measure(task, corpus, base, retriever)
    facts = {
        "questions": len(asked),
        "answerable": sum(question.is_answerable for question in asked),
        "unanswerable": sum(not question.is_answerable for question in asked),
        "documents": len(corpus.documents),
        "chunks": base.num_chunks,
    }
    return measured | {"facts": facts, "peak_memory_bytes": peak_memory_bytes()}


def _rankings(
    task: Task, corpus: Corpus, base: MemoryBase, retriever: HybridRetriever
) -> dict[str, object]:
    return _ranking_body(rank_all(corpus, base, retriever, askable(corpus, base)))


def _ranking_body(found: Rankings) -> dict[str, object]:
    return {"scores": found.by_chunk, "seconds": found.seconds}


def _answers(
    task: Task, corpus: Corpus, base: MemoryBase, retriever: HybridRetriever
) -> dict[str, object]:
    service = AnsweringService(
        retriever=retriever,
        find_base=base.get_kb,
        library=base,
        reader=choose_reader(ReaderSettings()).model,
        generator=_reader(task),
        answers=UnkeptAnswers(),
        settings=RetrievalSettings(),
    )
    outcomes = ask_all(corpus.questions, service, KB, lambda name, _: corpus.documents[name][1])
    rows = [
        {
            "id": outcome.question.id,
            "is_answerable": outcome.question.is_answerable,
            "status": outcome.status,
            "reason": outcome.reason,
            "seconds": outcome.seconds,
            "scores": outcome.scores,
        }
        for outcome in outcomes
    ]
    return {"outcomes": rows}


def _reranking(task: Task) -> tuple[Reranker | None, RerankPolicy]:
    """The reranker of the task, for a reader without one the service's default, or none."""
    default = RerankSettings()
    folder, weight = task.reranker, task.rerank_weight
    if task.is_reader and not folder:
        folder, weight = default.model, default.weight
    policy = RerankPolicy(default.candidates, weight)
    return load_reranker(Path(folder)) if folder else None, policy


def _policy(task: Task) -> FusionPolicy:
    if task.is_reader:
        return FusionPolicy(dense_weight=RetrievalSettings().dense_weight)
    if task.system in (LEXICAL, RERANKED):
        return FusionPolicy(dense_weight=0.0)
    if task.system.startswith(DENSE):
        return FusionPolicy(lexical_weight=0.0, is_pinning=False)
    weight = task.dense_weight
    return FusionPolicy() if weight is None else FusionPolicy(dense_weight=weight)


def _reader(task: Task) -> Generator:
    if task.generator:
        chosen = choose_generator(LlmSettings(model=task.generator))
        if chosen.problem:
            raise chosen.problem
        return chosen.model
    readers: dict[str, Generator] = {
        RANDOM_SENTENCE: RandomSentence(task.seed),
        LEXICAL_SENTENCE: LexicalSentence(),
        EXTRACTIVE: ExtractiveReader(),
    }
    return readers[task.system]


def main() -> None:
    """Perform the task on standard input."""
    task = Task(**json.load(sys.stdin))
    json.dump(perform(task), sys.stdout)


if __name__ == "__main__":
    main()
