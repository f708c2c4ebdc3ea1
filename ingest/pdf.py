"""PdfLoader: text, boxes, page kinds and headings of a PDF, through pdfium.

Knows pages and what became of each of them; the reading of characters is `pdf_glyphs`, the joining
of lines `pdf_layout`. Knows no limits on time or memory: `sandbox` puts it into a child process.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.limits import ParseLimits
from ingest.pdf_cells import mark_aligned_cells
from ingest.pdf_columns import in_reading_order
from ingest.pdf_glyphs import GlyphReader, PageGlyphs, Sheet, upright_box
from ingest.pdf_layout import PARAGRAPH, PageText, Paragraph, compose, heading_levels
from ingest.pdf_marks import marks_of, with_notes, with_values
from kb_service.domain.documents import (
    BLANK_PAGE,
    NO_TEXT_LAYER,
    Heading,
    Page,
    PageKind,
    ParsedDocument,
)
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.spans import TextSpan
from kb_service.language.layout import LAYOUT

PAGE_JOIN = "\f"
"""Between two pages whose text runs on; a blank line stands there otherwise."""
UNREADABLE_TEXT = "unreadable_text"
CORRUPT_PAGE = "corrupt_page"
PAGE_TOO_LARGE = "page_too_large"
MAX_HEAD_BYTES = 64 * 1024
"""What may stand before a PDF: the head of the mail or request that it came in."""
MAX_TAIL_BYTES = 4 * 1024 * 1024
"""What may stand behind it: a disk's empty blocks."""

_UNREADABLE_SHARE = 0.5
_MIN_DRAWN_PATHS = 20  # fewer are rules and frames around nothing
_MARGIN_SHARE = 0.1  # of the page's width or height, on each side
_LETTERHEAD_SHARE = 0.01  # of the page's area: all pictures of a header together
_TAIL_BYTES = 1024
"""Behind the closing mark: as far as pdfium looks for it."""
_OBJECT = re.compile(rb"\d+ \d+ obj\b")
_NO_VALUE = ("", "anonymous", "unspecified")  # what report generators put when nobody said
_PROGRAM_TITLE = re.compile(
    r"(?i)(untitled|microsoft \w+ - |.*\.(docx?|pdf|xlsx?|pptx?|tex|dvi|indd)$)"
)


@dataclass(slots=True)
class _Draft:
    """The document as it grows page by page."""

    pieces: list[str] = field(default_factory=list)
    num_chars: int = 0
    pages: list[Page] = field(default_factory=list)
    paragraphs: list[tuple[str, Paragraph]] = field(default_factory=list)

    def add_separator(self, text: str) -> None:
        """Put a page join before `text` when any text came before."""
        if not self.num_chars or not text:
            return
        join = PAGE_JOIN if LAYOUT.runs_on(self.pieces[-1], text) else PARAGRAPH
        self.pieces.append(join)
        self.num_chars += len(join)

    def add_text(self, page: PageText) -> TextSpan:
        """Append the text of a page; return its span in the document."""
        self.add_separator(page.text)
        start = self.num_chars
        for paragraph in page.paragraphs:
            moved = replace(paragraph, span=paragraph.span.shifted(start))
            self.paragraphs.append((paragraph.span.of(page.text), moved))
        if page.text:
            self.pieces.append(page.text)
        self.num_chars += len(page.text)
        return TextSpan(start, self.num_chars)


