"""Heads of several rows with merged cells: every row says the joined names, in each format."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib import colors
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.documents import ParsedDocument

ROWS = [
    ["Gauge", "Morning", "", "Evening", "", "Reader"],
    ["", "Level (m)", "Flow (l/s)", "Level (m)", "Flow (l/s)", ""],
    ["P1", "101.2", "4.1", "101.6", "4.4", "Amos Tilley"],
    ["P2", "99.8", "7.7", "100.3", "8.2", "Greta Lund"],
]
AREAS = [((0, 0), (1, 0)), ((0, 1), (0, 2)), ((0, 3), (0, 4)), ((0, 5), (1, 5))]
"""Merged cells, each by its first and last row and column."""
TOLD = [
    f"Gauge: {gauge}; Morning Level (m): {a}; Morning Flow (l/s): {b}; Evening Level (m): {c}; "
    f"Evening Flow (l/s): {d}; Reader: {reader}"
    for gauge, a, b, c, d, reader in ROWS[2:]
]


def as_xlsx(path: Path, above: Sequence[list[str]] = ()) -> str:
    book = Workbook()
    for row in (*above, *ROWS):
        book.active.append([float(cell) if cell[:1].isdigit() else cell for cell in row])
    down = 1 + len(above)
    for (top, left), (bottom, right) in AREAS:
        book.active.merge_cells(
            start_row=top + down,
            start_column=left + 1,
            end_row=bottom + down,
            end_column=right + 1,
        )
    book.save(path)
    return types.XLSX


def as_docx(path: Path) -> str:
    document = Document()
    table = document.add_table(len(ROWS), len(ROWS[0]))
    for line, row in zip(table.rows, ROWS, strict=True):
        for cell, words in zip(line.cells, row, strict=True):
            cell.text = words
    for first, last in AREAS:
        words = table.cell(*first).text
        table.cell(*first).merge(table.cell(*last)).text = words
    document.save(path)
    return types.DOCX


def as_pptx(path: Path) -> str:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = (Inches(0.5), Inches(0.5), Inches(9), Inches(4))
    table = slide.shapes.add_table(len(ROWS), len(ROWS[0]), *box).table
    for line, row in zip(table.rows, ROWS, strict=True):
        for cell, words in zip(line.cells, row, strict=True):
            cell.text = words
    for first, last in AREAS:
        table.cell(*first).merge(table.cell(*last))
    deck.save(path)
    return types.PPTX


def as_html(path: Path) -> str:
    head = (
        "<tr><th rowspan=2>Gauge</th><th colspan=2>Morning</th><th colspan=2>Evening</th>"
        "<th rowspan=2>Reader</th></tr><tr>"
        + "".join(f"<th>{words}</th>" for words in ROWS[1] if words)
        + "</tr>"
    )
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in ROWS[2:]]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    path.write_text(f"<html><body><table>{head}{body}</table></body></html>")
    return types.HTML


def as_pdf(path: Path) -> str:
    spans = [("SPAN", (a, b), (c, d)) for (b, a), (d, c) in AREAS]
    style = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), *spans])
    SimpleDocTemplate(str(path)).build([Table(ROWS, style=style)])
    return types.PDF


def text_of(path: Path, media_type: str) -> str:
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, media_type)
    assert isinstance(document, ParsedDocument)
    return document.text


@pytest.mark.parametrize("write", [as_xlsx, as_docx, as_pptx, as_html, as_pdf])
def test_a_row_says_the_joined_names_of_its_columns(
    tmp_path: Path, write: Callable[[Path], str]
) -> None:
    path = tmp_path / write.__name__.replace("as_", "gauges.")
    text = text_of(path, write(path))
    assert [line for line in text.split("\n\n") if line.startswith("Gauge: P")] == TOLD


def test_rows_above_the_head_are_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "gauges.xlsx"
    above = [["Brackwater dam gauges"], ["Day: 6 October", "", "Lead: Kay", "", "Clerk: Al"], []]
    text = text_of(path, as_xlsx(path, above))
    assert "Brackwater dam gauges\n\nDay: 6 October; Lead: Kay; Clerk: Al" in text
    assert [line for line in text.split("\n\n") if line.startswith("Gauge: P")] == TOLD
