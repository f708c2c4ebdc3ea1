"""Faults of the disk at chosen points of real work; a table of what did not hold.

    python -m benchmarks.faults --points 1200
    python -m benchmarks.faults --points 1200 --part 1/3
    python -m benchmarks.faults --operation ask --kind full --at 17

Counts the places of each kind in each operation, draws as many of them as asked for (nearly the
same ones for the same seed, so that parts can run beside each other), and runs each in processes of
its own. Exit code 1 when anything did not hold. Needs Linux and a C compiler.
"""

import argparse
import gc
import importlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults.shim import KINDS, build
from benchmarks.faults.table import Row, print_table, read_rows

if TYPE_CHECKING:
    from benchmarks.faults.operations import Operation
    from benchmarks.faults.trial import Outcome, Point

    Places = dict[str, list[str]]

PARTS = ("alembic.command", "alembic.config", "tantivy", "faiss", "ingest.plain_text")
"""Imported before the first fork, so that no trial pays for them."""


def main() -> None:
    """Load the library, then do the work in a process that has it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operation", default="", help="only operations with this in their name")
    parser.add_argument("--kind", default="", choices=("", *KINDS))
    parser.add_argument("--at", type=int, default=0, help="only this call of each")
    parser.add_argument("--part", type=_part, default=(1, 1), help="2/3: the second third of them")
    parser.add_argument("--seconds", type=float, default=0, help="begin no point after so long")
    parser.add_argument("--outcomes", type=Path, help="append each outcome to this file")
    parser.add_argument("--table", type=Path, nargs="+", help="only print the table of such files")
    parser.add_argument("--folder", type=Path, help="where the data folders of the trials lie")
    options = parser.parse_args()
    if options.table:
        rows = read_rows(options.table)
        print_table(rows)
        sys.exit(int(any(row["wrong"] for row in rows)))
    with tempfile.TemporaryDirectory(prefix="kb-faults-", dir=options.folder) as folder:
        if "KB_FAULTS_FOLDER" not in os.environ:
            sys.exit(_again(Path(folder)))
        sys.exit(_run(options, Path(folder)))


def _part(text: str) -> tuple[int, int]:
    part, _, num_parts = text.partition("/")
    if not (part.isdecimal() and num_parts.isdecimal() and 1 <= int(part) <= int(num_parts)):
        raise argparse.ArgumentTypeError(f"{text!r}; expected 1/3, 2/3 or the like")
    return int(part), int(num_parts)


def _again(folder: Path) -> int:
    """Start this program once more, with the library in front of the C library."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_DATA")}
    environment = {**kept, **one_thread, "LD_PRELOAD": str(build(folder)), "KB_FAULTS_FOLDER": "1"}
    command = [sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]]
    return subprocess.run(command, env=environment, check=False).returncode


def _run(options: argparse.Namespace, folder: Path) -> int:
    from benchmarks.faults.operations import OPERATIONS
    from benchmarks.faults.session import LoadedModels, listen_to_logs
    from benchmarks.faults.trial import Trials

    for name in PARTS:
        importlib.import_module(name)
    logging.getLogger().addHandler(logging.NullHandler())
    listen_to_logs()
    models = LoadedModels()
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page that it looks at
    started = time.monotonic()
    trials = Trials(folder, models)
    trials.prepare()
    chosen = [item for item in OPERATIONS if options.operation in item.name]
    rows: list[Row] = []

    @cache
    def places_of(operation: "Operation") -> "Places":
        unharmed = trials.count(operation)
        rows.append(_told(unharmed, options.outcomes))
        return unharmed.places

    part, num_parts = options.part
    for point in islice(_points(options, chosen, places_of), part - 1, None, num_parts):
        if options.seconds and time.monotonic() - started > options.seconds:
            break
        rows.append(_told(trials.run(point), options.outcomes))
    print_table(rows)
    return int(any(row["wrong"] for row in rows))


def _told(outcome: "Outcome", file: Path | None) -> Row:
    """Print what did not hold at a point, and write it down."""
    row = _row(outcome)
    for text in row["wrong"]:
        place = f"{row['operation']}, {row['kind']} at {row['number']}"
        print(f"WRONG {place} ({row['fired']}): {text}", flush=True)
    if file:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(row) + "\n")
    return row


def _points(
    options: argparse.Namespace,
    operations: "Sequence[Operation]",
    places_of: "Callable[[Operation], Places]",
) -> Iterator["Point"]:
    """Draw points so that no kind, operation or pair of both is far ahead of the others."""
    from benchmarks.faults.trial import Point

    dice = random.Random(options.seed)
    kinds = (options.kind,) if options.kind else KINDS
    cells = [(operation, kind) for operation in operations for kind in kinds]
    numbers: dict[tuple[Operation, str], list[int]] = {}
    used: Counter[object] = Counter()
    for _ in range(options.points):
        dice.shuffle(cells)
        cell = min(cells, key=lambda cell: (used[cell], used[cell[0]] + used[cell[1]]))
        used.update((cell, *cell))
        operation, kind = cell
        if cell not in numbers:
            own_dice = random.Random(f"{options.seed} {operation.name} {kind}")
            drawn = [options.at] if options.at else _spread(places_of(operation)[kind], own_dice)
            numbers[cell] = drawn[::-1]
        if numbers[cell]:
            yield Point(operation, kind, numbers[cell].pop())


def _spread(labels: list[str], dice: random.Random) -> list[int]:
    """Every number from 1 on, equal calls as far from each other as they can be."""
    alike: dict[str, list[int]] = {}
    for number, label in enumerate(labels, 1):
        alike.setdefault(label, []).append(number)
    groups = list(alike.values())
    for group in groups:
        dice.shuffle(group)
    spread: list[int] = []
    while groups := [group for group in groups if group]:
        dice.shuffle(groups)
        spread.extend(group.pop() for group in groups)
    return spread


def _row(outcome: "Outcome") -> Row:
    point = outcome.point
    return {
        "operation": point.operation.name,
        "kind": point.kind,
        "number": point.number,
        "num_places": sum(map(len, outcome.places.values())),
        "fired": outcome.fired,
        "wrong": outcome.wrong,
        "seconds": round(outcome.seconds, 3),
        "recovery_s": round(outcome.recovery_s, 3),
    }


if __name__ == "__main__":
    main()
