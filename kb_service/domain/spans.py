"""Places in a text and on a page: TextSpan, Box, PageRegion.

One convention everywhere. Text offsets are code points, half-open, into the stored text of one
revision. Boxes are PDF points, origin bottom-left, on the unrotated page. Page numbers start at 1.
Knows nothing of files, storage or pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in PDF points, origin bottom-left, unrotated page; x0 <= x1 and y0 <= y1."""


@dataclass(frozen=True, slots=True, order=True)
class TextSpan:
    """A half-open range of code points: `text[start:end]`.

    Raises ValueError at birth unless 0 <= start <= end.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"span ({self.start}, {self.end}) is not 0 <= start <= end")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the words of this span; ValueError when the span reaches past the text."""
        if self.end > len(text):
            raise ValueError(f"span ends at {self.end}, the text has {len(text)} characters")
        return text[self.start : self.end]

    def shifted(self, offset: int) -> "TextSpan":
        """Return the same range `offset` code points later (or earlier when negative)."""
        return TextSpan(self.start + offset, self.end + offset)

    def overlap(self, other: "TextSpan") -> "TextSpan | None":
        """Return the range both spans share, or None when they share nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return TextSpan(start, end) if start < end else None

    def covers(self, other: "TextSpan") -> bool:
        """True when every position of `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class PageRegion:
    """Where words stand on one page: one box per line piece, empty when the format has no boxes.

    `confidence`: 0..1, how sure OCR is of those that it read there; None when it read none of them.
    """

    page_number: int
    boxes: tuple[Box, ...] = ()
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.page_number < 1:
            raise ValueError(f"page_number {self.page_number} is below 1")


def merge_boxes(boxes: list[Box]) -> tuple[Box, ...]:
    """Join character boxes, given in reading order, into one box per line piece."""
    return tuple(box for _, box in line_pieces(boxes))


def line_pieces(boxes: Sequence[Box]) -> list[tuple[TextSpan, Box]]:
    """Join character boxes, given in reading order, into line pieces: which characters, their box.

    Two neighbours share a line when their vertical ranges overlap by at least half of the smaller
    height and the gap between them is at most two character heights; a line that runs up or down
    the page is judged the same way with the axes swapped. Empty boxes are skipped: a piece begins
    and ends with a character that has a box.
    """
    merged: list[tuple[int, int, Box]] = []
    axis: bool | None = None  # False: the last piece runs across, True: up or down, None: unknown
    for place, box in enumerate(boxes):
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        joined = _shared_axis(merged[-1][2], box, axis) if merged else None
        if joined is None:
            merged.append((place, place + 1, box))
        else:
            start, _, last = merged[-1]
            merged[-1] = (start, place + 1, _union(last, box))
        axis = joined
    return [(TextSpan(start, end), box) for start, end, box in merged]


def _union(left: Box, right: Box) -> Box:
    return (
        min(left[0], right[0]),
        min(left[1], right[1]),
        max(left[2], right[2]),
        max(left[3], right[3]),
    )


def _shared_axis(left: Box, right: Box, axis: bool | None) -> bool | None:
    """Return the direction in which both lie on one line, None when they do not."""
    if axis is not True and _same_line(left, right):
        return False
    if axis is not False and _same_line(_swapped(left), _swapped(right)):
        return True
    return None


def _swapped(box: Box) -> Box:
    return (box[1], box[0], box[3], box[2])


def _same_line(left: Box, right: Box) -> bool:
    shared = min(left[3], right[3]) - max(left[1], right[1])
    smaller = min(left[3] - left[1], right[3] - right[1])
    gap = max(right[0] - left[2], left[0] - right[2])
    return shared >= 0.5 * smaller and gap <= 2 * max(left[3] - left[1], right[3] - right[1])
