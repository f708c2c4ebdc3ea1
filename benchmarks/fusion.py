"""Does the hybrid beat words alone? Lexical leg, dense leg and hybrid, question by question.

The gate of the dense leg: over all dev and demo sets the hybrid's nDCG@10 by chunk is above that of
the lexical leg (paired bootstrap, p < 0.05), and on no set more than 0.5 below it. Lexical and
hybrid both put exact identifiers first. Apart from the gate: questions in another language than the
reports, which are templates here because no data set has them; a report's number is in each.

    python -m benchmarks.fusion --data DIR [--model DIR] [--weight W] [--set NAME …]
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.memory_base import ALL_SETS, Corpus, MemoryBase, load_corpus
from benchmarks.retrieval import askable, open_retriever, rank_all
from kb_service.domain.ports import Embedder
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.resampling import Difference, Resampling
from kb_service.evaluation.summaries import PairedComparison, compare, values_of
from kb_service.settings import EmbeddingSettings, RetrievalSettings
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy

METRIC = "ndcg@10"
MAX_LOSS = 0.005
MAX_P = 0.05
LEXICAL, DENSE, HYBRID = "lexical", "dense", "hybrid"
OTHER_LANGUAGE: dict[str, Mapping[str, str]] = {
    "demo/en_ntsb_qa": {
        "location": "编号{}的事故发生在哪里？",
        "datetime": "编号{}的事故发生在什么时候？",
        "registration": "编号{}的事故中飞机的注册号是什么？",
        "aircraft": "编号{}的事故涉及哪种型号的飞机？",
        "damage": "编号{}的事故中飞机受损有多严重？",
        "injuries": "编号{}的事故造成了哪些人员伤亡？",
        "probable_cause": "编号{}的事故的可能原因是什么？",
    },
    "demo/zh_synth_incident_qa": {
        "meas": "What corrective measures does report {} propose?",
        "lead": "Who was the supervisor on duty in report {}?",
        "dead": "How many people died in the accident of report {}?",
        "cause": "What was the direct cause in report {}?",
        "fine": "How large was the fine in report {}?",
    },
}
_NUMBER = re.compile(r"[A-Z]{2,3}-?\d{2,4}-?[A-Z]{0,2}\d{3}[A-Z]?")
Column = dict[str, list[float]]


def policies(dense_weight: float) -> dict[str, FusionPolicy]:
    """Return the systems by name; the hybrid as it is when its leg is switched on."""
    return {
        LEXICAL: FusionPolicy(dense_weight=0.0),
        DENSE: FusionPolicy(lexical_weight=0.0, dense_weight=1.0, is_pinning=False),
        HYBRID: FusionPolicy(dense_weight=dense_weight),
    }


def in_other_language(corpus: Corpus) -> Corpus:
    """Return the questions asked anew in the other language, those without a template left out."""
    templates = OTHER_LANGUAGE[corpus.name]
    asked = [question for q in corpus.questions for question in _translated(q, templates)]
    return replace(corpus, name=f"{corpus.name}, other language", questions=asked)


def _translated(
    question: LabelledQuestion, templates: Mapping[str, str]
) -> Iterator[LabelledQuestion]:
    number = _NUMBER.search(question.text)
    template = templates.get(question.kind)
    if number and template:
        yield replace(question, text=template.format(number.group()))


def measure(
    corpus: Corpus, embedder: Embedder, dense_weight: float
) -> tuple[Column, dict[str, float]]:
    """Return nDCG@10 per question and the median milliseconds, both by system."""
    base = MemoryBase(corpus, embedder)
    questions = askable(corpus, base)
    values, milliseconds = {}, {}
    for name, policy in policies(dense_weight).items():
        with open_retriever(base, embedder, policy) as retriever:
            found = rank_all(corpus, base, retriever, questions)
        values[name] = values_of(METRIC, found.by_chunk)
        milliseconds[name] = 1000 * sorted(found.seconds)[len(found.seconds) // 2]
    return values, milliseconds


def measure_all(
    corpora: Iterable[Corpus],
    embedder: Embedder,
    dense_weight: float,
    say: Callable[[str], None],
) -> dict[str, Column]:
    """Measure every set, tell its row, and return set name -> system -> values."""
    measured = {}
    say("| set (questions) | lexical | dense | hybrid | hybrid - lexical | ms lexical / hybrid |")
    say("|---|---|---|---|---|---|")
    for corpus in corpora:
        column, milliseconds = measure(corpus, embedder, dense_weight)
        measured[corpus.name] = column
        means = " | ".join(f"{100 * sum(v) / len(v):.2f}" for v in column.values())
        gap = compared({corpus.name: column}).difference
        times = f"{milliseconds[LEXICAL]:.1f} / {milliseconds[HYBRID]:.1f}"
        say(f"| {corpus.name} ({gap.num}) | {means} | {told(gap)} | {times} |")
    say(f"| mean of {len(measured)} sets | | | | {told(compared(measured).difference)} | |")
    return measured


def compared(measured: Mapping[str, Column], system: str = HYBRID) -> PairedComparison:
    """Compare a system, the hybrid unless told, with lexical; every set weighs the same."""
    first, second = (
        (name, {set_name: column[name] for set_name, column in measured.items()})
        for name in (LEXICAL, system)
    )
    return compare(METRIC, first, second, Resampling())


def verdict(measured: Mapping[str, Column], system: str = HYBRID) -> str:
    """Say whether a system may be the default in place of words alone."""
    overall = compared(measured, system).difference
    gaps = {name: compared({name: c}, system).difference for name, c in measured.items()}
    worst = min(gaps, key=lambda name: gaps[name].value)
    is_better = overall.value > 0 and overall.p < MAX_P
    is_safe = gaps[worst].value >= -MAX_LOSS
    word = "passed" if is_better and is_safe else "NOT passed"
    return f"gate {word}: mean {told(overall)}; lowest {worst} {told(gaps[worst])}"


def told(gap: Difference) -> str:
    """Return a difference in points with its interval and p."""
    low, high = 100 * gap.low, 100 * gap.high
    return f"{100 * gap.value:+.2f} [{low:+.2f}, {high:+.2f}], p {gap.p:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables and the verdict; 1 when the gate is not passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/ and demo/")
    parser.add_argument("--model", default=EmbeddingSettings().model, help="embedding model")
    parser.add_argument(
        "--weight",
        type=float,
        default=RetrievalSettings().dense_weight,
        help="of the dense leg",
    )
    parser.add_argument("--set", dest="sets", action="append", choices=ALL_SETS)
    options = parser.parse_args(arguments)
    embedder = load_embedder(options.model)

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    names = options.sets or ALL_SETS
    corpora = (load_corpus(options.data, name) for name in names)
    measured = measure_all(corpora, embedder, options.weight, say)
    outcome = verdict(measured)
    say(f"\n{outcome}\n")
    others = [in_other_language(load_corpus(options.data, n)) for n in names if n in OTHER_LANGUAGE]
    if others:
        measure_all(others, embedder, options.weight, say)
    return 0 if outcome.startswith("gate passed") else 1


if __name__ == "__main__":
    sys.exit(main())
