"""The lines of a text as entries of a log: what each begins, and on which day that was.

Pure functions on plain text. A time of day alone is of the day that stands above it, a day without
a year of the year above it; behind midnight a night is of the next day. Decides not whether a text
is a log.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from kb_service.domain.facts import Precision
from kb_service.domain.spans import TextSpan
from kb_service.language.furniture import is_furniture
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import Moment, at_clock, clocks_in, moments_in
from kb_service.language.stated.stamps import EARLY_MONTH, LATE_MONTH, Stamp, Stamps

_LEXICON = shipped_lexicon()
_FIRST_OF_TWO = regex(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th)?\s*(?:/|-|\u2013|\u2014|~|to|and|\u81f3|\u5230)+\s*$"
)
_YEAR, _LETTER = regex(r"(?:19|20)\d\d"), regex(r"[^\W\d_]")
_SENTENCE_END = regex(r"[\u3002!?]|[^\W\d_]{3}\.\s|[.;:]\s*$")
_MAY_BE_DATED = regex(r"\d|\u6708")
_PART = regex(rf"[\s*_]*(?:{'|'.join(_LEXICON.patterns('stated', 'parts_of_day'))})")
_LINE = regex(r"^[^\n]*\S[^\n]*", re.MULTILINE)
_LABEL = regex(r"\W*(?:[^\W\d]{1,12}\s*:)?\s*")
_RULE = regex(r"[\W_]*")
_MAX_HEAD, _MAX_REST = 80, 60
"""Characters of a title, and of what stands beside the day of the lines below."""
_TOLD_WITHIN = 160
_ROUGH = (Precision.YEAR, Precision.MONTH)
_EVENING, _NOON, _EARLY = 17, 12, 7
"""A night goes on from the one hour to the other; what begins before the third is its second day.
"""
_INDENT, _HEAD_LINES = 2, 3


class LineKind(StrEnum):
    """`start`: of an entry. `day`: of the lines below. `head`: a title. `more`: it goes on."""

    START = "start"
    DAY = "day"
    HEAD = "head"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line and, where an entry begins with it, when that was; None where no day is known.

    `place`: where its time is written, None where it is the day above. `words`: where it goes on
    behind its time. `has_clock`: a time of day is told. `is_dated`: on a day of its own.
    `is_under`: it is an item under a day that begins with no time.
    """

    span: TextSpan
    kind: LineKind
    words: int
    place: TextSpan | None = None
    moment: Moment | None = None
    has_clock: bool = False
    is_dated: bool = False
    is_item: bool = False
    is_under: bool = False


@dataclass(frozen=True, slots=True)
class _Above:
    """What holds for the lines below: the day, the year and month of days that say none.

    `of_items`: the items below are its entries. `is_night`: the day is the first of two.
    """

    year: int | None
    month: tuple[int, int] | None = None
    day: Moment | None = None
    of_items: bool = False
    is_night: bool = False


def log_lines(plain: str, year: int | None, day: Moment | None = None) -> list[LogLine]:
    """Return the lines of a text that are not empty.

    `year`: of days that say none. `day`: of times that no day stands above.
    """
    lines = [TextSpan(*match.span()) for match in _LINE.finditer(plain)]
    return _Reader(plain, _without_furniture(plain, lines), _Above(year, day=day)).read()


def _without_furniture(plain: str, lines: Sequence[TextSpan]) -> list[TextSpan]:
    """Leave out numbers of pages, and what stands at the head of each page as on the first."""
    first = {line.of(plain).strip() for line in lines[:_HEAD_LINES]}
    return [
        line
        for at, line in enumerate(lines)
        if not is_furniture(words := line.of(plain).strip())
        and not (at >= _HEAD_LINES and words in first)
    ]


