"""Papers of benchmarks.foreign as files of their formats, and as loaders read them."""

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.facts import Made
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import detect_media_type
from kb_service.domain.documents import ParsedDocument


def written_to(
    path: Path, shape: Mapping[str, Any], held: Sequence[Made], draw: random.Random
) -> None:
    """Write records into a file of a shape's format."""
    layout = shape.get("layout", "text")
    if layout == "pivot":
        _pivot(path, shape, held)
        return
    head = _filled(shape.get("head", ""), shape, held[0], 1)
    told = [_filled(shape["record"], shape, one, n) for n, one in enumerate(held, start=1)]
    between = shape.get("join", "")
    body = f"{between}\n".join(one.rstrip("\n") for one in told)
    text = f"{head}{body}\n{shape.get('tail', '').lstrip().replace('}}', '}')}"
    if layout == "broken":
        text = _broken(text, shape, draw)
    if path.suffix == ".docx":
        _docx(path, text, is_table=layout == "table")
    else:
        path.write_text(text.lstrip("\n"), encoding="utf-8")


def _filled(template: str, shape: Mapping[str, Any], made: Made, entry: int) -> str:
    """Fill a template; a line whose one field is not said is left out where it is text alone."""
    told = []
    values = {**made.written, "entry": entry, "entries": shape.get("entries", 1)}
    values["subject"] = "Re: {place}{kind}情况".format(**made.written)
    for line in template.removeprefix("\n").split("\n"):
        said = [name for name in made.written if f"{{{name}}}" in line]
        if len(said) == 1 and not made.written[said[0]] and " | " not in line:
            continue
        told.append(line.format(**values))
    return "\n".join(told)


def _pivot(path: Path, shape: Mapping[str, Any], held: Sequence[Made]) -> None:
    columns = [
        [line.split(" | ") for line in _filled(shape["record"], shape, one, n).split("\n") if line]
        for n, one in enumerate(held, start=1)
    ]
    rows = [[names[0], *(column[i][1] for column in columns)] for i, names in enumerate(columns[0])]
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in ([shape["head"].strip()], *rows):
        sheet.append(row)
    book.save(path)


def _docx(path: Path, text: str, *, is_table: bool) -> None:
    from docx import Document

    document = Document()
    rows = []
    for line in text.strip("\n").split("\n"):
        cells = line.split(" | ")
        if is_table and len(cells) > 1:
            rows.append([cell.strip() for cell in cells])
        elif line:
            document.add_paragraph(line)
    if rows:
        table = document.add_table(rows=0, cols=max(map(len, rows)))
        for row in rows:
            for cell, value in zip(table.add_row().cells, row, strict=False):
                cell.text = value
    document.save(str(path))


def _broken(text: str, shape: Mapping[str, Any], draw: random.Random) -> str:
    """Break lines as narrow columns of a scanned form do, not within words or numbers."""
    is_zh = shape["language"] == "zh"
    width = draw.randint(12, 18) if is_zh else draw.randint(24, 34)
    told = []
    for line in text.split("\n"):
        rest = line
        while len(rest) > width:
            places = (n for n in range(width, 0, -1) if _may_break(rest, n, is_zh=is_zh))
            at = next(places, len(rest))
            told.append(rest[:at].rstrip())
            rest = rest[at:].lstrip()
        told.append(rest)
    return "\n".join(told)


def _may_break(line: str, at: int, *, is_zh: bool) -> bool:
    before, after = line[at - 1], line[at]
    if before == " " or after == " ":
        return True
    return is_zh and not (before.isascii() and after.isascii())


def read(path: Path) -> str:
    """Return the text of a file, as its loader reads it.

    Raises:
        ValueError: when the loader gives none.
    """
    media_type = detect_media_type(path.name, path.read_bytes())
    for found in DocumentLoader(ParseLimits()).load(path, path.name, media_type):
        if isinstance(found, ParsedDocument):
            return found.text
    raise ValueError(f"{path.name} was not read")