class PdfLoader:
    """Loader for PDF files. Encrypted files open only with an empty user password."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument.

        Raises DocumentError: empty_document, encrypted_document, corrupt_document,
        too_many_pages, document_too_large.
        """
        document = open_pdf(path, name)
        try:
            num_pages = len(document)
            self._limits.check_pages(name, num_pages, "pages")
            document.init_forms()
            draft = _Draft()
            for number in range(1, num_pages + 1):
                self._add_page(document, number, draft)
                self._check_length(draft, name)
                yield Progress(JobStage.LOAD, number, num_pages)
            yield _finished(draft, document.get_metadata_dict(skip_empty=True))
        finally:
            document.close()

    def _check_length(self, draft: _Draft, name: str) -> None:
        if draft.num_chars > self._limits.max_text_chars:
            raise DocumentError(
                f"{name} holds more than {self._limits.max_text_chars} characters of text",
                code="document_too_large",
                details={"max_text_chars": self._limits.max_text_chars},
            )

    def _add_page(self, document: pypdfium2.PdfDocument, number: int, draft: _Draft) -> None:
        try:
            page = document[number - 1]
        except pypdfium2.PdfiumError:
            span = draft.add_text(PageText("", (), ()))
            draft.pages.append(Page(number, span, PageKind.FAILED, CORRUPT_PAGE))
            return
        try:
            kind, reason, sheet, text = self._read_page(page)
        finally:
            page.close()
        draft.pages.append(
            Page(
                number, draft.add_text(text), kind, reason,
                sheet.width, sheet.height, sheet.rotation, text.boxes,
            )
        )  # fmt: skip

    def _read_page(self, page: pypdfium2.PdfPage) -> tuple[PageKind, str | None, Sheet, PageText]:
        nothing = PageText("", (), ())
        sheet = _sheet(page)
        if max(sheet.width, sheet.height) > self._limits.max_page_points:
            return PageKind.FAILED, PAGE_TOO_LARGE, sheet, nothing
        glyphs = _read_glyphs(page, sheet)
        if glyphs is None:
            return PageKind.FAILED, CORRUPT_PAGE, sheet, nothing
        if glyphs.num_unreadable > _UNREADABLE_SHARE * glyphs.num_ink:
            return PageKind.FAILED, UNREADABLE_TEXT, sheet, nothing
        marks = marks_of(page, sheet)
        lines = glyphs.lines if glyphs.turn else with_values(glyphs.lines, marks)
        text = compose(mark_aligned_cells(in_reading_order(lines)))
        if glyphs.turn:
            boxes = tuple(upright_box(box, sheet, glyphs.turn) for box in text.boxes)
            text = replace(text, boxes=boxes)
        text = with_notes(text, [mark for mark in marks if glyphs.turn or not mark.is_seen])
        if text.text:
            return PageKind.TEXT, None, sheet, text
        reason = NO_TEXT_LAYER if _has_pictures(page, sheet) else BLANK_PAGE
        return PageKind.EMPTY, reason, sheet, nothing


def open_pdf(path: Path, name: str) -> pypdfium2.PdfDocument:
    """Open a PDF. Raises DocumentError: empty_document, encrypted_document, corrupt_document."""
    size = path.stat().st_size
    if size == 0:
        raise DocumentError(f"{name} is empty (0 bytes)", code="empty_document")
    start, end = _bounds(path, name, size)
    try:
        if (start, end) == (0, size):
            return pypdfium2.PdfDocument(path)
        return pypdfium2.PdfDocument(path.read_bytes()[start:end])
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentError(
                f"{name} is encrypted; remove its password and upload it again",
                code="encrypted_document",
            ) from error
        raise DocumentError(f"{name} is not a readable PDF: {error}") from error


def _bounds(path: Path, name: str, size: int) -> tuple[int, int]:
    """Return where the PDF begins and ends in a file that has bytes before and behind it.

    Raises DocumentError for a file that is cut off: pdfium would repair it and hide that its end is
    missing.
    """
    with path.open("rb") as stream:
        start = max(0, stream.read(MAX_HEAD_BYTES).find(b"%PDF-"))
        tail_start = max(0, size - MAX_TAIL_BYTES)
        stream.seek(tail_start)
        tail = stream.read()
    last = max(tail.rfind(b"startxref"), tail.rfind(b"%%EOF"))
    if last < 0 or (size - tail_start - last > _TAIL_BYTES and _OBJECT.search(tail, last)):
        raise DocumentError(
            f"{name} ends after {size} bytes without the closing mark of a PDF: it is cut off",
            code="corrupt_document",
            details={"size_bytes": size},
        )
    closing = tail.find(b"%%EOF", last)
    end = tail_start + closing + len(b"%%EOF") if closing >= 0 else size
    return start, size if size - end < _TAIL_BYTES and not start else end


def _sheet(page: pypdfium2.PdfPage) -> Sheet:
    left, bottom, right, top = page.get_bbox()
    return Sheet(right - left, top - bottom, (left, bottom), page.get_rotation())