class _Reader:
    """Reads the lines of one text in their order."""

    def __init__(self, plain: str, lines: Sequence[TextSpan], above: _Above) -> None:
        self._plain, self._lines, self._above = plain, lines, above
        self._stamps = Stamps(plain, lines)
        led = [line for line in lines if (s := self._stamp(line)) and s.clock]
        self._indent = min(map(self._indent_of, led), default=0)
        self._is_in_entry = False

    def read(self) -> list[LogLine]:
        found: list[LogLine] = []
        group: list[int] = []
        is_night = False
        for at, line in enumerate(self._lines):
            one = self._line(at, line)
            is_under = one.kind is LineKind.START and one.has_clock and not one.is_dated
            if is_under:
                is_night = is_night if group else self._above.is_night
                group.append(len(found))
            elif one.kind is LineKind.DAY or one.is_dated:
                _over_midnight(found, group, is_night=is_night)
                group = []
            found.append(one)
            self._is_in_entry = one.kind in (LineKind.START, LineKind.MORE) and self._is_in_entry
            self._is_in_entry |= one.kind is LineKind.START
        _over_midnight(found, group, is_night=is_night)
        return list(_with_short_lines(self._plain, found))

    def _line(self, at: int, line: TextSpan) -> LogLine:
        stamp = self._stamp(line)
        if stamp and self._goes_on(at, stamp):
            stamp = None
        if stamp and stamp.is_by_clock:
            return self._by_clock(line, stamp)
        if stamp and stamp.moment:
            return self._by_day(at, line, stamp, stamp.moment)
        if self._is_day_head(at, line):
            return self._head_of_day(at, line, LineKind.DAY)
        words = line.of(self._plain)
        if self._above.of_items and self._above.day and _begins_item(words):
            return _item(line, words, self._above.day)
        is_title = self._is_title(at, line)
        if is_title or not self._is_in_entry:
            self._above = replace(self._above, of_items=False)
            self._read_rough(words)
        return LogLine(line, LineKind.HEAD if is_title else LineKind.MORE, line.start)

    def _by_clock(self, line: TextSpan, stamp: Stamp) -> LogLine:
        moment = stamp.moment
        if moment:
            moment = self._dated(moment, line.start + stamp.start)
            self._keep(moment, of_items=False)
        elif self._above.day and stamp.clock:
            moment = at_clock(self._above.day, stamp.clock)
        return self._start(line, stamp, moment, has_clock=True, is_dated=stamp.moment is not None)

    def _by_day(self, at: int, line: TextSpan, stamp: Stamp, moment: Moment) -> LogLine:
        """A day that begins a line is that of the lines below, or of what stands behind it."""
        following = self._next(at)
        rest = line.of(self._plain)[stamp.words :]
        is_short = len(rest) <= _MAX_REST and not _SENTENCE_END.search(rest)
        below = self._stamp(following) if following else None
        is_above_clocks = below is not None and below.clock is not None
        is_above_items = (
            following is not None
            and below is None
            and _begins_item(following.of(self._plain))
            and (not _LETTER.search(rest) or _PART.match(following.of(self._plain)) is not None)
        )
        if is_short and (is_above_clocks or is_above_items):
            return self._head_of_day(at, line, LineKind.DAY)
        moment = self._dated(moment, line.start + stamp.start)
        self._keep(moment, of_items=False)
        return self._start(line, stamp, moment, has_clock=False, is_dated=True)

    def _head_of_day(self, at: int, line: TextSpan, kind: LineKind) -> LogLine:
        words = line.of(self._plain)
        stamp = self._stamp(line)
        first = stamp.moment if stamp and stamp.moment else self._day_in(words)
        if first is None:
            return LogLine(line, kind, line.start)
        place = stamp.start if stamp and stamp.moment else first.start
        moment, is_night = _first_of_two(words, place, self._dated(first, line.start + place))
        following = self._next(at)
        below = self._stamp(following) if following else None
        of_items = below is None and following is not None
        self._keep(moment, of_items=of_items, is_night=is_night)
        return LogLine(line, kind, line.end)

    def _start(
        self,
        line: TextSpan,
        stamp: Stamp,
        moment: Moment | None,
        *,
        has_clock: bool,
        is_dated: bool,
    ) -> LogLine:
        place = TextSpan(line.start + stamp.start, line.start + stamp.end)
        is_item = LAYOUT.begins_item(line.of(self._plain)) or stamp.start > 0
        words = min(line.start + stamp.words, line.end)
        return LogLine(line, LineKind.START, words, place, moment, has_clock, is_dated, is_item)

    def _stamp(self, line: TextSpan) -> Stamp | None:
        words = line.of(self._plain)
        if not _MAY_BE_DATED.search(words[:_MAX_HEAD]):
            return None
        return self._stamps.of(words, self._above.year, self._above.month)

    def _goes_on(self, at: int, stamp: Stamp) -> bool:
        """True for a line of prose that a time happens to begin: ... until | 17:30. The road ..."""
        line = self._lines[at]
        if not self._is_in_entry or self._is_first(at):
            return False
        if self._indent_of(line) >= self._indent + _INDENT and stamp.is_by_clock:
            return True
        before = self._lines[at - 1].of(self._plain)
        rest = line.of(self._plain)[stamp.end :]
        is_open = not _SENTENCE_END.search(before[-5:].rstrip())
        return is_open and (not _LETTER.search(rest) or rest[:1] in ".,;)")

    def _is_day_head(self, at: int, line: TextSpan) -> bool:
        """True for a short line with a day in it that stands over entries: Night shift, 4 May."""
        words = line.of(self._plain)
        if len(words) > _MAX_HEAD or _SENTENCE_END.search(words):
            return False
        day = self._day_in(words)
        if day is None or not (self._is_apart(at) or _LABEL.fullmatch(words[: day.start])):
            return False
        following = self._next(at)
        if following is None:
            return False
        below = self._stamp(following)
        is_item = _begins_item(following.of(self._plain))
        return (below.clock is not None) if below else is_item

    def _is_title(self, at: int, line: TextSpan) -> bool:
        words = line.of(self._plain)
        if _RULE.fullmatch(words):
            return False
        is_short = len(words) <= _MAX_HEAD and not _SENTENCE_END.search(words)
        is_sectioned = LAYOUT.section_level(words) > 0 and self._is_first(at)
        is_named = is_short and self._is_apart(at) and ":" not in words
        return is_sectioned or is_named or self._is_month(words)

    def _is_month(self, words: str) -> bool:
        """True for a line that is a month or a year and nothing else."""
        if len(words) > _MAX_HEAD or not _MAY_BE_DATED.search(words):
            return False
        first = next(iter(moments_in(words, self._above.year)), None)
        rest = words[: first.start] + words[first.end :] if first else words
        return first is not None and first.precision in _ROUGH and not _LETTER.search(rest)

    def _is_apart(self, at: int) -> bool:
        """True for a line of its own: parted from what stands above, or above all entries."""
        return not self._is_in_entry or self._is_first(at)

    def _is_first(self, at: int) -> bool:
        if not at:
            return True
        gap = self._plain[self._lines[at - 1].end : self._lines[at].start]
        return gap.count("\n") > 1

    def _day_in(self, words: str) -> Moment | None:
        if not _MAY_BE_DATED.search(words):
            return None
        found = moments_in(words[: 2 * _MAX_HEAD], self._above.year)
        return next((one for one in found if one.precision not in _ROUGH), None)

    def _read_rough(self, words: str) -> None:
        """Keep the year, month or day that stands above entries, or between them."""
        if len(words) > 2 * _MAX_HEAD or not _MAY_BE_DATED.search(words):
            return
        for moment in moments_in(words, self._above.year)[:1]:
            if moment.precision is Precision.YEAR:
                self._above = replace(self._above, year=moment.since.year)
            elif moment.precision is Precision.MONTH:
                since = moment.since
                month = (since.year, since.month)
                self._above = replace(self._above, year=since.year, month=month)
            else:
                self._keep(moment, of_items=False)

    def _keep(self, moment: Moment, *, of_items: bool, is_night: bool = False) -> None:
        since = datetime.combine(moment.since.date(), datetime.min.time())
        day = Moment(0, 0, since, since + timedelta(days=1), Precision.DAY)
        self._above = _Above(since.year, (since.year, since.month), day, of_items, is_night)

    def _dated(self, moment: Moment, place: int) -> Moment:
        """Return a day without a year that comes behind the last of December in the next one.

        Where the last day stands first it is of the same year; so is a day that the next one lacks.
        """
        written = self._plain[place : place + moment.end - moment.start]
        last = self._above.day
        is_next = (
            last is not None
            and not self._stamps.is_last_first
            and not _YEAR.search(written)
            and last.since.month >= LATE_MONTH
            and moment.since.month <= EARLY_MONTH
            and moment.since < last.since
        )
        if not is_next:
            return moment
        try:
            since = moment.since.replace(year=moment.since.year + 1)
        except ValueError:  # 29 February
            return moment
        return replace(moment, since=since, until=since + (moment.until - moment.since))

    def _next(self, at: int) -> TextSpan | None:
        return self._lines[at + 1] if at + 1 < len(self._lines) else None

    def _indent_of(self, line: TextSpan) -> int:
        words = line.of(self._plain)
        return len(words) - len(words.lstrip(" \t\u3000"))


