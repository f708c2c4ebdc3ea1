"""How questions in everyday words over many made-up records are answered: right, refused or wrong.

    python -m benchmarks.everyday [--seed 2026] [--show] [--base "ledger, zh"]

Two ledgers and two folders of reports, Chinese and English, a base each; the truth is what was
drawn. A question is right when the records behind its answer, and its numbers, are those meant; one
that names what no record states has to be refused. `--show` prints what went wrong, of the
questions that may be looked at.
"""

import argparse
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import ge, gt
from pathlib import Path
from typing import Any

from benchmarks.made_up_base import Base, made_up_base
from ingest.tables import row_texts
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import AGGREGATES, Operation
from kb_service.language.asked import parse_question
from kb_service.language.stated.plain import plain
from kb_service.services.across import AcrossDocuments
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from kb_service.services.querying import QueryResult
from kb_service.storage.records.store import RecordStore

QUESTIONS = Path(__file__).with_name("everyday.toml")
TODAY = date(2025, 6, 1)
NUM_RECORDS = 60
LISTS = ("questions", "held", "fresh")
SHOWN = ("questions", "held", "fresh")
_FIRST, _DAYS = datetime.fromisoformat("2024-01-01T00:00"), 510
_ROWS = 30
_NUMBERS = ("dead", "injured", "loss", "minutes")
_FIELDS = {"minutes": ("出警用时", "response minutes", "持续时间", "duration")}

Row = Mapping[str, str]
"""A record by the names of its values; a number that is not stated is ""."""

Key = tuple[str, int]
"""A record of a base: its document and its number there."""


@dataclass(frozen=True, slots=True)
class Held:
    """The records that a base was made of, and where each stands."""

    rows: Mapping[Key, Row]

    def passing(self, wanted: str) -> dict[Key, Row]:
        """Return the records that the conditions of a question select."""
        tests = [_test(one.strip()) for one in wanted.split(";") if one.strip()]
        return {key: row for key, row in self.rows.items() if all(test(row) for test in tests)}


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
        return Held(found)
    for number, row in enumerate(rows):
        lines = [line for line in made["lines"] if _is_said(line, row)]
        written = {name: _written(row, name) for name in row}
        text = "\n".join(line.format(**written) for line in lines)
        found[base.add(f"{made['name']} {number}.txt", text), 0] = row
    return Held(found)


def _written(row: Row, name: str) -> str:
    if name == "time":
        return datetime.fromisoformat(row["time"]).strftime("%Y-%m-%d %H:%M")
    return row["kind words"] if name == "kind" else row[name]


def _is_said(line: str, row: Row) -> bool:
    return all(row[name] for name in row if f"{{{name}}}" in line)


def _test(condition: str) -> Callable[[Row], bool]:
    for sign, holds in ((">=", ge), (">", gt)):
        name, found, bound = condition.partition(sign)
        if found:
            return lambda row: bool(row[name]) and bool(holds(float(row[name]), float(bound)))
    name, _, value = condition.partition("=")
    if name in ("from", "to"):
        return lambda row: (row["time"] >= value) is (name == "from")
    return lambda row: row[name] == value


def asked_of(text: str, held: Held) -> dict[str, str]:
    """Return values for the placeholders of a question: a record's own, so that something fits."""
    rows = list(held.rows.values())
    draw = random.Random(text)
    reporters, handlers = ({row[name] for row in rows} for name in ("reporter", "handler"))
    both = [r for r in rows if r["reporter"] in handlers and r["handler"] in reporters]
    return dict(draw.choice(both or rows))


def verdict(held: Held, made: str, wanted: str, result: QueryResult | None) -> str:
    """Return `right`, `refused`, or `wrong`: of what must be refused any answer is."""
    if made == "refused":
        return "right" if result is None else "wrong"
    if result is None:
        return "refused"
    chosen = held.passing(wanted)
    op, *rest = made.split()
    is_right = _CHECKS[op](chosen, rest, result)
    return "right" if is_right else "wrong"


def _keys(result: QueryResult) -> set[Key]:
    return {(row.document_id, row.record) for unit in result.units for row in unit.records}


