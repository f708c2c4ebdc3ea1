"""How exactly facts are read from made-up incident reports in eight shapes, and what that costs.

    python -m benchmarks.facts [--records 10000] [--seed 2026] [--show "form, zh"] [--fresh]

Half of the shapes are those on which the reader was developed, half are only measured: `--show`
prints what was read wrong of a developed shape, and refuses the others. `--fresh`: the shapes of
other hands than those that wrote the patterns.
"""

import argparse
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.made_up_base import fact_reader
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import XLSX
from ingest.tables import row_texts
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.facts import UNKNOWN, Fact, records_of
from kb_service.language.across import without_title
from kb_service.language.numerals import NUMERALS
from kb_service.language.stated.plain import plain
from kb_service.language.units import marked

SHAPES = Path(__file__).with_name("fact_shapes.toml")
FRESH_SHAPES = Path(__file__).with_name("fresh_shapes.toml")
STATES = ("n", "zero", "unknown", "absent")
COUNTED = ("dead", "injured", "loss")
LEDGER_ROWS = 50
_SEVERAL = ("person", "handler")
"""Of people a record may state several."""

_FIRST_DAY, _DAYS = "2021-01-01", 4 * 365
_WORDS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@dataclass(frozen=True, slots=True)
class Made:
    """The values of a record as they are written, and the compared values that must be read."""

    written: Mapping[str, str]
    truth: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """A field of a record: what it should be and what was read; "" where there is none."""

    field: str
    expected: str
    found: str
    text: str


