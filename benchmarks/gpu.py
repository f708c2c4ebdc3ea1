"""The engine on one GPU against the machine's own limits and against transformers.

    python -m benchmarks.gpu --out FILE [--references FILE]
    python -m benchmarks.gpu --device cpu --small        (only proves that everything runs)

Weights are random and of the ChatGLM3-6B shape. Checks of correctness come first, and the run
ends there if one fails. What has not begun after --budget-s is left out and named; a baseline
that fails is recorded as such. Warnings of the engine, as of a kernel left aside, are recorded too.

--prepare FILE writes the references of benchmarks.prompt_lookup (it needs --data and
--tokenizer), so that a machine without them can force their ids.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_checks import failures
from benchmarks.gpu_measures import MEASURES, Subject
from llm.models.config import ModelConfig, chatglm3_6b

Report = dict[str, Any]


class Heard(logging.Handler):
    """Keeps what the engine logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


def main() -> None:
    """Check, measure, and write one JSON file."""
    options = _options()
    if options.prepare:
        return _prepare(options)
    started = time.monotonic()
    heard = Heard()
    logging.getLogger("llm").addHandler(heard)
    logging.getLogger("llm").setLevel(logging.INFO)
    subject = Subject(
        config(options.layers, small=options.small),
        torch.device(options.device),
        small=options.small,
        references=json.loads(options.references.read_text()) if options.references else [],
    )
    report: Report = {"torch": torch.__version__, "layers": subject.config.num_layers}
    report["failed_checks"] = failures(subject)
    write(options.out, report, heard)
    if report["failed_checks"]:
        sys.exit(f"not measured, as checks failed: {report['failed_checks']}")
    for name, measure in MEASURES.items():
        if time.monotonic() - started > options.budget_s:
            report[name] = "left out: no time left"
            continue
        report[name] = _attempt(name, measure, subject)
        write(options.out, report, heard)
    return None


def config(num_layers: int | None, *, small: bool) -> ModelConfig:
    """The real shape, or one that a CPU runs in seconds."""
    shape = chatglm3_6b()
    if small:
        shape = replace(
            shape, num_layers=2, hidden_size=64, num_heads=8, head_dim=16, rope_dim=8,
            ffn_size=128, vocab_size=512, max_context=512,
        )  # fmt: skip
    return replace(shape, num_layers=num_layers or shape.num_layers)


def write(out: Path | None, report: Report, heard: Heard) -> None:
    """Show the report so far, so that a run that is cut off has said what it knew."""
    text = json.dumps({**report, "log": heard.lines}, indent=1)
    if out:
        out.write_text(text + "\n")
    print(text if report.keys() >= MEASURES.keys() else f"{list(report)[-1]} done", flush=True)


def _attempt(name: str, measure: Callable[[Subject], Report], subject: Subject) -> Report:
    start = time.monotonic()
    try:
        found = measure(subject)
    except Exception as error:  # one measurement must not cost the others
        logging.getLogger("llm").warning("%s failed", name, exc_info=True)
        found = {"failed": f"{type(error).__name__}: {str(error)[:500]}"}
    return {**found, "took_s": round(time.monotonic() - start, 1)}


def _prepare(options: argparse.Namespace) -> None:
    from benchmarks.prompt_lookup import references_of

    found = references_of(options.data, options.tokenizer, num_answers=options.answers)
    rows = [{"kind": each.kind, "prompt": each.prompt, "answer": each.answer} for each in found]
    options.prepare.write_text(json.dumps(rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--layers", type=int, help="cut the stack where time or memory is short")
    parser.add_argument("--small", action="store_true", help="tiny sizes everywhere")
    parser.add_argument("--budget-s", type=float, default=480.0)
    parser.add_argument("--out", type=Path, metavar="FILE")
    parser.add_argument("--references", type=Path, metavar="FILE")
    parser.add_argument("--prepare", type=Path, metavar="FILE")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--answers", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    main()
