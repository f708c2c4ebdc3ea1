"""The gate: does the pocket reader answer better than the extractive reader, end to end?

Every reader stands behind the same hybrid retrieval, evidence gate and citations; each question is
retrieved once. Metrics and intervals are those of kb_service.evaluation. Knows the sets and the
rule of the gate; does not know how a reader works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory_base import KB, Corpus, MemoryBase, load_corpus
from benchmarks.retrieval import open_retriever
from kb_service.domain.ports import Generator, Retriever
from kb_service.domain.queries import Query, RetrievalResult
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import sample
from kb_service.evaluation.report import Report, SetReport, report_markdown
from kb_service.evaluation.report_files import write_report
from kb_service.evaluation.resampling import DEFAULT_SEED, Resampling
from kb_service.evaluation.summaries import Comparison, compare, summarise_answers, values_of
from kb_service.evaluation.trials import UnkeptAnswers, ask_all
from kb_service.generation.extractive import ExtractiveReader
from kb_service.services.answering import AnsweringService
from kb_service.settings import EmbeddingSettings, RetrievalSettings
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from training.reader.readers import CopyReader, SpanRanker, SpanReader
from training.reader.reading import PocketReader

GATE_SETS = (
    "dev/zh_cmrc2018_trial",
    "dev/zh_drcd",
    "dev/en_squad",
    "demo/en_ntsb_qa",
    "demo/zh_synth_incident_qa",
)
EXTRACTIVE = "extractive reader"
MIN_GAIN = 0.05
MAX_LOSS = 0.005
"""How much citation and refusal figures may fall and still count as no worse (half a point)."""
KEPT_FIGURES = ("cites_answer", "citation_recall", "citation_precision", "refusal_macro_f1")
Log = Callable[[str], None]
Outcomes = dict[str, dict[str, list[Outcome]]]
"""Reader -> set -> one outcome per question."""


class RememberedRetriever:
    """Retrieves each question once, whichever reader asks."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._found: dict[Query, RetrievalResult] = {}
        self._idf: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}

    def retrieve(self, query: Query) -> RetrievalResult:
        """What the retriever found, the first time or now."""
        if query not in self._found:
            self._found[query] = self._retriever.retrieve(query)
        return self._found[query]

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """The rarities of the terms."""
        key = (kb_id, tuple(terms))
        if key not in self._idf:
            self._idf[key] = self._retriever.idf(*key)
        return self._idf[key]

    def refresh(self, kb_id: str) -> None:
        """Nothing changes."""

    def drop(self, kb_id: str) -> None:
        """Nothing is kept on disk."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one reader passes: F1 gained on the mean of the sets, and what it must not lose."""

    reader: str
    gain: Comparison
    losses: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """At least five points, an interval above zero, nothing else lost."""
        difference = self.gain.difference
        return difference.value >= MIN_GAIN and difference.low > 0 and not self.losses

    def line(self) -> str:
        """One sentence for a report."""
        found = self.gain.difference
        words = "passes" if self.passes else "does not pass"
        lost = f"; lower: {', '.join(self.losses)}" if self.losses else ""
        return (
            f"{self.reader} {words}: F1 {100 * found.value:+.1f} against the {EXTRACTIVE}"
            f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}], {found.num} questions{lost}"
        )


def readers_of(model: Path) -> dict[str, Generator]:
    """The extractive reader, and every way to use the model in the folder."""
    reader = PocketReader.load(model)
    return {
        EXTRACTIVE: ExtractiveReader(),
        "pocket reader, 4 sentences": CopyReader(reader),
        "pocket reader, 1 sentence": CopyReader(reader, 1),
        "extractive + reader's words": SpanReader(reader),
        "extractive + reader ranks": SpanRanker(reader),
    }


def ask_set(corpus: Corpus, readers: Mapping[str, Generator], log: Log) -> dict[str, list[Outcome]]:
    """Ask every question of a set of every reader."""
    embedder = load_embedder(EmbeddingSettings().model)
    base = MemoryBase(corpus, embedder)
    weight = RetrievalSettings().dense_weight
    outcomes = {}
    with open_retriever(base, embedder, FusionPolicy(dense_weight=weight)) as opened:
        retriever = RememberedRetriever(opened)
        for name, reader in readers.items():
            began = time.monotonic()
            service = AnsweringService(
                retriever=retriever,
                catalog=base,
                generator=reader,
                answers=UnkeptAnswers(),
                settings=RetrievalSettings(),
            )
            outcomes[name] = ask_all(
                corpus.questions, service, KB, lambda key, _: corpus.documents[key][1]
            )
            log(f"{corpus.name}: {name}: {time.monotonic() - began:.0f} s")
    return outcomes


def verdicts(outcomes: Outcomes, resampling: Resampling) -> list[Verdict]:
    """Every reader against the extractive one; each set weighs the same."""
    base = outcomes[EXTRACTIVE]
    found = []
    for name, by_set in outcomes.items():
        if name == EXTRACTIVE:
            continue
        gain = compare("f1", (EXTRACTIVE, _f1(base)), (name, _f1(by_set)), resampling)
        found.append(Verdict(name, gain, tuple(_losses(base, by_set, resampling))))
    return found


def _f1(by_set: Mapping[str, Sequence[Outcome]]) -> dict[str, list[float]]:
    return {
        name: values_of("f1", [outcome.scores for outcome in found])
        for name, found in by_set.items()
    }


def _losses(
    base: Mapping[str, Sequence[Outcome]],
    other: Mapping[str, Sequence[Outcome]],
    resampling: Resampling,
) -> list[str]:
    """Citation and refusal figures that are lower on the mean of the sets."""
    lower = []
    for key in KEPT_FIGURES:
        means = []
        for by_set in (base, other):
            rows = [summarise_answers("", found, resampling) for found in by_set.values()]
            values = [row.estimates[key].value for row in rows if key in row.estimates]
            means.append(sum(values) / max(1, len(values)))
        if means[1] < means[0] - MAX_LOSS:
            lower.append(f"{key} {100 * means[0]:.1f} -> {100 * means[1]:.1f}")
    return lower


def evaluate(
    model: Path,
    data: Path,
    out: Path | None,
    limit: int | None,
    sets: Sequence[str] | None,
    log: Log,
) -> list[Verdict]:
    """Measure all readers on the sets, print the tables and the verdicts, write the report."""
    resampling = Resampling()
    readers = readers_of(model)
    outcomes: Outcomes = {name: {} for name in readers}
    parts = []
    for name in sets or GATE_SETS:
        corpus = load_corpus(data, name)
        asked = sample(corpus.questions, limit, DEFAULT_SEED)
        corpus = Corpus(name, corpus.documents, asked, corpus.places)
        found = ask_set(corpus, readers, log)
        for reader, each in found.items():
            outcomes[reader][name] = each
        rows = [summarise_answers(reader, each, resampling) for reader, each in found.items()]
        facts = {"questions": len(asked), "documents": len(corpus.documents)}
        parts.append(SetReport(name, facts, answers=rows))
    judged = verdicts(outcomes, resampling)
    notes = [verdict.line() for verdict in judged]
    overall = [verdict.gain for verdict in judged]
    run: dict[str, str | int] = {"model": model.name, "seed": DEFAULT_SEED}
    run["questions per set"] = limit or "all"
    report = Report("The pocket reader's gate", run, parts, overall, notes)
    log(report_markdown(report))
    if out:
        for path in write_report(report, out):
            log(f"written {path}")
    return judged
