"""The automatic numbers of paragraphs on slides: what stands before one though no run holds it.

Knows the names of DrawingML's numbering schemes. Knows no shapes.
"""

from typing import TYPE_CHECKING

from ingest.office_package import local
from ingest.word_numbering import MAX_LEVELS, written

if TYPE_CHECKING:
    from lxml.etree import _Element

_FORMATS = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "ea1Chs": "chineseCounting",
    "ea1Cht": "taiwaneseCounting",
    "ea1Jpn": "japaneseCounting",
    "circleNum": "decimalEnclosedCircle",
}
_FRAMES = {"ParenBoth": "({})", "ParenR": "{})", "Period": "{}.", "Minus": "-{}-"}


class ListCounter:
    """How far the lists of one text frame have counted."""

    def __init__(self) -> None:
        self._counts = [0] * MAX_LEVELS
        self._schemes = [""] * MAX_LEVELS

    def next_label(self, paragraph: "_Element") -> str:
        """Count one paragraph on and return its number as it is shown, "" for none."""
        properties = next((part for part in paragraph if local(part) == "pPr"), None)
        depth = _whole(properties, "lvl", 0)
        if not 0 <= depth < MAX_LEVELS:
            return ""
        number = None if properties is None else _numbered(properties)
        scheme = "" if number is None else number.get("type", "")
        self._counts[depth + 1 :] = [0] * (MAX_LEVELS - depth - 1)
        if scheme != self._schemes[depth]:
            self._counts[depth], self._schemes[depth] = 0, scheme
        if not scheme:
            return ""
        start = _whole(number, "startAt", 1)
        self._counts[depth] = self._counts[depth] + 1 if self._counts[depth] else start
        return label(self._counts[depth], scheme)


def label(number: int, scheme: str) -> str:
    """Return a number as a scheme ("arabicPeriod", "romanUcParenR") shows it."""
    kind = next((kind for kind in _FORMATS if scheme.startswith(kind)), "")
    frame = next((frame for end, frame in _FRAMES.items() if scheme.endswith(end)), "{}")
    return frame.format(written(number, _FORMATS.get(kind, "decimal")))


def _numbered(properties: "_Element") -> "_Element | None":
    return next((part for part in properties if local(part) == "buAutoNum"), None)


def _whole(node: "_Element | None", name: str, default: int) -> int:
    found = "" if node is None else node.get(name, "")
    return int(found) if found.isdecimal() else default
