"""`kb eval`: a question file asked of a base from end to end, the figures printed and written.

Knows arguments, progress and exit codes; measuring is the evaluation's.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import (
    Exit,
    JsonOption,
    KbOption,
    print_json,
    reported_errors,
    say,
    session,
)

if TYPE_CHECKING:
    from kb_service.evaluation.base_trial import BaseTrial, BaseUnderTest
    from kb_service.evaluation.questions import LabelledQuestion
    from kb_service.evaluation.resampling import Resampling

PAUSE_S = 10.0
TERMINAL_PAUSE_S = 0.5
"""Least time between two lines of progress: in a log, and where a person watches."""


def evaluate(
    file: Annotated[Path, typer.Argument(help="Questions, one JSON object a line (also .gz).")],
    kb: KbOption,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json, report.md and report.html.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Ask a seeded sample of so many questions.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of sample, intervals and baseline.", min=0)] = 7,
    baselines: Annotated[bool, typer.Option(help="Ask the simple readers too.")] = True,
    today: Annotated[
        datetime | None,
        typer.Option(
            help="The day that the questions were asked on; default: today.", formats=["%Y-%m-%d"]
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers of a base on a file of questions."""
    with reported_errors(as_json=as_json):
        from kb_service.evaluation.questions import read_questions, sample
        from kb_service.evaluation.report_files import make_folder

        questions = sample(read_questions(file), limit, seed)
        if not questions:
            _tell_nothing(file, as_json=as_json)
        if out:
            make_folder(out)
    with session(as_json=as_json) as services:
        base = services.measuring().under_test(kb, seed if baselines else None)
        base = replace(base, today=today.date() if today else None)
        trial = _measure(base, file, questions, seed)
    with reported_errors(as_json=as_json):  # the report is the user's own, with the user's rights
        _show(trial, out, as_json=as_json)
        if trial.num_failed:
            raise typer.Exit(Exit.FAILED)


def _tell_nothing(file: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"num_questions": 0})
    else:
        say(f"{file} holds no questions")
    raise typer.Exit(Exit.NOTHING_TO_DO)


def _measure(
    base: "BaseUnderTest", file: Path, questions: Sequence["LabelledQuestion"], seed: int
) -> "BaseTrial":
    from kb_service.evaluation.base_trial import evaluate_base, num_steps
    from kb_service.evaluation.resampling import Resampling

    resampling = Resampling(seed)
    progress = ProgressLine(num_steps(questions, len(base.readers)))
    run = _run_facts(base, file, resampling)
    trial = evaluate_base(base, questions, resampling, run, progress.step)
    progress.end()
    return trial


def _run_facts(base: "BaseUnderTest", file: Path, resampling: "Resampling") -> dict[str, str | int]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "question file": file.name,
        "answering model": [*base.readers][-1],
        "embedding model": base.embedding_model,
        **({"asked on": base.today.isoformat()} if base.today else {}),
        "seed": resampling.seed,
        "bootstrap draws": resampling.num_resamples,
    }


def _show(trial: "BaseTrial", out: Path | None, *, as_json: bool) -> None:
    from kb_service.evaluation.report import report_json
    from kb_service.evaluation.report_files import write_report
    from kb_service.evaluation.report_text import report_text

    written = write_report(trial.report, out) if out else []
    if as_json:
        print_json(report_json(trial.report))
        return
    for line in report_text(trial.report).splitlines():
        say(line)
    for path in written:
        say(f"written    {path}")


class ProgressLine:
    """Tells on standard error how far a long run is; a short one is not worth a line."""

    def __init__(self, num_steps: int) -> None:
        self._num_steps = num_steps
        self._num_done = 0
        self._is_terminal = sys.stderr.isatty()
        self._pause_s = TERMINAL_PAUSE_S if self._is_terminal else PAUSE_S
        self._last = monotonic()

    def step(self) -> None:
        """Count one step, and tell of it when the last line is old enough."""
        self._num_done += 1
        if monotonic() - self._last >= self._pause_s:
            self._last = monotonic()
            line = f"{self._num_done} of {self._num_steps} steps"
            typer.echo(
                f"\r{line}" if self._is_terminal else line, err=True, nl=not self._is_terminal
            )

    def end(self) -> None:
        """Wipe the line where a person watches."""
        if self._is_terminal:
            typer.echo(f"\r{' ' * 60}\r", err=True, nl=False)
