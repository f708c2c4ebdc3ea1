"""Characters of one PDF page with their boxes, line by line, as pdfium reads them.

Knows pdfium's raw text calls; knows nothing of paragraphs, headings or documents. Lines leave here
in reading space: points from the bottom-left corner of the visible page (its crop box), turned so
that most text runs from left to right. `upright_box` turns a box back.
"""

import ctypes
from dataclasses import dataclass

import pypdfium2.raw as pdfium

from kb_service.domain.spans import Box

NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)
REPLACEMENT = "\ufffd"
_LINE_END_HYPHEN = 0x02  # pdfium's stand-in for a hyphen that ends a line
_PRIVATE_USE = range(0xE000, 0xF900)
_RIGHT_TO_LEFT = range(0x590, 0x900)  # Hebrew, Arabic and their neighbours
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)
# C0 and C1 controls, soft markers pdfium invents, noncharacters, byte order mark.
_DROPPED = frozenset({*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF})
CELL = "\t"
CELL_GAP_SIZES = 2.0
"""A gap inside a line of more than so many line heights separates table cells, not words."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The page as it lies in the file: size in points and corner of the visible part, rotation.

    `rotation`: degrees clockwise that a viewer turns it, one of 0, 90, 180, 270.
    """

    width: float
    height: float
    origin: tuple[float, float]
    rotation: int


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
    the private use area. `num_ink`: all characters with ink. `turn`: clockwise degrees from the
    unrotated page to reading space.
    """

    lines: list[Line]
    turn: int
    num_ink: int
    num_unreadable: int


class GlyphReader:
    """Reads one text page: raw handle in, lines out. Holds the buffers of the C calls."""

    def __init__(self, textpage: ctypes.c_void_p, sheet: Sheet) -> None:
        self._textpage = textpage
        self._sheet = sheet
        self._edges = [ctypes.c_double() for _ in range(4)]
        self._num_ink = 0
        self._num_unreadable = 0

    def read(self) -> PageGlyphs:
        """Return every line that has at least one visible character."""
        codes, boxes, indexes = self._read_characters()
        ranges = _line_ranges(codes)
        turn = _reading_turn(
            [
                boxes[start:end]
                for start, end in ranges
                if not any(code in _RIGHT_TO_LEFT for code in codes[start : start + 3])
            ]
        )
        lines: list[Line] = []
        for start, end in ranges:
            text = "".join(map(_character, codes[start:end]))
            first = start + len(text) - len(text.lstrip())
            text = text.strip()
            kept = boxes[first : first + len(text)]
            if any(box != NO_BOX for box in kept):
                lines.append(self._line(text, kept, indexes[first], turn))
        return PageGlyphs(lines, turn, self._num_ink, self._num_unreadable)

    def _read_characters(self) -> tuple[list[int], list[Box], list[int]]:
        """Return code, box and pdfium index of each character that is kept."""
        get_code, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetCharBox
        textpage, (dx, dy) = self._textpage, self._sheet.origin
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

    def _line(self, text: str, boxes: list[Box], index: int, turn: int) -> Line:
        if turn:
            boxes = [turned_box(box, self._sheet, turn) for box in boxes]
        self._num_ink += sum(box[2] > box[0] and box[3] > box[1] for box in boxes)
        around = union(boxes)
        size, baseline = self._font(index, around, turn)
        text = _mark_cells(text, boxes, size)
        return Line(text, boxes, around, size, baseline, self._is_bold(index))

    def _font(self, index: int, around: Box, turn: int) -> tuple[float, float]:
        """Return height in points and baseline y, in reading space, of the character `index`."""
        dx, dy = self._sheet.origin
        rect = pdfium.FS_RECTF()
        if pdfium.FPDFText_GetLooseCharBox(self._textpage, index, ctypes.byref(rect)):
            loose = (rect.left - dx, rect.bottom - dy, rect.right - dx, rect.top - dy)
            around = turned_box(loose, self._sheet, turn)
        x, y = ctypes.c_double(), ctypes.c_double()
        refs = ctypes.byref(x), ctypes.byref(y)
        baseline = around[1]
        if pdfium.FPDFText_GetCharOrigin(self._textpage, index, *refs):
            point = (x.value - dx, y.value - dy, x.value - dx, y.value - dy)
            baseline = turned_box(point, self._sheet, turn)[1]
        return max(around[3] - around[1], 0.1), baseline

    def _is_bold(self, index: int) -> bool:
        name = ctypes.create_string_buffer(128)
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._textpage, index, name, 128, ctypes.byref(flags))
        return b"bold" in name.value.lower() or b"heavy" in name.value.lower()


def turned_box(box: Box, sheet: Sheet, turn: int) -> Box:
    """Return a box of the unrotated page as it lies after a clockwise turn; NO_BOX stays."""
    if not turn or box == NO_BOX:
        return box
    x0, y0, x1, y1 = box
    if turn == 90:
        return (y0, sheet.width - x1, y1, sheet.width - x0)
    if turn == 180:
        return (sheet.width - x1, sheet.height - y1, sheet.width - x0, sheet.height - y0)
    return (sheet.height - y1, x0, sheet.height - y0, x1)


def upright_box(box: Box, sheet: Sheet, turn: int) -> Box:
    """Undo `turned_box`."""
    if not turn or box == NO_BOX:
        return box
    x0, y0, x1, y1 = box
    if turn == 90:
        return (sheet.width - y1, x0, sheet.width - y0, x1)
    if turn == 180:
        return (sheet.width - x1, sheet.height - y1, sheet.width - x0, sheet.height - y0)
    return (y0, sheet.height - x1, y1, sheet.height - x0)


def _line_ranges(codes: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    start = 0
    for position, code in enumerate(codes):
        if code in (0x0A, _LINE_END_HYPHEN):
            ranges.append((start, position + (code == _LINE_END_HYPHEN)))
            start = position + 1
    ranges.append((start, len(codes)))
    return ranges


def _reading_turn(lines: list[list[Box]]) -> int:
    """Return the clockwise turn after which most characters follow each other to the right."""
    votes = {0: 0, 90: 0, 180: 0, 270: 0}
    for boxes in lines:
        inked = [box for box in boxes if box != NO_BOX]
        if len(inked) < 2:
            continue
        across = (inked[-1][0] + inked[-1][2]) - (inked[0][0] + inked[0][2])
        up = (inked[-1][1] + inked[-1][3]) - (inked[0][1] + inked[0][3])
        if abs(across) >= abs(up):
            votes[0 if across >= 0 else 180] += len(inked)
        else:
            votes[90 if up > 0 else 270] += len(inked)
    return max(votes, key=lambda turn: votes[turn])


def _character(code: int) -> str:
    if code == _LINE_END_HYPHEN:
        return "-"
    if code in _HIGH or code in _LOW:
        return REPLACEMENT
    return chr(code)


def union(boxes: list[Box]) -> Box:
    """Return the smallest box around those with ink; ValueError when none has any."""
    inked = [box for box in boxes if box != NO_BOX]
    left, bottom, right, top = zip(*inked, strict=True)
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
            marked[index] = CELL
    return "".join(marked)
