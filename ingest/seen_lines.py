"""From what OCR saw to visual lines as a text layer has them: rows, font sizes, baselines.

Pure functions. Pixels with y downwards come in; lines in points from the bottom-left corner of the
page as it is seen go out, for `pdf_layout` to join. A picture that lies slightly skewed is judged
as if it lay straight.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, median_low

from ingest.ocr import SeenLine
from ingest.page_reading import PictureReading
from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import CELL, CELL_GAP_SIZES, Line, union
from kb_service.domain.documents import ocr_score
from kb_service.domain.spans import Box
from kb_service.language.lexicon import WIDE

LEAST_SCORE = 0.5
"""What is less sure is not told as words."""

_WIDE = re.compile(f"[{WIDE}]")
_WIDE_THERE = re.compile(f"[{WIDE}\u2014\u2018\u2019\u201c\u201d\u2026]")
"""Marks of both scripts are wide among Chinese characters."""
_MOST_SPARSE = 2.0  # heights of the line for each of its letters
_NARROW = 0.5  # a Latin letter's usual share of the font size
_SURE_UNITS = 10.0
_SURE_WIDE = 3
_USUAL_HEIGHT = 1.35  # of the box of a line, in font sizes
_EDGE_HEIGHTS = 0.35  # of paper at both ends of such a box
_SAME_SIZE = 0.12
_ROW_SIZES = 0.5
_SPACE_SIZES = 0.6  # between two Chinese characters; what is narrower parts no words
_BASELINE_SIZES = 0.35  # below the middle of a line


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page as OCR saw it. `scores`: the byte to keep of each character, by its box.

    `num_unsure`: lines that were seen and are too uncertain to be told.
    """

    lines: list[Line]
    scores: Mapping[Box, int]
    num_unsure: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A seen line: `size` of its font; `level`: its middle on the straightened page; in pixels."""

    line: SeenLine
    size: float
    level: float

    @property
    def left(self) -> float:
        return min(x for x, _ in self.line.corners)

    @property
    def right(self) -> float:
        return max(x for x, _ in self.line.corners)


def seen_page(reading: PictureReading, width: float, height: float) -> SeenPage:
    """Return the lines of a page of `width` x `height` points that the picture shows whole."""
    sure = [line for line in reading.lines if _is_sure(line)]
    num_unsure = sum(len(line.text) > 1 for line in reading.lines if not _is_sure(line))
    scale = (width / reading.width, height / reading.height)
    scores: dict[Box, int] = {}
    lines = [_line(row, scale, height, scores) for row in _rows(_placed(sure))]
    return SeenPage(lines, scores, num_unsure)


def _is_sure(line: SeenLine) -> bool:
    """False as well for a long line of few letters: most of it was not read."""
    num_inked = sum(not character.isspace() for character in line.text)
    return line.score >= LEAST_SCORE and line.width < _MOST_SPARSE * num_inked * line.height


def _placed(lines: Sequence[SeenLine]) -> list[_Placed]:
    slope = _slope(lines)
    sizes = _sizes(lines)
    return [
        _Placed(line, size, _middle(line)[1] - slope * _middle(line)[0])
        for line, size in zip(lines, sizes, strict=True)
    ]


def _slope(lines: Sequence[SeenLine]) -> float:
    """Return how far the picture's lines sink on their way to the right, per pixel."""
    slopes: list[float] = []
    for line in lines:
        (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
        if x1 - x0 > 4 * abs(y1 - y0):
            slopes.extend([(y1 - y0) / (x1 - x0)] * len(line.text))
    return median(slopes) if slopes else 0.0


def _middle(line: SeenLine) -> tuple[float, float]:
    return sum(x for x, _ in line.corners) / 4, sum(y for _, y in line.corners) / 4


def _sizes(lines: Sequence[SeenLine]) -> list[float]:
    """Return the font size of each line in pixels; those that differ by little are one size.

    Widths tell more than heights, which depend on the letters; for a short line they do not.
    """
    widths = [_size_by_width(line) for line in lines]
    shares = [line.height / size for line, size in zip(lines, widths, strict=True) if size]
    usual = median(shares) if shares else _USUAL_HEIGHT
    sizes = [size or line.height / usual for line, size in zip(lines, widths, strict=True)]
    left = set(range(len(lines)))
    while left:
        weighed = [sizes[index] for index in left for _ in lines[index].text]
        centre = median_low(weighed)  # one of them, so that each round takes some away
        alike = [index for index in left if abs(sizes[index] - centre) <= _SAME_SIZE * centre]
        for index in alike:
            sizes[index] = centre
        left -= set(alike)
    return sizes


def _size_by_width(line: SeenLine) -> float | None:
    num_wide = len((_WIDE_THERE if _WIDE.search(line.text) else _WIDE).findall(line.text))
    units = num_wide + _NARROW * (len(line.text) - num_wide)
    if num_wide < _SURE_WIDE and units < _SURE_UNITS:
        return None
    return max(line.width - _EDGE_HEIGHTS * line.height, 1.0) / units


def _rows(placed: Iterable[_Placed]) -> list[list[_Placed]]:
    """Return what stands side by side together, from the top down and from left to right."""
    rows: list[list[_Placed]] = []
    for one in sorted(placed, key=lambda one: (one.level, one.left)):
        row = rows[-1] if rows else []
        if row and one.level - row[0].level < _ROW_SIZES * min(one.size, row[0].size):
            row.append(one)
        else:
            rows.append([one])
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _line(
    row: list[_Placed], scale: tuple[float, float], height: float, scores: dict[Box, int]
) -> Line:
    """Return a row as one line in points, and note how sure each of its characters is."""
    text, boxes = "", list[Box]()
    longest = max(row, key=lambda one: len(one.line.text))
    for before, one in zip([None, *row], row, strict=False):
        gap = _gap(before, one) if before else ""
        text += gap + one.line.text
        boxes += [NO_BOX] * len(gap)
        for box, score, character in zip(
            one.line.boxes, one.line.scores, one.line.text, strict=True
        ):
            if character.isspace():
                boxes.append(NO_BOX)
                continue
            placed = _in_points(box, scale, height)
            scores[placed] = ocr_score(score)
            boxes.append(placed)
    size = longest.size * scale[1]
    baseline = height - longest.level * scale[1] - _BASELINE_SIZES * size
    return Line(text, boxes, union(boxes), size, baseline)


def _gap(before: _Placed, after: _Placed) -> str:
    width, size = after.left - before.right, min(before.size, after.size)
    if width > CELL_GAP_SIZES * size:
        return CELL
    is_run = _WIDE.search(before.line.text[-1] + after.line.text[0])
    return "" if is_run and width < _SPACE_SIZES * size else " "


def _in_points(box: Box, scale: tuple[float, float], height: float) -> Box:
    across, down = scale
    return (
        box[0] * across,
        height - box[3] * down,
        box[2] * across,
        height - box[1] * down,
    )
