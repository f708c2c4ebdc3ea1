"""Characters of one PDF page with their boxes, line by line, as pdfium reads them.

Knows pdfium's raw text calls; knows nothing of paragraphs, headings or documents. Boxes leave here
in points from the bottom-left corner of the visible page (its crop box), before rotation.
"""

import ctypes
from dataclasses import dataclass

import pypdfium2.raw as pdfium

from kb_service.domain.spans import Box

NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)
REPLACEMENT = "\ufffd"
_LINE_END_HYPHEN = 0x02  # pdfium's stand-in for a hyphen that ends a line
_PRIVATE_USE = range(0xE000, 0xF900)
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)
# C0 and C1 controls, soft markers pdfium invents, noncharacters, byte order mark.
_DROPPED = frozenset({*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF})
CELL_GAP_SIZES = 2.0
"""A gap inside a line of at least so many line heights separates table cells, not words."""


@dataclass(slots=True)
class Line:
    """One visual line. `text` and `boxes` run in parallel, one box per code point.

    `box`: union of the boxes with ink. `size`: height of the font in points (ascent to descent).
    `baseline`: y of the first character's origin.
    """

    text: str
    boxes: list[Box]
    box: Box
    size: float
    baseline: float
    is_bold: bool = False


@dataclass(slots=True)
class PageGlyphs:
    """All lines of a page in pdfium's order, and how many characters carry no meaning.

    `num_unreadable`: characters with ink that map to nothing, to a control code, to U+FFFD or into
    the private use area. `num_ink`: all characters with ink.
    """

    lines: list[Line]
    num_ink: int
    num_unreadable: int


class GlyphReader:
    """Reads one text page: raw handle in, lines out. Holds the buffers of the C calls."""

    def __init__(self, textpage: ctypes.c_void_p, origin: tuple[float, float]) -> None:
        self._textpage = textpage
        self._origin = origin
        self._edges = [ctypes.c_double() for _ in range(4)]
        self._num_ink = 0
        self._num_unreadable = 0

    def read(self) -> PageGlyphs:
        """Return every line that has at least one visible character."""
        lines: list[Line] = []
        codes, boxes, indexes = self._read_characters()
        start = 0
        for position, code in enumerate(codes):
            if code in (0x0A, _LINE_END_HYPHEN):
                end = position + (code == _LINE_END_HYPHEN)
                self._append_line(lines, codes, boxes, indexes, start, end)
                start = position + 1
        self._append_line(lines, codes, boxes, indexes, start, len(codes))
        return PageGlyphs(lines, self._num_ink, self._num_unreadable)

    def _read_characters(self) -> tuple[list[int], list[Box], list[int]]:
        """Return code, box and pdfium index of each character that is kept."""
        get_code, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetCharBox
        textpage, (dx, dy) = self._textpage, self._origin
        left, right, bottom, top = self._edges
        refs = [ctypes.byref(edge) for edge in self._edges]
        codes: list[int] = []
        boxes: list[Box] = []
        indexes: list[int] = []
        for index in range(max(0, pdfium.FPDFText_CountChars(textpage))):
            code = get_code(textpage, index)
            if code in (0x20, 0x0A, 0x09, 0xA0):
                box = NO_BOX
            elif code == 0x0D:
                continue
            else:
                get_box(textpage, index, *refs)
                box = (left.value - dx, bottom.value - dy, right.value - dx, top.value - dy)
                if not 0xA0 < code < 0xD800 and not 0x20 < code < 0x7F:
                    code = self._readable(code, box)
                    if code in _LOW and codes and codes[-1] in _HIGH:
                        codes[-1] = 0x10000 + ((codes[-1] - 0xD800) << 10) + (code - 0xDC00)
                        continue
                    if code < 0:
                        continue
            codes.append(code)
            boxes.append(box)
            indexes.append(index)
        return codes, boxes, indexes

    def _readable(self, code: int, box: Box) -> int:
        """Return the code of an unusual character, U+FFFD for an unmapped one, -1 to drop it."""
        if code == _LINE_END_HYPHEN or code in _HIGH or code in _LOW:
            return code
        has_ink = box[2] > box[0] and box[3] > box[1]
        if code == 0 and has_ink:
            self._num_unreadable += 1
            return 0xFFFD
        if code in _DROPPED or code > 0x10FFFF:
            self._num_unreadable += has_ink
            self._num_ink += has_ink
            return -1
        self._num_unreadable += has_ink and (code in _PRIVATE_USE or code == 0xFFFD)
        return code

    def _append_line(
        self,
        lines: list[Line],
        codes: list[int],
        boxes: list[Box],
        indexes: list[int],
        start: int,
        end: int,
    ) -> None:
        text = "".join(map(_character, codes[start:end]))
        stripped = text.lstrip()
        first = start + len(text) - len(stripped)
        stripped = stripped.rstrip()
        if not stripped:
            return
        kept = boxes[first : first + len(stripped)]
        ink = [box for box in kept if box[2] > box[0] and box[3] > box[1]]
        if not ink:
            return
        self._num_ink += len(ink)
        size, baseline, is_bold = self._font(indexes[first], ink[0])
        lines.append(
            Line(_mark_cells(stripped, kept, size), kept, _union(ink), size, baseline, is_bold)
        )

    def _font(self, index: int, box: Box) -> tuple[float, float, bool]:
        """Return height in points, baseline y and boldness of the character at `index`."""
        rect = pdfium.FS_RECTF()
        x, y = ctypes.c_double(), ctypes.c_double()
        has_rect = pdfium.FPDFText_GetLooseCharBox(self._textpage, index, ctypes.byref(rect))
        size = rect.top - rect.bottom if has_rect else box[3] - box[1]
        has_origin = pdfium.FPDFText_GetCharOrigin(
            self._textpage, index, ctypes.byref(x), ctypes.byref(y)
        )
        baseline = y.value - self._origin[1] if has_origin else box[1]
        return max(size, 0.1), baseline, self._is_bold(index)

    def _is_bold(self, index: int) -> bool:
        name = ctypes.create_string_buffer(128)
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._textpage, index, name, 128, ctypes.byref(flags))
        return b"bold" in name.value.lower() or b"heavy" in name.value.lower()


def _character(code: int) -> str:
    if code == _LINE_END_HYPHEN:
        return "-"
    if code in _HIGH or code in _LOW:
        return REPLACEMENT
    return chr(code)


def _union(boxes: list[Box]) -> Box:
    left, bottom, right, top = zip(*boxes, strict=True)
    return (min(left), min(bottom), max(right), max(top))


def _mark_cells(text: str, boxes: list[Box], size: float) -> str:
    """Return the text with a tab for each space that is as wide as a table gap."""
    if " " not in text:
        return text
    marked = list(text)
    for index, character in enumerate(text):
        if character != " ":
            continue
        before, after = boxes[index - 1], boxes[index + 1]
        if NO_BOX not in (before, after) and after[0] - before[2] > CELL_GAP_SIZES * size:
            marked[index] = "\t"
    return "".join(marked)
