"""How papers of many users are read and asked: layouts, labels and words drawn from wide lists.

    python -m benchmarks.wide [--records 120] [--show "letter, zh"] [--questions] [--held]

Each paper is made as a file, its labels drawn for it, and read as an upload is. `--questions`:
those written by hand, and those put together of kinds, times and what is asked, over a base for
each shape. `--held`: what is only measured, of which totals alone are printed.
"""

import argparse
import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.everyday import FRESH_QUESTIONS, asked_of, row_of
from benchmarks.facts import (
    Made,
    drawing,
    made_record,
    made_records,
    reads_of,
    shares,
    tally_read,
    text_of,
)
from benchmarks.made_up_base import Base, made_up_base
from benchmarks.record_questions import put_together
from benchmarks.record_verdicts import Held, answered, verdict
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import detect_media_type
from kb_service.domain.documents import ParsedDocument

DEVELOPED = Path(__file__).with_name("wide_developed.toml")
HELD = Path(__file__).with_name("wide_held.toml")
NUM_ASKED, NUM_PUT_TOGETHER = 60, 60
_GRID = 2
"""Labels side by side in a row of a grid."""


def papers(
    shape: Mapping[str, Any], content: Mapping[str, Any], seed: object, number: int
) -> Iterator[tuple[str, list[Made]]]:
    """Yield texts as an upload gives them, with the records that each tells."""
    draw, values = drawing((seed, shape["name"])), content["values"][shape["language"]]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(number // _num_of(shape)):
            of = _labelled(draw, shape, content["labels"][shape["language"]])
            held = _drawn(draw, of, values)
            path = Path(folder) / f"paper{_SUFFIXES.get(shape['layout'], shape.get('suffix'))}"
            _LAYOUTS[shape["layout"]](path, of, held, draw)
            yield _read(path), held


def is_of_several(shape: Mapping[str, Any]) -> bool:
    """True for a shape of which a file holds several records, numbered from 1."""
    return _num_of(shape) > 1


def _num_of(shape: Mapping[str, Any]) -> int:
    return int(shape.get("records", shape.get("entries", 1)))


def _labelled(
    draw: Random, shape: Mapping[str, Any], labels: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    chosen = {name: draw.choice(ways) for name, ways in shape.get("labels", labels).items()}
    lines = list(shape.get("lines", ()))
    for name, label in chosen.items():
        lines = [line.replace(f"{{l_{name}}}", label) for line in lines]
    columns = {name: name for name in shape.get("fields", ())}
    return {**shape, "lines": lines, "chosen": chosen, "columns": columns}


def _drawn(draw: Random, shape: Mapping[str, Any], values: Mapping[str, Any]) -> list[Made]:
    if "entries" in shape:
        return made_records(draw, shape, values, shape["entries"])
    held = [made_record(draw, shape, values) for _ in range(_num_of(shape))]
    if "dates" not in shape:
        return held
    days = [datetime.fromisoformat(one.truth["time"]).strftime(shape["dates"]) for one in held]
    pairs = zip(held, days, strict=True)
    return [Made({**one.written, "date": day}, one.truth) for one, day in pairs]


def _read(path: Path) -> str:
    data = path.read_bytes()
    for found in DocumentLoader(ParseLimits()).load(
        path, path.name, detect_media_type(path.name, data)
    ):
        if isinstance(found, ParsedDocument):
            return found.text
    raise ValueError(f"{path.name} was not read")


def _pairs(shape: Mapping[str, Any], made: Made) -> list[tuple[str, str]]:
    """Labels and values of a record, with those beside them."""
    fields = [(shape["chosen"][name], made.written[name]) for name in shape["fields"]]
    return fields + [(label, made.written[name]) for label, name in shape["beside"].items()]


def _lines(path: Path, shape: Mapping[str, Any], held: list[Made], draw: Random) -> None:
    head = [line.format(**held[0].written) for line in shape.get("head", ())]
    told = [text_of(shape, one, number) for number, one in enumerate(held, start=1)]
    path.write_text("\n".join([*head, *told]), encoding="utf-8")


def _form(path: Path, shape: Mapping[str, Any], held: list[Made], draw: Random) -> None:
    """A table of a document: label and value in a row, or two of each."""
    from docx import Document

    cells = [cell for pair in _pairs(shape, held[0]) for cell in pair]
    width = 2 * (_GRID if shape["layout"] == "grid" else 1)
    cells += [""] * (-len(cells) % width)
    document = Document()
    document.add_paragraph(shape["title"])
    table = document.add_table(rows=len(cells) // width, cols=width)
    for number, cell in enumerate(cells):
        table.cell(number // width, number % width).text = cell
    document.save(str(path))


def _transposed(path: Path, shape: Mapping[str, Any], held: list[Made], draw: Random) -> None:
    columns = [_pairs(shape, one) for one in held]
    labels = [label for label, _ in columns[0]]
    told = zip(labels, *([value for _, value in pairs] for pairs in columns), strict=True)
    _book(path, [[shape["title"]], *map(list, told)], {})


def _ledger(path: Path, shape: Mapping[str, Any], held: list[Made], draw: Random) -> None:
    """A title, a note, a row of merged headings, the names of the columns, the rows."""
    rows = [_pairs(shape, one) for one in held]
    names = [label for label, _ in rows[0]]
    merged, start = {1: [(1, len(names))], 3: []}, 1
    for _, same in groupby(shape["over"]):
        end = start + len(list(same))
        merged[3].append((start, end - 1))
        start = end
    told = [[value for _, value in pairs] for pairs in rows]
    _book(path, [[shape["title"]], [shape["note"]], shape["over"], names, *told], merged)


def _book(
    path: Path, rows: Sequence[Sequence[str]], merged: Mapping[int, list[tuple[int, int]]]
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    for number, ranges in merged.items():
        for first, last in ranges:
            sheet.merge_cells(start_row=number, end_row=number, start_column=first, end_column=last)
    book.save(path)


def _json(path: Path, shape: Mapping[str, Any], held: list[Made], draw: Random) -> None:
    """An export: an object for each record; what is not stated is null or not there."""
    told = []
    for made in held:
        pairs = [(key, int(v) if v.isdecimal() else v) for key, v in _pairs(shape, made)]
        is_null = draw.random() < 0.5
        told.append({key: v if v != "" else None for key, v in pairs if v != "" or is_null})
    content = {"export": {"version": 3}, "tickets": told}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


_LAYOUTS = {
    "lines": _lines,
    "form": _form,
    "grid": _form,
    "transposed": _transposed,
    "ledger": _ledger,
    "json": _json,
}
_SUFFIXES = {"transposed": ".xlsx", "ledger": ".xlsx", "json": ".json"}


def filled(base: Base, shape: Mapping[str, Any], content: Mapping[str, Any], seed: object) -> Held:
    """Put the papers of a shape into a base."""
    first = 1 if is_of_several(shape) else 0
    found = {}
    for text, held in papers(shape, content, seed, NUM_ASKED):
        document = base.add(f"{shape['name']} {len(found)}.txt", text)
        found |= {(document, n): row_of(made) for n, made in enumerate(held, start=first)}
    return Held(found, {})


def asked(
    shape: Mapping[str, Any], content: Mapping[str, Any], seed: object, *, is_shown: bool
) -> Iterator[tuple[str, str]]:
    """Yield how each question over a shape came to be, and its verdict."""
    language = shape["language"]
    known = tomllib.loads(FRESH_QUESTIONS.read_text(encoding="utf-8"))["templates"][language]
    with made_up_base() as base:
        held = filled(base, shape, content, seed)
        hand = [
            (text, op, wanted, "by hand") for text, op, wanted in content["questions"][language]
        ]
        draw = drawing((seed, shape["name"], "questions"))
        made = put_together(draw, known, held, NUM_PUT_TOGETHER)
        for text, op, wanted, how in [*hand, *((*one, "put together") for one in made)]:
            of = asked_of(text, held) if how == "by hand" else {}
            said, meant = text.format(**of), wanted.format(**of) if of else wanted
            found = verdict(held, op, meant, answered(base, said))
            if is_shown and found != "right":
                sys.stdout.write(f"{found}: {shape['name']}: {said} [{op}; {meant}]\n")
            yield how, found


def main() -> int:
    """Print the shares. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=120, help="of each shape")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", help="print what went wrong of this shape")
    parser.add_argument("--questions", action="store_true")
    parser.add_argument("--held", action="store_true", help="what is only measured")
    options = parser.parse_args()
    if options.held and options.show:
        parser.error("what is only measured is not looked at")
    content = tomllib.loads((HELD if options.held else DEVELOPED).read_text(encoding="utf-8"))
    shapes = [one for one in content["shape"] if options.show in (None, one["name"])]
    measure = _asked_all if options.questions else _read_all
    for line in measure(shapes, content, options):
        sys.stdout.write(f"{line}\n")
    return 0


def _read_all(
    shapes: Sequence[Mapping[str, Any]], content: Mapping[str, Any], options: argparse.Namespace
) -> Iterator[str]:
    every: Counter[str] = Counter()
    for shape in shapes:
        tally: Counter[str] = Counter()
        for text, held in papers(shape, content, options.seed, options.records):
            for read in reads_of(text, held, is_ledger=is_of_several(shape)):
                tally_read(tally, read)
                if options.show and read.expected != read.found:
                    yield f"{read.field}: {read.expected!r} {read.found!r}\n{text}\n"
        every += tally
        if not options.held:
            yield f"| {shape['name']} | {' | '.join(shares(tally))} |"
    yield f"| all | {' | '.join(shares(every)[:2])} |"


def _asked_all(
    shapes: Sequence[Mapping[str, Any]], content: Mapping[str, Any], options: argparse.Namespace
) -> Iterator[str]:
    every: Counter[tuple[str, str]] = Counter()
    for shape in shapes:
        found = Counter(asked(shape, content, options.seed, is_shown=bool(options.show)))
        every += found
        if not options.held:
            yield f"| {shape['name']} | {dict(found)} |"
    yield f"| all | {dict(every)} |"


if __name__ == "__main__":
    sys.exit(main())
