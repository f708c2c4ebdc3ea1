"""The reading of a picture: lines of characters with boxes and how sure each is. Offline.

Knows rapidocr and nothing of pages, points or documents. The models lie in its package; their
paths are given, so that it never looks for them elsewhere. One thread: what is read of a picture
depends on its pixels alone.
"""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kb_service.domain.spans import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

MODULES = ("rapidocr", "onnxruntime")
DETECTION_PIXELS = 1280
"""Longer side of what lines are looked for in; they are read at the picture's own resolution."""

_DETECTION = "PP-OCRv6_det_small.onnx"
_RECOGNITION = "PP-OCRv6_rec_small.onnx"
MIDDLE_DOT = "\u00b7"
_LEAST_CONTRAST = 50
_RAISED = 0.2  # of the digit's height; a middle dot hangs at 0.3, a full stop at 0
_ANY_SIDE = 1_000_000
_BLANK = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line as it was read. `boxes` and `scores` run parallel to `text`.

    `corners`: top left, top right, bottom right and bottom left of the line as it reads, in pixels,
    y downwards. `boxes`: upright, in pixels, zeros for spaces. `scores`: 0..1.
    """

    text: str
    corners: tuple[tuple[float, float], ...]
    boxes: tuple[Box, ...]
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """How sure the reading is of the line: the mean of its characters."""
        inked = [s for s, c in zip(self.scores, self.text, strict=True) if not c.isspace()]
        return sum(inked) / len(inked) if inked else 0.0

    @property
    def width(self) -> float:
        """Its length in pixels."""
        return max(math.dist(self.corners[0], self.corners[1]), 1.0)

    @property
    def height(self) -> float:
        """Its height in pixels."""
        return max(math.dist(self.corners[0], self.corners[3]), 1.0)


class PictureReader(Protocol):
    """Reads pictures of words that stand upright, or in lines that all run down or up."""

    def read(self, picture: "Image") -> list[SeenLine]:
        """Return the lines, in the order in which they were found."""


def is_installed() -> bool:
    """True when pictures can be read here; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in MODULES)


def told() -> str:
    """Return for people whether pictures can be read here."""
    if is_installed():
        return "scans and pictures are read"
    return f"not installed: scans and pictures are not read (pip install {' '.join(MODULES)})"


class RapidReader:
    """PictureReader by PP-OCRv6. ImportError at birth without the parts of the extra."""

    def __init__(self) -> None:
        import rapidocr

        models = Path(rapidocr.__file__).parent / "models"
        self._read: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": 0.0,
                # The model that tells lines upside down turns good ones as well.
                "Global.use_cls": False,
                "Global.max_side_len": _ANY_SIDE,
                "Global.return_word_box": True,
                "Global.return_single_char_box": True,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.model_path": str(models / _DETECTION),
                "Det.limit_type": "max",
                "Det.limit_side_len": DETECTION_PIXELS,
                "Rec.model_path": str(models / _RECOGNITION),
                # Lines read together are padded to one width, and what is read depends on it.
                "Rec.rec_batch_num": 1,
            }
        )

    def read(self, picture: "Image") -> list[SeenLine]:
        """Return the lines, in the order in which they were found."""
        import numpy as np

        rgb = np.asarray(picture.convert("RGB"))
        found = self._read(np.ascontiguousarray(rgb[:, :, ::-1]))
        if found.boxes is None or found.word_results is None:
            return []
        lines = zip(found.txts, found.boxes.tolist(), found.word_results, strict=True)
        read = [line for text, corners, seen in lines if (line := _line(text, corners, seen))]
        return [with_raised_dots(line, rgb[:, :, 1]) for line in read]


