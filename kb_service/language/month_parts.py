"""Days of a part of a month: its first ten, its second half, its last two weeks. Pure functions.

Knows no words. Parts are days of the month, the last of them at most its last.
"""

import calendar
from datetime import date, timedelta

Days = tuple[date, date]
"""The first day and the last."""

_DAY = timedelta(1)


def part_of_month(first: date, begins: int, ends: int) -> Days:
    """Return the days of a month, which begins on `first`, from one of it to another."""
    return first.replace(day=begins), first.replace(day=min(ends, _length(first)))


def edge_of_month(first: date, num_days: int, *, is_last: bool) -> Days | None:
    """Return so many days from the beginning of a month or up to its end; None for no part."""
    length = _length(first)
    if not 0 < num_days < length:
        return None
    last = first.replace(day=length)
    span = num_days * _DAY - _DAY
    return (last - span, last) if is_last else (first, first + span)


def _length(first: date) -> int:
    return calendar.monthrange(first.year, first.month)[1]
