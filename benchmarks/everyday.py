"""How questions in everyday words over many made-up records are answered: right, refused or wrong.

    python -m benchmarks.everyday [--seed 2026] [--show] [--base "ledger, zh"] [--fresh]

Two ledgers and two folders of reports, Chinese and English, a base each; `--fresh`: bases of the
shapes and with the questions of other hands. The truth is what was drawn. A question is right when
the records behind its answer, and its numbers, are those meant; one that names what no record
states has to be refused. `--show` prints what went wrong, of the questions that may be looked at.
"""

import argparse
import random
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.facts import (
    COUNTED,
    FRESH_SHAPES,
    Made,
    drawing,
    is_of_several,
    made_records,
    shapes_in,
    texts_of,
)
from benchmarks.made_up_base import Base, made_up_base
from benchmarks.record_verdicts import TABLE_HEAD, Held, Key, Row, answered, tallied, verdict
from ingest.tables import row_texts
from kb_service.domain.facts import UNKNOWN
from kb_service.services.querying import QueryResult

QUESTIONS = Path(__file__).with_name("everyday.toml")
NUM_RECORDS = 60
FRESH_QUESTIONS = Path(__file__).with_name("fresh_questions.toml")
LISTS = ("questions", "held", "fresh", "unseen")
SHOWN = ("questions", "held", "fresh")
_FIRST, _DAYS = datetime.fromisoformat("2024-01-01T00:00"), 510
_ROWS = 30
_COLUMNS = {"minutes": ("出警用时", "response minutes", "持续时间", "duration")}


def made_rows(base: Mapping[str, Any], values: Mapping[str, Any], seed: object) -> list[Row]:
    """Return drawn records; times, losses and minutes are all different."""
    draw = random.Random(f"{seed} {base['name']}")
    moments = sorted(draw.sample(range(_DAYS * 24 * 60), NUM_RECORDS))
    minutes = draw.sample(range(5, 400), NUM_RECORDS)
    losses = draw.sample(range(1, 240), NUM_RECORDS)
    rows: list[Row] = []
    for number, moment in enumerate(moments):
        kind = draw.choice(sorted(values["kinds"]))
        time = _FIRST + timedelta(minutes=moment)
        measures = draw.sample(values["measures"], 2)
        rows.append(
            {
                "number": f"JQ-{time.year}-{number + 101}",
                "kind": kind,
                "kind words": draw.choice(values["kinds"][kind]),
                "time": time.isoformat(timespec="minutes"),
                **{
                    name: draw.choice(values[f"{name}s"])
                    for name in ("place", "reporter", "handler", "unit", "firm", "outcome", "cause")
                },
                "dead": draw.choice(("0", "0", "0", "1", "2", "")),
                "injured": draw.choice(("0", "1", "2", "3", "4", "5", "7", "")),
                "loss": draw.choice((str(100 * losses[number]), "")),
                "minutes": str(minutes[number]),
                **{f"measure{n + 1}": measure for n, measure in enumerate(measures)},
            }
        )
    return rows


def filled(base: Base, made: Mapping[str, Any], rows: Sequence[Row]) -> Held:
    """Put records into a base: ledgers of thirty rows, or a report each."""
    found: dict[Key, Row] = {}
    if "columns" in made:
        names = list(made["columns"])
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            cells = [[_written(row, made["columns"][name]) for name in names] for row in part]
            text = "\n".join(row_texts([names, *cells], is_header_sure=True))
            document = base.add(f"{made['name']} {start}.txt", text)
            found |= {(document, number): row for number, row in enumerate(part, start=1)}
        return Held(found, _COLUMNS)
    for number, row in enumerate(rows):
        lines = [line for line in made["lines"] if _is_said(line, row)]
        written = {name: _written(row, name) for name in row}
        text = "\n".join(line.format(**written) for line in lines)
        found[base.add(f"{made['name']} {number}.txt", text), 0] = row
    return Held(found, _COLUMNS)


