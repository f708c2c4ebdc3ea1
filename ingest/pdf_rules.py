"""Ruling lines of a PDF page: the heights between which the rows of a table lie.

Knows pdfium's path objects; knows nothing of words.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.pdf_glyphs import Sheet
from kb_service.domain.spans import Box

MAX_OBJECTS = 20_000
"""Of a page with more, a drawing, no rules are looked for."""
MIN_RULES = 3
_MIN_LENGTH, _MIN_HEIGHT = 20.0, 6.0
_SAME = 2.0
"""Points between edges that are one line."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A table between ruling lines: its sides, the heights of its level lines from the top down.

    `uprights`: where upright lines stand, from left to right; () where it has none. `walls`: each
    of them with the heights from which and to which it goes.
    """

    left: float
    right: float
    heights: tuple[float, ...]
    uprights: tuple[float, ...] = ()
    walls: tuple[tuple[float, float, float], ...] = ()

    @property
    def slots(self) -> tuple[Box, ...]:
        """Where its columns stand between the upright lines, from left to right."""
        return self._between(self.uprights)

    def cells_at(self, height: float) -> tuple[Box, ...]:
        """Where its cells stand at a height; a wide one has no line inside."""
        return self._between(sorted(x for x, low, high in self.walls if low < height < high))

    def _between(self, uprights: Sequence[float]) -> tuple[Box, ...]:
        sides = [self.left]
        for x in (*uprights, self.right):
            if x - sides[-1] > _SAME:
                sides.append(x)
        top, bottom = self.heights[0], self.heights[-1]
        return tuple((left, bottom, right, top) for left, right in pairwise(sides))

    def band(self, box: Box) -> int | None:
        """Return between which lines the middle of a box lies, None outside of the table."""
        if box[0] < self.left - _SAME or box[2] > self.right + _SAME:
            return None
        middle = (box[1] + box[3]) / 2
        bands = enumerate(pairwise(self.heights))
        return next((at for at, (top, bottom) in bands if bottom < middle < top), None)


def ruled_tables(page: pypdfium2.PdfPage, sheet: Sheet) -> tuple[Ruled, ...]:
    """Return the tables whose rows lie between lines of one width, in points of the page."""
    boxes = list(_paths(page, sheet))
    rules: list[Box] = []
    for left, height, right in sorted(_level(boxes), key=lambda edge: -edge[1]):
        if rules and rules[-1][1] - height <= _SAME:
            known = rules[-1]
            rules[-1] = (min(known[0], left), known[1], max(known[2], right), known[1])
        else:
            rules.append((left, height, right, height))
    groups: list[list[Box]] = []
    for rule in rules:
        same = next((group for group in groups if _are_level(group[0], rule)), None)
        groups.append([rule]) if same is None else same.append(rule)
    return tuple(_table(group, boxes) for group in groups if len(group) >= MIN_RULES)


def _are_level(one: Box, other: Box) -> bool:
    return abs(one[0] - other[0]) <= _SAME and abs(one[2] - other[2]) <= _SAME


def _table(rules: Sequence[Box], boxes: Sequence[Box]) -> Ruled:
    left, right = rules[0][0], rules[0][2]
    heights = tuple(rule[1] for rule in rules)
    walls = {
        (round(x, 1), bottom, top)
        for x0, bottom, x1, top in boxes
        if top - bottom >= _MIN_HEIGHT and bottom < heights[0] and top > heights[-1]
        for x in ((x0 + x1) / 2,) * (x1 - x0 <= _SAME) or (x0, x1)
        if left < x < right
    }
    sides = sorted({x for x, *_ in walls})
    return Ruled(left, right, heights, tuple(sides), tuple(sorted(walls)))


def _level(boxes: Sequence[Box]) -> Iterator[tuple[float, float, float]]:
    """Yield left end, height and right end of each level line, and of the sides of boxes."""
    for left, bottom, right, top in boxes:
        if right - left >= _MIN_LENGTH:
            is_line = top - bottom <= _SAME
            for height in ((top + bottom) / 2,) if is_line else (top, bottom):
                yield left, height, right


def _paths(page: pypdfium2.PdfPage, sheet: Sheet) -> Iterator[Box]:
    """Yield the bounds of what is drawn by lines, in points of the visible page."""
    number = pdfium.FPDFPage_CountObjects(page)
    places = [ctypes.c_float() for _ in range(4)]
    dx, dy = sheet.origin
    for at in range(number if number <= MAX_OBJECTS else 0):
        item = pdfium.FPDFPage_GetObject(page, at)
        if pdfium.FPDFPageObj_GetType(item) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if pdfium.FPDFPageObj_GetBounds(item, *map(ctypes.byref, places)):
            left, bottom, right, top = (place.value for place in places)
            yield left - dx, bottom - dy, right - dx, top - dy