def with_raised_dots(line: SeenLine, grey: "NDArray[np.uint8]") -> SeenLine:
    """Return the line with a middle dot for each full stop that hangs above its neighbour's foot.

    The reader knows no middle dot, as of the day in a Chinese name of an event. `grey`: how
    light the picture is, (height, width).
    """
    text = list(line.text)
    for index, (before, character) in enumerate(pairwise(line.text), start=1):
        if character == "." and before.isascii() and before.isdigit():
            dot, digit = (_ink_rows(line.boxes[place], grey) for place in (index, index - 1))
            if dot and digit and digit[1] - dot[1] > _RAISED * (digit[1] - digit[0]):
                text[index] = MIDDLE_DOT
    return SeenLine("".join(text), line.corners, line.boxes, line.scores)


def _ink_rows(box: Box, grey: "NDArray[np.uint8]") -> tuple[int, int] | None:
    """Return the first and the last row with ink in the middle of a box, None for plain paper."""
    left, top, right, bottom = (round(edge) for edge in box)
    edge = (right - left) // 4  # the ends of a neighbour reach in there
    ink = grey[max(top, 0) : bottom, max(left + edge, 0) : right - edge].astype("int16")
    if ink.size == 0 or ink.max() - ink.min() < _LEAST_CONTRAST:
        return None
    rows = (ink < (ink.max() + ink.min()) / 2).any(axis=1).nonzero()[0]
    return int(rows[0]), int(rows[-1])


def _line(
    text: str, corners: list[list[float]], seen: Sequence[tuple[str, float, Any]]
) -> SeenLine | None:
    """Put the characters, which come without spaces, back to their places in the text.

    Where the reader tells places for more or fewer of them than it read, the words stay: each gets
    an equal part of the line, and is as unsure as the least sure of them.
    """
    text = text.strip()
    inked = [index for index, character in enumerate(text) if not character.isspace()]
    if not inked:
        return None
    quad = tuple((float(x), float(y)) for x, y in corners)
    if len(inked) != len(seen):
        seen = _spread(len(inked), quad, min((float(score) for _, score, _ in seen), default=0.0))
    cells = _cells([_middle(box) for _, _, box in seen], quad)
    boxes, scores = [_BLANK] * len(text), [0.0] * len(text)
    for index, cell, (_, score, _) in zip(inked, cells, seen, strict=True):
        boxes[index], scores[index] = cell, float(score)
    return SeenLine(text, quad, tuple(boxes), tuple(scores))


def _spread(
    count: int, quad: tuple[tuple[float, float], ...], score: float
) -> list[tuple[str, float, list[tuple[float, float]]]]:
    """Return `count` places at equal distances along a line, all with one score."""
    top_left, top_right, bottom_right, bottom_left = quad
    start, end = _between(top_left, bottom_left, 0.5), _between(top_right, bottom_right, 0.5)
    return [("", score, [_between(start, end, (n + 0.5) / count)]) for n in range(count)]


def _middle(box: Sequence[Sequence[float]]) -> tuple[float, float]:
    return sum(x for x, _ in box) / len(box), sum(y for _, y in box) / len(box)


def _cells(middles: list[tuple[float, float]], quad: tuple[tuple[float, float], ...]) -> list[Box]:
    """Return for each character the box of its part of the line.

    Where a character is read is known well, how wide it is badly: a part ends half-way to the next
    one. Places are shares of the way along the line, which may be skewed or upside down.
    """
    top_left, top_right, bottom_right, bottom_left = quad
    start, end = _between(top_left, bottom_left, 0.5), _between(top_right, bottom_right, 0.5)
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2 or 1.0
    places = sorted(
        ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length for x, y in middles
    )
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(places)), 1.0]
    cells: list[Box] = []
    for first, last in pairwise(edges):
        points = [
            _between(*side, share)
            for side in ((top_left, top_right), (bottom_left, bottom_right))
            for share in (min(max(first, 0.0), 1.0), min(max(last, 0.0), 1.0))
        ]
        across, down = [x for x, _ in points], [y for _, y in points]
        cells.append((min(across), min(down), max(across), max(down)))
    return cells


def _between(
    first: tuple[float, float], last: tuple[float, float], share: float
) -> tuple[float, float]:
    return first[0] + share * (last[0] - first[0]), first[1] + share * (last[1] - first[1])
