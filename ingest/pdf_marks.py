"""What somebody wrote on a PDF page: values of form fields, free text, notes and remarks.

None of it is in the page's text layer. Values and free text are lines where they are seen; notes
follow the page's text. Knows pdfium's annotation calls and the places of lines; boxes are points
from the bottom-left corner of the visible, unrotated page.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import Line, Sheet, union
from ingest.pdf_layout import PARAGRAPH, PageText, Paragraph
from kb_service.domain.spans import Box, TextSpan

MAX_MARKS = 5_000
"""Annotations of a page that are looked at."""
CHECKED, UNCHECKED = "\u2611", "\u2610"
_FIELD_SIZE = 12.0
_NOTES = frozenset((
    pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_HIGHLIGHT, pdfium.FPDF_ANNOT_UNDERLINE,
    pdfium.FPDF_ANNOT_SQUIGGLY, pdfium.FPDF_ANNOT_STRIKEOUT, pdfium.FPDF_ANNOT_STAMP,
    pdfium.FPDF_ANNOT_CARET, pdfium.FPDF_ANNOT_INK, pdfium.FPDF_ANNOT_LINE,
    pdfium.FPDF_ANNOT_SQUARE, pdfium.FPDF_ANNOT_CIRCLE, pdfium.FPDF_ANNOT_POLYGON,
    pdfium.FPDF_ANNOT_POLYLINE, pdfium.FPDF_ANNOT_FILEATTACHMENT, pdfium.FPDF_ANNOT_REDACT,
))  # fmt: skip
_TOLD = _NOTES | {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT}
_DRAWN = frozenset((pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_FREETEXT))
_TAG = re.compile(r"<[^<>]*>")
_PASSWORD_FLAG = 1 << 13


@dataclass(frozen=True, slots=True)
class Mark:
    """Words with the box that they belong to. `is_seen`: they stand in it, as a value does.

    Without words: a stamp that is a drawing, which may show some.
    """

    words: str
    box: Box
    is_seen: bool


def marks_of(page: pypdfium2.PdfPage, sheet: Sheet) -> list[Mark]:
    """Return the marks of a page that have words or are drawings, in the file's order."""
    form = page.formenv.raw if page.formenv else None
    found: list[Mark] = []
    for number in range(min(max(0, pdfium.FPDFPage_GetAnnotCount(page)), MAX_MARKS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            found += _mark(annotation, form, sheet)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    return found


def pinned_files(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfAttachment]:
    """Yield the files that are pinned to places of a page."""
    for number in range(min(max(0, pdfium.FPDFPage_GetAnnotCount(page)), MAX_MARKS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            is_file = pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FILEATTACHMENT
            attachment = pdfium.FPDFAnnot_GetFileAttachment(annotation) if is_file else None
            if attachment:
                yield pypdfium2.PdfAttachment(attachment, page.pdf)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def with_values(lines: list[Line], marks: list[Mark]) -> list[Line]:
    """Return the lines with the seen words of marks: on the line that they lie on, or between."""
    result = list(lines)
    for mark in marks:
        if mark.is_seen:
            _put(result, _line_of(mark))
    return result


def with_notes(text: PageText, marks: list[Mark]) -> PageText:
    """Return the text with each mark's words as a paragraph behind it."""
    pieces, boxes, paragraphs = text.text, list(text.boxes), list(text.paragraphs)
    for mark in marks:
        if pieces:
            pieces += PARAGRAPH
            boxes += [NO_BOX] * len(PARAGRAPH)
        span = TextSpan(len(pieces), len(pieces) + len(mark.words))
        paragraphs.append(Paragraph(span, _FIELD_SIZE, is_bold=False, num_lines=1))
        pieces += mark.words
        boxes += [mark.box if character.strip() else NO_BOX for character in mark.words]
    return PageText(pieces, tuple(boxes), tuple(paragraphs))


def _mark(annotation: pdfium.FPDF_ANNOTATION, form: object, sheet: Sheet) -> Iterator[Mark]:
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind not in _TOLD:
        return
    if pdfium.FPDFAnnot_GetFlags(annotation) & pdfium.FPDF_ANNOT_FLAG_HIDDEN:
        return
    words = ""
    if kind == pdfium.FPDF_ANNOT_WIDGET:
        words = _value(annotation, form) if form else ""
    else:
        words = _string(annotation, b"Contents") or _plain(_string(annotation, b"RC"))
    rect = pdfium.FS_RECTF()
    is_drawn = kind in _DRAWN and pdfium.FPDFAnnot_HasKey(annotation, b"AP")
    if (words or is_drawn) and pdfium.FPDFAnnot_GetRect(annotation, ctypes.byref(rect)):
        dx, dy = sheet.origin
        box = (rect.left - dx, rect.bottom - dy, rect.right - dx, rect.top - dy)
        yield Mark(words, box, kind in (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT))


def _value(annotation: pdfium.FPDF_ANNOTATION, form: object) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return CHECKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else UNCHECKED
    is_secret = pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD_FLAG
    if kind == pdfium.FPDF_FORMFIELD_PUSHBUTTON or is_secret:
        return ""
    length = pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, None, 0)
    buffer = (pdfium.FPDF_WCHAR * (length // 2 + 1))()
    pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, length)
    return _text(bytes(buffer)[:length])


def _string(annotation: pdfium.FPDF_ANNOTATION, key: bytes) -> str:
    length = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    buffer = (pdfium.FPDF_WCHAR * (length // 2 + 1))()
    pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, length)
    return _text(bytes(buffer)[:length])


def _plain(rich: str) -> str:
    """Return the words of a remark that its program wrote as a web page alone."""
    return " ".join(unescape(_TAG.sub(" ", rich)).split())


def _text(data: bytes) -> str:
    words = data.decode("utf-16-le", "replace").rstrip("\0")
    return " ".join("".join(c for c in words if c.isprintable() or c.isspace()).split())


def _line_of(mark: Mark) -> Line:
    """A line of characters that share the width of the mark's box."""
    left, bottom, right, top = mark.box
    step = (right - left) / len(mark.words)
    boxes = [
        (left + step * place, bottom, left + step * (place + 1), top) if c.strip() else NO_BOX
        for place, c in enumerate(mark.words)
    ]
    return Line(mark.words, boxes, mark.box, min(top - bottom, _FIELD_SIZE), bottom)


def _put(lines: list[Line], value: Line) -> None:
    """Put a value into the line beside it, else before the first line that lies below it."""
    middle = (value.box[1] + value.box[3]) / 2
    beside = [
        place
        for place, line in enumerate(lines)
        if line.box[1] <= middle <= line.box[3]
        or value.box[1] <= (line.box[1] + line.box[3]) / 2 <= value.box[3]
    ]
    if beside:
        nearest = min(beside, key=lambda place: _distance(lines[place].box, value.box))
        lines[nearest] = _joined(lines[nearest], value)
        return
    below = (place for place, line in enumerate(lines) if line.box[3] <= value.box[1])
    lines.insert(next(below, len(lines)), value)


def _distance(box: Box, other: Box) -> float:
    """The gap between two boxes side by side, 0 where one lies over the other."""
    return max(box[0] - other[2], other[0] - box[2], 0.0)


def _joined(line: Line, value: Line) -> Line:
    cut = next(
        (n for n, box in enumerate(line.boxes) if box != NO_BOX and box[0] >= value.box[0]), None
    )
    if cut is None:
        text, boxes = f"{line.text} {value.text}", [*line.boxes, NO_BOX, *value.boxes]
    elif cut == 0:
        text, boxes = f"{value.text} {line.text}", [*value.boxes, NO_BOX, *line.boxes]
    else:
        before = line.text[:cut].rstrip()
        text = f"{before} {value.text} {line.text[cut:]}"
        boxes = [*line.boxes[: len(before)], NO_BOX, *value.boxes, NO_BOX, *line.boxes[cut:]]
    return replace(line, text=text, boxes=boxes, box=union(boxes))
