"""Characters of one PDF page with their boxes, line by line, as pdfium reads them.

Knows pdfium's raw text calls; knows nothing of paragraphs, headings or documents. Lines leave here
in reading space: points from the bottom-left corner of the visible page (its crop box), turned so
that most text runs from left to right. `upright_box` turns a box back.
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2.raw as pdfium

from ingest.pdf_characters import NO_BOX, Characters, unchecked
from ingest.pdf_direction import in_reading_direction, with_cells
from kb_service.domain.spans import Box

REPLACEMENT = "\ufffd"
_LINE_END_HYPHEN = "\x02"  # pdfium's stand-in for a hyphen that ends a line
_LINE_ENDS = re.compile(f"[\n{_LINE_END_HYPHEN}]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
"""Hebrew, Arabic and their neighbours."""
_ODD = re.compile(r"[^ \n\t!-~\xa0-\ud7ff\uf900-\ufefe\uff00-\ufffc\U00010000-\U0010ffff]")
"""Surrogates, private use, and what is dropped."""
_HIGH = re.compile("[\ud800-\udbff]")
_LOW = re.compile("[\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
# C0 and C1 controls, soft markers pdfium invents, noncharacters, byte order mark.
_DROPPED = re.compile("[\0-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_MAX_FONT_NAME = ctypes.c_ulong(128)
_get_loose_box = unchecked(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int)
_get_origin = unchecked(pdfium.FPDFText_GetCharOrigin, ctypes.c_int)
_get_font = unchecked(pdfium.FPDFText_GetFontInfo, ctypes.c_ulong)
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
    `baseline`: y of the first character's origin. `is_mixed`: it has words from right to left, so
    that what follows in the text need not stand further to the right. `is_row`: of a table, with
    the names of its columns, whose boxes are those of the header.
    """

    text: str
    boxes: list[Box]
    box: Box
    size: float
    baseline: float
    is_bold: bool = False
    is_mixed: bool = False
    is_row: bool = False


@dataclass(slots=True)
class PageGlyphs:
    """All lines of a page in pdfium's order, and how many characters carry no meaning.

    `unreadable_share`: of the characters with ink, those that map to nothing, to a control code, to
    U+FFFD or into the private use area. `turn`: clockwise degrees from the unrotated page to
    reading space.
    """

    lines: list[Line]
    turn: int
    unreadable_share: float


@dataclass(frozen=True, slots=True)
class _Run:
    """The characters between two line ends, before they are stripped and turned."""

    text: str
    boxes: list[Box]
    indexes: Sequence[int]


