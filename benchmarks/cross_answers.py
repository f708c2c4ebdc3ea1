"""Is a question answered that is asked in the other language than its paper? The whole way.

The papers and questions of cross_papers.toml, all papers in one base, both languages beside each
other. `found`: the right paper is among the first five; `right`: the answer has the words that
answer. Questions about what no paper has must be refused.

    python -m benchmarks.cross_answers [--show] [--papers FILE]
"""

import argparse
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory_base import KB, NOW, Corpus, MemoryBase
from benchmarks.retrieval import open_retriever
from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.evaluation.wording import compact
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.messages import language_of
from kb_service.model_parts import choose_reader
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.services.unkept import UnkeptAnswers
from kb_service.settings import (
    EmbeddingSettings,
    ReaderSettings,
    RerankSettings,
    RetrievalSettings,
)
from retrievers.cross_encoder import load_reranker
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from retrievers.reranking import RerankPolicy

PAPERS = Path(__file__).with_name("cross_papers.toml")
FIRST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the name of its paper, and the words of which any answers; no paper: refuse."""

    text: str
    paper: str = ""
    right: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """What it is counted with."""
        language = language_of(self.text)
        return f"{language} questions" if self.paper else f"{language} questions, nothing there"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question."""

    asked: Asked
    is_found: bool
    answer: Answer

    @property
    def is_refused(self) -> bool:
        return self.answer.status is AnswerStatus.REFUSED

    @property
    def is_right(self) -> bool:
        """True for an answer with the words, or a refusal where nothing is there."""
        if not self.asked.paper or self.is_refused:
            return self.is_refused and not self.asked.paper
        said = compact(self.answer.answer)
        return any(compact(words) in said for words in self.asked.right)


def read_papers(path: Path) -> tuple[dict[str, tuple[str, str]], list[Asked]]:
    """Return the papers, name -> (title, text), and what is asked of them."""
    read: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    papers = {p["name"]: (Path(p["name"]).stem, p["text"].strip()) for p in read["papers"]}
    asked = [
        Asked(question["asked"], paper["name"], tuple(question["right"]))
        for paper in read["papers"]
        for question in paper["questions"]
    ]
    return papers, asked + [Asked(text) for group in read["unknown"] for text in group["asked"]]


@contextmanager
def opened(papers: dict[str, tuple[str, str]]) -> Iterator[AnsweringService]:
    """Yield the service as it is served by default, over a base in memory."""
    embedder, rerank = load_embedder(EmbeddingSettings().model, num_threads=1), RerankSettings()
    base = MemoryBase(Corpus("papers", papers, [], {}), embedder)
    policy = FusionPolicy(dense_weight=RetrievalSettings().dense_weight)
    read = RerankPolicy(rerank.candidates, rerank.weight)
    with open_retriever(
        base, embedder, policy, load_reranker(Path(rerank.model)), read
    ) as retriever:
        yield AnsweringService(
            retriever=retriever,
            find_base=base.get_kb,
            library=base,
            reader=choose_reader(ReaderSettings(threads=1)).model,
            generator=ExtractiveReader(),
            answers=UnkeptAnswers(),
            settings=RetrievalSettings(),
            clock=lambda: NOW,
        )


def outcomes(service: AnsweringService, asked: Sequence[Asked]) -> Iterator[Outcome]:
    """Yield what becomes of each question."""
    for one in asked:
        answer = service.ask(AskRequest(KB, one.text))
        found = [passage.document_id for passage in answer.passages]
        yield Outcome(one, one.paper in list(dict.fromkeys(found))[:FIRST], answer)


def table(all_of: Sequence[Outcome]) -> str:
    """Return a row a group."""
    rows = ["| questions | n | found | right | refused | refused: subject unknown |"]
    rows.append("|---|---|---|---|---|---|")
    for group in dict.fromkeys(one.asked.group for one in all_of):
        of = [one for one in all_of if one.asked.group == group]
        found, right, refused = (
            sum(values)
            for values in zip(*((o.is_found, o.is_right, o.is_refused) for o in of), strict=True)
        )
        unknown = sum(one.answer.reason == "subject_unknown" for one in of)
        rows.append(f"| {group} | {len(of)} | {found} | {right} | {refused} | {unknown} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and each question with its answer when asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--papers", type=Path, default=PAPERS)
    parser.add_argument("--show", action="store_true", help="print every answer")
    options = parser.parse_args(arguments)
    papers, asked = read_papers(options.papers)
    with opened(papers) as service:
        found = []
        for one in outcomes(service, asked):
            found.append(one)
            if options.show:
                mark = "ok" if one.is_right else "--"
                said = one.answer.answer.replace("\n", " ")[:100]
                missing = ",".join(one.answer.missing)
                why = f"{one.answer.reason} {missing}"
                sys.stdout.write(f"{mark} {one.is_found:d} {one.asked.text} | {why} | {said}\n")
                sys.stdout.flush()
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
