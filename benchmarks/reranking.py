"""Does a reranker beat words alone? Lexical leg, and its first 20 candidates in a new order.

The gate of a reranker as the default: over all dev and demo sets nDCG@10 by chunk is above that
of the lexical leg (paired bootstrap, p < 0.05), and on no set more than 0.5 below it. Identifiers
come first in both. Each pair is scored once; every weight is measured from the same scores.

    python -m benchmarks.reranking --data DIR --model DIR --weight W [--weight W …]
        [--set NAME …] [--limit N]
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from benchmarks.evaluation_worker import NoEmbedder
from benchmarks.fusion import LEXICAL, METRIC, Column, compared, told, verdict
from benchmarks.memory_base import ALL_SETS, Corpus, MemoryBase, load_corpus
from benchmarks.retrieval import askable, open_retriever, rank_all
from kb_service.domain.ports import Reranker
from kb_service.evaluation.questions import sample
from kb_service.evaluation.resampling import DEFAULT_SEED
from kb_service.evaluation.resources import peak_memory_bytes
from kb_service.evaluation.summaries import values_of
from retrievers.cross_encoder import load_reranker
from retrievers.fusion import FusionPolicy
from retrievers.reranking import RerankPolicy

MIB = 1024 * 1024


@dataclass(slots=True)
class Remembered:
    """A reranker that reads the same texts for the same question once, and times itself."""

    reranker: Reranker
    seconds: list[float] = field(default_factory=list)
    _known: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.reranker.name

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return the scores of all texts."""
        key = (question, *texts)
        if key not in self._known:
            began = perf_counter()
            self._known[key] = self.reranker.score(question, texts)
            self.seconds.append(perf_counter() - began)
        return self._known[key]

    def close(self) -> None:
        """Leave the model to its owner."""


def named(weight: float) -> str:
    """Return the name of the system with that weight."""
    return f"rerank {weight:g}"


def measure(corpus: Corpus, reranker: Reranker, weights: Sequence[float]) -> Column:
    """Return nDCG@10 per question by system: lexical, then each weight."""
    base = MemoryBase(corpus, None)
    questions = askable(corpus, base)
    policies = {LEXICAL: None} | {named(w): RerankPolicy(20, w) for w in weights}
    column = {}
    for name, policy in policies.items():
        asked = reranker if policy else None
        words = FusionPolicy(dense_weight=0.0)
        with open_retriever(base, NoEmbedder(), words, asked, policy) as retriever:
            found = rank_all(corpus, base, retriever, questions)
        column[name] = values_of(METRIC, found.by_chunk)
    return column


def measure_all(
    corpora: Sequence[Corpus], model: Reranker, weights: Sequence[float], say: Callable[[str], None]
) -> dict[str, Column]:
    """Measure every set, tell its row, and return set name -> system -> values."""
    measured = {}
    differences = " | ".join(f"{named(w)} - lexical" for w in weights)
    say(f"| set (questions) | lexical | {differences} | ms of 20 pairs, median / p95 |")
    say("|---|---|" + "---|" * len(weights) + "---|")
    for corpus in corpora:
        timed = Remembered(model)
        column = measure(corpus, timed, weights)
        measured[corpus.name] = column
        words = 100 * sum(column[LEXICAL]) / len(column[LEXICAL])
        gaps = " | ".join(_gap({corpus.name: column}, weight) for weight in weights)
        seconds = sorted(timed.seconds)
        times = f"{_ms(seconds, 0.5)} / {_ms(seconds, 0.95)}"
        say(f"| {corpus.name} ({len(column[LEXICAL])}) | {words:.2f} | {gaps} | {times} |")
    gaps = " | ".join(_gap(measured, weight) for weight in weights)
    say(f"| mean of {len(measured)} sets | | {gaps} | |")
    return measured


def _gap(measured: dict[str, Column], weight: float) -> str:
    return told(compared(measured, named(weight)).difference)


def _ms(seconds: Sequence[float], share: float) -> str:
    return f"{1000 * seconds[int(share * (len(seconds) - 1))]:.0f}" if seconds else "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the verdict on the first weight; 1 when the gate is not passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/ and demo/")
    parser.add_argument("--model", type=Path, required=True, help="folder of a cross-encoder")
    parser.add_argument("--weight", dest="weights", action="append", type=float, required=True)
    parser.add_argument("--set", dest="sets", action="append", choices=ALL_SETS)
    parser.add_argument("--limit", type=int, help="questions of each set, a seeded sample")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    reranker = load_reranker(options.model, num_threads=options.threads)
    corpora = [load_corpus(options.data, name) for name in options.sets or ALL_SETS]
    sampled = [
        replace(c, questions=sample(c.questions, options.limit, DEFAULT_SEED)) for c in corpora
    ]
    measured = measure_all(sampled, reranker, options.weights, say)
    reranker.close()
    say(f"\npeak memory {peak_memory_bytes() / MIB:.0f} MiB")
    for weight in options.weights:
        say(f"weight {weight:g}: {verdict(measured, named(weight))}")
    return 0 if verdict(measured, named(options.weights[0])).startswith("gate passed") else 1


if __name__ == "__main__":
    sys.exit(main())
