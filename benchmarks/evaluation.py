"""The evaluation report: every retriever and every reader on every dev and demo set.

Each system runs on each set in a process of its own (benchmarks.evaluation_worker); retrieval is
judged by chunk, readers end to end behind the product's own retrieval. Sets are seeded samples
unless --limit 0; their sizes stand in the report.

    python -m benchmarks.evaluation --data DIR --out DIR [--limit N] [--seed N] [--set NAME …]
        [--embedding NAME=DIR[@WEIGHT] …] [--reranker NAME=DIR[@WEIGHT] …]
        [--generator NAME=DIR …]

--embedding measures a further model, alone and in the hybrid with that dense weight, on the sets of
its language when the name ends in -en or -zh; --reranker a cross-encoder over the first 20
candidates of the words, its score at that weight (1 without); --generator a checkpoint folder as a
further reader.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.evaluation_worker import (
    DENSE,
    EXTRACTIVE,
    HYBRID,
    LEXICAL,
    LEXICAL_SENTENCE,
    RANDOM_ORDER,
    RANDOM_SENTENCE,
    RERANKED,
    Task,
)
from benchmarks.memory_base import ALL_SETS
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.ranking import Scores
from kb_service.evaluation.report import Report, SetReport
from kb_service.evaluation.report_files import make_folder, write_report
from kb_service.evaluation.report_text import report_text
from kb_service.evaluation.resampling import DEFAULT_SEED, Resampling
from kb_service.evaluation.summaries import (
    PairedComparison,
    SystemSummary,
    compare,
    summarise_answers,
    summarise_rankings,
    values_of,
)
from kb_service.settings import EmbeddingSettings

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_LIMIT = 300
RETRIEVAL_METRIC, READING_METRIC = "ndcg@10", "f1"


@dataclass(frozen=True, slots=True)
class Extra:
    """A further model named on the command line: to embed, to rerank or to read."""

    name: str
    path: str
    weight: float | None = None

    def covers(self, set_name: str) -> bool:
        """True unless the name says that the model is of the other language."""
        is_chinese = set_name.split("/")[1].startswith("zh")
        return not self.name.endswith("-en" if is_chinese else "-zh")


@dataclass(slots=True)
class Measured:
    """Per-question scores of every system: kind of table -> system -> set -> scores, and rows."""

    scores: dict[str, dict[str, dict[str, list[Scores]]]] = field(
        default_factory=lambda: {"rankings": {}, "answers": {}}
    )

    def add(self, kind: str, system: str, set_name: str, scores: list[Scores]) -> None:
        """Keep the scores of one system on one set."""
        self.scores[kind].setdefault(system, {})[set_name] = scores

    def compared(
        self, kind: str, metric: str, pairs: Sequence[tuple[str, str]], resampling: Resampling
    ) -> list[PairedComparison]:
        """Compare the pairs (first, second) that both were measured, over the sets of both."""
        found = []
        for first, second in pairs:
            names = (first, second)
            if all(name in self.scores[kind] for name in names):
                columns = [self._values(kind, metric, name) for name in names]
                found.append(compare(metric, (first, columns[0]), (second, columns[1]), resampling))
        return found

    def of_set(self, set_name: str) -> "Measured":
        """Return the part of one set."""
        part = Measured()
        for kind, systems in self.scores.items():
            for system, sets in systems.items():
                if set_name in sets:
                    part.add(kind, system, set_name, sets[set_name])
        return part

    def _values(self, kind: str, metric: str, system: str) -> dict[str, list[float]]:
        sets = self.scores[kind][system]
        return {name: values_of(metric, rows) for name, rows in sets.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    data: Path
    sets: Sequence[str]
    embeddings: Sequence[Extra]
    generators: Sequence[Extra]
    limit: int | None
    resampling: Resampling
    embedding: str
    rerankers: Sequence[Extra] = ()

    def tasks(self, set_name: str) -> Iterator[tuple[str, Task]]:
        """Yield (label, task) for every system of a set, retrievers first."""
        for system in (RANDOM_ORDER, LEXICAL, DENSE, HYBRID):
            yield system, self._task(set_name, system)
        for extra in self.embeddings:
            if extra.covers(set_name):
                for system in (DENSE, HYBRID):
                    task = self._task(set_name, system, embedding=extra.path, weight=extra.weight)
                    yield f"{system} {extra.name}", task
        for extra in self.rerankers:
            if extra.covers(set_name):
                task = self._task(set_name, RERANKED, reranker=extra.path, weight=extra.weight)
                yield f"{RERANKED} {extra.name}", task
        for system in (RANDOM_SENTENCE, LEXICAL_SENTENCE, EXTRACTIVE):
            yield system, self._task(set_name, system, is_reader=True)
        for extra in self.generators:
            if extra.covers(set_name):
                task = self._task(set_name, extra.name, is_reader=True, generator=extra.path)
                yield extra.name, task

    def retrieval_pairs(self) -> list[tuple[str, str]]:
        """Return which retrievers are compared with which."""
        others = [
            f"{system} {extra.name}" for extra in self.embeddings for system in (DENSE, HYBRID)
        ]
        reranked = [f"{RERANKED} {extra.name}" for extra in self.rerankers]
        return [(LEXICAL, system) for system in (DENSE, HYBRID, *others, *reranked)]

    def reading_pairs(self) -> list[tuple[str, str]]:
        """Return which readers are compared with which."""
        pairs = [(RANDOM_SENTENCE, EXTRACTIVE), (LEXICAL_SENTENCE, EXTRACTIVE)]
        return pairs + [(EXTRACTIVE, extra.name) for extra in self.generators]

    def _task(
        self,
        set_name: str,
        system: str,
        *,
        is_reader: bool = False,
        embedding: str = "",
        weight: float | None = None,
        generator: str = "",
        reranker: str = "",
    ) -> Task:
        return Task(
            data=str(self.data),
            set_name=set_name,
            system=system,
            is_reader=is_reader,
            embedding=embedding or self.embedding,
            seed=self.resampling.seed,
            limit=self.limit,
            generator=generator,
            dense_weight=None if reranker else weight,
            reranker=reranker,
            rerank_weight=1.0 if weight is None else weight,
        )


def evaluate(plan: Plan, told: Callable[[str], None]) -> Report:
    """Run every task, one after the other, and return the report."""
    measured, parts = Measured(), []
    for set_name in plan.sets:
        rankings, answers, facts = [], [], {}
        for label, task in plan.tasks(set_name):
            told(f"{set_name}: {label}")
            body = run_task(task)
            facts = body["facts"]
            if task.is_reader:
                answers.append(_answer_row(label, set_name, body, plan.resampling, measured))
            else:
                rankings.append(_ranking_row(label, set_name, body, plan.resampling, measured))
        part = _compared(measured.of_set(set_name), plan)
        parts.append(SetReport(set_name, facts, rankings, answers, part))
    overall = _compared(measured, plan) if len(parts) > 1 else []
    return Report("Evaluation", run_facts(plan), parts, overall, NOTES)


NOTES = (
    "Retrieval is judged by chunk: relevant is one of the right document that holds the answer.",
    "lexical and hybrid put exact identifiers first; dense is the embedding model alone.",
    "Readers stand behind the service's default retrieval, its evidence gate and citations.",
    "Peak MB: the process that reads one set, its documents and indexes included.",
)


def run_task(task: Task) -> dict[str, object]:
    """Return what the worker process found. RuntimeError with its last words when it failed."""
    command = [sys.executable, "-m", "benchmarks.evaluation_worker"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{task.system} on {task.set_name} failed:\n{done.stderr[-2000:]}")
    body: dict[str, object] = json.loads(done.stdout)
    return body


def run_facts(plan: Plan) -> dict[str, str | int]:
    """Return how the report was made: commit, machine, seed, sizes."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited"),
        "questions per set": "all"
        if plan.limit is None
        else f"at most {plan.limit}, drawn by seed",
        "seed": plan.resampling.seed,
        "bootstrap draws": plan.resampling.num_resamples,
        "embedding model": Path(plan.embedding).name,
    }


