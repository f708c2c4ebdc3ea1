"""Pictures inside documents: their words stand where the picture does, each picture read once."""

import io
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

import docx
import pptx
import pytest
from PIL import Image

from ingest import media_types as types
from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures, SeenPicture
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.members import MemberFolder
from ingest.ocr import SeenLine
from ingest.page_reading import FAILED, ReadingFolder
from ingest.picture_reading import read_pages
from ingest.reading import PageReader, ReadingLoader
from kb_service.domain.documents import OCR_NOT_INSTALLED, PageKind, ParsedDocument
from kb_service.domain.jobs import Progress

SAID = "The rope was worn"
DATA_ADDRESS = "data:image/png;base64,"


def picture(red: int = 0, size: tuple[int, int] = (400, 100), kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, (red, 0, 0)).save(target, kind)
    return target.getvalue()


def line(text: str, score: float = 0.97) -> SeenLine:
    boxes = tuple((20.0 + 20 * i, 30.0, 38.0 + 20 * i, 60.0) for i in range(len(text)))
    right = 20.0 + 20 * len(text)
    corners = ((20.0, 30.0), (right, 30.0), (right, 60.0), (20.0, 60.0))
    return SeenLine(text, corners, boxes, (score,) * len(text))


class OneLine:
    """A reader to which every picture says the same."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def read(self, seen: Image.Image) -> list[SeenLine]:
        self.sizes.append(seen.size)
        return [line(SAID)]


def word(data: bytes) -> bytes:
    document = docx.Document()
    document.add_paragraph("Before.")
    document.add_picture(io.BytesIO(data))
    document.add_paragraph("After.")
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def slides(data: bytes) -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    for top, words in ((100, "Before."), (900_000, "After.")):
        slide.shapes.add_textbox(0, top, 9000, 900).text_frame.text = words
    slide.shapes.add_picture(io.BytesIO(data), 0, 500_000)
    target = io.BytesIO()
    show.save(target)
    return target.getvalue()


def open_text(data: bytes) -> bytes:
    content = (
        '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:draw="d" xmlns:xlink="x">'
        "<office:body><office:text><text:p>Before.</text:p><text:p><draw:frame>"
        '<draw:image xlink:href="Pictures/a.png"/></draw:frame></text:p><text:p>After.</text:p>'
        "</office:text></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with ZipFile(target, "w") as package:
        package.writestr("mimetype", types.ODT)
        package.writestr("content.xml", content)
        package.writestr("Pictures/a.png", data)
    return target.getvalue()


def page(data: bytes) -> bytes:
    address = DATA_ADDRESS + b64encode(data).decode()
    return f'<html><p>Before.</p><p><img src="{address}"></p><p>After.</p></html>'.encode()


def mail(data: bytes) -> bytes:
    message = EmailMessage()
    message["Subject"] = "Crane"
    message.set_content('<p>Before.</p><img src="cid:a@b"><p>After.</p>', subtype="html")
    message.add_related(data, "image", "png", cid="<a@b>", filename="image001.png")
    return message.as_bytes()


def book(data: bytes) -> bytes:
    chapter = (
        "<html><p>Before.</p><p><img src='../pictures/a%20b.png?x#y'/></p><p>After.</p></html>"
    )
    target = io.BytesIO()
    with ZipFile(target, "w") as package:
        package.writestr(
            "x/book.opf",
            "<package><manifest><item id='a' href='text/a.xhtml'/></manifest>"
            "<spine><itemref idref='a'/></spine></package>",
        )
        package.writestr("x/text/a.xhtml", chapter)
        package.writestr("x/pictures/a b.png", data)
    return target.getvalue()


def rich(data: bytes) -> bytes:
    shown = rb"{\*\shppict{\pict\picw400\pngblip " + data.hex().encode() + rb"}}"
    old = rb"{\nonshppict{\pict\wmetafile8 0100}}"
    return rb"{\rtf1\ansi Bef" + shown + old + rb"ore.\par After.}"


KINDS = {
    types.DOCX: word, types.PPTX: slides, types.ODT: open_text, types.HTML: page, types.MAIL: mail,
    types.EPUB: book, types.RTF: rich,
}  # fmt: skip


def load(
    tmp_path: Path, data: bytes, kind: str, readings: ReadingFolder | None = None
) -> ParsedDocument:
    path = tmp_path / "file"
    path.write_bytes(data)
    folder = MemberFolder(tmp_path / "members", ParseLimits())
    *_, document = DocumentLoader(ParseLimits(), readings, folder).load(path, "file", kind)
    assert isinstance(document, ParsedDocument)
    return document


def read(tmp_path: Path, data: bytes, kind: str, reader: OneLine | None = None) -> ParsedDocument:
    """Parse, read what lacks, and parse again, as `ReadingLoader` does it."""
    first = load(tmp_path, data, kind)
    folder = ReadingFolder(tmp_path)
    for number, found in read_pages(
        tmp_path / "file", "file", kind, first.unread, reader or OneLine()
    ):
        folder.add(number, found)
    return load(tmp_path, data, kind, folder)


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_a_picture_stand_where_it_does(tmp_path: Path, kind: str) -> None:
    document = read(tmp_path, KINDS[kind](picture()), kind)
    blocks = document.text.split("\n\n")
    at = blocks.index(SAID)
    assert (blocks[at - 1], blocks[at + 1]) == ("Before.", "After.")
    assert document.metadata["pictures_read"] == "1"
    assert (document.unread, document.members, document.losses) == ((), (), ())


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_say_that_they_were_read_and_how_surely(tmp_path: Path, kind: str) -> None:
    document = read(tmp_path, KINDS[kind](picture()), kind)
    (only,) = document.pages
    assert (only.kind, only.reason) == (PageKind.BOTH, None)
    start = document.text.index(SAID)
    inked = [only.char_scores[start + n] > 0 for n, c in enumerate(SAID) if c != " "]
    assert all(inked)
    assert only.char_scores[document.text.index("Before.")] == 0
    assert only.confidence == pytest.approx(0.97, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_too_small_for_words_is_counted_and_not_read(tmp_path: Path, kind: str) -> None:
    document = load(tmp_path, KINDS[kind](picture(size=(48, 48))), kind)
    assert document.unread == ()
    assert document.metadata["pictures_skipped"] == "1"
    assert document.pages[0].reason is None


def test_a_picture_in_many_places_is_read_once_and_told_where_it_stands_first(
    tmp_path: Path,
) -> None:
    show = docx.Document()
    for number in range(3):
        show.add_paragraph(f"Part {number}.")
        show.add_picture(io.BytesIO(picture()))
    target = io.BytesIO()
    show.save(target)
    reader = OneLine()
    document = read(tmp_path, target.getvalue(), types.DOCX, reader)
    assert document.text == f"Part 0.\n\n{SAID}\n\nPart 1.\n\nPart 2."
    assert reader.sizes == [(400, 100)]


def test_a_page_that_is_only_a_picture_is_read_by_ocr(tmp_path: Path) -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    slide.shapes.add_picture(io.BytesIO(picture()), 0, 0)
    target = io.BytesIO()
    show.save(target)
    document = read(tmp_path, target.getvalue(), types.PPTX)
    assert (document.text, document.pages[0].kind) == (SAID, PageKind.OCR)


def test_a_picture_in_a_cell_stands_behind_the_table(tmp_path: Path) -> None:
    show = docx.Document()
    table = show.add_table(2, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Part", "State"
    table.cell(1, 0).text = "Rope"
    table.cell(1, 1).paragraphs[0].add_run().add_picture(io.BytesIO(picture()))
    target = io.BytesIO()
    show.save(target)
    document = read(tmp_path, target.getvalue(), types.DOCX)
    assert document.text.endswith(f"\n\n{SAID}")
    assert "Rope" in document.text


def test_a_picture_that_could_not_be_read_is_named_on_its_page(tmp_path: Path) -> None:
    data = word(picture())
    folder = ReadingFolder(tmp_path)
    (number,) = load(tmp_path, data, types.DOCX).unread
    folder.add(number, FAILED)
    document = load(tmp_path, data, types.DOCX, folder)
    assert [p.reason for p in document.pages] == ["ocr_failed"]


def test_a_picture_that_no_one_can_open_is_a_loss(tmp_path: Path) -> None:
    broken = picture()
    data = page(b"\x01\x02" + broken)
    document = load(tmp_path, data, types.HTML)
    assert [(loss.where, loss.what) for loss in document.losses] == [
        ("page 1", "unreadable_picture")
    ]


def test_a_picture_that_is_attached_and_shown_is_read_once(tmp_path: Path) -> None:
    message = EmailMessage()
    message.set_content('<p>See</p><img src="cid:a@b">', subtype="html")
    message.make_mixed()
    message.add_attachment(picture(), "image", "png", filename="a.png", cid="<a@b>")
    message.add_attachment(picture(9), "image", "png", filename="b.png")
    document = load(tmp_path, message.as_bytes(), types.MAIL)
    assert len(document.unread) == 1
    assert [member.path for member in document.members] == ["b.png"]


class NoProcess:
    """Loads in this process; reading is not reached."""

    def load(
        self, path: Path, name: str, media_type: str, readings: Path | None = None
    ) -> Iterator[Progress | ParsedDocument]:
        yield from DocumentLoader(ParseLimits()).load(path, name, media_type)


def test_without_ocr_the_page_of_a_picture_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(word(picture()))
    loader = ReadingLoader(NoProcess(), PageReader(None), can_read=lambda: False)  # type: ignore[arg-type]
    *_, document = loader.load(path, path.name, types.DOCX)
    assert isinstance(document, ParsedDocument)
    assert [p.reason for p in document.pages] == [OCR_NOT_INSTALLED]
    assert "Before." in document.text


def test_words_of_pictures_do_not_stand_for_words_that_a_loader_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = SeenPicture("After", bytes([250] * 5))
    monkeypatch.setattr(EmbeddedPictures, "see", lambda _self, _data: seen)
    add = DraftDocument.add
    monkeypatch.setattr(
        DraftDocument,
        "add",
        lambda self, text, level=0: add(self, "" if text == "After." else text, level),
    )
    assert "words_missing" in load(tmp_path, word(picture()), types.DOCX).metadata
