"""How questions over papers of other trades are answered: right, refused or wrong.

    python -m benchmarks.trades [--seed 2026] [--show] [--base "mine, zh"] [--aside]

A hospital, a waterworks, a haulier, a service desk, a school, a mine, a grid and a market office:
ledgers and forms with columns of their own, a base each. The truth is what was drawn. `--aside`
measures the third of the questions that was kept apart; `--show` prints what went wrong.
"""

import argparse
import random
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.everyday import filled
from benchmarks.made_up_base import made_up_base
from benchmarks.record_verdicts import TABLE_HEAD, Held, Row, answered, tallied, verdict

CONTENT = Path(__file__).with_name("trades.toml")
NUM_RECORDS = 60
_FIRST, _DAYS = datetime.fromisoformat("2024-01-01T00:00"), 510
_STANDARD = ("number", "time", "kind")
_READ_AS = {"minutes": ("duration",), "amount": ("loss",), "cost": ("loss",)}
"""Columns that papers may state as fields that every base can have."""


def drawn_rows(made: Mapping[str, Any], seed: object) -> list[Row]:
    """Return drawn records in time; numbers of one name are all different where they can be."""
    draw = random.Random(f"{seed} {made['name']}")
    moments = sorted(draw.sample(range(_DAYS * 24 * 60), NUM_RECORDS))
    numbers = {name: _numbers(draw, *ends) for name, ends in made["numbers"].items()}
    rows: list[Row] = []
    for at, minutes in enumerate(moments):
        time = _FIRST + timedelta(minutes=minutes)
        values = {name: draw.choice(several) for name, several in made["values"].items()}
        rows.append(
            {
                "number": f"{time.year}-{at + 101}",
                "time": time.isoformat(timespec="minutes"),
                **values,
                "kind words": values["kind"],
                **{name: str(several[at]) for name, several in numbers.items()},
            }
        )
    return rows


def _numbers(draw: random.Random, first: int, last: int) -> list[int]:
    several = range(first, last + 1)
    if len(several) >= NUM_RECORDS:
        return draw.sample(several, NUM_RECORDS)
    return draw.choices(several, k=NUM_RECORDS)


def _columns(made: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return how what has no field of its own is called in the papers of a base."""
    named = {name: label for label, name in made.get("columns", {}).items()}
    for line in made.get("lines", ()):
        label, _, value = re.split("([:：])", line, maxsplit=1) if "{" in line else (line, "", "")
        named[value.strip(" £{}")] = label
    own = {name: label for name, label in named.items() if name not in _STANDARD}
    return {name: (label.casefold(), *_READ_AS.get(name, ())) for name, label in own.items()}


def measured(made: Mapping[str, Any], asked: str, seed: object, *, is_shown: bool) -> Iterator[str]:
    """Yield the verdict on each question of a base."""
    with made_up_base() as base:
        held = Held(filled(base, made, drawn_rows(made, seed)).rows, _columns(made))
        for text, op, wanted in made[asked]:
            result = answered(base, text)
            found = verdict(held, op, wanted, result)
            if found != "right" and is_shown:
                told = "" if result is None else result.query
                sys.stdout.write(f"{found}: {text} [{op}; {wanted}] {told}\n")
            yield found


def main() -> int:
    """Print how many were right, refused and wrong. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="2026")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    parser.add_argument("--aside", action="store_true", help="the questions kept apart")
    parser.add_argument("--base", help="only this one")
    options = parser.parse_args()
    asked = "aside" if options.aside else "questions"
    found: dict[str, list[str]] = {}
    for made in tomllib.loads(CONTENT.read_text(encoding="utf-8"))["base"]:
        if options.base in (None, made["name"]):
            told = measured(made, asked, options.seed, is_shown=options.show)
            found[made["name"]] = list(told)
    sys.stdout.write(TABLE_HEAD)
    for name, verdicts in found.items():
        sys.stdout.write(tallied(name, verdicts))
    sys.stdout.write(tallied("all", [one for verdicts in found.values() for one in verdicts]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
