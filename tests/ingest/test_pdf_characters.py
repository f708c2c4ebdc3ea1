"""Characters of a page in a few passes: what asking for each one gives."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from ingest.pdf_characters import NO_BOX, CharacterReader, Characters
from ingest.pdf_count import DrawnLetters, letters_of
from ingest.pdf_glyphs import Sheet
from kb_service.domain.spans import Box
from tests.ingest import pdf_samples as samples

BLANK = " \n\t\r\xa0"


def one_by_one(textpage: pypdfium2.PdfTextPage) -> tuple[str, list[Box]]:
    """The same by the calls that pdfium offers, with their types checked."""
    text = ""
    boxes: list[Box] = []
    for index in range(pdfium.FPDFText_CountChars(textpage)):
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
        character = chr(pdfium.FPDFText_GetUnicode(textpage, index))
        box = left.value, bottom.value, right.value, top.value
        text, boxes = text + character, [*boxes, NO_BOX if character in BLANK else box]
    return text, boxes


def text_pages(paths: list[Path]) -> Iterator[pypdfium2.PdfTextPage]:
    for path in paths:
        with pypdfium2.PdfDocument(path) as document:
            for number in range(len(document)):
                yield document[number].get_textpage()


def long_page(path: Path) -> Path:
    def draw(canvas: samples.Canvas) -> None:
        samples.draw_lines(canvas, samples.LINES * 15)
        canvas.showPage()

    return samples.write(path, draw)


def mapped(path: Path, code: int, said: str) -> Path:
    """A page whose letters of one code are said to be something else, by UTF-16 in hex."""
    data = samples.unreadable(path, code, code).read_bytes()
    path.write_bytes(data.replace(b"<E000>", b"<%s>" % said.encode()))
    return path


def test_passes_over_a_page_give_what_single_calls_give(tmp_path: Path, shared_dir: Path) -> None:
    paths = [
        long_page(tmp_path / "a.pdf"), samples.chinese(tmp_path / "b.pdf"),
        samples.cropped(tmp_path / "c.pdf"), samples.rotated(tmp_path / "d.pdf", 90),
        samples.unreadable(tmp_path / "e.pdf"), mapped(tmp_path / "f.pdf", 0x65, "D83DDE00"),
        mapped(tmp_path / "g.pdf", 0x65, "0000"), mapped(tmp_path / "h.pdf", 0x65, "FFFE"),
        mapped(tmp_path / "i.pdf", 0x65, "00660069"), samples.mixed_pages(tmp_path / "j.pdf"),
        *sorted((shared_dir / "data/demo/pdf").rglob("*.pdf"))[::44],
        *sorted((shared_dir / "data/formats/pypdf-sample-files").rglob("habibi*.pdf")),
    ]  # fmt: skip
    reader, num = CharacterReader(), 0
    for textpage in text_pages(paths):
        found = reader.read(textpage.raw, (0.0, 0.0))
        assert (found.text, found.boxes) == one_by_one(textpage)
        num = max(num, len(found.text))
    assert num > 2000


def test_boxes_count_from_the_corner_that_is_given(tmp_path: Path) -> None:
    pages = text_pages([samples.rotated(tmp_path / "a.pdf", 0)])
    textpage, reader = next(pages), CharacterReader()
    plain, moved = reader.read(textpage.raw, (0.0, 0.0)), reader.read(textpage.raw, (30.0, -20.0))
    assert moved.boxes[0] == tuple(
        value - shift for value, shift in zip(plain.boxes[0], (30, -20, 30, -20), strict=True)
    )
    assert [box == NO_BOX for box in moved.boxes] == [box == NO_BOX for box in plain.boxes]


@pytest.mark.parametrize("around", [(0.0, 0.0, 10.0, 10.0), (-40.0, 0.0, 90.0, 10.0)])
def test_letters_are_counted_where_the_page_shows_them(around: Box) -> None:
    boxes = [(1.0, 1.0, 2.0, 2.0), (-40.0, 1.0, -39.0, 2.0), (9.5, 1.0, 90.0, 2.0)]
    drawn = DrawnLetters()
    drawn.add(1, Characters("aBc", boxes, around), Sheet(10.0, 10.0, (0.0, 0.0), 0))
    expected = "abc" if around[0] >= 0 else "ac"
    assert drawn.missing("") == (letters_of(expected), len(expected))
    assert drawn.missing("", unread=[1]) == ({}, 0)
    assert not drawn.missing("C A, b")[0]


def test_letters_are_counted_by_what_they_stand_for() -> None:
    assert letters_of("\ufb01 Ⅳ. é") == letters_of("FI iv É")
