"""Days, weeks, months, quarters and years as labels that sort in their order. Pure functions."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from kb_service.domain.facts import Precision
from kb_service.domain.record_queries import ByPeriod

MAX_PERIODS = 400
"""A longer row of periods shows only those that have something."""

_FINE = frozenset(Precision) - {Precision.YEAR, Precision.MONTH}


def is_within(precision: str | None, period: ByPeriod) -> bool:
    """True when a time of that precision lies in one such period for certain."""
    if precision == Precision.YEAR:
        return period is ByPeriod.YEAR
    if precision == Precision.MONTH:
        return period in {ByPeriod.YEAR, ByPeriod.QUARTER, ByPeriod.MONTH}
    return precision is None or precision in _FINE


def period_label(moment: datetime, precision: str | None, period: ByPeriod) -> str | None:
    """Return the label of the period of a moment; None when it is not known so precisely."""
    return _label(moment.date(), period) if is_within(precision, period) else None


def periods_between(labels: Iterable[str], period: ByPeriod) -> list[str]:
    """Return every label from the first to the last of some, those between included."""
    given = sorted(set(labels))
    every, day = list[str](), _first_day(given[0], period)
    while len(every) <= MAX_PERIODS:
        label = _label(day, period)
        if not every or every[-1] != label:
            every.append(label)
        if label == given[-1]:
            return every
        day = _next(day, period)
    return given


def stretch_label(begin: datetime | None, end: datetime | None) -> str:
    """Return the label of a stretch of time, of whose end nothing is in it.

    A whole period has its own; else the first day and the last, either of which may be open.
    """
    if begin and end:
        for period in (ByPeriod.YEAR, ByPeriod.QUARTER, ByPeriod.MONTH, ByPeriod.DAY):
            first = _first_day(_label(begin.date(), period), period)
            if _is_midnight(begin, first) and _is_midnight(end, _next(first, period)):
                return _label(first, period)
    last = end - timedelta(microseconds=1) if end else None
    days = (f"{one:%Y-%m-%d}" if one else "" for one in (begin, last))
    return " \u2013 ".join(days).strip(" ")


def _is_midnight(moment: datetime, day: date) -> bool:
    return moment == datetime.combine(day, time.min)


def time_label(moment: datetime, precision: str | None) -> str:
    """Return a time as precisely as it is stated."""
    if precision == Precision.YEAR:
        return f"{moment:%Y}"
    if precision == Precision.MONTH:
        return f"{moment:%Y-%m}"
    is_day = precision in (None, Precision.DAY)
    return f"{moment:%Y-%m-%d}" if is_day else f"{moment:%Y-%m-%d %H:%M}"


def _label(day: date, period: ByPeriod) -> str:
    match period:
        case ByPeriod.YEAR:
            return f"{day.year:04}"
        case ByPeriod.QUARTER:
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case ByPeriod.MONTH:
            return f"{day.year:04}-{day.month:02}"
        case ByPeriod.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case ByPeriod.DAY:
            return day.isoformat()


def _first_day(label: str, period: ByPeriod) -> date:
    if period is ByPeriod.DAY:
        return date.fromisoformat(label)
    year, _, rest = label.partition("-")
    if period is ByPeriod.WEEK:
        return date.fromisocalendar(int(year), int(rest[1:]), 1)
    month = _first_month(rest, period)
    return date(int(year), month, 1)


def _next(day: date, period: ByPeriod) -> date:
    if period in {ByPeriod.DAY, ByPeriod.WEEK}:
        return day + timedelta(7 if period is ByPeriod.WEEK else 1)
    months = {ByPeriod.MONTH: 1, ByPeriod.QUARTER: 3, ByPeriod.YEAR: 12}[period]
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _first_month(rest: str, period: ByPeriod) -> int:
    if period is ByPeriod.YEAR:
        return 1
    return 3 * int(rest[1:]) - 2 if period is ByPeriod.QUARTER else int(rest)
