"""Word's automatic numbers: what stands before a paragraph though no run holds it.

Knows numbering.xml and the numbers that styles carry. Pure of files: it is given parsed parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.draft import BULLET
from ingest.word_xml import W, child, value
from kb_service.language.numerals import NUMERALS

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_LEVELS = 9
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_IN_CHARACTERS = ("chinese", "taiwanese", "ideograph", "japanese")
_CIRCLED_ONE, _NUM_CIRCLED = 0x2460, 20
_MAX_ROMAN = 4000


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list counts. `text`: with %1 to %9 for the numbers of the levels."""

    number_format: str
    text: str
    start: int


class Numbering:
    """The lists of a document and how far each has counted."""

    def __init__(self, numbering: "_Element | None") -> None:
        abstract: dict[str, dict[int, Level]] = {}
        self._levels: dict[str, dict[int, Level]] = {}
        self._list_of: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        if numbering is None:
            return
        for entry in numbering.iter(f"{W}abstractNum"):
            abstract[entry.get(f"{W}abstractNumId", "")] = dict(map(_level, entry.iter(f"{W}lvl")))
        for entry in numbering.iter(f"{W}num"):
            number_id = entry.get(f"{W}numId", "")
            shared = value(child(entry, "abstractNumId"))
            changed = dict(map(_level, entry.iter(f"{W}lvl")))
            self._levels[number_id] = abstract.get(shared, {}) | changed
            # A list that begins anew counts for itself; others go on where their kind stands.
            restarts = next(entry.iter(f"{W}startOverride"), None) is not None
            self._list_of[number_id] = number_id if restarts else f"shared {shared}"

    def next_label(self, number_id: str, depth: int) -> str:
        """Count one item on and return what stands before it, "" for unknown lists."""
        level = self._levels.get(number_id, {}).get(depth)
        if level is None or not 0 <= depth < MAX_LEVELS:
            return ""
        counts = self._counts.setdefault(self._list_of[number_id], [0] * MAX_LEVELS)
        counts[depth] = counts[depth] + 1 if counts[depth] else level.start
        counts[depth + 1 :] = [0] * (MAX_LEVELS - depth - 1)
        is_bullet = level.number_format == "bullet"
        return BULLET if is_bullet else self._written(number_id, level, counts)

    def _written(self, number_id: str, level: Level, counts: list[int]) -> str:
        text = level.text
        for place, own in self._levels[number_id].items():
            if 0 <= place < MAX_LEVELS:
                number = counts[place] or own.start
                text = text.replace(f"%{place + 1}", written(number, own.number_format))
        return text.strip()


def _level(entry: "_Element") -> tuple[int, Level]:
    depth, start = entry.get(f"{W}ilvl", ""), value(child(entry, "start"))
    return (
        int(depth) if depth.isdecimal() else -1,
        Level(
            value(child(entry, "numFmt")) or "decimal",
            value(child(entry, "lvlText")),
            int(start) if start.isdecimal() else 1,
        ),
    )


def written(number: int, number_format: str) -> str:
    """Return a number as a list format writes it; unknown formats count in digits."""
    if number_format in ("lowerLetter", "upperLetter"):
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if number_format == "lowerLetter" else letters.upper()
    if number_format in ("lowerRoman", "upperRoman") and 0 < number < _MAX_ROMAN:
        roman = _roman(number)
        return roman if number_format == "lowerRoman" else roman.upper()
    if number_format.startswith(_IN_CHARACTERS):
        return NUMERALS.written(number)
    if number_format.startswith("decimalEnclosedCircle") and number <= _NUM_CIRCLED:
        return chr(_CIRCLED_ONE + number - 1)
    if number_format == "decimalZero":
        return f"{number:02}"
    return "" if number_format == "none" else str(number)


def _roman(number: int) -> str:
    text = ""
    for size, letters in _ROMAN:
        text += letters * (number // size)
        number %= size
    return text


def list_of(paragraph: "_Element", styles: Mapping[str, "_Element"]) -> tuple[str, int] | None:
    """Return (list, depth) of a paragraph, given by itself or by its style; None without one."""
    properties = child(paragraph, "pPr")
    own = child(properties, "numPr")
    depth = value(child(own, "ilvl"))
    number_id = value(child(own, "numId"))
    style = styles.get(value(child(properties, "pStyle")))
    for _ in range(MAX_LEVELS):  # a style may stand on others; a circle of them ends here
        if number_id or style is None:
            break
        given = child(child(style, "pPr"), "numPr")
        number_id, depth = value(child(given, "numId")), depth or value(child(given, "ilvl"))
        style = styles.get(value(child(style, "basedOn")))
    if number_id in ("", "0"):
        return None
    return number_id, int(depth) if depth.isdecimal() else 0