def filled_with_shape(
    base: Base, shape: Mapping[str, Any], values: Mapping[str, Any], seed: object, number: int
) -> Held:
    """Put drawn records of a shape into a base, in the texts that it has."""
    records = made_records(drawing((seed, shape["name"])), shape, values, number)
    first = 1 if is_of_several(shape) else 0
    found: dict[Key, Row] = {}
    for text, held in texts_of(shape, records):
        document = base.add(f"{shape['name']} {len(found)}.txt", text)
        rows = map(row_of, held)
        found |= {(document, number): row for number, row in enumerate(rows, start=first)}
    columns: dict[str, list[str]] = {}
    for column, name in shape.get("columns", {}).items():
        columns.setdefault(name, []).append(column.casefold())
    return Held(found, columns)


def row_of(made: Made) -> Row:
    """A record by names: in its own words, but what is counted and compared as it is read."""
    read = {name: made.truth.get(name, "") for name in ("kind", "time", *COUNTED)}
    is_unknown = made.truth.get("cause") == UNKNOWN
    said = {"reporter": made.written["person"], "kind words": made.written["kind"]}
    cause = UNKNOWN if is_unknown else made.truth.get("cause", "")
    return {**made.written, **read, **said, "cause": cause}


def _written(row: Row, name: str) -> str:
    if name == "time":
        return datetime.fromisoformat(row["time"]).strftime("%Y-%m-%d %H:%M")
    return row["kind words"] if name == "kind" else row[name]


def _is_said(line: str, row: Row) -> bool:
    return all(row[name] for name in row if f"{{{name}}}" in line)


def asked_of(text: str, held: Held) -> dict[str, str]:
    """Return values for the placeholders of a question: a record's own, so that something fits."""
    rows = list(held.rows.values())
    draw = random.Random(text)
    reporters, handlers = ({row.get(name) for row in rows} for name in ("reporter", "handler"))
    both = [r for r in rows if r["reporter"] in handlers and r.get("handler") in reporters]
    return dict(draw.choice(both or rows))


def measured(
    made: Mapping[str, Any], fill: Callable[[Base], Held], *, is_shown: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield of each question of a base whether it is held, what it asks for, and its verdict."""
    with made_up_base() as base:
        held = fill(base)
        for name in LISTS:
            for template, op, wanted in made.get(name, ()):
                of = asked_of(template, held)
                text = template.format(**of)
                result = answered(base, text)
                found = verdict(held, op, wanted.format(**of), result)
                if found != "right" and is_shown and name in SHOWN:
                    sys.stdout.write(f"{found}: {text} [{op}; {wanted}] {_told(result)}\n")
                yield name, op.split()[0], found


def filling(
    made: Mapping[str, Any], content: Mapping[str, Any], seed: object, *, is_fresh: bool
) -> Callable[[Base], Held]:
    """Return what puts the records of a base into it."""
    if not is_fresh:
        rows = made_rows(made, content["values"][made["language"]], seed)
        return lambda base: filled(base, made, rows)
    known = shapes_in(FRESH_SHAPES)
    shape = next(one for one in known["shape"] if one["name"] == made["name"])
    values = known["values"][shape["language"]]
    return lambda base: filled_with_shape(base, shape, values, seed, NUM_RECORDS)


def _told(result: QueryResult | None) -> str:
    return "" if result is None else f"{result.query.op} {result.query.filters}"


def main() -> int:
    """Print how many were right, refused and wrong. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="2026")
    parser.add_argument("--show", action="store_true", help="print what went wrong, if not held")
    parser.add_argument("--fresh", action="store_true", help="shapes and questions of other hands")
    parser.add_argument("--base", help="only this one")
    options = parser.parse_args()
    path = FRESH_QUESTIONS if options.fresh else QUESTIONS
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    found: list[tuple[str, str, str, str]] = []
    for made in content["base"]:
        if options.base in (None, made["name"]):
            fill = filling(made, content, options.seed, is_fresh=options.fresh)
            asked = measured(made, fill, is_shown=options.show)
            found += [(made["name"], *one) for one in asked]
    sys.stdout.write(TABLE_HEAD)
    for name in dict.fromkeys((base, held) for base, held, *_ in found):
        of = [verdict for base, held, _, verdict in found if (base, held) == name]
        sys.stdout.write(tallied(", ".join(name), of))
    for held in LISTS:
        of = [verdict for _, name, _, verdict in found if name == held]
        sys.stdout.write(tallied(f"all {held}", of) if of else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
