"""Reading order of a page whose columns were drawn row by row across the gutter.

Pure functions on lines. pdfium keeps the order of the content stream, which is right for nearly all
files; only lines drawn after what lies below them, and a page that clearly interleaves two columns
of prose, are changed here. Tables look alike
but for their short cells, so both sides must be filled with words.
"""

import math
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import CELL, CELL_GAP_SIZES, Line, union
from kb_service.language.text import is_chinese

_MIN_ROWS = 6
_MIN_SHARE = 0.7
_MIN_FILL = 0.75  # a column of prose: half of its rows fill three quarters of its width
_MIN_SHARED = 0.5
_MIN_CHARS = 24
_MIN_CHARS_CHINESE = 10


def in_reading_order(lines: list[Line]) -> list[Line]:
    """Return the lines as a reader takes them: downwards, the left column before the right one."""
    lines = downwards(lines)
    if len(lines) < _MIN_ROWS:
        return lines
    gutter = _gutter(lines)
    if gutter is None:
        return lines
    rows = {index: parts for index, line in enumerate(lines) if (parts := _split(line, gutter))}
    across = sum(line.box[0] < gutter < line.box[2] for line in lines)
    if len(rows) < max(_MIN_ROWS, _MIN_SHARE * across):
        return lines
    if not all(_is_prose([parts[side] for parts in rows.values()]) for side in (0, 1)):
        return lines
    return _reordered(lines, rows, gutter)


def downwards(lines: list[Line]) -> list[Line]:
    """Return the lines with each before those that lie below it, else in the order of the file.

    Lines side by side, as of columns, keep their order.
    """
    if not any(_is_above(line, before) for before, line in pairwise(lines)):
        return lines
    ordered: list[Line] = []
    lowest = math.inf  # top of a line: what ends below it lies above none
    for line in lines:
        place = len(ordered)
        if line.box[1] >= lowest:
            below = (place for place, other in enumerate(ordered) if _is_above(line, other))
            place = next(below, place)
        ordered.insert(place, line)
        lowest = min(lowest, line.box[3])
    return ordered


def _is_above(line: Line, other: Line) -> bool:
    """True for a line that ends above another and over at least half of the shorter one."""
    if line.box[1] < other.box[3]:
        return False
    shared = min(line.box[2], other.box[2]) - max(line.box[0], other.box[0])
    shorter = min(line.box[2] - line.box[0], other.box[2] - other.box[0])
    return shared >= _MIN_SHARED * shorter


def _gutter(lines: list[Line]) -> float | None:
    """Return the x that lies inside a wide gap of the most lines, None when no line has one."""
    gaps = [gap for line in lines for gap in _gaps(line)]
    lefts, rights = sorted(left for left, _ in gaps), sorted(right for _, right in gaps)
    best, best_count = None, 0
    for left, right in gaps:
        middle = (left + right) / 2
        count = bisect_left(lefts, middle) - bisect_right(rights, middle)
        if count > best_count:
            best, best_count = middle, count
    return best


def _gaps(line: Line) -> list[tuple[float, float]]:
    if CELL not in line.text or line.is_mixed:
        return []
    inked = [box for box in line.boxes if box != NO_BOX]
    return [
        (before[2], after[0])
        for before, after in pairwise(inked)
        if after[0] - before[2] > CELL_GAP_SIZES * line.size
    ]


def _split(line: Line, gutter: float) -> tuple[Line, Line] | None:
    """Return the parts of a line on both sides of the gutter; None when it has no gap there."""
    if not line.box[0] < gutter < line.box[2]:
        return None
    if not any(left < gutter < right for left, right in _gaps(line)):
        return None
    cut = next(i for i, box in enumerate(line.boxes) if box != NO_BOX and box[0] > gutter)
    end = len(line.text[:cut].rstrip())
    left, right = line.boxes[:end], line.boxes[cut:]
    return (
        replace(line, text=line.text[:end], boxes=left, box=union(left)),
        replace(line, text=line.text[cut:], boxes=right, box=union(right)),
    )


def _is_prose(column: list[Line]) -> bool:
    widths = [line.box[2] - line.box[0] for line in column]
    text = "".join(line.text for line in column)
    least = _MIN_CHARS_CHINESE if is_chinese(text) else _MIN_CHARS
    return (
        median(widths) >= _MIN_FILL * max(widths)
        and median(len(line.text) for line in column) >= least
    )


def _reordered(lines: list[Line], rows: dict[int, tuple[Line, Line]], gutter: float) -> list[Line]:
    ordered: list[Line] = []
    right_column: list[Line] = []
    for index, line in enumerate(lines):
        if index in rows:
            left, right = rows[index]
            ordered.append(left)
            right_column.append(right)
        elif right_column and line.box[0] >= gutter:
            right_column.append(line)
        else:
            if line.box[2] > gutter:  # a line across both columns ends them
                ordered.extend(right_column)
                right_column = []
            ordered.append(line)
    return [*ordered, *right_column]
