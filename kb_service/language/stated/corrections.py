"""What a paper corrects in its own words: the value that holds now, and the one before.

Pure functions on a sentence. Which field is corrected is told by the word for it that stands
nearest; where that is open, nothing is said to be corrected.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from kb_service.domain.facts import CORRECTABLE, REPLACED, Fact, FactField
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import PERSONS, Place, numbered
from kb_service.language.stated.plain import Line
from kb_service.language.stated.values import Number, amount_in, number_in

_LEXICON = shipped_lexicon()
_PATTERNS = tuple(map(regex, _LEXICON.patterns("stated", "value_corrections")))
_AMOUNTS = (FactField.LOSS, FactField.FINE)
_WORDS = {
    field: regex("|".join(_LEXICON.patterns("stated", f"corrected_{field}")))
    for field in CORRECTABLE
}
_HINTS = regex("|".join(_LEXICON.patterns("stated", "correction_hints")))
_REACH = 40
"""Characters around a correction in which the word for what it corrects stands."""
_CHINESE = regex(f"[{HAN}]")
_STOPS = regex(r"[,;\uff0c\uff1b\u3002]")
_HEADS = regex(r"[:\uff1a]")
_SURE = 0.96
"""A form that the same paper corrects further down holds no more."""


def corrections_in(line: Line, at: Place) -> Iterator[Fact]:
    """Yield for each correction of a sentence the value that holds, and the one that it replaces.

    The latter has the role REPLACED; a sentence may leave it to those before it.
    """
    if not _HINTS.search(line.plain):
        return
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(line.plain):
            start, end = match.span()
            if any(start < last and first < end for first, last in taken):
                continue
            found = list(_both(line, match, at))
            if found:
                taken.append((start, end))
            yield from found


def _both(line: Line, match: re.Match[str], at: Place) -> Iterator[Fact]:
    replaced = match.groupdict().get("old")
    for field in _nearest_first(line.plain, match):
        new, old = _value(field, match["new"]), _value(field, replaced) if replaced else None
        if new is None or (replaced and (old is None or new[0] == old[0])):
            continue
        sure = replace(at, confidence=_SURE)
        yield _fact(field, line, match.span("new"), sure, new)
        if old is not None:
            yield replace(_fact(field, line, match.span("old"), at, old), role=REPLACED)
        return


def _nearest_first(plain: str, match: re.Match[str]) -> list[FactField]:
    """Return the fields of which a word stands near the values, the nearest first."""
    begin, end = _clause(plain, match)
    places = [match.span(name) for name, value in match.groupdict().items() if value]
    gaps: list[tuple[int, FactField]] = []
    for field, words in _WORDS.items():
        near = [
            _gap(word.span(), one) for word in words.finditer(plain, begin, end) for one in places
        ]
        if near:
            gaps.append((min(near), field))
    return [field for _, field in sorted(gaps)]


def _clause(plain: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the word for what is corrected may stand: in Chinese in the same clause.

    Where the old value is not said, in the clause before, which then has no other number.
    """
    if not match.groupdict().get("old"):
        ends = [m.end() for p in (_STOPS, _HEADS) for m in p.finditer(plain, 0, match.start())]
        begin = max(ends, default=0)
        clause = plain[begin : match.start()]
        return begin, begin if number_in(clause) else match.start()
    begin, end = max(0, match.start() - _REACH), min(len(plain), match.end() + _REACH)
    if not _CHINESE.search(plain, begin, end):
        return begin, end
    stops = [stop.end() for stop in _STOPS.finditer(plain, begin, match.start())]
    behind = _STOPS.search(plain, match.end(), end)
    return stops[-1] if stops else begin, behind.start() if behind else end


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)


def _value(field: FactField, words: str) -> tuple[Number, str] | None:
    if field in _AMOUNTS:
        amount = amount_in(words)
        return (amount, amount.unit) if amount and amount.unit else None
    amount = amount_in(words)
    number = None if amount and amount.unit else number_in(words)
    return (number, PERSONS) if number else None


def _fact(
    field: FactField, line: Line, place: tuple[int, int], at: Place, value: tuple[Number, str]
) -> Fact:
    span = line.span(*place)
    return numbered(field, line.value(span), span, at, *value)
