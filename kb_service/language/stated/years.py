"""The year of days that say none: the one that their text names, or else that of its arrival.

Pure functions. A text has one year for all its days: a register of March to May is not torn apart.
Knows not how facts are found.
"""

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from kb_service.domain.facts import Fact, FactField
from kb_service.domain.time_roles import OF_ARRIVAL, with_mark
from kb_service.language.stated.moments import moments_in, names_year, year_of

_HEAD_CHARS = 20_000
"""In so many characters at its head a text names its year."""
_TIMES = (FactField.TIME, FactField.REPORTED)
_LEAP_YEAR, _LEAP_DAY = 2000, (2, 29)
_MOST_BACK = 9
"""Between two leap years lie at most eight years."""
_LESS = 0.1
"""By so much less sure is a time of which the text does not say the year."""


@dataclass(frozen=True, slots=True)
class Years:
    """The year that a text names; where it names none, the one in which its records are `taken`.

    Prose is of none then: "every year on 1 May" tells of no happening.
    """

    named: int | None = None
    taken: int | None = None

    @property
    def of_records(self) -> int | None:
        """The year of days in cells, in fields and at the head of entries."""
        return self.named or self.taken


Read = Callable[[Years], tuple[Fact, ...]]


def read_in_year(read: Read, plain: str, title: str, came: date | None) -> tuple[Fact, ...]:
    """Return what a text states, read with the year of its days.

    `came`: the day on which it came to the base. Where it names no year, that is the latest one in
    which none of its records is of a later day; such times are marked. None: they are no times.
    """
    named = year_of(plain[:_HEAD_CHARS], title)
    if named or came is None or names_year(plain, title):
        return read(Years(named))
    for year in _years_until(read, plain, came):
        found = read(Years(taken=year))
        days = [item.time_from.date() for item in _times(found) if item.time_from]
        if not days and any(item.time_from for item in found):
            break  # days that are no times of records
        if not days or max(days) <= came:
            return tuple(_of_arrival(item) for item in found)
    return read(Years())


def _years_until(read: Read, plain: str, came: date) -> Iterator[int]:
    """Yield years from that of a day back; only leap years for records of 29 February."""
    named = (moment.since for moment in moments_in(plain, _LEAP_YEAR))
    has_leap_day = any(map(_is_leap_day, named)) and any(
        item.time_from and _is_leap_day(item.time_from)
        for item in _times(read(Years(taken=_LEAP_YEAR)))
    )
    for year in range(came.year, came.year - _MOST_BACK, -1):
        if calendar.isleap(year) or not has_leap_day:
            yield year


def _is_leap_day(day: datetime) -> bool:
    return (day.month, day.day) == _LEAP_DAY


def _times(found: Sequence[Fact]) -> list[Fact]:
    return [item for item in found if item.field in _TIMES]


def _of_arrival(item: Fact) -> Fact:
    if item.time_from is None:
        return item
    less = item.confidence - _LESS
    return replace(item, role=with_mark(item.role, OF_ARRIVAL), confidence=less)
