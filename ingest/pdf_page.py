"""One page of a PDF: its text layer, what OCR read of it, or both, and which of these it takes.

A page without text that shows something is read as a picture; so is one whose text layer means
nothing, and one that is a picture with a line or a stamp over it. Of a page of text its larger
pictures are read, and told behind the text. Until then it is `unread`. Words of the text layer go
before what OCR sees in the same place. Knows no file and no limits on time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pypdfium2

from ingest.limits import ParseLimits
from ingest.page_reading import PictureReading
from ingest.pdf_cells import mark_aligned_cells
from ingest.pdf_characters import NO_BOX, CharacterReader, Characters
from ingest.pdf_columns import in_reading_order
from ingest.pdf_glyphs import (
    CELL,
    GlyphReader,
    Line,
    PageGlyphs,
    Sheet,
    turned_box,
    union,
    upright_box,
)
from ingest.pdf_layout import PageText, compose, joined
from ingest.pdf_marks import Mark, marks_of, with_notes, with_values
from ingest.pdf_pictures import figures, has_pictures
from ingest.pdf_rules import Ruled, ruled_tables
from ingest.pdf_tables import with_names
from ingest.seen_lines import seen_page
from kb_service.domain.documents import (
    BLANK_PAGE,
    CORRUPT_PAGE,
    NO_TEXT_LAYER,
    NO_WORDS,
    OCR_FAILED,
    WORDS_UNCERTAIN,
    PageKind,
)
from kb_service.domain.spans import Box

UNREADABLE_TEXT = "unreadable_text"
PAGE_TOO_LARGE = "page_too_large"
MAX_STAMP_CHARS = 300
"""Written over a picture: more is a page of text with a picture behind it."""

_UNREADABLE_SHARE = 0.5
_PATCHY_SHARE = 0.2  # more than bullets and icons; what can be read is told only without OCR
_NOTHING = PageText("", (), ())
_NO_SHEET = Sheet(0.0, 0.0, (0.0, 0.0), 0)
_NO_CHARACTERS = Characters("", [])


@dataclass(frozen=True, slots=True)
class PageContent:
    """What became of a page. `scores`: the byte to keep of each character that OCR read, by box.

    `characters`: all that the page holds, as pdfium lists them. `outside`: what is written beyond
    the edges of its visible part.
    """

    kind: PageKind
    reason: str | None = None
    sheet: Sheet = _NO_SHEET
    text: PageText = _NOTHING
    scores: Mapping[Box, int] = field(default_factory=dict)
    is_unread: bool = False
    characters: Characters = _NO_CHARACTERS
    outside: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """The text layer: lines in reading space, which is `turn` degrees clockwise from the page.

    `is_meaningless`: it holds characters, and they do not say what they draw; `is_patchy`: many of
    them do not. `drawn`: where stamps are that say nothing in words. `tables`: those between ruling
    lines.
    """

    lines: list[Line]
    turn: int
    marks: list[Mark]
    is_meaningless: bool = False
    is_patchy: bool = False
    drawn: tuple[Box, ...] = ()
    tables: tuple[Ruled, ...] = ()


def read_page(
    page: pypdfium2.PdfPage,
    limits: ParseLimits,
    reading: PictureReading | None,
    reader: CharacterReader,
) -> PageContent:
    """Return what stands on a page. `reading`: what OCR read of it, None for nothing yet."""
    sheet = sheet_of_page(page)
    if max(sheet.width, sheet.height) > limits.max_page_points:
        return PageContent(PageKind.FAILED, PAGE_TOO_LARGE, sheet)
    try:
        glyphs, characters = _read_glyphs(page, sheet, reader)
        outside = _take_outside(glyphs, sheet)
    except pypdfium2.PdfiumError:
        return PageContent(PageKind.FAILED, CORRUPT_PAGE, sheet)
    written = _written(page, sheet, glyphs)
    content = _content(page, sheet, written, reading)
    return replace(content, characters=characters, outside=outside)


def _content(
    page: pypdfium2.PdfPage, sheet: Sheet, written: _Written, reading: PictureReading | None
) -> PageContent:
    places = _places(page, sheet, written)
    if not places or reading is None or reading.has_failed:
        content = _as_written(sheet, written, is_unread=bool(places))
        failed = places and reading is not None
        return replace(content, reason=OCR_FAILED, is_unread=False) if failed else content
    if written.is_patchy and reading.lines:
        written = replace(written, lines=[])
    return _as_read(sheet, written, reading, places)


def read_picture(sheet: Sheet, reading: PictureReading | None) -> PageContent:
    """Return what stands on a page that is a picture. `reading`: as of `read_page`."""
    if reading is None:
        return PageContent(PageKind.EMPTY, NO_TEXT_LAYER, sheet, is_unread=True)
    if reading.has_failed:
        return PageContent(PageKind.EMPTY, OCR_FAILED, sheet)
    return _as_read(sheet, _Written([], 0, []), reading, [_whole(sheet)])


def _written(page: pypdfium2.PdfPage, sheet: Sheet, glyphs: PageGlyphs) -> _Written:
    is_meaningless = glyphs.unreadable_share > _UNREADABLE_SHARE
    marks = marks_of(page, sheet)
    drawn = tuple(mark.box for mark in marks if not mark.words)
    marks = [mark for mark in marks if mark.words]
    lines = [] if is_meaningless else glyphs.lines
    turn = glyphs.turn if lines else 0
    if not turn:
        lines = with_values(lines, marks)
        marks = [mark for mark in marks if not mark.is_seen]
    is_patchy = glyphs.unreadable_share > _PATCHY_SHARE
    tables = ruled_tables(page, sheet) if any(CELL in line.text for line in lines) else ()
    return _Written(lines, turn, marks, is_meaningless, is_patchy, drawn, tables)


def _places(page: pypdfium2.PdfPage, sheet: Sheet, written: _Written) -> list[Box]:
    """Return where the page may show words that its text layer lacks."""
    if written.is_patchy:
        return [_whole(sheet)]
    num_chars = sum(len(line.text) for line in written.lines)
    if num_chars > MAX_STAMP_CHARS:
        return [*figures(page, sheet), *written.drawn]
    if written.drawn:
        return [_whole(sheet)]
    is_empty = not written.lines and not written.marks
    return [_whole(sheet)] if has_pictures(page, sheet, drawings=is_empty) else []


def _whole(sheet: Sheet) -> Box:
    return (0.0, 0.0, sheet.width, sheet.height)


def _as_written(sheet: Sheet, written: _Written, *, is_unread: bool) -> PageContent:
    if written.is_meaningless:
        return PageContent(PageKind.FAILED, UNREADABLE_TEXT, sheet, is_unread=True)
    text = _composed(
        sheet, in_reading_order(written.lines), written.turn, written.marks, written.tables
    )
    if text.text:
        return PageContent(PageKind.TEXT, None, sheet, text, is_unread=is_unread)
    reason = NO_TEXT_LAYER if is_unread else BLANK_PAGE
    return PageContent(PageKind.EMPTY, reason, sheet, is_unread=is_unread)


def _as_read(
    sheet: Sheet, written: _Written, reading: PictureReading, places: list[Box]
) -> PageContent:
    """Return the page with what OCR saw; reading space is the picture as it was read."""
    turn = (sheet.rotation + reading.turn) % 360
    is_sideways = turn in (90, 270)
    width, height = (sheet.height, sheet.width) if is_sideways else (sheet.width, sheet.height)
    seen = seen_page(reading, width, height)
    is_whole = places == [_whole(sheet)]
    shown = [turned_box(place, sheet, turn) for place in places]
    lines = [_turned(line, sheet, written.turn, turn) for line in written.lines]
    new = [o for o in seen.lines if not _is_in(o, [i.box for i in lines]) and _is_in(o, shown)]
    if not is_whole:
        text = _composed(
            sheet, in_reading_order(written.lines), written.turn, written.marks, written.tables
        )
        text = joined(text, _composed(sheet, new, turn, [], ()))
    else:
        ordered = sorted([*lines, *new], key=lambda line: -line.baseline) if lines else new
        text = _composed(sheet, in_reading_order(ordered), turn, written.marks, written.tables)
    reason = WORDS_UNCERTAIN if seen.num_unsure and is_whole else None
    if not text.text and written.is_meaningless:
        return PageContent(PageKind.FAILED, UNREADABLE_TEXT, sheet)
    if not text.text:
        return PageContent(PageKind.EMPTY, reason or NO_WORDS, sheet)
    if not new:
        return PageContent(PageKind.TEXT, reason, sheet, text)
    scores = {upright_box(box, sheet, turn): score for box, score in seen.scores.items()}
    kind = PageKind.BOTH if lines or written.marks else PageKind.OCR
    return PageContent(kind, reason, sheet, text, scores)


def _turned(line: Line, sheet: Sheet, before: int, after: int) -> Line:
    """Return a line of one reading space in another one."""
    if before == after:
        return line
    boxes = [turned_box(upright_box(box, sheet, before), sheet, after) for box in line.boxes]
    around = union(boxes)
    return replace(line, boxes=boxes, box=around, baseline=around[1])


def _is_in(line: Line, places: list[Box]) -> bool:
    """True for a line most of whose characters lie in one of the boxes."""
    inked = [box for box in line.boxes if box != NO_BOX]
    middles = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in inked]
    num_there = sum(
        any(left <= x <= right and bottom <= y <= top for left, bottom, right, top in places)
        for x, y in middles
    )
    return 2 * num_there > len(inked)


def _composed(
    sheet: Sheet, lines: list[Line], turn: int, notes: list[Mark], tables: Sequence[Ruled]
) -> PageText:
    text = compose(with_names(mark_aligned_cells(lines), () if turn else tables))
    if turn:
        boxes = tuple(upright_box(box, sheet, turn) for box in text.boxes)
        text = replace(text, boxes=boxes)
    return with_notes(text, notes)


def sheet_of_page(page: pypdfium2.PdfPage) -> Sheet:
    """Return the page as it lies in the file."""
    left, bottom, right, top = page.get_bbox()
    return Sheet(right - left, top - bottom, (left, bottom), page.get_rotation())


def _read_glyphs(
    page: pypdfium2.PdfPage, sheet: Sheet, reader: CharacterReader
) -> tuple[PageGlyphs, Characters]:
    """Return all lines and characters of a page. Raises PdfiumError.

    pdfium joins lines the way they lie on the turned page. Where the text runs otherwise, the page
    is turned to suit the text and read again.
    """
    glyphs, characters = _read_turned(page, sheet, reader)
    if glyphs.turn != sheet.rotation and glyphs.lines:
        page.set_rotation(glyphs.turn)
        again, _ = _read_turned(page, sheet, reader)
        page.set_rotation(sheet.rotation)
        glyphs = again if again.turn == glyphs.turn else glyphs
    return glyphs, characters


def _take_outside(glyphs: PageGlyphs, sheet: Sheet) -> str:
    """Take the lines away that no viewer shows; return what they say."""
    is_sideways = glyphs.turn in (90, 270)
    width, height = (sheet.height, sheet.width) if is_sideways else (sheet.width, sheet.height)
    lines, glyphs.lines = glyphs.lines, []
    outside: list[str] = []
    for line in lines:
        left, bottom, right, top = line.box
        if right > 0 and top > 0 and left < width and bottom < height:
            glyphs.lines.append(line)
        else:
            outside.append(line.text)
    return "\n".join(outside)


def _read_turned(
    page: pypdfium2.PdfPage, sheet: Sheet, reader: CharacterReader
) -> tuple[PageGlyphs, Characters]:
    textpage = page.get_textpage()
    try:
        characters = reader.read(textpage.raw, sheet.origin)
        return GlyphReader(textpage.raw, sheet, characters).read(), characters
    finally:
        textpage.close()
