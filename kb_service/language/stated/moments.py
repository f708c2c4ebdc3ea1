"""Dates with their times of day, as stretches of local time: from, until, how precisely.

Pure functions on plain text. Reads dates by the calendar of the languages; what has no year takes
that of the document.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from kb_service.domain.facts import Precision
from kb_service.language.date_orders import has_whole_dates
from kb_service.language.dates import CALENDAR, RUN_TOGETHER
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.numerals import NUMERALS, whole_number
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_MONTH_NAMES = _LEXICON.numbered("calendar", "months")
_VALUE = regex(r"(?:date|num):(?P<numbers>[\d-]+)")
_NUMERIC = (
    regex(r"(?<![\d./-])(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>(?:19|20)\d\d)(?![\d/-])"),
    regex(rf"(?<![\w./-])(?P<d>\d\d)\d{{4}}z? (?P<m>{any_of(_MONTH_NAMES)}) (?P<y>\d\d)(?![\w/-])"),
    regex(r"(?<![\w./-])(?P<y>(?:19|20)\d\d)[-/](?P<m>0[1-9]|1[0-2])(?![\d/-])"),
)
_CLOCKS = tuple(map(regex, _LEXICON.patterns("stated", "clocks")))
_BETWEEN = tuple(map(regex, _LEXICON.patterns("stated", "between")))
_UNTIL = regex("|".join(_LEXICON.patterns("stated", "until")))
_HALF_DAYS = _LEXICON.numbered("stated", "half_days")
_MINUTES = _LEXICON.numbered("stated", "minute_words")
NUMERAL_WORDS = {**NUMERALS.words, **_LEXICON.numbered("numerals", "more_words")}
_NOON, _HOUR, _DUSK = 12, 60, 6
_SPOKEN = ("early", "late", "night")
_MONTHS = 12
_MAX_GAP, _AROUND = 30, 120
"""Characters between a day and its time of day; a time in words is no longer than the rest."""
_HEAD, _HEAD_LINES = 80, 3
"""So many lines at the head of a text, of no more characters, may be its titles."""
_YEAR = regex(
    r"(?<![\d.:])(?P<year>(?:199|20[0-4])\d)(?=\W*$|\s*\u5e74|[ -](?:0\d|1[0-2])(?!\d))"
    r"|^[\s\W]*(?P<first>(?:199|20[0-4])\d)(?![\d:\u623f\u53f7]|\s*(?:to\b|[-\u2013]\s*\d{3}))",
    re.MULTILINE,
)
"""A year that ends or begins a line of a title, or has its word behind it: no room, no hour."""
_OTHER_YEARS = regex("|".join(_LEXICON.patterns("calendar", "other_years")))
_YEARS_AWAY = regex(
    any_of(word for word, away in _LEXICON.numbered("time_words", "years").items() if away)
)


@dataclass(frozen=True, slots=True)
class Moment:
    """The words from `start` to `end` stand for the time from `since` until `until`."""

    start: int
    end: int
    since: datetime
    until: datetime
    precision: Precision


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in words from `start` to `end`."""

    start: int
    end: int
    time: time
    precision: Precision


_LENGTHS = {
    Precision.DAY: timedelta(days=1),
    Precision.HOUR: timedelta(hours=1),
    Precision.MINUTE: timedelta(minutes=1),
    Precision.SECOND: timedelta(seconds=1),
}


def moments_in(plain: str, year: int | None = None) -> list[Moment]:
    """Return the dates of a text with their times of day, in order, none over another.

    `year`: of dates that say none.
    """
    clocks = clocks_in(plain)
    found: list[Moment] = []
    for moment in sorted(_dates(plain, year), key=lambda m: (m.start, m.start - m.end)):
        if not found or found[-1].end <= moment.start:
            found.append(_with_clock(plain, moment, clocks))
    return _ranges(plain, found, clocks)


