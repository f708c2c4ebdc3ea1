"""Which days a text states, and whether one lies in a stretch of days. Pure functions.

Knows the values of dates; knows no question and no document.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from kb_service.domain.times import TimeWindow
from kb_service.language.lexicon import CJK, any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.time_words import time_windows
from kb_service.language.values import supporting_values

_DAY = regex(r"date:(?:(?P<year>\d{4})-)?(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_YEAR = regex(r"num:(?:19|20)\d\d")
_YEAR_IN = regex(r"(?:19|20)\d\d")
_QUARTER = 80
_NAMED = [{*shipped_lexicon().ranges("time_words", name)} for name in ("quarters", "halves")]
_BY_TODAY = {*shipped_lexicon().numbered("time_words", "these_quarters")}
_PARTS = regex(any_of(set.union(*_NAMED) - _BY_TODAY))
"""Quarters and halves by their own names."""
_MONTH = regex(r"date:(?P<year>\d{4})-(?P<month>\d{1,2})")


def states_day_of(text: str, window: TimeWindow) -> bool:
    """True when a text states a day or month of the window, or no day at all.

    A day without its year counts in every year that the text states.
    """
    values = supporting_values(text)
    years = {int(v[4:]) for v in values if _YEAR.fullmatch(v)} or {window.first.year}
    days = list(_days(values, years))
    months = [(int(m["year"]), int(m["month"])) for v in values if (m := _MONTH.fullmatch(v))]
    if not days and not months:
        return not any(_YEAR.fullmatch(v) for v in values) or window.first.year in years
    spans_month = (window.last - window.first).days >= 27
    in_month = spans_month and any(_overlaps(month, window) for month in months)
    return in_month or any(window.first <= day <= window.last for day in days)


def says_month_of(text: str, words: str, window: TimeWindow) -> bool:
    """True when a text says a month by the words alone, without day or year: the January migration.

    As typed: may and march are also verbs. Not where the text states years and none of the window.
    False for words that tell no month.
    """
    is_month = window.first.day == 1 and (window.last + timedelta(days=1)).day == 1
    if not is_month or _YEAR_IN.search(words):
        return False
    name = re.escape(words.capitalize())
    alone = rf"(?<![\w\d])(?<!\d )(?<!\d\. ){name}(?![^\W\d_{CJK}]|,? ?\d)"
    years = {int(year) for year in _YEAR_IN.findall(text)} or {window.first.year}
    return window.first.year in years and re.search(alone, text) is not None


def is_of_other_days(title: str, window: TimeWindow) -> bool:
    """True when a title names quarters, halves or years and none of them meets the window.

    What it names by today (去年, last quarter) was written on another day and tells nothing. One
    without its year (Q2, 第二季度) is that of any.
    """
    named = [
        stretch
        for stretch in time_windows(title, window.last + timedelta(days=1))
        if (stretch.last - stretch.first).days >= _QUARTER
        and (_YEAR_IN.search(words := stretch.span.of(title)) or _PARTS.search(words.casefold()))
    ]
    return bool(named) and not any(
        stretch.first <= window.last and window.first <= stretch.last for stretch in named
    )


def _days(values: frozenset[str], years: set[int]) -> Iterator[date]:
    for value in values:
        found = _DAY.fullmatch(value)
        if not found:
            continue
        for year in [int(found["year"])] if found["year"] else sorted(years):
            day = _date(year, int(found["month"]), int(found["day"]))
            if day:
                yield day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _overlaps(month: tuple[int, int], window: TimeWindow) -> bool:
    first, last = window.first, window.last
    return (first.year, first.month) <= month <= (last.year, last.month)
