"""The checkable values of a sentence: numbers, dates, times, names and identifiers.

Pure functions on strings: two ways to write one value (2024年8月17日, 2024-08-17) come out equal.
Knows nothing of documents; decides nothing.
"""

import re
from collections.abc import Callable, Iterator

from kb_service.language.dates import CALENDAR, Value
from kb_service.language.identifiers import identifier_matches
from kb_service.language.names import names_in
from kb_service.language.numbers import NUMBERS
from kb_service.language.text import normalise

_Reader = Callable[[re.Match[str]], Value | None]


def stated_values(text: str, normalised: str | None = None) -> frozenset[str]:
    """Return the values a sentence claims, each in its most specific form.

    `normalised`: the same sentence, where it is at hand.

    Forms: `date:2024-8-17`, `time:18:12`, `id:sg-2024-001`, `num:5600000`, `num:35%`, `name:…`. A
    bare year is a number, because nothing tells the two apart.
    """
    folded = normalise(text) if normalised is None else normalised
    found = {value for _, (value, _) in placed_values(folded)}
    return frozenset(found | set(names_in(text)))


def supporting_values(text: str, normalised: str | None = None) -> frozenset[str]:
    """Return every value that a source states or implies: a full date implies its month and year.

    Names are not listed: `missing_values` looks them up as words. `normalised`: the same text,
    where it is at hand.
    """
    folded = normalise(text) if normalised is None else normalised
    found: set[str] = set()
    for _, (value, parts) in placed_values(folded):
        found.add(value)
        found.update(parts)
    return frozenset(found)


def missing_values(sentence: str, sources: str) -> frozenset[str]:
    """Return the values of a sentence that its sources do not state; empty when all are there."""
    return unstated(stated_values(sentence), sources)


def unstated(stated: frozenset[str], sources: str) -> frozenset[str]:
    """Return those of stated values that the sources do not state."""
    rest = stated - supporting_values(sources)
    compact = _compact(sources)
    return frozenset(
        value
        for value in rest
        if not (value.startswith(("name:", "id:")) and _compact(value.split(":", 1)[1]) in compact)
    )


def placed_values(normalised: str) -> Iterator[tuple[re.Match[str], Value]]:
    """Yield the dates, times, identifiers and numbers of a normalised text where they stand.

    Each comes with the weaker values it implies; a stretch is read once, dates first.
    """
    rest = normalised
    for matches_in, read in _readers():
        for match in reversed(list(matches_in(rest))):
            value = read(match)
            if value:
                yield match, value
                blank = " " * len(match.group())
                rest = rest[: match.start()] + blank + rest[match.end() :]


def _readers() -> Iterator[tuple[Callable[[str], Iterator[re.Match[str]]], _Reader]]:
    for pattern in CALENDAR.date_patterns:
        yield pattern.finditer, CALENDAR.date
    for pattern in CALENDAR.time_patterns:
        yield pattern.finditer, CALENDAR.time
    yield identifier_matches, lambda match: (f"id:{match.group()}", ())
    for pattern in NUMBERS.patterns:
        yield pattern.finditer, NUMBERS.number
    yield NUMBERS.word_pattern.finditer, NUMBERS.word


def _compact(text: str) -> str:
    return re.sub(r"\s+", "", normalise(text))
