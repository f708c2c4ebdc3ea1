"""What somebody wrote on a PDF, and PDFs among other bytes or drawn in another order."""

from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from ingest.limits import ParseLimits
from ingest.media_types import PDF, detect_media_type
from ingest.pdf import PdfLoader
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.ingest import pdf_samples as samples


def load(path: Path) -> ParsedDocument:
    *_, document = PdfLoader(ParseLimits()).load(path, path.name, PDF)
    assert isinstance(document, ParsedDocument)
    for page in document.pages:
        assert len(page.char_boxes) == len(page.span.of(document.text))
    return document


def said(document: ParsedDocument) -> str:
    return " ".join(document.text.split())


def drawn(folder: Path, *steps: Callable[[Canvas], None]) -> ParsedDocument:
    def draw(canvas: Canvas) -> None:
        for step in steps:
            step(canvas)

    return load(samples.write(folder / "a.pdf", draw))


def words(text: str, x: float, y: float) -> Callable[[Canvas], None]:
    return lambda canvas: canvas.drawString(x, y, text)


def field(value: str, x: float, y: float, **more: object) -> Callable[[Canvas], None]:
    return lambda canvas: canvas.acroForm.textfield(
        name=f"f{x}{y}", value=value, x=x, y=y, width=120, height=16, **more
    )


def test_the_value_of_a_field_stands_behind_its_label_with_its_box(tmp_path: Path) -> None:
    document = drawn(
        tmp_path,
        words("Inspector:", 72, 704), words("of the week", 320, 704), words("Shift:", 72, 644),
        field("Li Lei", 150, 700), field("night shift", 150, 640),
    )  # fmt: skip
    assert said(document) == "Inspector: Li Lei of the week Shift: night shift"
    start = document.text.index("Lei")
    assert 150 <= document.pages[0].char_boxes[start][0] <= 270


def test_a_field_without_a_line_beside_it_stands_where_it_lies(tmp_path: Path) -> None:
    document = drawn(
        tmp_path,
        words("First line.", 72, 700),
        words("Last line.", 72, 600),
        field("between", 72, 650),
    )
    assert said(document) == "First line. between Last line."


def test_ticks_are_read_and_secrets_and_empty_fields_are_not(tmp_path: Path) -> None:
    def boxes(canvas: Canvas) -> None:
        canvas.acroForm.checkbox(name="a", x=150, y=700, checked=True)
        canvas.acroForm.checkbox(name="b", x=150, y=650, checked=False)

    document = drawn(
        tmp_path,
        words("Stopped", 72, 704), words("Moved", 72, 654), boxes,
        field("hush", 72, 500, fieldFlags="password"), field("", 72, 450),
    )  # fmt: skip
    assert document.text.split() == ["Stopped", "\u2611", "Moved", "\u2610"]


def test_notes_and_remarks_follow_the_page_that_they_stand_on(tmp_path: Path) -> None:
    def notes(canvas: Canvas) -> None:
        canvas.textAnnotation("The date is wrong.", Rect=[300, 500, 320, 520])
        canvas.highlightAnnotation("Ask Li.", [72, 700, 200, 712])
        canvas.showPage()
        canvas.drawString(72, 700, "The second page.")

    document = drawn(tmp_path, words("The brake was worn.", 72, 704), notes)
    assert document.text.split("\n\n") == [
        "The brake was worn.", "The date is wrong.", "Ask Li.", "The second page.",
    ]  # fmt: skip
    assert [page.page_number for page in document.pages] == [1, 2]
    start = document.text.index("date")
    assert document.pages[0].char_boxes[start] == (300, 500, 320, 520)


def test_a_note_on_a_page_without_text_is_its_text(tmp_path: Path) -> None:
    def note(canvas: Canvas) -> None:
        canvas.textAnnotation("The crane stood here.", Rect=[300, 500, 320, 520])
        canvas.rect(10, 10, 20, 20)

    assert drawn(tmp_path, note).text == "The crane stood here."


def test_lines_drawn_in_another_order_are_read_downwards(tmp_path: Path) -> None:
    lines = ("The footer of the page", "The title", "The second line", "The first line")
    places = (100, 700, 640, 670)
    document = drawn(tmp_path, *(words(line, 72, y) for line, y in zip(lines, places, strict=True)))
    assert document.text.split("\n\n")[0].startswith("The title")
    found = [document.text.index(line) for line in (lines[1], lines[3], lines[2], lines[0])]
    assert found == sorted(found)


def test_columns_keep_the_order_in_which_they_were_drawn(tmp_path: Path) -> None:
    left = [words(f"left {n}", 72, 700 - 30 * n) for n in range(3)]
    right = [words(f"right {n}", 320, 700 - 30 * n) for n in range(3)]
    title = words("A title over both columns of the page, drawn as the last of all", 72, 740)
    document = drawn(tmp_path, *left, *right, title)
    assert said(document) == (
        "A title over both columns of the page, drawn as the last of all "
        "left 0 left 1 left 2 right 0 right 1 right 2"
    )


@pytest.mark.parametrize("before", [b"", b"\0" * 2000, b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n"])
@pytest.mark.parametrize("behind", [b"", b"\0" * 9000, b"<!-- served by a proxy -->" * 400])
def test_bytes_before_and_behind_a_pdf_lose_no_word(
    tmp_path: Path, before: bytes, behind: bytes
) -> None:
    path = samples.write(tmp_path / "a.pdf", samples.draw_lines)
    plain = load(path).text
    path.write_bytes(before + path.read_bytes() + behind)
    assert detect_media_type("a.pdf", path.read_bytes()[:16384]) == PDF
    assert load(path).text == plain


def test_an_update_that_is_cut_off_is_still_refused(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.pdf", samples.draw_lines)
    path.write_bytes(path.read_bytes() + b"\n9 0 obj\n<< /Length 9000 >>\nstream\n" + b"x" * 8000)
    with pytest.raises(DocumentError, match="cut off"):
        load(path)


@pytest.mark.parametrize(
    ("entries", "note"),
    [
        ("/Subtype /Text /RC (<p>It is <b>not</b> safe &amp; sound</p>)", "It is not safe & sound"),
        ("/Subtype /Redact /Contents (Not for release)", "Not for release"),
    ],
)
def test_remarks_of_every_kind_are_read(tmp_path: Path, entries: str, note: str) -> None:
    document = load(samples.with_annotations(tmp_path / "a.pdf", entries))
    assert document.text.split("\n\n")[-1] == note


STAMP = (
    b"93 0 obj << /Type /XObject /Subtype /Form /BBox [0 0 200 20] /Length 29 >> stream\n"
    b"0 0 200 20 re f             \nendstream endobj\n"
)


@pytest.mark.parametrize(
    ("entries", "is_unread"),
    [
        ("/Subtype /Stamp /AP << /N 93 0 R >>", True),
        ("/Subtype /Stamp /Contents (Approved) /AP << /N 93 0 R >>", False),
        ("/Subtype /Stamp", False),
        ("/Subtype /Square /AP << /N 93 0 R >>", False),
    ],
)
def test_a_stamp_that_is_a_drawing_is_left_to_the_reader_of_pictures(
    tmp_path: Path, entries: str, is_unread: bool
) -> None:
    document = load(samples.with_annotations(tmp_path / "a.pdf", entries, more=STAMP))
    assert document.unread == ((1,) if is_unread else ())
    assert samples.LINES[0] in document.text
