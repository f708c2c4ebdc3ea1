"""How many people a sentence says to be dead, hurt, missing or trapped, of all or of some of them.

Pure functions.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from kb_service.domain.facts import COUNTS_OF_PEOPLE, Fact, FactField
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.chosen import NAMED, UNHURT
from kb_service.language.stated.fields import Place, compared, counted
from kb_service.language.stated.patterns import NO_PATTERNS, compiled, first
from kb_service.language.stated.plain import Line
from kb_service.language.stated.values import Number, number_in

_LEXICON = shipped_lexicon()
_COUNTS = {field: compiled(field) for field in COUNTS_OF_PEOPLE}
_ZEROS = {field: compiled(f"zero_{field}") for field in COUNTS_OF_PEOPLE}
_UNKNOWNS = {field: compiled(f"unknown_{field}") for field in COUNTS_OF_PEOPLE}
_ALONE = {field: compiled(f"one_{field}") for field in (FactField.DEAD, FactField.INJURED)}
"""What somebody suffered who is named, of whom no number is said."""
_UNHURT = {field: compiled(f"unhurt_{field}") for field in COUNTS_OF_PEOPLE}
_ZERO_ALL, _UNKNOWN_ALL = compiled("zero_casualties"), compiled("unknown_casualties")
_LEVELS = compiled("injured_levels")
"""The badly and the slightly injured apart: together they are the injured."""
_TOTALS, _PORTIONS = compiled("totals"), compiled("portions")
_CORRECTS = regex("|".join(_LEXICON.patterns("stated", "corrects")))
_LESS, _MORE = 0.15, 0.1
_GENERAL = 0.02
"""By so much less sure is what is said of all casualties than what is said of the dead alone."""


def people_told(line: Line, at: Place) -> Iterator[Fact]:
    """Yield how many people a sentence says to be dead, hurt, missing or trapped."""
    both = (FactField.DEAD, FactField.INJURED)
    if _CORRECTS.search(line.plain):
        at = replace(at, confidence=at.confidence + _MORE)
    for patterns, number in ((_ZERO_ALL, Number(0.0)), (_UNKNOWN_ALL, None)):
        if match := first(patterns, line.plain):
            less = replace(at, confidence=at.confidence - _GENERAL)
            for field in both:
                yield _counted(field, line, match, less, number)
    for field in COUNTS_OF_PEOPLE:
        yield from _counts(field, line, at)
        yield from _named_people(field, line, at)
        if match := first(_UNKNOWNS.get(field, NO_PATTERNS), line.plain):
            yield _counted(field, line, match, at, None)


def _counts(field: FactField, line: Line, at: Place) -> Iterator[Fact]:
    """Yield how many, and that it is nobody."""
    if field == FactField.INJURED and (both := first(_LEVELS, line.plain)):
        parts = (number_in(both["one"]), number_in(both["other"]))
        yield _counted(field, line, both, at, Number(sum(part.value for part in parts if part)))
        return
    none = first(_ZEROS[field], line.plain)
    match = first(_COUNTS[field], line.plain)
    if match and not (none and none.start() < match.end() and match.start() < none.end()):
        sure = replace(at, confidence=at.confidence + _weight(line.plain, match))
        yield _counted(field, line, match, sure, number_in(match["number"]))
    if none:
        yield _counted(field, line, none, at, Number(0.0))
    if not match and not none and (well := first(_UNHURT[field], line.plain)):
        yield replace(_counted(field, line, well, at, Number(0.0)), role=UNHURT)


def _weight(plain: str, match: re.Match[str]) -> float:
    """By how much a count is surer than others: of all together, or only of some of them."""
    before = plain[: match.start()]
    if any(pattern.search(before) for pattern in _TOTALS):
        return _GENERAL
    return -_GENERAL if any(pattern.search(before) for pattern in _PORTIONS) else 0.0


def _named_people(field: FactField, line: Line, at: Place) -> Iterator[Fact]:
    """Yield one of each who is named; how many there are is known when all sentences are read."""
    less = replace(at, confidence=at.confidence - _LESS)
    for pattern in _ALONE.get(field, NO_PATTERNS):
        for match in pattern.finditer(line.plain):
            one = _counted(field, line, match, less, Number(1.0))
            yield replace(one, text=compared(match["who"]), role=NAMED)


def _counted(
    field: str, line: Line, match: re.Match[str], at: Place, number: Number | None
) -> Fact:
    span = line.span(*match.span())
    return counted(field, line.value(span), span, at, number)
