"""Questions with the candidates that our own lexical retriever finds for them, as token ids.

Knows the question sets, the leak check and the file that keeps the lists. Knows no tensors and no
model.

N questions, K candidates of a question (short lists are filled up with -1), X distinct texts.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from benchmarks.evaluation_worker import NoEmbedder
from benchmarks.memory_base import KB, Corpus, MemoryBase, corpus_of_rows
from benchmarks.retrieval import askable, relevant_chunks
from kb_service.domain.queries import Query
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.language.asked import parse_question
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever
from training.corpus import (
    LeakFilter,
    Row,
    held_out,
    read_rows,
    with_free_articles,
)
from training.reranker.recipe import HELD_OUT_SHARE, MAX_TOKENS, NUM_CANDIDATES

QUESTION_FILES = ("train/zh_cmrc2018", "train/zh_drcd", "train/en_squad", "train/en_covidqa")
ABSENT = -1
Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lists:
    """`tokens` and `ends` (X,): the texts one after the other and where each ends.

    `questions` (N,) and `candidates` (N, K): numbers of texts. `relevant` (N, K), `scores` (N, K):
    whether a candidate holds an answer, and its BM25 score. `sources` (N,): index into
    QUESTION_FILES. `is_held_out` (N,): of a document that nothing is learnt from.
    """

    tokens: Ints
    ends: Ints
    questions: Ints
    candidates: Ints
    relevant: Flags
    scores: Floats
    sources: Ints
    is_held_out: Flags

    def text(self, number: int) -> Ints:
        """The token ids of a text."""
        start = int(self.ends[number - 1]) if number else 0
        return self.tokens[start : int(self.ends[number])]


def free_rows(data: Path, name: str, held: LeakFilter) -> tuple[list[Row], int]:
    """Answerable rows of a file that share nothing with a held-out set, and how many do."""
    rows = [row for row in read_rows(data / f"{name}.jsonl.gz") if row["answerable"]]
    if name.endswith("covidqa"):
        rows = with_free_articles(rows)
    leaks: dict[str, bool] = {}
    for context in {row["context"] for row in rows}:
        leaks[context] = held.has_passage(context)
    kept = [
        row for row in rows if not leaks[row["context"]] and not held.has_question(row["question"])
    ]
    return kept, len(rows) - len(kept)


def is_kept_back(context: str) -> bool:
    """Whether a document is kept for calibrating, by a hash of its text."""
    digest = hashlib.blake2b(context.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < HELD_OUT_SHARE * 2**32


def prepare(data: Path, tokenizer: Tokenizer, out: Path, log: Log) -> Lists:
    """Ask every training question and write the lists to `out`; same data, same bytes."""
    held = held_out(data)
    maker = _ListMaker(tokenizer)
    for number, name in enumerate(QUESTION_FILES):
        rows, num_leaked = free_rows(data, name, held)
        before = len(maker.questions)
        maker.add(number, corpus_of_rows(name, rows))
        asked = len(maker.questions) - before
        log(f"{name}: {len(rows)} rows, {num_leaked} dropped as leaks, {asked} lists")
    lists = maker.lists()
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, **{name: getattr(lists, name) for name in Lists.__slots__})
    return lists


def read_lists(path: Path) -> Lists:
    """Read what `prepare` wrote. FileNotFoundError where it is missing."""
    with np.load(path, allow_pickle=False) as arrays:
        return Lists(**{name: arrays[name] for name in Lists.__slots__})


class _ListMaker:
    """Collects lists; equal texts are encoded once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._numbers: dict[str, int] = {}
        self._texts: list[Ints] = []
        self.questions: list[int] = []
        self._candidates: list[list[int]] = []
        self._relevant: list[list[bool]] = []
        self._scores: list[list[float]] = []
        self._sources: list[int] = []
        self._held_out: list[bool] = []

    def add(self, source: int, corpus: Corpus) -> None:
        """Ask the questions of a set; those whose answer is not among the candidates stay out."""
        base = MemoryBase(corpus, None)
        policy = FusionPolicy(dense_weight=0.0)
        with tempfile.TemporaryDirectory() as folder:
            retriever = HybridRetriever(base, NoEmbedder(), Path(folder), policy=policy)
            for question, found, good in _found(corpus, base, retriever):
                texts, scores = zip(*found.values(), strict=True)
                relevant = [chunk_id in good for chunk_id in found]
                if not any(relevant):
                    continue
                document = corpus.documents[question.relevant[0].document]
                self.questions.append(self._number(question.text))
                self._candidates.append([self._number(text) for text in texts])
                self._relevant.append(relevant)
                self._scores.append(list(scores))
                self._sources.append(source)
                self._held_out.append(is_kept_back(document[1]))
            retriever.close()

    def lists(self) -> Lists:
        """What was collected, as arrays."""
        ends = np.cumsum([len(ids) for ids in self._texts])
        return Lists(
            tokens=np.concatenate(self._texts).astype(np.int32),
            ends=ends.astype(np.int32),
            questions=np.array(self.questions, dtype=np.int32),
            candidates=_filled(self._candidates, ABSENT).astype(np.int32),
            relevant=_filled(self._relevant, 0).astype(bool),
            scores=_filled(self._scores, 0.0).astype(np.float32),
            sources=np.array(self._sources, dtype=np.int32),
            is_held_out=np.array(self._held_out, dtype=bool),
        )

    def _number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            ids = self._tokenizer.encode(text, add_special_tokens=False).ids[:MAX_TOKENS]
            self._texts.append(np.array(ids, dtype=np.int32))
        return self._numbers[text]


def _found(
    corpus: Corpus, base: MemoryBase, retriever: HybridRetriever
) -> Iterator[tuple[LabelledQuestion, dict[int, tuple[str, float]], set[int]]]:
    """Yield question, its candidates (id -> text and score, best first) and the relevant ids."""
    for question in askable(corpus, base):
        items = retriever.retrieve(Query(KB, parse_question(question.text), NUM_CANDIDATES)).items
        found = {
            item.chunk.id: (item.chunk.draft.embedded_text, item.scores["lexical"])
            for item in items
            if "lexical" in item.scores
        }
        if found:
            yield question, found, relevant_chunks(question, corpus, base)


def _filled(rows: Sequence[Sequence[float]], filling: float) -> npt.NDArray[np.float64]:
    table = np.full((len(rows), NUM_CANDIDATES), filling, dtype=np.float64)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