def shapes_in(path: Path) -> dict[str, Any]:
    """Return the shapes of a file and the values that their records are drawn from."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def drawing(seed: object) -> random.Random:
    """Return what draws the same for the same seed."""
    return random.Random(str(seed))


def made_records(
    draw: random.Random, shape: Mapping[str, Any], values: Mapping[str, Any], number: int
) -> list[Made]:
    """Return drawn records; as many as stand in one text are of one day, in the order of time."""
    made: list[Made] = []
    while len(made) < number:
        entries = [made_record(draw, shape, values) for _ in range(shape.get("entries", 1))]
        if "entries" in shape:
            day = entries[0].truth["time"][:10]
            entries = [_on(day, entry, draw, shape) for entry in entries]
            entries.sort(key=lambda one: one.truth["time"])
        made += entries
    return made[:number]


def _on(day: str, made: Made, draw: random.Random, shape: Mapping[str, Any]) -> Made:
    moment = datetime.fromisoformat(f"{day}{made.truth['time'][10:]}")
    written = {
        **made.written,
        "time": moment.strftime(draw.choice(shape["times"])),
        "date": moment.strftime(shape["dates"]),
    }
    return Made(written, {**made.truth, "time": moment.isoformat(timespec="minutes")})


def made_record(draw: random.Random, shape: Mapping[str, Any], values: Mapping[str, Any]) -> Made:
    """Return a drawn record in the words of a shape."""
    kind = draw.choice(sorted(values["kinds"]))
    first = datetime.fromisoformat(shape.get("first", _FIRST_DAY))
    moment = first + timedelta(minutes=draw.randrange(shape.get("days", _DAYS) * 24 * 60))
    letters = draw.choice("ABCDEFGH") + draw.choice("QRSTX")
    number = f"{letters}-{moment.year}-{draw.randrange(9999):04}"
    place = draw.choice(values["places"]).format(n=draw.randint(1, 90))
    person, phone = draw.choice(values["people"]), _phone(draw, values)
    written = {
        "number": number,
        "kind": draw.choice(values["kinds"][kind]),
        "time": moment.strftime(draw.choice(shape["times"])),
        "place": place,
        "person": person,
        "phone": phone,
    }
    truth = {
        "number": number.casefold(),
        "kind": kind,
        "time": moment.isoformat(timespec="minutes"),
        "place": plain(place),
        "person": plain(person),
        "phone": "".join(c for c in phone if c not in " ()."),
    }
    for field in COUNTED:
        _count(draw, shape, field, written, truth)
    _cause(draw, shape, values, written, truth)
    if "status" in shape:
        truth["status"] = draw.choice(sorted(shape["status"]))
        written["status"] = shape["status"][truth["status"]]
    _beside(draw, shape, values, written, truth)
    said = set(shape.get("columns", {}).values()) or {
        field for field in truth if any(f"{{{field}}}" in line for line in shape["lines"])
    }
    return Made(written, {field: value for field, value in truth.items() if field in said})


def _beside(
    draw: random.Random,
    shape: Mapping[str, Any],
    values: Mapping[str, Any],
    written: dict[str, str],
    truth: dict[str, str],
) -> None:
    """Draw what a shape has beside the common fields; a correction says another number before."""
    for name, choices in shape.get("choices", {}).items():
        written[name] = draw.choice(values[choices])
    if "handler" in written:
        truth["handler"] = plain(written["handler"])
    for name, most in shape.get("numbers", {}).items():
        written[name] = f"{draw.randint(1, most)}"
    if "corrected" not in shape:
        return
    written["correction"] = ""
    number = truth.get("injured", UNKNOWN)
    if number not in ("0", UNKNOWN) and draw.random() < 0.5:
        before = int(number) + draw.choice((1, 2))
        written["injured"] = _numbered(draw.choice(shape["injured"]), before)
        of = {**written, "n": number, "m": before}
        written["correction"] = draw.choice(shape["corrected"]).format(**of)


def _phone(draw: random.Random, values: Mapping[str, Any]) -> str:
    four = [f"{draw.randrange(1000, 10000)}" for _ in range(3)]
    template: str = draw.choice(values["phones"])
    return template.format(a=four[0], b=four[1], c=f"{draw.randrange(10**6, 10**7)}", d=four[2])


def _count(
    draw: random.Random,
    shape: Mapping[str, Any],
    field: str,
    written: dict[str, str],
    truth: dict[str, str],
) -> None:
    """Draw a state: a number, none, not known, not said."""
    state = draw.choices(STATES, (5, 2, 1, 2))[0]
    written[field] = ""
    if state == "absent":
        return
    number = draw.randint(1, shape.get("most", {}).get(field, 10))
    ways = shape[field if state == "n" else f"{field}_{state}"]
    written[field] = _numbered(draw.choice(ways), number)
    amount = number
    if field == "loss":
        amount = number * (10_000 if shape["language"] == "zh" else 1000)
    truth[field] = {"n": f"{amount}", "zero": "0", "unknown": UNKNOWN}[state]


def _numbered(way: str, number: int) -> str:
    han, word = NUMERALS.written(number), _WORDS[min(number, len(_WORDS)) - 1]
    return way.format(n=number, m=number, k=number, w=word, h=han, hm=han, x=number + 1)


def _cause(
    draw: random.Random,
    shape: Mapping[str, Any],
    values: Mapping[str, Any],
    written: dict[str, str],
    truth: dict[str, str],
) -> None:
    cause = draw.choice(values["causes"])
    is_unknown = "cause_unknown" in shape and draw.random() < 0.2
    ways = shape["cause_unknown"] if is_unknown else shape.get("cause", ["{c}"])
    written["cause"] = draw.choice(ways).format(c=cause)
    truth["cause"] = UNKNOWN if is_unknown else cause


def texts_of(shape: Mapping[str, Any], records: list[Made]) -> Iterator[tuple[str, list[Made]]]:
    """Yield texts with the records that they hold: one or a day's each, or rows of a ledger."""
    if not shape.get("ledger"):
        entries = shape.get("entries", 1)
        for start in range(0, len(records), entries):
            held = records[start : start + entries]
            head = [line.format(**held[0].written) for line in shape.get("head", ())]
            told = [text_of(shape, one, number) for number, one in enumerate(held, start=1)]
            yield "\n".join([*head, *told]), held
        return
    names = list(shape["columns"])
    for start in range(0, len(records), LEDGER_ROWS):
        part = records[start : start + LEDGER_ROWS]
        rows = [[r.written[shape["columns"][name]] for name in names] for r in part]
        if shape.get("is_book"):
            yield _book_text([[shape["title"]], shape["over"], names, *rows]), part
        else:
            yield "\n".join(row_texts([[shape["title"]], names, *rows], is_header_sure=True)), part


def text_of(shape: Mapping[str, Any], record: Made, number: int) -> str:
    lines = [line for line in shape["lines"] if _is_said(line, record)]
    joined: str = shape.get("join", "\n")
    return joined.join(line.format(**record.written, entry=number) for line in lines)


