"""Times that are told from today, or by half: yesterday, in March, the third quarter.

Pure functions of a text and a day. Weeks begin on Monday, and the last Tuesday is that of the week
before. What has no year is the latest that has begun. Whole dates and days of a month without a
year are the business of `dates`; a month with its year, which lasts, is told here too.
"""

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from kb_service.domain.spans import TextSpan
from kb_service.domain.times import TimeWindow
from kb_service.language.dates import Calendar, full_year
from kb_service.language.lexicon import Lexicon, shipped_languages, shipped_lexicon
from kb_service.language.messages import language_of, message
from kb_service.language.month_parts import Days, edge_of_month, part_of_month
from kb_service.language.numerals import Numerals
from kb_service.language.regexes import regex
from kb_service.language.variants import simplified

Groups = Mapping[str, str]
"""What the groups of a pattern matched; data/zh.toml says what each means."""

_DAYS_AROUND = 3
_LAST, _THIS = -1, 0
_YEAR_GROUPS = frozenset({"y", "year", "turn"})


class TimeWords:
    """The words for times that a lexicon knows."""

    def __init__(self, lexicon: Lexicon) -> None:
        def numbered(key: str) -> dict[str, int]:
            return lexicon.numbered("time_words", key)

        self._calendar = Calendar(lexicon)
        self._numerals = Numerals(lexicon)
        self._day_words, self._week_words = numbered("days"), numbered("weeks")
        self._month_words, self._year_words = numbered("months"), numbered("years")
        self._quarter_words, self._turns = numbered("these_quarters"), numbered("turns")
        self._amounts, self._parts = numbered("amounts"), lexicon.ranges("time_words", "parts")
        self._edges = numbered("edges")
        self._units = lexicon.paired("time_words", "units")
        self._months = lexicon.numbered("calendar", "months")
        self._weekdays = lexicon.numbered("calendar", "weekdays")
        self._stretches = {
            # The same word may be a part of a month and of a year; a year has been named then.
            **lexicon.ranges("time_words", "year_parts"),
            **lexicon.ranges("time_words", "halves"),
            **lexicon.ranges("time_words", "quarters"),
            **lexicon.ranges("time_words", "seasons"),
        }
        self._feasts = lexicon.ranges("time_words", "feasts")
        self._moving = {
            anchor: lexicon.days("moving_days", anchor) for anchor, *_ in self._feasts.values()
        }
        patterns = lexicon.patterns("time_words", "patterns")
        self._patterns = [regex(pattern, re.IGNORECASE) for pattern in patterns]
        self._lengths = regex("|".join(lexicon.patterns("time_words", "lengths")) or "(?!)")
        self._joins = regex("|".join(lexicon.patterns("time_words", "joins")) or "(?!)")
        self._titles = [regex(pattern) for pattern in lexicon.patterns("titles", "patterns")]

    def windows(self, text: str, today: date) -> list[TimeWindow]:
        """Return what the words of a text mean on a day, in order, none over another."""
        plain = _plain(text)
        taken = [
            match.span() for pattern in self._titles for match in pattern.finditer(plain)
        ] + list(self._whole_dates(plain))
        found = [
            window
            for window in self._found(plain, today)
            if not any(s <= window.span.start and window.span.end <= e for s, e in taken)
        ]
        found.sort(key=lambda window: (window.span.start, -window.span.end))
        joined = self._joined(_apart(found), plain)
        return _apart([self._with_length(one, plain) for one in joined])

    def _with_length(self, window: TimeWindow, plain: str) -> TimeWindow:
        """Return a window with the words behind it that say how long it is: those two months."""
        told = self._lengths.match(plain, window.span.end)
        return replace(window, span=TextSpan(window.span.start, told.end())) if told else window

    def _whole_dates(self, plain: str) -> Iterator[tuple[int, int]]:
        for match, _ in self._calendar.dates(plain.lower()):
            if match.groupdict().get("d"):
                yield match.span()

    def _found(self, plain: str, today: date) -> Iterator[TimeWindow]:
        for pattern in self._patterns:
            for match in pattern.finditer(plain):
                told = match.groupdict().items()
                groups = {key: value.lower() for key, value in told if value is not None}
                days = self._days(groups, today)
                if days:
                    start, end = match.span("words" if "words" in groups else 0)
                    words = match.string[start:end]
                    end = start + len(words.rstrip())
                    is_yearless = "m" in groups and _YEAR_GROUPS.isdisjoint(groups)
                    yield TimeWindow(TextSpan(start, end), *days, is_yearless=is_yearless)

    def _joined(self, windows: list[TimeWindow], plain: str) -> list[TimeWindow]:
        """Return the windows, from the one to the other as one."""
        joined: list[TimeWindow] = []
        for window in windows:
            last = joined[-1] if joined else None
            if (
                last
                and self._joins.fullmatch(plain, last.span.end, window.span.start)
                and last.first <= window.first
                and last.last <= window.last
            ):
                span = TextSpan(last.span.start, window.span.end)
                is_yearless = last.is_yearless and window.is_yearless
                joined[-1] = TimeWindow(span, last.first, window.last, is_yearless)
            else:
                joined.append(window)
        return joined

    def _days(self, groups: Groups, today: date) -> Days | None:
        """Return the days that a match means, None when there are none such."""
        readers: dict[str, Callable[[Groups, date], Days | None]] = {
            "day": self._day,
            "weekday": self._week,
            "weekend": self._week,
            "week": self._week,
            "month_told": self._month_told,
            "quarter": self._quarter_told,
            "unit": self._back,
            "feast": self._feast,
            "stretch": self._stretch,
            "m": self._month,
            "year": self._year,
            "part": self._part,
        }
        read = next(reader for key, reader in readers.items() if key in groups)
        try:
            return read(groups, today)
        except (ValueError, OverflowError):  # no such day: the 31st of June, a year of no calendar
            return None

    def _day(self, groups: Groups, today: date) -> Days:
        day = today + timedelta(self._day_words[groups["day"]])
        return day, day

    def _week(self, groups: Groups, today: date) -> Days:
        weeks = (
            self._week_words[groups["week"]] if "week" in groups else self._turns[groups["turn"]]
        )
        monday = today + timedelta(7 * weeks - today.weekday())
        if "weekday" in groups:
            day = monday + timedelta(self._weekdays[groups["weekday"]] - 1)
            return day, day
        return monday + timedelta(5 if "weekend" in groups else 0), monday + timedelta(6)

    def _month_told(self, groups: Groups, today: date) -> Days | None:
        first = _months_later(today.replace(day=1), self._month_words[groups["month_told"]])
        return self._in_month(groups, first)

    def _quarter_told(self, groups: Groups, today: date) -> Days:
        begins = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        first = _months_later(begins, 3 * self._quarter_words[groups["quarter"]])
        return first, _months_later(first, 3) - timedelta(1)

    def _month(self, groups: Groups, today: date) -> Days | None:
        month = self._number(groups["m"])
        last = self._number(groups["m2"]) if "m2" in groups else None
        if month is None or ("listed" in groups and last != month % 12 + 1):
            return None
        if last is None:
            return self._of_year(groups, today, lambda y: self._in_month(groups, date(y, month, 1)))
        return self._of_year(
            groups, today, lambda y: _months_of(y, month, last + 12 * (last < month))
        )

    def _in_month(self, groups: Groups, first: date) -> Days | None:
        if "d" in groups:
            day = first.replace(day=self._number(groups["d"]) or 0)
            return day, day
        if "edge" in groups:
            return self._edge(groups, first)
        if "part" in groups:
            return part_of_month(first, *self._parts[groups["part"]])
        return first, _months_later(first, 1) - timedelta(1)

    def _edge(self, groups: Groups, first: date) -> Days | None:
        """Return so many days or weeks from the beginning of a month, or up to its end."""
        times = self._number(groups["amount"]) if "amount" in groups else 1
        amount, kind = self._units[groups["length"]].split()
        num_days = int(amount) * (times or 0) * {"days": 1, "weeks": 7}.get(kind, 0)
        is_last = self._edges[groups["edge"]] == _LAST
        return edge_of_month(first, num_days, is_last=is_last)

    def _part(self, groups: Groups, today: date) -> Days | None:
        """Return a part of this month, or of the one before where it has not begun."""
        months = (_months_later(today.replace(day=1), back) for back in (0, -1))
        found = (self._in_month(groups, first) for first in months)
        return next((days for days in found if days and days[0] <= today), None)

    def _stretch(self, groups: Groups, today: date) -> Days | None:
        first, last = self._stretches[groups["stretch"]]
        return self._of_year(groups, today, lambda year: _months_of(year, first, last))

    def _feast(self, groups: Groups, today: date) -> Days | None:
        return self._of_year(groups, today, lambda year: self._feast_of(groups, year))

    def _feast_of(self, groups: Groups, year: int) -> Days | None:
        anchor, offset, num_days = self._feasts[groups["feast"]]
        if self._moving[anchor]:
            days = [moving for moving in self._moving[anchor] if moving.year == year]
        else:
            month, of_month = map(int, anchor.split("-"))
            days = [date(year, month, of_month)]
        if not days:
            return None
        day = days[0]
        if "alone" in groups:  # after the feast: after the day itself
            return day, day
        if "around" in groups:
            return day - timedelta(_DAYS_AROUND), day + timedelta(_DAYS_AROUND)
        first = day + timedelta(offset)
        return first, first + timedelta(num_days - 1)

    def _year(self, groups: Groups, today: date) -> Days | None:
        return self._of_year(groups, today, lambda year: _months_of(year, 1, 12))

    def _back(self, groups: Groups, today: date) -> Days | None:
        """Return the days from a length ago until today, or the day, week, month or year there."""
        amount, kind = self._units[groups["unit"]].split()
        times = self._number(groups["amount"]) if "amount" in groups else 1
        if times is None:
            return None
        length = int(amount) * times
        is_long = kind in ("months", "years")
        if is_long:
            first = _months_later(today, -length * (12 if kind == "years" else 1))
        else:
            first = today - timedelta(length * (7 if kind == "weeks" else 1))
        return (first, today) if "ago" not in groups else _around(first, kind)

    def _of_year(
        self, groups: Groups, today: date, in_year: Callable[[int], Days | None]
    ) -> Days | None:
        """Return the days in the year that is named, else those that have begun last."""
        years = range(today.year + 1, today.year - 3, -1)
        found = [days for year in years if (days := in_year(year))] if "y" not in groups else []
        turn = self._turns[groups["turn"]] if "turn" in groups else None
        if "y" in groups:
            year = self._number(groups["y"])
            return None if year is None else in_year(full_year(year))
        if turn == _LAST:
            return next((days for days in found if days[1] < today), None)
        if turn is None and "year" not in groups:
            return next((days for days in found if days[0] <= today), None)
        if turn is not None and turn > _THIS:
            return next((days for days in reversed(found) if days[0] > today), None)
        year = today.year + (self._year_words[groups["year"]] if "year" in groups else 0)
        days = in_year(year)
        # Early in a year, this winter is the one that began in the year before.
        return (
            in_year(year - 1)
            if days and days[1].year > year == today.year and days[0] > today
            else days
        )

    def _number(self, written: str) -> int | None:
        known = self._months.get(written) or self._amounts.get(written)
        return known or self._numerals.whole_number(written)


