"""The day of a sentence that tells the time of day alone: 今日17时许, at 08:35 the wall gave way.

Pure functions on plain text. It is the nearest day that stands above; a word for a day (yesterday)
is counted from it. Where none stands above, such a word is counted from the only day of the text.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property

from kb_service.domain.facts import Precision
from kb_service.language.date_orders import WEEKDAY
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import (
    Clock,
    Moment,
    at_clock,
    clocks_in,
    last_day_of,
    moments_in,
)

_WORDS = shipped_lexicon().numbered("time_words", "days")
_SAME = shipped_lexicon().listed("stated", "same_day")
_SAME_DAY = regex(any_of([*_SAME, *_WORDS, *shipped_lexicon().listed("stated", "ditto")]))
_ANY = any_of([*_WORDS, *_SAME])
_GLUE = rf"[\s,\uff0c]*(?:{any_of(shipped_lexicon().listed('stated', 'before_clock'))})?\s*"
_BEFORE = regex(rf"(?P<word>{_ANY}){_GLUE}\Z")
_BEHIND = regex(rf"\s*(?P<word>{_ANY})")
_OF_MONTH = tuple(map(regex, shipped_lexicon().patterns("stated", "day_of_month")))
_BARE = regex(r"(?P<d>\d{1,2})\.?\Z")
_WEEKDAY = regex(rf"\s*(?:{WEEKDAY})\s*")
_MAY_BE_DAY = r"[^:;\n]{0,12}\d[^:;\n]{0,12}"
_CELL = regex(rf"(?:^|\n|; )(?P<label>[^:;\n]{{1,30}}): (?P<day>{_MAY_BE_DAY})(?=;|\n|$)")
"""A cell that may be of a day of which the month stands above."""
_LABEL = regex(r"(?:^|\n|; )(?P<label>[^:;\n]{1,30}): $")
_LABEL_CHARS = 40
_FIELD = regex(r"[^\s:;\d][^:;\n]{0,30}:")
_DATED = regex("|".join(shipped_lexicon().patterns("calendar", "date_columns")))
_OF_DAYS = regex("|".join(shipped_lexicon().patterns("calendar", "day_columns")))
_REACH = 16
_LOOKED_AT = 4000
"""Characters above a sentence in which its day is looked for; then those at the head of a text."""
_LAST_AMONG = 20_000
_ROUGH = (Precision.YEAR, Precision.MONTH)


class DaysAbove:
    """The days of a text by where they stand. `year`: of those that say none."""

    def __init__(self, plain: str, year: int | None) -> None:
        self._plain, self._year = plain, year

    def is_unread(self, start: int, words: str) -> bool:
        """True for the cell of a day that says another one than that above, which nobody reads."""
        return not (
            _SAME_DAY.fullmatch(words.strip())
            or moments_in(words, self._year)
            or self.in_month(start, words)
            or clocks_in(words)
        )

    def told_by(self, start: int, words: str) -> list[Moment]:
        """Return the times of day of words that begin at a place of the text, each with its day."""
        clocks = clocks_in(words)
        above = self._above(start) if clocks else None
        found = (self._whole(above, words, clock) for clock in clocks)
        return [moment for moment in found if moment]

    def in_month(self, start: int, words: str) -> Moment | None:
        """Return the day that words at a place of the text are, of the month above.

        2日, 2日（周三）, Wed 2nd; 2 alone where the column is called so.
        """
        match = self._of_month(start, words)
        first = self._day_above(start, int(match["d"])) if match else None
        if match is None or first is None:
            return None
        whole = Moment(*match.span(), first, first + timedelta(days=1), Precision.DAY)
        clock = next(iter(clocks_in(words[match.end() :])), None)
        return at_clock(whole, clock) if clock else whole

    def _of_month(self, start: int, words: str) -> re.Match[str] | None:
        lead = len(words) - len(words.lstrip())
        weekday = _WEEKDAY.match(words, lead)
        begin, end = weekday.end() if weekday else lead, len(words.rstrip())
        found = (m for p in _OF_MONTH if (m := p.match(words, begin, end)))
        behind = next(_WEEKDAY.finditer(words, begin), None)
        is_day = weekday or (behind and behind.end() >= end)
        if not is_day:
            label = _LABEL.search(self._plain, max(0, start - _LABEL_CHARS), start)
            is_day = label is not None and _OF_DAYS.search(label["label"])
        edge = behind.start() if behind else end
        return next(found, None) or (_BARE.match(words, begin, edge) if is_day else None)

    def _day_above(self, start: int, day: int) -> datetime | None:
        """A day of the month above, or of that of all days above that stand in no field."""
        named = _last_before(self._months, start)
        told = self._bare_days[: bisect_left(self._bare_days, start, key=lambda one: one.start)]
        if named is None and len({(one.since.year, one.since.month) for one in told}) != 1:
            return None
        above = named or told[0]
        last = above.until - timedelta(days=1)
        month = last if day <= last.day and day < above.since.day else above.since
        try:
            return month.replace(day=day)
        except ValueError:
            return None

    def last(self) -> date | None:
        """Return the last day that the text writes out with its year."""
        return last_day_of(self._plain[:_LAST_AMONG])

    def _whole(self, above: Moment | None, words: str, clock: Clock) -> Moment | None:
        word = _BEFORE.search(words, max(0, clock.start - _REACH), clock.start)
        word = word or _BEHIND.match(words, clock.end)
        day = above or (self._only() if word else None)
        if day is None:
            return None
        told = timedelta(days=_WORDS.get(word["word"], 0) if word else 0)
        whole = at_clock(Moment(clock.start, clock.end, day.since, day.until, day.precision), clock)
        return Moment(
            clock.start, clock.end, whole.since + told, whole.until + told, whole.precision
        )

    def _above(self, start: int) -> Moment | None:
        near, cell = (_last_before(found, start) for found in (self._days, self._cells))
        last = max((m for m in (near, cell) if m), key=lambda m: m.start, default=None)
        if last and last.start >= start - _LOOKED_AT:
            return last
        first = next(iter(self._days), None)
        return first if first and first.start < min(start, _LOOKED_AT) else None

    def _only(self) -> Moment | None:
        days = [moment for moment in self._days if moment.end <= _LOOKED_AT]
        return days[0] if len({moment.since.date() for moment in days}) == 1 else None

    @cached_property
    def _moments(self) -> list[Moment]:
        return moments_in(self._plain, self._year)

    @cached_property
    def _days(self) -> list[Moment]:
        return [m for m in self._moments if m.precision not in _ROUGH]

    @cached_property
    def _months(self) -> list[Moment]:
        return [m for m in self._moments if m.precision is Precision.MONTH]

    @cached_property
    def _bare_days(self) -> list[Moment]:
        """The days that stand in no cell and under no label."""
        return [
            day
            for day in self._days
            if not _FIELD.search(self._plain, self._plain.rfind("\n", 0, day.start) + 1, day.start)
        ]

    @cached_property
    def _cells(self) -> list[Moment]:
        """The days of cells of which the month stands above, where they stand."""
        found = (m for m in _CELL.finditer(self._plain) if _DATED.search(m["label"]))
        told = ((m.start("day"), self.in_month(m.start("day"), m["day"])) for m in found)
        return [replace(m, start=at, end=at + m.end) for at, m in told if m]


def _last_before(found: Sequence[Moment], start: int) -> Moment | None:
    at = bisect_left(found, start, key=lambda moment: moment.start)
    return found[at - 1] if at else None
