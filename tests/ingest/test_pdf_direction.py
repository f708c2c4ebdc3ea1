"""Words from right to left: the order of reading, whatever order the file has, with their boxes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.pdf_characters import NO_BOX
from ingest.pdf_direction import in_reading_direction, with_cells
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.spans import Box
from tests.ingest import pdf_samples as samples

ROWS: list[tuple[Sequence[str], bool]] = [
    (["שלום עולם"], True),
    (["בשנת ", "2024", " היו ", "15", " תאונות."], True),
    (["המשאבה לא תקינה ", "(", "ראו עמוד ", "7", ")", "."], True),
    (["דוח ", "NTSB-12.5", " (סופי)"], True),
    (["על ", "ABC Corp", " נגד"], True),
    (["5%", " מהם"], True),
    (["שָׁלוֹם"], True),
    (["مرحبا بالعالم"], True),
    (["المضخة ", "P-101", " لا تعمل منذ ", "3.5", " ساعات"], True),
    (["The word ", "שלום", " means peace"], False),
    (["She said ", "שלום"], False),
    (["Valve 12 ", "שסתום ראשי", " failed"], False),
]


def load(path: Path) -> ParsedDocument:
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, "application/pdf")
    assert isinstance(document, ParsedDocument)
    return document


@pytest.mark.parametrize("as_seen", [False, True])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: ascii("".join(row[0])))
def test_a_line_is_read_in_its_order(
    tmp_path: Path, row: tuple[Sequence[str], bool], *, as_seen: bool
) -> None:
    document = load(samples.both_directions(tmp_path / "a.pdf", [row], as_seen=as_seen))
    wanted = "".join(row[0])
    assert document.text == wanted
    assert "words_missing" not in document.metadata
    boxes = document.pages[0].char_boxes
    places = samples.places(row[0], runs_left=row[1])
    for (x, character), box in zip(places, boxes, strict=True):
        assert (box == NO_BOX) == character.isspace()
        assert box == NO_BOX or x - 6 <= box[0] < box[2] <= x + 12


@pytest.mark.parametrize("as_seen", [False, True])
def test_every_line_of_a_page_is_read_in_its_order(tmp_path: Path, *, as_seen: bool) -> None:
    document = load(samples.both_directions(tmp_path / "a.pdf", ROWS, as_seen=as_seen))
    lines = [line for line in document.text.splitlines() if line]
    assert lines == ["".join(pieces) for pieces, _ in ROWS]


def test_cells_from_right_to_left_stay_apart(tmp_path: Path) -> None:
    row = (["שם", " " * 12, "תפקיד", " " * 12, "טלפון"], True)
    document = load(samples.both_directions(tmp_path / "a.pdf", [row]))
    assert document.text.split() == ["שם", "תפקיד", "טלפון"]
    assert document.text.count("\t") == 2


def side_by_side(text: str) -> list[Box]:
    """Boxes of characters that stand in a row as they are given."""
    return [
        NO_BOX if character == " " else (5.0 * n, 0.0, 5.0 * n + 4, 8.0)
        for n, character in enumerate(text)
    ]


@pytest.mark.parametrize(
    ("given", "read"),
    [("abc אבג", "abc גבא"), ("אבג", "גבא"), ("א", "א"), ("אב 12", "12 בא"), ("12 אב", "בא 12")],
)
def test_what_runs_to_the_right_is_turned(given: str, read: str) -> None:
    """pdfium's own order of a line whose letters follow each other to the right."""
    boxes = side_by_side(given)
    text, places = in_reading_direction(given, boxes)
    assert text == read
    assert sorted(places) == list(range(len(given)))
    assert [given[place] for place in places] == list(read)


def test_a_space_is_a_cell_where_the_line_is_empty() -> None:
    text = "ab cd ef"
    boxes = [*side_by_side("ab cd"), NO_BOX, (80.0, 0.0, 84.0, 8.0), (85.0, 0.0, 89.0, 8.0)]
    assert with_cells(text, boxes, 20.0, "|") == "ab cd|ef"
    turned = [boxes[place] for place in (7, 6, 2, 0, 1, 5, 3, 4)]
    assert with_cells("ab cd ef", turned, 20.0, "|") == "ab|cd ef"