def _plain(text: str) -> str:
    """Return the text in plain forms and simplified characters, every character in its place."""
    folded = (unicodedata.normalize("NFKC", character) for character in text)
    plain = (new if len(new) == 1 else old for old, new in zip(text, folded, strict=True))
    return simplified("".join(plain))


def _apart(windows: list[TimeWindow]) -> list[TimeWindow]:
    apart: list[TimeWindow] = []
    for window in windows:
        if not apart or apart[-1].span.end <= window.span.start:
            apart.append(window)
    return apart


def _months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _months_of(year: int, first: int, last: int) -> Days:
    begins = date(year, first, 1)
    return begins, _months_later(begins, last - first + 1) - timedelta(1)


def _around(day: date, kind: str) -> Days:
    """Return the day, or the week, month or year that it lies in."""
    if kind == "weeks":
        monday = day - timedelta(day.weekday())
        return monday, monday + timedelta(6)
    if kind == "months":
        return _months_of(day.year, day.month, day.month)
    return _months_of(day.year, 1, 12) if kind == "years" else (day, day)


TIME_WORDS = TimeWords(shipped_lexicon())


def time_windows(text: str, today: date) -> list[TimeWindow]:
    """Return the times that a text tells from today or by half, in order."""
    return TIME_WORDS.windows(text, today)


