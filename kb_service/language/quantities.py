"""Numbers with their units, dates, times and identifiers where they stand in a text.

Pure functions on normalised text. A unit of measure has one form however it is written (分钟,
minutes, min). Knows no sentences.
"""

import re
from dataclasses import dataclass

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.values import placed_values

HELD = "\ufffc"
"""Stands for every character of a quantity in `held`, so that nothing of it is read twice."""

MEASURES = shipped_lexicon().paired("wording", "measures")
"""Words for units of measure, each with the one form of all."""
_LATIN = any_of(measure for measure in MEASURES if measure.isascii())
_OTHERS = any_of(measure for measure in MEASURES if not measure.isascii())
_MEASURE = regex(rf"(?<![a-z])(?:{_LATIN})(?![a-z0-9])|(?:{_OTHERS})")
_MEASURE_BEHIND = regex(rf"[\s-]?(?P<measure>(?:{_LATIN})(?![a-z0-9])|(?:{_OTHERS}))")
_CURRENCIES = {"$": "usd", "\xa5": "cny", "\u20ac": "eur"}
_ORDINAL_ENDING = regex(r"(?:st|nd|rd|th)\b")
_JOINT = regex(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value at `start` to `end`, its unit included, and what it implies.

    `unit`: "" when it has none. `parts`: what an identifier is put together from.
    """

    start: int
    end: int
    value: str
    implied: tuple[str, ...]
    unit: str
    parts: frozenset[str]


def held(normalised: str) -> tuple[str, list[Quantity]]:
    """Return a text with a sign in place of each quantity, and the quantities in their order."""
    found = sorted(
        (_quantity(normalised, match, *value) for match, value in placed_values(normalised)),
        key=lambda quantity: quantity.start,
    )
    text = normalised
    for item in found:
        text = text[: item.start] + HELD * (item.end - item.start) + text[item.end :]
    return text, found


def units_named(normalised: str) -> list[tuple[int, str]]:
    """Return the units of measure that a text names, each with where it stands."""
    return [(m.start(), MEASURES[m.group()]) for m in _MEASURE.finditer(normalised)]


def _quantity(text: str, match: re.Match[str], value: str, implied: tuple[str, ...]) -> Quantity:
    # A number's pattern takes the white space behind it along.
    start, end = match.start(), match.start() + len(match.group().rstrip())
    unit, parts = "", frozenset[str]()
    if value.startswith("num:"):
        unit = _CURRENCIES.get(text[start - 1 : start], "")
        ordinal, measure = (p.match(text, end) for p in (_ORDINAL_ENDING, _MEASURE_BEHIND))
        if ordinal:
            end = ordinal.end()
        elif measure:
            unit, end = MEASURES[measure["measure"]], measure.end()
        parts = frozenset([match.group().strip()])
    elif value.startswith("id:"):
        parts = frozenset(filter(None, _JOINT.split(match.group())))
    return Quantity(start, end, value, implied, unit, parts)