def clocks_in(plain: str) -> list[Clock]:
    """Return the times of day of a text, in order, none over another."""
    told = [c for pattern in _CLOCKS for m in pattern.finditer(plain) if (c := _clock(m))]
    found: list[Clock] = []
    for clock in sorted(told, key=lambda one: (one.start, -one.end)):
        if not found or found[-1].end <= clock.start:
            found.append(clock)
    return found


def at_clock(moment: Moment, clock: Clock) -> Moment:
    """Return a day at a time of day."""
    since = datetime.combine(moment.since.date(), clock.time)
    until = since + _LENGTHS[clock.precision]
    return replace(moment, since=since, until=until, precision=clock.precision)


def year_of(plain: str, title: str = "") -> int | None:
    """Return the year of the first date of a text that says one.

    Else the only one that its first lines name, or what it is called: call_2026_05.
    """
    first = min(_dates(plain, None), key=lambda moment: moment.start, default=None)
    if first:
        return first.since.year
    named = (
        {int(match["year"] or match["first"]) for match in _YEAR.finditer(head)}
        for head in _heads(plain, title)
    )
    return next((years.pop() for years in named if len(years) == 1), None)


def names_year(plain: str, title: str = "") -> bool:
    """True for a text that names a year anywhere, or that is called by one, whichever it is of.

    So does one whose head counts a year from another that it leaves unsaid: last year's calls.
    """
    heads = _heads(plain, title)
    return (
        any(True for _ in _dates(plain, None))
        or has_whole_dates(plain)
        or _OTHER_YEARS.search(plain) is not None
        or any(p.search(head) for head in heads for p in (_YEAR, _OTHER_YEARS, _YEARS_AWAY))
        or RUN_TOGETHER.search(title) is not None
    )


def _heads(plain: str, title: str) -> tuple[str, str]:
    """The first lines of a text that may be its titles, and what it is called."""
    lines = [line for line in plain.strip().split("\n")[:_HEAD_LINES] if len(line) <= _HEAD]
    return "\n".join(lines), title.replace("_", " ").casefold()


def last_day_of(plain: str) -> date | None:
    """Return the last day that a text writes out with its year."""
    days = (m.since.date() for m in _dates(plain, None) if m.precision is Precision.DAY)
    return max(days, default=None)


def _dates(plain: str, year: int | None) -> Iterator[Moment]:
    for pattern in (*CALENDAR.date_patterns, *_NUMERIC):
        for match in pattern.finditer(plain):
            value = CALENDAR.date(match)
            stretch = _stretch(value[0], year) if value else None
            if stretch:
                yield Moment(match.start(), match.start() + len(match.group().rstrip()), *stretch)


def _stretch(value: str, year: int | None) -> tuple[datetime, datetime, Precision] | None:
    matched = _VALUE.fullmatch(value)
    numbers = [int(number) for number in matched["numbers"].split("-")] if matched else []
    if len(numbers) > 1 and numbers[0] <= _MONTHS:
        numbers = [year or 0, *numbers]
    # A year of two digits without a month is a length: wires of 20年.
    if not numbers or not 1900 <= numbers[0] <= 2199:
        return None
    try:
        return _whole(*numbers)
    except ValueError:
        return None