def _read_glyphs(page: pypdfium2.PdfPage, sheet: Sheet) -> PageGlyphs | None:
    """Return the characters that lie on the visible page; None when pdfium cannot read them.

    pdfium joins lines the way they lie on the turned page. Where the text runs otherwise, the page
    is turned to suit the text and read again.
    """
    try:
        glyphs = _read_turned(page, sheet)
        if glyphs.turn != sheet.rotation and glyphs.lines:
            page.set_rotation(glyphs.turn)
            again = _read_turned(page, sheet)
            page.set_rotation(sheet.rotation)
            glyphs = again if again.turn == glyphs.turn else glyphs
    except pypdfium2.PdfiumError:
        return None
    is_sideways = glyphs.turn in (90, 270)
    width, height = (sheet.height, sheet.width) if is_sideways else (sheet.width, sheet.height)
    glyphs.lines = [
        line
        for line in glyphs.lines
        if line.box[2] > 0 and line.box[3] > 0 and line.box[0] < width and line.box[1] < height
    ]
    return glyphs


def _read_turned(page: pypdfium2.PdfPage, sheet: Sheet) -> PageGlyphs:
    textpage = page.get_textpage()
    try:
        return GlyphReader(textpage.raw, sheet).read()
    finally:
        textpage.close()


def _has_pictures(page: pypdfium2.PdfPage, sheet: Sheet) -> bool:
    """True when a page without text shows an image, or paths enough to be a drawing.

    Small images in the margins are the logos of a letterhead: a page with nothing else is blank.
    """
    num_paths, logo_area = 0, 0.0
    for item in page.get_objects(max_depth=5):
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            logo_area += _logo_area(item, sheet)
            if logo_area > _LETTERHEAD_SHARE * sheet.width * sheet.height:
                return True
        num_paths += item.type in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING)
        if num_paths >= _MIN_DRAWN_PATHS:
            return True
    return False


def _logo_area(image: pypdfium2.PdfObject, sheet: Sheet) -> float:
    """Return the area of an image inside one margin in square points, infinity for any other."""
    if image.level:  # its bounds count from the form it lies in, not from the page
        return math.inf
    try:
        left, bottom, right, top = image.get_bounds()
    except pypdfium2.PdfiumError:
        return math.inf
    dx, dy = sheet.origin
    reach_x, reach_y = _MARGIN_SHARE * sheet.width, _MARGIN_SHARE * sheet.height
    is_in_margin = (
        right - dx < reach_x
        or left - dx > sheet.width - reach_x
        or top - dy < reach_y
        or bottom - dy > sheet.height - reach_y
    )
    return (right - left) * (top - bottom) if is_in_margin else math.inf


def _finished(draft: _Draft, properties: dict[str, str]) -> ParsedDocument:
    levels = heading_levels(draft.paragraphs)
    headings = tuple(
        Heading(paragraph.span, level)
        for (_, paragraph), level in zip(draft.paragraphs, levels, strict=True)
        if level
    )
    text = "".join(draft.pieces)
    return ParsedDocument(
        text,
        tuple(draft.pages),
        headings,
        _title(text, headings, properties),
        _metadata(properties),
    )


def _title(text: str, headings: tuple[Heading, ...], properties: dict[str, str]) -> str:
    own = _clean(properties.get("Title", ""))
    if own and not _PROGRAM_TITLE.match(own):
        return own
    top = next((heading for heading in headings if heading.level == 1), None)
    return " ".join(top.span.of(text).split()) if top else ""


def _metadata(properties: dict[str, str]) -> dict[str, str]:
    named = {"author": "Author", "subject": "Subject", "keywords": "Keywords"}
    found = {key: _clean(properties.get(name, "")) for key, name in named.items()}
    created = re.match(r"D:(\d{4})(\d{2})(\d{2})", properties.get("CreationDate", ""))
    if created:
        found["created"] = "-".join(created.groups())
    return {key: value for key, value in found.items() if value.lower() not in _NO_VALUE}


def _clean(value: str) -> str:
    return " ".join("".join(c for c in value if c.isprintable() or c.isspace()).split())[:500]