class GlyphReader:
    """Reads one text page: raw handle and its characters in, lines out."""

    def __init__(self, textpage: ctypes.c_void_p, sheet: Sheet, characters: Characters) -> None:
        self._textpage = textpage
        self._sheet = sheet
        self._characters = characters
        self._num_dropped = 0
        self._num_unreadable = 0
        self._rect = pdfium.FS_RECTF()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._font_name = ctypes.create_string_buffer(_MAX_FONT_NAME.value)
        self._font_flags = ctypes.c_int()
        places = self._rect, self._x, self._y, self._font_name, self._font_flags
        self._rect_at, *self._point_at = map(ctypes.byref, places[:3])
        self._name_at, self._flags_at = map(ctypes.byref, places[3:])

    def read(self) -> PageGlyphs:
        """Return every line that has at least one visible character."""
        runs = list(self._runs())
        plain = [run.boxes for run in runs if not _RIGHT_TO_LEFT.search(run.text)]
        turn = _reading_turn(plain, self._sheet.rotation)
        lines: list[Line] = []
        for found in runs:
            run = self._directed(found, turn) if _RIGHT_TO_LEFT.search(found.text) else found
            first = len(run.text) - len(run.text.lstrip())
            text = run.text.strip()
            kept = run.boxes[first : first + len(text)]
            if any(box != NO_BOX for box in kept):
                lines.append(self._line(text, kept, run.indexes[first], turn))
        return PageGlyphs(lines, turn, self._unreadable_share(lines))

    def _runs(self) -> Iterator[_Run]:
        text, boxes = self._characters.text, self._characters.boxes
        for start, end in _line_ranges(text):
            run = _Run(text[start:end], boxes[start:end], range(start, end))
            yield self._readable(run) if _ODD.search(run.text) else run

    def _readable(self, run: _Run) -> _Run:
        """Return a run with its unusual characters read, replaced or dropped."""
        kept: list[tuple[str, Box, int]] = []
        for found, box, index in zip(run.text, run.boxes, run.indexes, strict=True):
            character = self._character(found, box) if _ODD.match(found) else found
            if _LOW.match(character) and kept and _HIGH.match(kept[-1][0]):
                high, first, number = kept.pop()
                code = 0x10000 + ((ord(high) - 0xD800) << 10) + (ord(character) - 0xDC00)
                kept.append((chr(code), first, number))
            elif character:
                kept.append((character, box, index))
        text = "".join(character for character, _, _ in kept)
        text = _LONE.sub(REPLACEMENT, text.replace(_LINE_END_HYPHEN, "-"))
        return _Run(text, [box for _, box, _ in kept], [index for _, _, index in kept])

    def _character(self, character: str, box: Box) -> str:
        """Return an unusual character, U+FFFD for an unmapped one, "" to drop it."""
        if character == _LINE_END_HYPHEN or _LONE.match(character):
            return character
        has_ink = _has_ink(box)
        if character == "\0" and has_ink:
            self._num_unreadable += 1
            return REPLACEMENT
        if _DROPPED.match(character):
            self._num_unreadable += has_ink
            self._num_dropped += has_ink
            return ""
        self._num_unreadable += has_ink
        return character

    def _directed(self, run: _Run, turn: int) -> _Run:
        """Return a run with words from right to left in the order of reading."""
        boxes = [turned_box(box, self._sheet, turn) for box in run.boxes]
        text, places = in_reading_direction(run.text, boxes)
        moved = [run.boxes[place] for place in places]
        return _Run(text, moved, [run.indexes[place] for place in places])

    def _line(self, text: str, boxes: list[Box], index: int, turn: int) -> Line:
        if turn:
            boxes = [turned_box(box, self._sheet, turn) for box in boxes]
        around = union(boxes)
        size, baseline = self._font(index, around, turn)
        is_mixed = bool(_RIGHT_TO_LEFT.search(text))
        gap = CELL_GAP_SIZES * size
        text = with_cells(text, boxes, gap, CELL) if is_mixed else _mark_cells(text, boxes, gap)
        return Line(text, boxes, around, size, baseline, self._is_bold(index), is_mixed)

    def _unreadable_share(self, lines: list[Line]) -> float:
        if not self._num_unreadable:
            return 0.0
        num_ink = self._num_dropped + sum(_has_ink(box) for line in lines for box in line.boxes)
        return self._num_unreadable / max(num_ink, 1)

    def _font(self, index: int, around: Box, turn: int) -> tuple[float, float]:
        """Return height in points and baseline y, in reading space, of the character `index`."""
        dx, dy = self._sheet.origin
        rect, x, y = self._rect, self._x, self._y
        if _get_loose_box(self._textpage, index, self._rect_at):
            loose = (rect.left - dx, rect.bottom - dy, rect.right - dx, rect.top - dy)
            around = turned_box(loose, self._sheet, turn)
        baseline = around[1]
        if _get_origin(self._textpage, index, *self._point_at):
            point = (x.value - dx, y.value - dy, x.value - dx, y.value - dy)
            baseline = turned_box(point, self._sheet, turn)[1]
        return max(around[3] - around[1], 0.1), baseline

    def _is_bold(self, index: int) -> bool:
        self._font_name.value = b""
        _get_font(self._textpage, index, self._name_at, _MAX_FONT_NAME, self._flags_at)
        name = self._font_name.value.lower()
        return b"bold" in name or b"heavy" in name


def _has_ink(box: Box) -> bool:
    return box[2] > box[0] and box[3] > box[1]


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


def _line_ranges(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _LINE_ENDS.finditer(text):
        place = found.start()
        end = place + (found[0] == _LINE_END_HYPHEN)
        is_cut = end > start and text[end - 1] == "\r"
        yield start, end - is_cut
        start = place + 1
    yield start, len(text)


def _reading_turn(lines: list[list[Box]], usual: int) -> int:
    """Return the clockwise turn after which most characters follow each other to the right.

    `usual`: the turn of the page, where nothing tells.
    """
    votes = {0: 0, 90: 0, 180: 0, 270: 0}
    for boxes in lines:
        num_inked = len(boxes) - boxes.count(NO_BOX)
        if num_inked < 2:
            continue
        first = next(box for box in boxes if box != NO_BOX)
        last = next(box for box in reversed(boxes) if box != NO_BOX)
        across = (last[0] + last[2]) - (first[0] + first[2])
        up = (last[1] + last[3]) - (first[1] + first[3])
        if abs(across) >= abs(up):
            votes[0 if across >= 0 else 180] += num_inked
        else:
            votes[90 if up > 0 else 270] += num_inked
    return max(votes, key=lambda turn: votes[turn]) if any(votes.values()) else usual


def union(boxes: list[Box]) -> Box:
    """Return the smallest box around those with ink; ValueError when none has any."""
    inked = [box for box in boxes if box != NO_BOX]
    left, bottom, right, top = zip(*inked, strict=True)
    return (min(left), min(bottom), max(right), max(top))


def _mark_cells(text: str, boxes: list[Box], gap: float) -> str:
    """Return the text with a tab for each space that is as wide as a table gap."""
    marked = text
    index = text.find(" ")
    while index >= 0:
        before, after = boxes[index - 1], boxes[index + 1]
        is_wide = after[0] - before[2] > gap
        if is_wide and before != NO_BOX and after != NO_BOX:
            marked = marked[:index] + CELL + marked[index + 1 :]
        index = text.find(" ", index + 1)
    return marked
