"""Rows of tables: which gaps inside lines separate cells, and which lines stand in one row.

Pure functions on lines; a gap counts as a column only by its width or by another one beneath or
above it. Knows nothing of ruling lines, paragraphs or pdfium.
"""

import re
from dataclasses import replace
from statistics import median

from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import CELL, Line
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import CJK

_ALIGNED_GAP_SIZES = 1.1  # wider than the spaces of justified prose and than an icon in a line
_CHINESE_GAP_SIZES = 0.6  # narrower than the padding of two cells; prose has no spaces at all
_ALIGNED_SIZES = 0.25
_UNUSUAL = 2.0  # times the usual space of the line: justified prose widens all its spaces alike
_REACH = 2  # lines up and down; a wrapped cell may lie between two rows
_SPACE = re.compile(f"[ {CELL}]")
_CHINESE = re.compile(f"[{CJK}]")


def mark_aligned_cells(lines: list[Line]) -> list[Line]:
    """Return the lines with a tab for each gap that ends where a gap of a near line ends.

    The reader of characters already marks gaps that are wide enough on their own; a long label
    leaves less, although the next row shows that its column ends there.
    """
    gaps = [_gaps(line) for line in lines]
    marked: list[Line] = []
    for number, line in enumerate(lines):
        near = gaps[max(0, number - _REACH) : number] + gaps[number + 1 : number + 1 + _REACH]
        ends = [end for found in near for end in found.values()]
        if not ends or not gaps[number]:
            marked.append(line)
            continue
        text = list(line.text)
        for index, end in gaps[number].items():
            is_aligned = any(abs(end - other) <= _ALIGNED_SIZES * line.size for other in ends)
            if is_aligned and not LAYOUT.is_item_mark(line.text[:index]):
                text[index] = CELL
        marked.append(replace(line, text="".join(text)))
    return marked


def _gaps(line: Line) -> dict[int, float]:
    """Return index and right end of every gap of a line that may separate cells."""
    if line.is_mixed:
        return {}
    widths = {
        index: line.boxes[index + 1][0] - line.boxes[index - 1][2]
        for index in (space.start() for space in _SPACE.finditer(line.text))
        if NO_BOX not in line.boxes[index - 1 : index + 2 : 2]
    }
    if not any(width >= _CHINESE_GAP_SIZES * line.size for width in widths.values()):
        return {}
    usual = median(widths.values()) if len(widths) > 1 else 0.0
    least = max(_ALIGNED_GAP_SIZES * line.size, _UNUSUAL * usual)
    return {
        index: line.boxes[index + 1][0]
        for index, width in widths.items()
        if width >= least
        or (
            width >= _CHINESE_GAP_SIZES * line.size
            and _CHINESE.search(line.text[index - 1 : index + 2])
        )
    }


def is_one_row(before: Line, after: Line) -> bool:
    """True when the second line stands to the right of the first on the same baseline."""
    is_level = abs(before.baseline - after.baseline) < 0.3 * before.size
    return is_level and after.box[0] > before.box[2]


def row_cells(lines: list[Line]) -> list[tuple[float, ...]]:
    """Return for each line where the cells of its row begin: one x for a line without cells.

    Lines that stand side by side share the cells of the whole row.
    """
    rows: list[list[Line]] = []
    for index, line in enumerate(lines):
        if index and is_one_row(lines[index - 1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    cells: list[tuple[float, ...]] = []
    for row in rows:
        cells.extend([tuple(x for line in row for x in _cell_starts(line))] * len(row))
    return cells


def _cell_starts(line: Line) -> list[float]:
    if CELL not in line.text:
        return [line.box[0]]
    inner = [line.boxes[i + 1][0] for i, character in enumerate(line.text) if character == CELL]
    return [line.box[0], *inner]