def _whole(year: int, month: int = 0, day: int = 0) -> tuple[datetime, datetime, Precision]:
    if not month:
        return _midnight(year, 1, 1), _midnight(year + 1, 1, 1), Precision.YEAR
    if not day:
        following = (year + month // 12, month % 12 + 1, 1)
        return _midnight(year, month, 1), _midnight(*following), Precision.MONTH
    begins = _midnight(year, month, day)
    return begins, begins + timedelta(days=1), Precision.DAY


def _midnight(year: int, month: int, day: int) -> datetime:
    return datetime.combine(date(year, month, day), time())


def _clock(match: re.Match[str]) -> Clock | None:
    groups = match.groupdict()
    if any(groups.get(part) for part in _SPOKEN):
        return _spoken_clock(match)
    hour = whole_number(groups["h"])
    minute = 30 if groups.get("thirty") else whole_number(groups.get("min") or "0")
    second = int(groups.get("s") or 0)
    if hour is None or minute is None or hour > 24 or minute > 59:
        return None
    half, noon = groups.get("half"), groups.get("noon")
    if noon:
        hour = hour % _NOON + (_NOON if noon == "p" else 0)
    elif half and hour < _NOON and _HALF_DAYS[half] and not (hour > 9 and _HALF_DAYS[half] == 11):
        hour += _NOON
    is_precise = groups.get("min") or groups.get("thirty")
    precision = Precision.MINUTE if is_precise else Precision.HOUR
    if groups.get("s"):
        precision = Precision.SECOND
    return Clock(*match.span(), time(hour % 24, minute, second), precision)


def _spoken_clock(match: re.Match[str]) -> Clock | None:
    """Return a time of day in words with its part of the day: ten past nine in the morning.

    The part is that of the time itself: quarter to twelve in the morning is before noon.
    """
    named = NUMERAL_WORDS.get(match["h"], 0)
    told = match["spoken"]
    minutes = _minutes_of(told) if told else 0
    if not 1 <= named <= _NOON or not 0 <= minutes < _HOUR:
        return None
    hour, minute = named, minutes
    if match["before"] and minutes:
        hour, minute = named - 1 or _NOON, _HOUR - minutes
    is_late = match["late"] or (match["night"] and named >= _DUSK and hour < _NOON)
    precision = Precision.MINUTE if told else Precision.HOUR
    return Clock(*match.span(), time(hour % _NOON + (_NOON if is_late else 0), minute), precision)


def _minutes_of(words: str) -> int:
    named = _MINUTES.get(words)
    return named or sum(NUMERAL_WORDS.get(word, _HOUR) for word in words.split("-"))


def _with_clock(plain: str, moment: Moment, clocks: Sequence[Clock]) -> Moment:
    if moment.precision is not Precision.DAY:
        return moment
    for clock in _near(clocks, moment):
        if moment.end <= clock.start and _is_between(plain, moment.end, clock.start):
            return replace(at_clock(moment, clock), end=clock.end)
        if clock.end <= moment.start and _is_between(plain, clock.end, moment.start):
            return replace(at_clock(moment, clock), start=clock.start)
    return moment


def _near(clocks: Sequence[Clock], moment: Moment) -> Sequence[Clock]:
    """The times of day that may belong to a day: a register has as many as rows."""
    first = bisect_left(clocks, moment.start - _AROUND, key=lambda clock: clock.start)
    last = bisect_right(clocks, moment.end + _AROUND, key=lambda clock: clock.start)
    return clocks[first:last]


def _is_between(plain: str, start: int, end: int) -> bool:
    gap = plain[start:end]
    return len(gap) <= _MAX_GAP and any(pattern.fullmatch(gap) for pattern in _BETWEEN)


def _ranges(plain: str, moments: list[Moment], clocks: list[Clock]) -> list[Moment]:
    """Join what lasts from one time until another."""
    joined: list[Moment] = []
    for moment in moments:
        last = joined[-1] if joined else None
        if last and last.since < moment.since and _UNTIL.fullmatch(plain, last.end, moment.start):
            joined[-1] = replace(last, end=moment.end, until=moment.until)
        else:
            joined.append(_until_clock(plain, moment, clocks))
    return joined


def _until_clock(plain: str, moment: Moment, clocks: list[Clock]) -> Moment:
    for clock in _near(clocks, moment):
        if moment.end < clock.start and _UNTIL.fullmatch(plain, moment.end, clock.start):
            until = at_clock(moment, clock).until
            is_next_day = until <= moment.since
            return replace(moment, end=clock.end, until=until + timedelta(days=int(is_next_day)))
    return moment
