"""Tables of PDF files: their rows name their columns, and each character keeps its box."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from ingest.completeness import counted
from ingest.limits import ParseLimits
from ingest.media_types import PDF
from ingest.pdf import PdfLoader
from ingest.pdf_characters import NO_BOX
from ingest.pdf_count import DrawnLetters
from ingest.pdf_tables import with_names
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.spans import TextSpan
from tests.ingest import pdf_samples as samples
from tests.ingest.test_pdf import load, pdfium_reader
from tests.ingest.test_pdf_cells import row

LOCKS = [
    ["Lock", "Keeper", "Rise (m)", "Barges"],
    ["Upper Wend", "Tove Askelund", "2.4", "118"],
    ["Mill Reach", "Piers Obadiah", "1.9", "97"],
    ["Sallow", "Nadia Kroon", "3.1", "164"],
]
NAMED = [
    "Lock: Upper Wend; Keeper: Tove Askelund; Rise (m): 2.4; Barges: 118",
    "Lock: Mill Reach; Keeper: Piers Obadiah; Rise (m): 1.9; Barges: 97",
    "Lock: Sallow; Keeper: Nadia Kroon; Rise (m): 3.1; Barges: 164",
]
LAST = "The canal company counted last."
WIDE = {"colWidths": [120, 120, 90, 90]}
GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]


def drawn(
    path: Path, rows: list[list[str]], style: Sequence[tuple[object, ...]], **of: object
) -> Path:
    """A page with a paragraph, a table and a paragraph."""
    words = getSampleStyleSheet()["BodyText"]
    cells = (
        [[Paragraph(cell, words) for cell in row] for row in rows] if of.pop("wrap", 0) else rows
    )
    around = [Paragraph(f"The canal company counted {when}.", words) for when in ("first", "last")]
    table = Table(cells, style=TableStyle(style), **of)
    SimpleDocTemplate(str(path)).build([around[0], Spacer(1, 9), table, Spacer(1, 9), around[1]])
    return path


@pytest.mark.parametrize(
    ("style", "of"),
    [
        (GRID, {}),
        (GRID, {"wrap": True}),
        ([], WIDE),
        ([("ALIGN", (2, 0), (-1, -1), "RIGHT")], WIDE),
        ([("ALIGN", (1, 0), (-1, -1), "CENTER")], WIDE),
        ([("LINEABOVE", (0, n), (-1, n), 1, colors.black) for n in (0, 1, 4)], WIDE),
        ([("BACKGROUND", (0, n), (-1, n), colors.lightgrey) for n in (0, 2)], WIDE),
    ],
)
def test_the_rows_of_a_table_name_their_columns(
    tmp_path: Path, style: Sequence[tuple[object, ...]], of: dict[str, object]
) -> None:
    path = drawn(tmp_path / "a.pdf", LOCKS, style, **of)
    document = load(path)
    assert document.text.split("\n\n") == [
        "The canal company counted first.",
        "Lock; Keeper; Rise (m); Barges",
        *NAMED,
        LAST,
    ]
    (page,) = document.pages
    with pdfium_reader(path, 1) as words_in:
        for character, box in zip(document.text, page.char_boxes, strict=True):
            assert character in f"{words_in(box)}:;" if box != NO_BOX else character.isspace()


def test_a_name_that_is_said_again_lies_where_the_header_stands(tmp_path: Path) -> None:
    page = load(drawn(tmp_path / "a.pdf", LOCKS, GRID)).pages[0]
    document = load(tmp_path / "a.pdf")
    header, second = document.text.index("Keeper"), document.text.index("Keeper: Piers")
    boxes = [page.char_boxes[at : at + len("Keeper")] for at in (header, second)]
    assert boxes[0] == boxes[1]
    value = document.text.index("Piers")
    region = page.region(TextSpan(second, value + len("Piers")))
    assert region is not None
    assert len(region.boxes) == 2
    assert region.boxes[1][3] < region.boxes[0][1]


@pytest.mark.parametrize("valign", ["TOP", "MIDDLE", "BOTTOM"])
def test_a_cell_of_several_lines_is_one_cell_between_ruling_lines(
    tmp_path: Path, valign: str
) -> None:
    rows = [*LOCKS[:3], ["Sallow", "Nadia Kroon and, in the winter months, her brother", "3", "1"]]
    style = [*GRID, ("VALIGN", (0, 0), (-1, -1), valign)]
    widths = {"colWidths": [100, 110, 80, 80]}
    text = load(drawn(tmp_path / "a.pdf", rows, style, wrap=True, **widths)).text
    said = "Keeper: Nadia Kroon and, in the winter months, her brother; Rise (m): 3; Barges: 1"
    assert f"Lock: Sallow; {said}" in text.split("\n\n")


def test_an_empty_cell_has_no_name(tmp_path: Path) -> None:
    rows = [*LOCKS[:3], ["Sallow", "", "", "164"]]
    assert "Lock: Sallow; Barges: 164" in load(drawn(tmp_path / "a.pdf", rows, GRID)).text


def test_years_name_columns_and_rows_begin_left_of_them(tmp_path: Path) -> None:
    rows = [["", "2031", "2032"], ["Barges", "118", "97"], ["Locks mended", "4", "6"]]
    text = load(drawn(tmp_path / "a.pdf", rows, GRID, colWidths=[120, 80, 80])).text
    assert "Barges; 2031: 118; 2032: 97" in text.split("\n\n")
    assert "Locks mended; 2031: 4; 2032: 6" in text.split("\n\n")


@pytest.mark.parametrize(
    "rows",
    [
        [["118", "97", "4"], ["12", "7", "9"], ["1", "2", "3"]],
        [["Lock", "Sallow"], ["Keeper", "Nadia Kroon"], ["Rise", "3.1 m"]],
        [["Lock:", "Sallow", "Keeper:", "Kroon"], ["Rise:", "3.1 m", "Barges:", "164"]],
        [["Upper", "Askelund", "north"], ["Mill", "Obadiah", "south"], ["Sallow", "Kroon", "east"]],
    ],
)
def test_rows_without_a_header_stay_as_they_are(tmp_path: Path, rows: list[list[str]]) -> None:
    widths = [90] * len(rows[0])
    text = load(drawn(tmp_path / "a.pdf", rows, [], colWidths=widths)).text
    assert text.split("\n\n")[1:-1] == ["\t".join(cells) for cells in rows]


def test_names_that_are_said_again_stand_for_no_lost_letters(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.pdf", LOCKS, GRID)
    letters = DrawnLetters()
    *_, document = PdfLoader(ParseLimits(), drawn=letters).load(path, path.name, PDF)
    assert isinstance(document, ParsedDocument)
    assert counted(document, path, path.name, PDF, letters).metadata == document.metadata
    value = document.text.index("Askelund")
    boxes = document.pages[0].char_boxes[:value]
    page = replace(document.pages[0], char_boxes=boxes, span=TextSpan(0, value))
    short = replace(document, text=document.text[:value], pages=(page,))
    missing = counted(short, path, path.name, PDF, letters).metadata["words_missing"]
    lost = sum(map(str.isalnum, "Askelund24118MillReachPiersObadiah1997SallowNadiaKroon31164"))
    assert missing.startswith(f"{lost + sum(map(str.isalnum, LAST))} of ")


def test_lines_of_prose_with_a_wide_gap_are_no_table() -> None:
    words = ("the keeper of", "the old lock", "at Sallow said")
    lines = [row(*words, y=700 - 15 * at, xs=(50, 180, 320)) for at in range(3)]
    assert with_names(lines) == lines


@pytest.mark.parametrize(("x", "is_named"), [(235.0, False), (308.0, True), (345.0, False)])
def test_a_cell_far_from_every_name_leaves_the_table_as_it_is(x: float, *, is_named: bool) -> None:
    rows = [("Item", "Qty", "Cost"), ("Rope", "4", "12"), ("Hose", "4", "spare"), ("Axe", "2", "9")]
    places = [(50.0, 150.0, 300.0)] * 4
    places[2] = (50.0, 150.0, x)
    lines = [row(*cells, y=700 - 15 * at, xs=places[at]) for at, cells in enumerate(rows)]
    told = with_names([replace(one, text=_tabbed(one.text)) for one in lines])
    assert any("Cost: spare" in one.text for one in told) is is_named


def _tabbed(text: str) -> str:
    return text.replace(" ", "\t")


def test_a_drawing_of_many_lines_costs_no_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for at in range(400):
            canvas.line(60, 100 + at, 500, 100 + at)
        samples.draw_lines(canvas)
        canvas.showPage()

    assert (
        load(samples.write(tmp_path / "a.pdf", draw)).text.split()
        == " ".join(samples.LINES).split()
    )