def _begins_item(words: str) -> bool:
    """True for an item of a list, and for a part of a day: Night shift: ..."""
    return LAYOUT.begins_item(words) or _PART.match(words) is not None


def _with_short_lines(plain: str, found: Sequence[LogLine]) -> Iterator[LogLine]:
    """Yield lines; a short one that more lines follow is of its entry where others come behind."""
    last = max((n for n, one in enumerate(found) if one.kind is LineKind.START), default=0)
    is_in_entry = False
    for at, one in enumerate(found):
        follows = found[at + 1].kind if at + 1 < len(found) else None
        is_title = LAYOUT.section_level(one.span.of(plain)) > 0
        is_more = one.kind is LineKind.HEAD and is_in_entry and at < last and not is_title
        kind = LineKind.MORE if is_more and follows is LineKind.MORE else one.kind
        is_in_entry = kind is LineKind.START or (is_in_entry and kind is LineKind.MORE)
        yield replace(one, kind=kind)


def _item(line: TextSpan, words: str, day: Moment) -> LogLine:
    """An item under a day is of that day, at the time of day that it tells."""
    clock = next(iter(clocks_in(words[:_TOLD_WITHIN])), None)
    if clock is None:
        return LogLine(line, LineKind.START, line.start, moment=day, is_item=True, is_under=True)
    place = TextSpan(line.start + clock.start, line.start + clock.end)
    moment = at_clock(day, clock)
    return LogLine(line, LineKind.START, line.start, place, moment, is_item=True, is_under=True)