def _book_text(rows: list[list[str]]) -> str:
    """The text of a workbook: its title over all columns, equal cells of the second row as one."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(rows[1]))
    start = 1
    for _, same in groupby(rows[1]):
        end = start + len(list(same))
        sheet.merge_cells(start_row=2, end_row=2, start_column=start, end_column=end - 1)
        start = end
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "register.xlsx"
        book.save(path)
        for found in DocumentLoader(ParseLimits()).load(path, path.name, XLSX):
            if isinstance(found, ParsedDocument):
                return found.text
    raise ValueError("the workbook was not read")


def _is_said(line: str, record: Made) -> bool:
    """False for a line that says one thing only, which this record does not have."""
    fields = [field for field in record.written if f"{{{field}}}" in line]
    return len(fields) != 1 or bool(record.written[fields[0]])


def is_of_several(shape: Mapping[str, Any]) -> bool:
    """True for a shape of which a text holds several records, numbered from 1."""
    return bool(shape.get("ledger")) or "entries" in shape


def reads_of(text: str, records: list[Made], *, is_ledger: bool) -> Iterator[Read]:
    """Yield what was read of each field that these records have, or might have had."""
    found = {record.number: record for record in records_of(fact_reader().facts_in(marked(text)))}
    for number, made in enumerate(records, start=1 if is_ledger else 0):
        record = found.get(number)
        for field in dict.fromkeys((*made.truth, *COUNTED)):
            expected = made.truth.get(field, "")
            is_beside = "handler" in made.truth or "clerk" in made.written
            several = record if is_beside and field in _SEVERAL else None
            fact = record.first(field) if record else None
            names = [f.text for f in several.facts if f.field == "person"] if several else []
            if without_title(expected) in map(without_title, names):
                yield Read(field, expected, expected, text)
            else:
                yield Read(field, expected, _compared(fact), text)
        for fact in record.facts if record else ():
            if fact.span.of(text) != fact.value:
                raise ValueError(f"{fact} is not in its text")


def _compared(fact: Fact | None) -> str:
    return "" if fact is None else fact.text


def main() -> int:
    """Print the shares that were read exactly. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--fresh", action="store_true", help="the shapes of other hands")
    parser.add_argument("--show", help="print what was read wrong of this developed shape")
    options = parser.parse_args()
    content = shapes_in(FRESH_SHAPES if options.fresh else SHAPES)
    rows, totals = [], {True: Counter[str](), False: Counter[str]()}
    for shape in content["shape"]:
        if options.show and options.show != shape["name"]:
            continue
        if options.show and not shape["developed"]:
            parser.error("a shape that is only measured is not looked at")
        number = options.records // len(content["shape"])
        tally, cost = _measured(shape, content["values"], options, number)
        totals[shape["developed"]] += tally
        rows.append([shape["name"], *shares(tally), f"{cost:.2f}"])
    for is_developed, tally in totals.items():
        if tally:
            rows.append(["developed" if is_developed else "only measured", *shares(tally), ""])
    names = ["shape", "fields exact, %", "none, unknown, not said told apart, %", "weakest", "ms"]
    for row in (names, ["---"] * len(names), *rows):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    return 0


def _measured(
    shape: Mapping[str, Any], values: Mapping[str, Any], options: argparse.Namespace, number: int
) -> tuple[Counter[str], float]:
    """Return counts of what was read right, and milliseconds a record."""
    draw = drawing(f"{options.seed} {shape['name']}")
    records = made_records(draw, shape, values[shape["language"]], number)
    tally: Counter[str] = Counter()
    began = time.process_time()
    for text, held in texts_of(shape, records):
        for read in reads_of(text, held, is_ledger=is_of_several(shape)):
            tally_read(tally, read)
            if options.show and read.expected != read.found:
                sys.stdout.write(f"{read.field}: {read.expected!r} {read.found!r}\n{read.text}\n\n")
    return tally, 1000 * (time.process_time() - began) / number


def tally_read(tally: Counter[str], read: Read) -> None:
    is_right = read.expected == read.found
    if read.expected:
        tally["fields"] += 1
        tally["right"] += is_right
        tally[f"field {read.field}"] += 1
        tally[f"right {read.field}"] += is_right
    if read.field in COUNTED:
        tally["states"] += 1
        tally["told apart"] += _state(read.expected) == _state(read.found)


def _state(text: str) -> str:
    return text if text in ("", "0", UNKNOWN) else "n"


def shares(tally: Counter[str]) -> list[str]:
    fields = [name.removeprefix("field ") for name in tally if name.startswith("field ")]
    of_each = {name: tally[f"right {name}"] / tally[f"field {name}"] for name in fields}
    weakest = sorted(of_each, key=lambda name: of_each[name])[:3]
    told = ", ".join(f"{name} {100 * of_each[name]:.1f}" for name in weakest)
    exact = 100 * tally["right"] / tally["fields"]
    return [f"{exact:.1f}", f"{100 * tally['told apart'] / tally['states']:.1f}", told]


if __name__ == "__main__":
    sys.exit(main())
