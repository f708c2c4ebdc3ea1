"""What was read of one picture, as a value and as a file: written by one process, read by another.

Knows pixels and characters; knows no engine, page or document. A file that holds no such value, of
a parser that was taken over, is a ValueError, KeyError or TypeError.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.ocr import SeenLine

_PARTIAL = ".part"


@dataclass(frozen=True, slots=True)
class PictureReading:
    """The lines of a picture of `width` x `height` pixels; `has_failed`: nobody could read it.

    `turn`: clockwise degrees from the page as a viewer shows it to this picture, in which its lines
    stand upright.
    """

    width: int
    height: int
    lines: tuple[SeenLine, ...] = ()
    turn: int = 0
    has_failed: bool = False


BY = "PP-OCRv6-small 3.10, lines at 1280, dots by height"
"""Names what reads: a reading by another one is none."""
FAILED = PictureReading(1, 1, has_failed=True)


class ReadingFolder:
    """The readings of one file's pictures, by the number of the page: `<number>.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, number: int) -> PictureReading | None:
        """Return a reading, None where there is none yet."""
        try:
            value = json.loads(self._path(number).read_bytes())
        except FileNotFoundError:
            return None
        return _reading(value) if value["by"] == BY else None

    def add(self, number: int, reading: PictureReading) -> None:
        """Keep a reading; it is there as a whole or not at all."""
        path = self._path(number)
        partial = path.with_suffix(f".{os.getpid()}{_PARTIAL}")
        value = json.dumps(_value(reading), ensure_ascii=False, separators=(",", ":"))
        partial.write_bytes(value.encode())
        partial.replace(path)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.json"


def _value(reading: PictureReading) -> dict[str, object]:
    return {
        "by": BY,
        "width": reading.width,
        "height": reading.height,
        "turn": reading.turn,
        "has_failed": reading.has_failed,
        "lines": [
            {
                "text": line.text,
                "corners": line.corners,
                "boxes": [_rounded(box) for box in line.boxes],
                "scores": _rounded(line.scores),
            }
            for line in reading.lines
        ],
    }


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, 4) for number in numbers]


def _reading(value: dict[str, Any]) -> PictureReading:
    lines = tuple(
        SeenLine(
            str(line["text"]),
            tuple((float(x), float(y)) for x, y in line["corners"]),
            tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in line["boxes"]),
            tuple(float(score) for score in line["scores"]),
        )
        for line in value["lines"]
    )
    for line in lines:
        if len(line.corners) != 4 or not len(line.text) == len(line.boxes) == len(line.scores):
            raise ValueError(f"a line of {len(line.text)} characters has other numbers of places")
    if value["turn"] not in (0, 90, 180, 270):
        raise ValueError(f"a picture is turned by {value['turn']} degrees")
    return PictureReading(
        int(value["width"]), int(value["height"]), lines, value["turn"], bool(value["has_failed"])
    )
