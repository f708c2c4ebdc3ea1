"""Is a text found that is asked for in the other language? Words, meaning, both, and reranked.

Paragraphs of the Python documentation exist in English and in Chinese. The first sentence of one
side is the question; the base holds the other side of it among distractors of the same files, in
the second table beside distractors in the language of the question as well.

    python -m benchmarks.cross_language --data DIR [--model DIR] [--questions N]
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.memory_base import Corpus, MemoryBase, Row, read_rows
from benchmarks.retrieval import open_retriever, rank_all
from kb_service.domain.ports import Embedder, Reranker
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.questions import LabelledQuestion, RelevantPlace
from kb_service.settings import EmbeddingSettings, RerankSettings, RetrievalSettings
from retrievers.cross_encoder import load_reranker
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from retrievers.reranking import RerankPolicy

ROWS = "text/enzh_pydocs_parallel.jsonl.gz"
DISTRACTORS = 5
"""Paragraphs without a question for each that has one."""

_FIRST_SENTENCE = re.compile(r"^.+?(?:[。！？]|[.!?](?=\s|$))", re.DOTALL)
_MIN_CHARS = {"zh": 40, "en": 120}


def paired(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of prose in both languages, with more than one sentence."""
    return [
        row
        for row in rows
        if all(len(str(row[side])) >= least for side, least in _MIN_CHARS.items())
        and len(first_sentence(str(row["zh"]))) < len(str(row["zh"]))
    ]


def first_sentence(text: str) -> str:
    """Return the beginning of a text up to its first full stop."""
    found = _FIRST_SENTENCE.match(text)
    return found.group() if found else text


def cross_corpus(rows: Sequence[Row], asked: str, num_questions: int, *, is_mixed: bool) -> Corpus:
    """Return questions in the language `asked` about paragraphs of the other one.

    `is_mixed`: paragraphs without a question are there in both languages.
    """
    told = "en" if asked == "zh" else "zh"
    step = max(1, len(rows) // (num_questions * (1 + DISTRACTORS)))
    chosen = rows[::step][: num_questions * (1 + DISTRACTORS)]
    wanted = chosen[:: 1 + DISTRACTORS]
    documents = {str(row["id"]): ("", str(row[told])) for row in chosen}
    if is_mixed:
        others = (row for row in chosen if row not in wanted)
        documents |= {f"{row['id']} {asked}": ("", str(row[asked])) for row in others}
    questions = [_question(row, first_sentence(str(row[asked]))) for row in wanted]
    places = {str(r["id"]): (TextSpan(0, len(str(r[told]))),) for r in wanted}
    name = f"{asked} questions, {told} texts{', both languages beside' if is_mixed else ''}"
    return Corpus(name, documents, questions, places)


def _question(row: Row, text: str) -> LabelledQuestion:
    number = str(row["id"])
    return LabelledQuestion(number, text, (text,), relevant=(RelevantPlace(number),))


def policies(weight: float) -> Mapping[str, FusionPolicy]:
    """Return the systems by name."""
    return {
        "words": FusionPolicy(dense_weight=0.0),
        "meaning": FusionPolicy(lexical_weight=0.0, dense_weight=1.0),
        "both": FusionPolicy(dense_weight=weight),
    }


def found_in_five(
    corpus: Corpus, embedder: Embedder, weight: float, reranker: Reranker | None = None
) -> Iterator[tuple[str, float]]:
    """Yield the share of questions whose text is among the first five, by system."""
    base = MemoryBase(corpus, embedder)
    systems: dict[str, FusionPolicy] = {**policies(weight)}
    if reranker:
        systems["reranked"] = systems["both"]
    reranking = RerankPolicy(weight=RerankSettings().weight)
    for name, policy in systems.items():
        model = reranker if name == "reranked" else None
        with open_retriever(base, embedder, policy, model, reranking) as retriever:
            scores = rank_all(corpus, base, retriever, corpus.questions).by_document
        yield name, sum(score["hit@5"] for score in scores) / len(scores)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with text/")
    parser.add_argument("--model", default=EmbeddingSettings().model, help="embedding model")
    parser.add_argument("--reranker", default=RerankSettings().model, help="folder of a reranker")
    parser.add_argument("--weight", type=float, default=RetrievalSettings().dense_weight)
    parser.add_argument("--questions", type=int, default=40)
    options = parser.parse_args(arguments)
    embedder, rows = load_embedder(options.model), paired(read_rows(options.data / ROWS))
    reranker = load_reranker(Path(options.reranker))
    sys.stdout.write("| base | words | meaning | both | reranked |\n|---|---|---|---|---|\n")
    for asked in ("zh", "en"):
        for is_mixed in (False, True):
            corpus = cross_corpus(rows, asked, options.questions, is_mixed=is_mixed)
            shares = dict(found_in_five(corpus, embedder, options.weight, reranker))
            cells = " | ".join(f"{100 * share:.1f}" for share in shares.values())
            sys.stdout.write(f"| {corpus.name} | {cells} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
