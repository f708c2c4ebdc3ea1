"""What a line begins with: a day, a time of day or both, behind its number and its mark.

Pure functions on plain text. Knows neither the lines above nor whether a text is a log.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from kb_service.domain.facts import Precision
from kb_service.domain.spans import TextSpan
from kb_service.language.dates import RUN_TOGETHER
from kb_service.language.lexicon import BULLETS, CJK, shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import Clock, Moment, at_clock, clocks_in, moments_in
from kb_service.language.stated.sorts import own_numbers

_LEXICON = shipped_lexicon()
_MARK = regex(
    rf"[ \t\u3000]*(?:[-*+>{BULLETS}\u2013\u2014\u25b6](?=[ \t\u3000])[ \t\u3000]*)?#*[ \t]*"
)
_NUMERALS = re.escape("".join(NUMERALS.digits) + "".join(NUMERALS.powers))
_NUMBER = regex(
    rf"(?:[(\[]?[{_NUMERALS}]{{1,3}}[)\].\u3001][ \t\u3000]*)|"
    r"[(\[]?[ \t]*(?:#|no\.?[ \t]*)?\d{1,4}(?:[ \t]*[)\].\u3001:][ \t]*|[ \t\u3000]{1,4}(?=\S))"
)
"""The number of an entry in its log."""
_OPEN = regex(r"[*_]*[(\[\u3010<]?[ \t]*")
_WEEKDAY = regex(rf"(?:{'|'.join(_LEXICON.patterns('stated', 'weekday_leads'))})[,.:\s]*")
_JOINT = regex(r"[ \t\u3000|,;:\u2013\u2014/-]*")
_REST = regex(r"[\s:,;|*_)\]>\u3011.\u3002\u2013\u2014~-]*")
_FOUR_DIGITS = regex(r"(?P<h>[01]\d|2[0-3])(?P<mark>[.h]?)(?P<min>[0-5]\d)(?=\s|hrs|hr\b|h\b|$)")
_BEFORE_FOUR = regex(r"(?:\d{1,2}[a-z]{0,2}[ .][a-z]{3,9}|[a-z]{3,9} \d{1,2})[ ,.]+(?=\d{4}\s)")
"""A day without its year, before four digits that are a time of day: 28 Dec 1410."""
_SHORT_DAY = regex(r"(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})\.?(?![\d/.:-]|\s*%)(?=\W|$)")
_BARE_DAYS = tuple(map(regex, _LEXICON.patterns("stated", "bare_days")))
_IN_CJK = regex(f"[{CJK}]")
_REACH = 60
"""Characters of a line in which its time is looked for."""
_BY_CLOCK = (Precision.HOUR, Precision.MINUTE, Precision.SECOND)
_ROUGH = (Precision.YEAR, Precision.MONTH)
_MIN_FOUR_DIGITS, _MIN_SHORT = 2, 2
_NOON, _ANY_YEAR = 12, 2000
LATE_MONTH, EARLY_MONTH = 11, 2
"""Between the one and the other a year ends."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time that a line begins with stands from `start` to `end`, its words from `words` on.

    `moment`: with its day; `clock`: the time of day alone.
    """

    start: int
    end: int
    words: int
    moment: Moment | None = None
    clock: Clock | None = None

    @property
    def is_by_clock(self) -> bool:
        """True for a time of day, with its day or without."""
        return self.clock is not None or (
            self.moment is not None and self.moment.precision in _BY_CLOCK
        )


class Stamps:
    """The stamps of one text: how days and times are written in short is the same in all of it."""

    def __init__(self, plain: str, lines: Sequence[TextSpan]) -> None:
        told = [self._lead(line.of(plain)[:_REACH]) for line in lines]
        self._has_four_digits = have_four_digits(told) or _are_behind_days(told)
        self._is_day_first = _is_day_first(told, is_in_cjk=_IN_CJK.search(plain) is not None)
        found = [next(filter(None, map(self._day_of_any, ways)), None) for ways in told]
        self.is_last_first = _falls([day for day in found if day])

    def of(self, words: str, year: int | None, month: tuple[int, int] | None) -> Stamp | None:
        """Return what a line begins with, None for no time.

        `year` and `month`: that hold above, for a day that says none.
        """
        for lead in self._leads(words):
            if found := self._at(words, lead, year, month):
                return found
        return None

    def _at(
        self, words: str, lead: int, year: int | None, month: tuple[int, int] | None
    ) -> Stamp | None:
        near = words[lead : lead + _REACH]
        day = self._day(near, year, month)
        behind = 0
        if day is not None:
            if day.precision in _BY_CLOCK:
                return _stamp(words, lead, day.end, moment=day)
            behind = _joint(near, day.end)
        clock = self._clock(near[behind:])
        if clock is None:
            return None if day is None else _stamp(words, lead, day.end, moment=day)
        end = behind + clock.end
        if day is None:
            return _stamp(words, lead, end, clock=clock)
        return _stamp(words, lead, end, moment=replace(at_clock(day, clock), end=end))

    def _day(self, near: str, year: int | None, month: tuple[int, int] | None) -> Moment | None:
        first = next(iter(moments_in(near, year)), None)
        if first and first.start == 0 and first.precision not in _ROUGH:
            return first
        behind = _BEFORE_FOUR.match(near) if self._has_four_digits else None
        if behind:
            return next((m for m in moments_in(behind.group(), year) if m.start == 0), None)
        if match := RUN_TOGETHER.match(near):
            return _moment(match, int(match["y"]), int(match["m"]), int(match["d"]))
        match = _SHORT_DAY.match(near)
        if match and year and self._is_day_first is not None:
            one, two = int(match["one"]), int(match["two"])
            of_month, of_day = (two, one) if self._is_day_first else (one, two)
            return _moment(match, year, of_month, of_day)
        bare = next((found for p in _BARE_DAYS if (found := p.match(near))), None)
        return _moment(bare, *month, int(bare["d"])) if bare and month else None

    def _day_of_any(self, near: str) -> tuple[int, int] | None:
        """The month and day that words begin with, of whatever year."""
        day = self._day(near, _ANY_YEAR, None)
        return (day.since.month, day.since.day) if day else None

    def _clock(self, near: str) -> Clock | None:
        found = next((clock for clock in clocks_in(near[:20])[:1] if clock.start == 0), None)
        match = _FOUR_DIGITS.match(near) if found is None and self._has_four_digits else None
        if match is None:
            return found
        at = time(int(match["h"]), int(match["min"]))
        return Clock(match.start(), match.end(), at, Precision.MINUTE)

    @classmethod
    def _leads(cls, words: str) -> list[int]:
        """Return where the time of a line may begin: first, or behind a number."""
        bare = _MARK.match(words)
        start = bare.end() if bare else 0
        found = [start]
        number = _NUMBER.match(words, start)
        named = next(own_numbers(words[start : start + _REACH]), None)
        found += [number.end()] if number else []
        if named and named.start() <= 1:
            found.append(_joint(words, start + named.end()))
        opened = [m.end() if (m := _OPEN.match(words, at)) else at for at in found]
        return [m.end() if (m := _WEEKDAY.match(words, at)) else at for at in opened]

    @classmethod
    def _lead(cls, words: str) -> list[str]:
        return [words[at:] for at in cls._leads(words)]


def have_four_digits(told: Sequence[Sequence[str]]) -> bool:
    """True where lines begin with times of day as four digits, one after the other: no years."""
    found = [
        match.group() for ways in told for words in ways[:1] if (match := _FOUR_DIGITS.match(words))
    ]
    back = sum(one > other for one, other in pairwise(found))
    is_of_years = all(digits[:2] in ("19", "20") for digits in found)
    return len(set(found)) >= _MIN_FOUR_DIGITS and 3 * back <= len(found) + 2 and not is_of_years


def _are_behind_days(told: Sequence[Sequence[str]]) -> bool:
    """True where four digits that are a time of day stand behind days: 28 Dec 1410."""
    found: set[str] = set()
    for near in (words for ways in told for words in ways):
        end = _day_end(near)
        match = _FOUR_DIGITS.match(near, end) if end else None
        found |= {match.group()} if match else set()
    return len(found) >= _MIN_FOUR_DIGITS


def _day_end(near: str) -> int:
    """Where what stands behind a day begins, 0 without a day at the head."""
    days = moments_in(near, _ANY_YEAR)[:1]
    if days and days[0].start == 0:
        return _joint(near, days[0].end) if days[0].precision is Precision.DAY else 0
    begun = _BEFORE_FOUR.match(near)
    if begun and moments_in(begun.group(), _ANY_YEAR):
        return begun.end()
    bare = next((found for p in _BARE_DAYS if (found := p.match(near))), None)
    return _joint(near, bare.end()) if bare else 0


def _is_day_first(told: Sequence[Sequence[str]], *, is_in_cjk: bool) -> bool | None:
    """Which of two numbers is the day: what no month can be, else what lies nearer together.

    None where they are no days.
    """
    found = [m for ways in told for words in ways[:1] if (m := _SHORT_DAY.match(words))]
    pairs = [(int(match["one"]), int(match["two"])) for match in found]
    ways = {True: [(b, a) for a, b in pairs], False: pairs}
    spans = {way: _spread(days) for way, days in ways.items()}
    known = {way: spread for way, spread in spans.items() if spread is not None}
    if len(set(pairs)) < _MIN_SHORT or not known:
        return None
    if is_in_cjk:
        return False if False in known else None
    return min(known, key=lambda way: (known[way], not way))


def _falls(days: Sequence[tuple[int, int]]) -> bool:
    """True where the last (month, day) stands first: more come before the one above than behind.

    Two between which a year may end say nothing.
    """
    within = [
        (one, other)
        for one, other in pairwise(days)
        if not (max(one, other)[0] >= LATE_MONTH and min(one, other)[0] <= EARLY_MONTH)
    ]
    return sum(one > other for one, other in within) > sum(one < other for one, other in within)


def _spread(days: Sequence[tuple[int, int]]) -> timedelta | None:
    """How far (month, day) lie apart, None where some are none."""
    try:
        told = [date(2000, month, day) for month, day in days]
    except ValueError:
        return None
    return max(told) - min(told) if told else None


def _moment(match: re.Match[str], year: int, month: int, day: int) -> Moment | None:
    try:
        since = datetime.combine(date(year, month, day), time())
    except ValueError:
        return None
    return Moment(match.start(), match.end(), since, since + timedelta(days=1), Precision.DAY)


def _joint(words: str, place: int) -> int:
    joint = _JOINT.match(words, place)
    return joint.end() if joint else place


def _stamp(
    words: str, lead: int, end: int, moment: Moment | None = None, clock: Clock | None = None
) -> Stamp:
    rest = _REST.match(words, lead + end)
    return Stamp(lead, lead + end, rest.end() if rest else lead + end, moment, clock)