def processor() -> str:
    """Return the name of the processor, or the machine type where it is not told."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _ranking_row(
    label: str, set_name: str, body: dict, resampling: Resampling, measured: Measured
) -> SystemSummary:
    measured.add("rankings", label, set_name, body["scores"])
    row = summarise_rankings(label, body["scores"], resampling, body["seconds"])
    return row if label == RANDOM_ORDER else with_memory(row, body["peak_memory_bytes"])


def _answer_row(
    label: str, set_name: str, body: dict, resampling: Resampling, measured: Measured
) -> SystemSummary:
    outcomes = [
        Outcome(
            LabelledQuestion(row["id"], "", is_answerable=row["is_answerable"]),
            row["status"], row["reason"], "", "", row["seconds"], row["scores"],
        )
        for row in body["outcomes"]
    ]  # fmt: skip
    measured.add("answers", label, set_name, [outcome.scores for outcome in outcomes])
    return summarise_answers(label, outcomes, resampling, body["peak_memory_bytes"])


def with_memory(row: SystemSummary, peak_memory_bytes: int | None) -> SystemSummary:
    """Return the row with the memory of its process."""
    return replace(row, peak_memory_bytes=peak_memory_bytes)


def _compared(measured: Measured, plan: Plan) -> list[PairedComparison]:
    return [
        *measured.compared("rankings", RETRIEVAL_METRIC, plan.retrieval_pairs(), plan.resampling),
        *measured.compared("answers", READING_METRIC, plan.reading_pairs(), plan.resampling),
    ]


def extra_of(text: str) -> Extra:
    """Return NAME=DIR or NAME=DIR@WEIGHT as a value. ArgumentTypeError for anything else."""
    name, _, rest = text.partition("=")
    path, _, weight = rest.partition("@")
    if not name or not path or not Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}; NAME=FOLDER or NAME=FOLDER@WEIGHT is expected")
    try:
        return Extra(name, path, float(weight) if weight else None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"weight {weight!r} is not a number") from error


def plan_of(arguments: Sequence[str] | None = None) -> tuple[Plan, Path]:
    """Return what the command line asks for and the folder of the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/ and demo/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the report")
    parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, help="per set; 0 for all")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--set", dest="sets", action="append", choices=ALL_SETS)
    parser.add_argument("--embedding", action="append", type=extra_of, default=[])
    parser.add_argument("--reranker", action="append", type=extra_of, default=[])
    parser.add_argument("--generator", action="append", type=extra_of, default=[])
    options = parser.parse_args(arguments)
    plan = Plan(
        data=options.data,
        sets=options.sets or ALL_SETS,
        embeddings=options.embedding,
        generators=options.generator,
        rerankers=options.reranker,
        limit=options.limit or None,
        resampling=Resampling(options.seed),
        embedding=EmbeddingSettings().model,
    )
    return plan, options.out


def main() -> None:
    """Print the tables and write the report."""
    plan, folder = plan_of()
    make_folder(folder)
    report = evaluate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    print(report_text(report))
    for path in write_report(report, folder):
        print(f"written {path}")


if __name__ == "__main__":
    main()
