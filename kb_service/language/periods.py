"""The days that a question speaks of, and how they are told to who asks. Pure functions.

Knows no document, and not which day it is.
"""

import calendar
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date

from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.domain.times import Period, TimeWindow
from kb_service.language.regexes import regex
from kb_service.language.time_words import days_unsaid

_UNDATED = regex(r"date:(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?")
_STATED = regex(r"(?:num|date):(?P<year>\d{4})(?:-(?P<month>\d+))?(?:-(?P<day>\d+))?")


def period_of(subjects: Sequence[Subject], windows: Sequence[TimeWindow]) -> Period | None:
    """Return the days from the first to the last that a question speaks of; None when of none.

    Of a day or month without its year nothing is known. `subjects`: what the question names.
    `windows`: the times that it tells.
    """
    told = [Period(window.first, window.last) for window in windows]
    for subject in subjects:
        is_told = any(subject.span.overlap(window.span) for window in windows)
        if subject.kind is SubjectKind.DATE and not is_told:
            told += _stated(subject)
    if not told:
        return None
    return Period(min(period.first for period in told), max(period.last for period in told))


def days_meant(question: Question, windows: Sequence[TimeWindow]) -> list[str]:
    """Return the days in words for which a question has other words (上周三, last Tuesday)."""
    told = (days_unsaid(window, question.text, question.language) for window in windows)
    return [words for words in told if words]


def is_yearless(dated: Subject) -> bool:
    """True for a date that names no year."""
    return any(map(_UNDATED.fullmatch, dated.forms)) and not any(_stated(dated))


def stated_days(dated: Subject, today: date) -> Iterator[Period]:
    """Yield the days of a date; a day or month without its year is the latest that has begun."""
    yield from _stated(dated)
    for match in filter(None, map(_UNDATED.fullmatch, dated.forms)):
        month, day = int(match["month"]), int(match["day"] or 1)
        for year in (today.year, today.year - 1):
            with suppress(ValueError, calendar.IllegalMonthError):
                first = date(year, month, day)
                if first <= today:
                    last = first if match["day"] else _last_of_month(first)
                    yield Period(first, last)
                    break


def _last_of_month(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _stated(dated: Subject) -> Iterator[Period]:
    """Yield the year, month or day that a date stands for; none of one that no calendar has."""
    for match in filter(None, map(_STATED.fullmatch, dated.forms)):
        year, month, day = (int(number) if number else None for number in match.groups())
        with suppress(ValueError, calendar.IllegalMonthError):
            last_month = month or 12
            last_day = day or calendar.monthrange(year or 0, last_month)[1]
            yield Period(
                date(year or 0, month or 1, day or 1), date(year or 0, last_month, last_day)
            )
