"""Chooses how much the dense leg counts in the hybrid, on training questions new to the embedding.

The questions are those of the fold that `training.fold` leaves out: in the language of their
passage, by set, and, apart, Chinese sentences whose passage is English. Knows nothing of the dev
and demo sets. A model that saw the fold promises gains that are not there.

Run: ``python -m training.calibrate_fusion --data DIR --model DIR --out FILE``.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from benchmarks.memory_base import KB, Corpus, MemoryBase, corpus_of_rows
from benchmarks.retrieval import askable, relevant_chunks
from kb_service.domain.ports import Embedder
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.questions import LabelledQuestion, RelevantPlace
from kb_service.evaluation.ranking import score_found
from kb_service.evaluation.resampling import Pair, Resampling
from kb_service.language.asked import parse_question
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy, fuse
from retrievers.lexical import Hit
from retrievers.library import IndexLibrary
from retrievers.live import LiveIndex
from retrievers.terms import question_weights
from training.corpus import Row
from training.fold import HELD_PERCENT, PARALLEL, held_fold
from training.seeding import seeded

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
CANDIDATES = 100
MAX_QUESTIONS = 1500
PASSAGE_CHARS = range(80, 1501)
MIN_QUESTION_HAN, MAX_QUESTION_CHARS = 8, 120

_HAN = re.compile("[\u4e00-\u9fff]")
_CLAUSE_END = re.compile("[。！？；]")
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Legs:
    """What both legs found for one question, how well its words were found, and what is right."""

    lexical: list[Hit]
    dense: list[list[Hit]]
    confidence: float
    relevant: set[int]

    def ndcg(self, weight: float) -> float:
        """nDCG@10 of the fused list."""
        dense = [("dense", hits) for hits in self.dense] if weight > 0 else []
        fused = fuse(
            [("lexical", self.lexical), *dense], FusionPolicy(dense_weight=weight), self.confidence
        )
        return score_found([hit.chunk_id for hit in fused], self.relevant)["ndcg@10"]

    def dense_ndcg(self) -> float:
        """nDCG@10 of the dense leg alone."""
        found = sorted((hit for hits in self.dense for hit in hits), key=lambda hit: -hit[1])
        return score_found([chunk_id for chunk_id, _ in found], self.relevant)["ndcg@10"]


def parallel_corpus(rows: Sequence[Row]) -> Corpus:
    """English paragraphs as documents; the first clause of the translation asks for each."""
    documents: dict[str, tuple[str, str]] = {}
    questions: list[LabelledQuestion] = []
    places: dict[str, tuple[TextSpan, ...]] = {}
    passages = {row["en"]: row["zh"] for row in rows if len(row["en"]) in PASSAGE_CHARS}
    for number, (text, translation) in enumerate(passages.items()):
        name = f"doc_{number}"
        documents[name] = ("", text)
        asked = _CLAUSE_END.split(translation)[0][:MAX_QUESTION_CHARS]
        if len(_HAN.findall(asked)) >= MIN_QUESTION_HAN:
            questions.append(LabelledQuestion(name, asked, relevant=(RelevantPlace(name),)))
            places[name] = (TextSpan(0, len(text)),)
    return Corpus(PARALLEL, documents, questions, places)


def held_corpora(held: Mapping[str, Sequence[Row]]) -> list[Corpus]:
    """Return what was left out as question sets, the parallel paragraphs last."""
    asked = [corpus_of_rows(name, held[name]) for name in HELD_PERCENT]
    return [*asked, parallel_corpus(held[PARALLEL])]


def legs_of(corpus: Corpus, embedder: Embedder, rng: random.Random) -> list[Legs]:
    """Ask both legs at most MAX_QUESTIONS questions."""
    base = MemoryBase(corpus, embedder)
    questions = askable(corpus, base)
    questions = rng.sample(questions, min(MAX_QUESTIONS, len(questions)))
    with tempfile.TemporaryDirectory() as folder:
        library = IndexLibrary(base, embedder.profile, Path(folder))
        found = library.ask(
            KB,
            lambda index: [
                _legs(question, embedder, index, relevant_chunks(question, corpus, base))
                for question in questions
            ],
        )
        library.close()
    if found is None:
        raise ValueError(f"{corpus.name} has no documents")
    return found


def _legs(
    question: LabelledQuestion, embedder: Embedder, index: LiveIndex, relevant: set[int]
) -> Legs:
    terms = question_weights(parse_question(question.text))
    lexical = index.search_lexical(terms, CANDIDATES)
    dense = index.search_dense(embedder.embed_query(question.text), CANDIDATES)
    return Legs(lexical, list(dense.values()), index.confidence(terms, lexical), relevant)


def grid_of(legs: Sequence[Legs]) -> FloatArray:
    """(weights, questions) nDCG@10."""
    return np.array([[one.ndcg(weight) for one in legs] for weight in WEIGHTS])


def chosen_weight(grids: Sequence[FloatArray]) -> float:
    """Return the smallest weight whose mean over the sets is within one standard error of the best.

    `grids`: (weights, questions) each; every set weighs the same. The error is that of what the
    best weight gains over weight 0. The means are flat around the best, and the smallest leaves
    most to the words, which know every name of a base that no training set resembles (the rule of
    Breiman et al. 1984, section 3.4.3).
    """
    means = np.mean([grid.mean(axis=1) for grid in grids], axis=0)
    best = int(means.argmax())
    gains = [grid[best] - grid[0] for grid in grids]
    error = np.sqrt(sum(gain.var(ddof=1) / len(gain) for gain in gains)) / len(gains)
    return WEIGHTS[int(np.argmax(means >= means[best] - error))]


def account_of(
    names: Sequence[str], grids: Sequence[FloatArray], dense: Sequence[float]
) -> dict[str, object]:
    """Return what is written down: the choice, and what every weight reached on every set.

    `dense`: what the dense leg reaches alone. The weight is chosen on the sets of one language.
    """
    by_name = dict(zip(names, grids, strict=True))
    same_language = [grid for name, grid in by_name.items() if name != PARALLEL]
    weight = chosen_weight(same_language)
    row = WEIGHTS.index(weight)
    means = {
        name: {str(w): round(100 * v, 2) for w, v in zip(WEIGHTS, grid.mean(axis=1), strict=True)}
        for name, grid in by_name.items()
    }
    pairs = {name: (grid[0].tolist(), grid[row].tolist()) for name, grid in by_name.items()}
    gains = {name: [pair] for name, pair in pairs.items()}
    gains["same language"] = [pairs[name] for name in names if name != PARALLEL]
    return {
        "dense_weight": weight,
        "rule": (chosen_weight.__doc__ or "").splitlines()[0],
        "questions": {name: grid.shape[1] for name, grid in by_name.items()},
        "ndcg@10_dense_alone": {n: round(100 * v, 2) for n, v in zip(names, dense, strict=True)},
        "ndcg@10_by_dense_weight": means,
        "gain_over_weight_0": {name: _gain(strata) for name, strata in gains.items()},
    }


def _gain(strata: Sequence[Pair]) -> dict[str, float]:
    gap = Resampling().compare(strata)
    figures = {"value": gap.value, "low": gap.low, "high": gap.high}
    return {key: round(100 * value, 2) for key, value in figures.items()} | {"p": round(gap.p, 4)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every weight, print the account and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and text/")
    parser.add_argument("--model", required=True, help="embedding model that never saw the fold")
    parser.add_argument("--out", type=Path, help="JSON file for the account")
    options = parser.parse_args(arguments)
    embedder = load_embedder(options.model)
    corpora = held_corpora(held_fold(options.data))
    legs = [legs_of(corpus, embedder, seeded(0)) for corpus in corpora]
    dense = [fmean(one.dense_ndcg() for one in each) for each in legs]
    names = [corpus.name for corpus in corpora]
    account = json.dumps(account_of(names, [grid_of(each) for each in legs], dense), indent=1)
    if options.out:
        options.out.write_text(account + "\n", encoding="utf-8")
    sys.stdout.write(account + "\n")


if __name__ == "__main__":
    main()
