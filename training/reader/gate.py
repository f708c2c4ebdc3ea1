"""The gate: does the pocket reader answer better than the extractive reader, end to end?

Every reader stands behind the service's default retrieval, evidence gate and citations. The
extractive reader is asked once and what it quoted is kept in a file; ways to use the pocket reader
that only choose other words of the same quotation differ in those words alone, so they are judged
from the file. Metrics and intervals are those of kb_service.evaluation. Knows the sets and the rule
of the gate; does not know how a reader works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.memory_base import KB, Corpus, MemoryBase, load_corpus
from benchmarks.retrieval import open_retriever
from kb_service.domain.ports import Generator
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import sample
from kb_service.evaluation.report import Report, SetReport, report_markdown
from kb_service.evaluation.report_files import write_report
from kb_service.evaluation.resampling import DEFAULT_SEED, Resampling
from kb_service.evaluation.summaries import Comparison, compare, summarise_answers, values_of
from kb_service.evaluation.trials import UnkeptAnswers, ask_all
from kb_service.evaluation.wording import bag_f1, exact_match, substring_f1
from kb_service.generation.pocket import PocketGenerator, is_readable
from kb_service.services.answering import AnsweringService
from kb_service.settings import EmbeddingSettings, RetrievalSettings
from retrievers.embedding import load_embedder
from retrievers.fusion import FusionPolicy
from training.reader.readers import CopyReader, SpanReader
from training.reader.reading import CopyingReader
from training.reader.record import Asked, Recorder, read_record, write_record

GATE_SETS = (
    "dev/zh_cmrc2018_trial",
    "dev/zh_drcd",
    "dev/en_squad",
    "demo/en_ntsb_qa",
    "demo/zh_synth_incident_qa",
)
EXTRACTIVE = "extractive reader"
COPIES, RANKS = "extractive + reader's words", "extractive + reader ranks"
MIN_GAIN = 0.05
MAX_LOSS = 0.005
"""How much citation and refusal figures may fall and still count as no worse (half a point)."""
KEPT_FIGURES = ("cites_answer", "citation_recall", "citation_precision", "refusal_macro_f1")
Log = Callable[[str], None]
Outcomes = dict[str, dict[str, list[Outcome]]]
"""Reader -> set -> one outcome per question."""


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What to measure. ``limit``: questions of each set, None for all; ``copy_limit``: of those
    that the copying reader, which needs a service of its own, is asked; 0 leaves it out."""

    model: Path
    data: Path
    record: Path
    sets: Sequence[str]
    limit: int | None = None
    copy_limit: int | None = None

    def corpus(self, name: str) -> Corpus:
        """A set with the seeded sample of its questions."""
        corpus = load_corpus(self.data, name)
        return replace(corpus, questions=sample(corpus.questions, self.limit, DEFAULT_SEED))


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


def ask_set(corpus: Corpus, reader: Generator) -> list[Outcome]:
    """Ask every question of a set behind the product's own retrieval, gate and citations."""
    embedder = load_embedder(EmbeddingSettings().model)
    base = MemoryBase(corpus, embedder)
    weight = RetrievalSettings().dense_weight
    with open_retriever(base, embedder, FusionPolicy(dense_weight=weight)) as retriever:
        service = AnsweringService(
            retriever=retriever,
            catalog=base,
            generator=reader,
            answers=UnkeptAnswers(),
            settings=RetrievalSettings(),
        )
        return ask_all(corpus.questions, service, KB, lambda key, _: corpus.documents[key][1])


def recorded(plan: GatePlan, name: str, log: Log) -> list[Asked]:
    """What the extractive reader answered and quoted, from the record or asked now."""
    corpus = plan.corpus(name)
    path = plan.record / f"{name.replace('/', '_')}.{len(corpus.questions)}.json"
    if path.is_file():
        return read_record(path, corpus.questions)
    began = time.monotonic()
    recorder = Recorder()
    asked = recorder.beside(ask_set(corpus, recorder))
    write_record(path, asked)
    log(f"{name}: {len(asked)} questions asked in {time.monotonic() - began:.0f} s")
    return asked


def reworded(asked: Sequence[Asked], reader: PocketGenerator) -> list[Outcome]:
    """The outcomes with the words that the reader takes from the same quotations.

    Status, text and citations are those of the quotation; only the scores of the words change.
    """
    outcomes = []
    for each in asked:
        outcome, quotation = each.outcome, each.quotation
        is_read = quotation is not None and is_readable(quotation) and not outcome.is_refused
        if quotation is not None and is_read and outcome.question.is_answerable:
            began = time.perf_counter()
            words = reader.words_of(outcome.question.text, quotation)
            golds = outcome.question.answers
            scores = {
                "f1": substring_f1(words, golds),
                "em": exact_match(words, golds),
                "bag_f1": bag_f1(words, golds),
            }
            outcome = replace(
                outcome,
                words=words,
                seconds=outcome.seconds + time.perf_counter() - began,
                scores={**outcome.scores, **scores},
            )
        outcomes.append(outcome)
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


def measure_set(
    plan: GatePlan, name: str, reader: CopyingReader, log: Log
) -> dict[str, list[Outcome]]:
    """Every reader on one set."""
    asked = recorded(plan, name, log)
    outcomes = {EXTRACTIVE: [each.outcome for each in asked]}
    for label, use in ((COPIES, SpanReader(reader)), (RANKS, PocketGenerator(reader))):
        began = time.monotonic()
        outcomes[label] = reworded(asked, use)
        log(f"{name}: {label}: {time.monotonic() - began:.0f} s")
    return outcomes


def copied(plan: GatePlan, reader: CopyingReader, log: Log) -> list[SetReport]:
    """The reader that chooses the sentence too, beside the extractive one on the same questions."""
    parts = []
    for name in plan.sets if plan.copy_limit != 0 else ():
        corpus = plan.corpus(name)
        questions = sample(corpus.questions, plan.copy_limit, DEFAULT_SEED)
        chosen = {question.id for question in questions}
        base = [a.outcome for a in recorded(plan, name, log) if a.outcome.question.id in chosen]
        found = ask_set(replace(corpus, questions=questions), CopyReader(reader))
        rows = [
            summarise_answers(system, outcomes, Resampling())
            for system, outcomes in ((EXTRACTIVE, base), ("pocket reader alone", found))
        ]
        parts.append(SetReport(f"{name}, sample", {"questions": len(questions)}, answers=rows))
        log(f"{name}: copying: {len(questions)} questions")
    return parts


def evaluate(plan: GatePlan, out: Path | None, log: Log) -> list[Verdict]:
    """Measure all readers on the sets, print the tables and the verdicts, write the report."""
    resampling = Resampling()
    reader = CopyingReader.load(plan.model)
    outcomes: Outcomes = {}
    parts = []
    for name in plan.sets:
        found = measure_set(plan, name, reader, log)
        for system, each in found.items():
            outcomes.setdefault(system, {})[name] = each
        rows = [summarise_answers(system, each, resampling) for system, each in found.items()]
        parts.append(SetReport(name, {"questions": len(found[EXTRACTIVE])}, answers=rows))
    parts += copied(plan, reader, log)
    judged = verdicts(outcomes, resampling)
    run: dict[str, str | int] = {"model": plan.model.name, "seed": DEFAULT_SEED}
    run["questions per set"] = plan.limit or "all"
    notes = [verdict.line() for verdict in judged]
    overall = [verdict.gain for verdict in judged]
    report = Report("The pocket reader's gate", run, parts, overall, notes)
    log(report_markdown(report))
    if out:
        for path in write_report(report, out):
            log(f"written {path}")
    return judged
