"""The day of a sentence that tells the time of day alone: 今日17时许, at 08:35 the wall gave way.

Pure functions on plain text. It is the nearest day that stands above; a word for a day (yesterday)
is counted from it. Where none stands above, such a word is counted from the only day of the text.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property

from kb_service.domain.facts import Precision
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
_ANY = any_of([*_WORDS, *_SAME])
_GLUE = rf"[\s,\uff0c]*(?:{any_of(shipped_lexicon().listed('stated', 'before_clock'))})?\s*"
_BEFORE = regex(rf"(?P<word>{_ANY}){_GLUE}\Z")
_BEHIND = regex(rf"\s*(?P<word>{_ANY})")
_OF_MONTH = tuple(map(regex, shipped_lexicon().patterns("stated", "day_of_month")))
_DAY_OF_MONTH = "|".join(shipped_lexicon().patterns("stated", "day_of_month"))
_CELL = regex(
    r"(?:^|\n|; )(?P<label>[^:;\n]{1,30}): (?P<day>"
    + _DAY_OF_MONTH.replace("?P<d>", "?:")
    + r")(?=\s*(?:;|\n|$))"
)
"""A cell of a day of which the month stands above."""
_DATED = regex("|".join(shipped_lexicon().patterns("calendar", "date_columns")))
_REACH = 16
_LOOKED_AT = 4000
"""Characters above a sentence in which its day is looked for; then those at the head of a text."""
_LAST_AMONG = 20_000
_ROUGH = (Precision.YEAR, Precision.MONTH)


class DaysAbove:
    """The days of a text by where they stand. `year`: of those that say none."""

    def __init__(self, plain: str, year: int | None) -> None:
        self._plain, self._year = plain, year

    def told_by(self, start: int, words: str) -> list[Moment]:
        """Return the times of day of words that begin at a place of the text, each with its day."""
        clocks = clocks_in(words)
        above = self._above(start) if clocks else None
        found = (self._whole(above, words, clock) for clock in clocks)
        return [moment for moment in found if moment]

    def in_month(self, start: int, words: str) -> Moment | None:
        """Return the day that words at a place of the text are, of the month above: 2日."""
        match = next((m for p in _OF_MONTH if (m := p.match(words.strip()))), None)
        month = _last_before(self._months, start) if match else None
        if match is None or month is None:
            return None
        try:
            first = month.since.replace(day=int(match["d"]))
        except ValueError:
            return None
        lead = len(words) - len(words.lstrip())
        whole = Moment(lead, lead + match.end(), first, first + timedelta(days=1), Precision.DAY)
        clock = next(iter(clocks_in(words[lead + match.end() :])), None)
        return at_clock(whole, clock) if clock else whole

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
    def _cells(self) -> list[Moment]:
        """The days of cells of which the month stands above, where they stand."""
        found = (m for m in _CELL.finditer(self._plain) if _DATED.search(m["label"]))
        told = ((m.start("day"), self.in_month(m.start("day"), m["day"])) for m in found)
        return [replace(m, start=at, end=at + m.end) for at, m in told if m]


def _last_before(found: Sequence[Moment], start: int) -> Moment | None:
    at = bisect_left(found, start, key=lambda moment: moment.start)
    return found[at - 1] if at else None
