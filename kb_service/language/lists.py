"""Which units of a text belong to one list: numbered items, 一是…；二是…, or lines behind bullets.

And what introduces it. Pure functions. Knows layout and the ways to count; knows no question.
"""

import re
from collections.abc import Sequence

from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.numerals import Numerals
from kb_service.language.units import item_number

MAX_BETWEEN = 3
"""An item may go on for so many units before the next one begins."""

_JOINS = (";", "\uff1b")
_COLONS = (":", "\uff1a")
_BULLET = re.compile(r"\s*[-*•·▪◦–—]\s+\S")
_COUNTED = tuple(map(re.compile, shipped_lexicon().patterns("lists", "counted")))
_NUMERALS = Numerals(shipped_lexicon())
_ORDINALS = shipped_lexicon().numbered("lists", "ordinals")


def whole_list(text: str, units: Sequence[Unit], index: int) -> tuple[int, int]:
    """Return the first and the last unit of the list that a unit stands in; itself when in none."""
    words = [unit.span.of(text) for unit in units]
    if _is_bullet(words[index]):
        return _run_of_bullets(words, index)
    numbers = [number_of(w) for w in words]
    home = _item_of(text, units, numbers, index)
    if home is None:
        return _joined(words, index)
    first, last = _walk(numbers, home, -1), _walk(numbers, home, 1)
    if _begins_line(text, units[last]):
        last = _end_of_line(text, units, last)
    return (first, max(last, index)) if last > first else _joined(words, index)


def introduction(text: str, units: Sequence[Unit], first: int) -> str:
    """Return what introduces a list whose first unit is told: the words before its items.

    They stand on the lines above in the same unit, or are the heading or the line with a colon
    before it. Empty where nothing does.
    """
    own = units[first].span.of(text).rpartition("\n")[0]
    if own or first == 0:
        return own
    before = units[first - 1]
    words = before.span.of(text)
    is_said = before.kind is UnitKind.HEADING or words.rstrip().endswith(_COLONS)
    return words if is_said else ""


def number_of(words: str) -> int | None:
    """Return the number that a unit counts with (2. （二） 二是 second), None when it has none.

    The first item may stand behind what introduces the list: on its last line, or after a pause.
    """
    line = words.rpartition("\n")[2]
    number = item_number(words) or item_number(line)
    if number is not None:
        return number
    found = next((match for pattern in _COUNTED if (match := pattern.search(line))), None)
    if found is None:
        return None
    counted = found["number"].lower()
    return _NUMERALS.whole_number(counted) or _ORDINALS.get(counted)


def _is_bullet(words: str) -> bool:
    return bool(_BULLET.match(words.rpartition("\n")[2]))


def _run_of_bullets(words: Sequence[str], index: int) -> tuple[int, int]:
    first = last = index
    while first > 0 and _is_bullet(words[first - 1]):
        first -= 1
    while last + 1 < len(words) and _is_bullet(words[last + 1]):
        last += 1
    return first, last


def _begins_line(text: str, unit: Unit) -> bool:
    before = text[: unit.span.start].rstrip(" \t")
    return not before or before.endswith("\n")


def _end_of_line(text: str, units: Sequence[Unit], index: int) -> int:
    """Return the last unit on the line of a unit."""
    start = units[index].span.start
    while index + 1 < len(units) and "\n" not in text[start : units[index + 1].span.start]:
        index += 1
    return index


def _joined(words: Sequence[str], index: int) -> tuple[int, int]:
    """Return the run of units around one that semicolons join: a；b；and c."""
    first = last = index
    while first > 0 and words[first - 1].endswith(_JOINS):
        first -= 1
    while last + 1 < len(words) and words[last].endswith(_JOINS):
        last += 1
    return first, last


def _item_of(
    text: str, units: Sequence[Unit], numbers: Sequence[int | None], index: int
) -> int | None:
    """Return the unit that begins the item of a unit: itself, or one before it on its line.

    Only an item that begins its line goes on over several sentences.
    """
    for place in range(index, max(-1, index - 1 - MAX_BETWEEN), -1):
        begins_line = _begins_line(text, units[place])
        if numbers[place] is not None:
            return place if place == index or begins_line else None
        if begins_line:
            return None
    return None


def _walk(numbers: Sequence[int | None], home: int, step: int) -> int:
    """Return the unit that begins the farthest item in a direction."""
    here = home
    while True:
        wanted = (numbers[here] or 0) + step
        near = range(here + step, here + step * (MAX_BETWEEN + 2), step)
        following = (n for n in near if 0 <= n < len(numbers))
        after = next((n for n in following if numbers[n] is not None), None)
        if after is None or numbers[after] != wanted:
            return here
        here = after