def _are_counted(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    is_plain = result.query.op in {Operation.COUNT, Operation.LIST, Operation.EXISTS}
    is_by = result.query.op in {Operation.WHICH, Operation.TIMELINE}
    return (is_plain or is_by) and _keys(result) == set(chosen)


def _is_total(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    numbers = [float(row[rest[0]]) for row in chosen.values() if row[rest[0]]]
    total = sum(numbers)
    if result.query.op not in AGGREGATES or not _is_of(result.query.field, rest[0]):
        return False
    wanted = total / len(numbers) if result.query.op is Operation.AVERAGE else total
    return len(result.numbers) == 1 and abs(result.numbers[0].value - wanted) < 1e-6


def _is_of(field: str | None, name: str) -> bool:
    known = (field or "").casefold()
    return known == name or any(known.startswith(one) for one in _FIELDS.get(name, ()))


def _are_grouped(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    wanted = Counter(plain(_label(row, rest[0])) for row in chosen.values())
    found = {plain(group.label): group.number for group in result.groups}
    return result.query.op in {Operation.GROUP, Operation.TREND} and found == dict(wanted)


def _are_compared(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    name, *sides = rest
    wanted = [sum(row[name] == side for row in chosen.values()) for side in sides]
    is_compared = result.query.op is Operation.COMPARE
    return is_compared and [group.number for group in result.groups] == wanted


def _label(row: Row, name: str) -> str:
    moment = datetime.fromisoformat(row["time"])
    if name == "month":
        return f"{moment:%Y-%m}"
    if name == "year":
        return f"{moment.year}"
    if name == "quarter":
        return f"{moment.year}-Q{(moment.month + 2) // 3}"
    return row[name]


def _are_extreme(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    name, number = rest[0], int(rest[1])
    is_least = result.query.op is Operation.MIN or not result.query.descending
    return is_least is False and _are_best(chosen, name, number, result, most=True)


def _are_least(chosen: Mapping[Key, Row], rest: Sequence[str], result: QueryResult) -> bool:
    is_least = result.query.op is Operation.MIN or not result.query.descending
    return is_least and _are_best(chosen, rest[0], int(rest[1]), result, most=False)


def _are_best(
    chosen: Mapping[Key, Row], name: str, number: int, result: QueryResult, *, most: bool
) -> bool:
    """All that share the place of the last one are right as well."""
    if result.query.op not in {Operation.TOP, Operation.MAX, Operation.MIN}:
        return False
    stated = {key: _order(row, name) for key, row in chosen.items() if row[name]}
    best = sorted(stated.values(), reverse=most)[:number]
    keys = _keys(result)
    found = sorted((stated[key] for key in keys if key in stated), reverse=most)
    return len(found) == len(keys) and set(found) == set(best) and len(found) >= len(best)


def _order(row: Row, name: str) -> float:
    if name == "time":
        return datetime.fromisoformat(row["time"]).timestamp()
    return float(row[name])


_CHECKS: Mapping[str, Callable[[Mapping[Key, Row], Sequence[str], QueryResult], bool]] = {
    "count": _are_counted,
    "list": _are_counted,
    "sum": _is_total,
    "average": _is_total,
    "group": _are_grouped,
    "compare": _are_compared,
    "top": _are_extreme,
    "least": _are_least,
}


def answered(base: Base, text: str) -> QueryResult | None:
    """Return what a question gives, None where it is refused."""
    question, store = parse_question(text), RecordStore(base.database)
    named = named_in(question, TODAY)
    planned = planned_for(question, named, Filters(), base.kb_id, store, TODAY)
    if planned is None or planned.query is None:
        return None
    return AcrossDocuments(store, base.catalog.revisions).found(base.kb_id, planned.query)


def measured(
    made: Mapping[str, Any], values: Mapping[str, Any], seed: object, *, is_shown: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield of each question of a base whether it is held, what it asks for, and its verdict."""
    with made_up_base() as base:
        held = filled(base, made, made_rows(made, values, seed))
        for name in LISTS:
            for template, op, wanted in made[name]:
                of = asked_of(template, held)
                text = template.format(**of)
                result = answered(base, text)
                found = verdict(held, op, wanted.format(**of), result)
                if found != "right" and is_shown and name in SHOWN:
                    sys.stdout.write(f"{found}: {text} [{op}; {wanted}] {_told(result)}\n")
                yield name, op.split()[0], found


def _told(result: QueryResult | None) -> str:
    return "" if result is None else f"{result.query.op} {result.query.filters}"


def _row(name: str, found: Iterable[str]) -> str:
    counts = Counter(found)
    return (
        f"| {name} | {counts.total()} | {counts['right']} | {counts['refused']} "
        f"| {counts['wrong']} |\n"
    )


def main() -> int:
    """Print how many were right, refused and wrong. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="2026")
    parser.add_argument("--show", action="store_true", help="print what went wrong, if not held")
    parser.add_argument("--base", help="only this one")
    options = parser.parse_args()
    content = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    found: list[tuple[str, str, str, str]] = []
    for made in content["base"]:
        if options.base in (None, made["name"]):
            values = content["values"][made["language"]]
            asked = measured(made, values, options.seed, is_shown=options.show)
            found += [(made["name"], *one) for one in asked]
    sys.stdout.write("| questions | n | right | refused | wrong |\n|---|---|---|---|---|\n")
    for name in dict.fromkeys((base, held) for base, held, *_ in found):
        of = [verdict for base, held, _, verdict in found if (base, held) == name]
        sys.stdout.write(_row(", ".join(name), of))
    for held in LISTS:
        sys.stdout.write(_row(f"all {held}", (v for _, h, _, v in found if h == held)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