def explicit(text: str, today: date) -> str:
    """Return the text, each of these times followed by its days in brackets, in its language."""
    language = language_of(text)
    told = text
    for window in reversed(time_windows(text, today)):
        if words := days_unsaid(window, text, language):
            end = window.span.end
            told = told[:end] + message("in_brackets", language, words=words) + told[end:]
    return told


def days_unsaid(window: TimeWindow, text: str, language: str) -> str:
    """Return the days of a window of a text in words, "" when these are what it says itself."""
    words = days_in_words(window.first, window.last, language)
    written = re.sub(r"(?<!\d)0+|\s", "", window.span.of(text)).casefold()
    return "" if written == re.sub(r"\s", "", words).casefold() else words


def days_in_words(first: date, last: date, language: str) -> str:
    """Return the days from the first to the last, both included, as a language writes them."""
    starts_month, ends_month = first.day == 1, (last + timedelta(1)).day == 1
    same_year = first.year == last.year
    same_month = same_year and first.month == last.month
    if first == last:
        form = "window_day"
    elif starts_month and ends_month and first.month == 1 and last.month == 12:
        form = "window_year" if same_year else "window_years"
    elif starts_month and ends_month and not same_month:
        form = "window_months_of_year" if same_year else "window_months"
    elif starts_month and ends_month:
        form = "window_month"
    elif same_month:
        form = "window_days_of_month"
    else:
        form = "window_days_of_year" if same_year else "window_days"
    names = _month_names(language)
    return message(
        form,
        language,
        first=first,
        last=last,
        first_month=names[first.month],
        last_month=names[last.month],
    )


def _month_names(language: str) -> dict[int, str]:
    """Return the months as a language names them, numbers where it has no names."""
    named = shipped_languages()[language].get("calendar", {}).get("months", {})
    names = {number: str(number) for number in range(1, 13)}
    return names | {number: name.title() for name, number in reversed(list(named.items()))}