def _first_of_two(words: str, place: int, moment: Moment) -> tuple[Moment, bool]:
    """Return the first day of a night: of 14 to 15 May the 14th."""
    if moment.until - moment.since > timedelta(days=1):
        return moment, True
    before = _FIRST_OF_TWO.search(words, 0, place)
    day = int(before["d"]) if before else 0
    if day and moment.since.day == day + 1:
        since = moment.since - timedelta(days=1)
        return replace(moment, since=since, until=since + timedelta(days=1)), True
    return moment, False


def _over_midnight(found: list[LogLine], group: Sequence[int], *, is_night: bool) -> None:
    """Put what is told behind midnight on the next day: 23:05, then 02:15."""
    times = [moment.since for at in group if (moment := found[at].moment)]
    if len(times) < len(group) or not times:
        return
    falls = [other < one for one, other in pairwise(times)]
    if len(falls) > 1 and all(falls):  # the last one stands first
        return
    days = int(is_night and times[0].hour < _EARLY)
    for at, (before, now) in zip(group, pairwise([times[0], *times]), strict=True):
        is_night_over = now < before and before.hour >= _EVENING and now.hour <= _NOON
        days += int(is_night_over)
        moment = found[at].moment
        if days and moment:
            later = timedelta(days=days)
            moved = replace(moment, since=moment.since + later, until=moment.until + later)
            found[at] = replace(found[at], moment=moved)
