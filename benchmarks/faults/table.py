"""Outcomes as lines of JSON, and the table that they make: points met and what did not hold.

Knows rows only, so that parts that ran beside each other, or one that was stopped, count together.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.shim import KINDS

Row = dict[str, Any]


def read_rows(paths: Iterable[Path]) -> list[Row]:
    """Return the rows of several files; of one point that stands in two, the first."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    rows: dict[tuple[str, str, int], Row] = {}
    for line in lines:
        row = json.loads(line)
        rows.setdefault((row["operation"], row["kind"], row["number"]), row)
    return list(rows.values())


def print_table(rows: Sequence[Row]) -> None:
    """Print the points that were met by operation and kind, and how many of them went wrong."""
    met = Counter((row["operation"], row["kind"]) for row in rows if row["fired"])
    wrong = Counter((row["operation"], row["kind"]) for row in rows if row["wrong"])
    print(f"\n| operation | places | {' | '.join(KINDS)} |")
    print("|---|---|" + "---|" * len(KINDS))
    for unharmed in (row for row in rows if row["num_places"]):
        name = unharmed["operation"]
        cells = [_cell(met[name, kind], wrong[name, kind]) for kind in KINDS]
        print(f"| {name} | {unharmed['num_places']} | {' | '.join(cells)} |")
    points = [row for row in rows if not row["num_places"]]
    calls = Counter(row["fired"].split()[0] for row in points if row["fired"])
    recoveries = sorted(row["recovery_s"] for row in points) or [0.0]
    seconds = sum(row["seconds"] for row in rows)
    print(f"\n{sum(met.values())} points of {len(points)} drawn were met, in {seconds:.0f} s")
    print(f"restart: median {recoveries[len(recoveries) // 2]:.2f} s, max {recoveries[-1]:.2f} s")
    print("calls: " + ", ".join(f"{name} {number}" for name, number in calls.most_common()))
    print(f"points at which something did not hold: {sum(wrong.values())}")


def _cell(num_met: int, num_wrong: int) -> str:
    return f"{num_met} ({num_wrong} wrong)" if num_wrong else str(num_met)
