"""In which order the dates of a text are written: 03/11/26 may begin with the day, month or year.

Pure functions. A column of a table, and all that is no table, settles it by one date that can be
read in one way only, by the month that stays the same, or by a year that the text names. What is
settled is written as year, month and day between signs of our own, each character in its place.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from kb_service.language.dates import CALENDAR, IN_ORDER, full_year
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import is_chinese
from kb_service.language.time_words import time_windows

_WHOLE = regex(
    r"(?<![A-Za-z0-9_./:+-])(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)"
    r"(?P<three>(?:19|20)\d\d|\d{1,2})(?![A-Za-z0-9_/+-]|[.:]\d)"
)
WEEKDAY = "|".join(shipped_lexicon().patterns("calendar", "weekday_marks"))
"""The day of the week that stands in a cell beside its date."""
_OF_YEAR = regex(
    rf"(?<=: )(?:(?:{WEEKDAY})\s*)?(?P<day>(?P<one>\d{{1,2}})[-/.](?P<two>\d{{1,2}})\.?)"
    rf"(?=\s*(?:{WEEKDAY})?\s*(?:;|$|\n|\s\d{{1,2}}:\d\d))"
)
_LABEL = regex(r"(?:^|; |\n)(?P<label>[^;\n]{1,60}): $")
_DATED = regex("|".join(shipped_lexicon().patterns("calendar", "date_columns")))
_YEAR = regex(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MONTH = regex(r"date:\d{4}-\d{1,2}")
_NAMED_WITHIN = 4000
"""Characters of a text in which the month of its dates is named."""
_LABEL_CHARS = 70
_MIN_TOLD = 3
"""So many different dates tell which of their numbers is the month: the one that stays the same."""

_ANY_DAY = date(2000, 12, 31)
_MONTHS = 12
_OF_MONTH = tuple(map(regex, shipped_lexicon().patterns("stated", "day_of_month")))
_DAY_ALONE = regex(r"(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})(?:\s+\d{1,2}[:\uff1a]\d\d)?\Z")
WRITTEN_CLOCK = regex(r"(?<![\d.:])\d{1,2}[:\uff1a]\d\d(?::\d\d)?(?!\d)")
"""A time of day in figures."""
_ORDERS = ("ymd", "dmy", "mdy")
_IN_LABEL = regex(r"\b([dmy]{1,4})[-/. ]([dmy]{1,4})[-/. ]([dmy]{1,4})\b")
_Date = tuple[int, int, int]


def with_dates_in_order(text: str) -> str:
    """Return a text in which dates whose order is settled are written so, as long as it was."""
    groups: dict[tuple[str, str, bool], list[re.Match[str]]] = {}
    for match in _WHOLE.finditer(text):
        if _is_written_as_date(match, label := _label(text, match.start())):
            is_full = len(match["three"]) == 4
            groups.setdefault((label, match["mark"], is_full), []).append(match)
    settled = list(text)
    for (label, mark, _), found in groups.items():
        order = _told_order(label) or _order([_numbers(m) for m in found], text, mark)
        for match in found if order else ():
            parts = [match[("one", "two", "three")[order.index(c)]] for c in "ymd"]
            _write(settled, match.span(), parts)
    for found in _of_year(text).values():
        is_day_first = _begins_with_day([(int(m["one"]), int(m["two"])) for m in found])
        for match in found:
            first, second = ("two", "one") if is_day_first else ("one", "two")
            _write(settled, match.span("day"), [match[first], match[second]])
    return "".join(settled)


def has_whole_dates(text: str) -> bool:
    """True for a text with dates of three numbers that are written in no order that is settled."""
    return any(_is_written_as_date(m, _label(text, m.start())) for m in _WHOLE.finditer(text))


def dates_in_any_order(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield where a question has a date in digits, and the values that it may have in a paper.

    That of the order that is usual (`dates`) comes first.
    """
    for match in _WHOLE.finditer(text):
        if _is_written_as_date(match, ""):
            numbers = _numbers(match)
            usual = [value for _, (value, _) in CALENDAR.dates(match.group())]
            read = [_day_of(order, numbers) for order in _ORDERS if _fits(order, numbers)]
            yield *match.span(), tuple(dict.fromkeys((*usual[:1], *read)))


def _day_of(order: str, numbers: _Date) -> str:
    return f"{_month_of(order, numbers)}-{numbers[order.index('d')]}"


def _write(settled: list[str], span: tuple[int, int], parts: Sequence[str]) -> None:
    start, end = span
    settled[start:end] = IN_ORDER.join(parts).ljust(end - start)


def _of_year(text: str) -> dict[str, list[re.Match[str]]]:
    """Return the days without a year, by their column; only of one that is of days.

    It is called so, or its rows say a time of day too and go from day to day.
    """
    groups: dict[str, list[re.Match[str]]] = {}
    for match in _OF_YEAR.finditer(text):
        label = _label(text, match.start())
        if label:
            groups.setdefault(label, []).append(match)
    return {
        label: found
        for label, found in groups.items()
        if all(_is_day_of_year(int(m["one"]), int(m["two"])) for m in found)
        and (_DATED.search(label) or _go_on(found))
    }


def go_from_day_to_day(name: str, values: Sequence[str]) -> bool:
    """True for the cells of a column that are days without a year, one after the other.

    Or days alone, of a month that stands above: 2日, 5日, 9日; not 1号, 2号, 3号, which numbers
    things. What may be decimals is days where the name of the column says so.
    """
    of_month = [int(m["d"]) for v in values for p in _OF_MONTH if (m := p.fullmatch(v.strip()))]
    if len(of_month) == len(values):
        numbers_rows = of_month == list(range(1, len(of_month) + 1))
        is_ordered = len(set(of_month)) >= _MIN_TOLD and of_month == sorted(of_month)
        return is_ordered and not numbers_rows
    found = [match for value in values if (match := _DAY_ALONE.match(value.strip()))]
    may_be_decimals = any("." in match.group() for match in found) and not _DATED.search(name)
    return len(found) == len(values) and _are_in_order(found) and not may_be_decimals


def _go_on(found: Sequence[re.Match[str]]) -> bool:
    """True where each line says a time of day, and no day is before the one above it.

    What may be decimals (4.3, 4.6) only where the text names their month.
    """
    lines = (_line_of(match) for match in found)
    if not _are_in_order(found) or not all(map(WRITTEN_CLOCK.search, lines)):
        return False
    text = found[0].string
    may_be_decimals = any("." in match.group() for match in found)
    return not may_be_decimals or int(found[0]["one"]) in _months_named(text[:_NAMED_WITHIN])


def _months_named(text: str) -> set[int]:
    windows = time_windows(text, _ANY_DAY)
    return {w.first.month for w in windows if w.first.month == w.last.month}


def _are_in_order(found: Sequence[re.Match[str]]) -> bool:
    """True for days of a year of which none is before the one above it, in one order at least."""
    days = [(int(match["one"]), int(match["two"])) for match in found]
    if len(set(days)) < _MIN_TOLD or not all(_is_day_of_year(*day) for day in days):
        return False
    turned = [day[::-1] for day in days]
    return any(
        told == sorted(told) and max(month for month, _ in told) <= _MONTHS
        for told in (days, turned)
    )


def _line_of(match: re.Match[str]) -> str:
    start = match.string.rfind("\n", 0, match.start()) + 1
    end = match.string.find("\n", match.end())
    return match.string[start : end if end >= 0 else None]


def _is_day_of_year(one: int, two: int) -> bool:
    low, high = sorted((one, two))
    return 1 <= low <= 12 and high <= 31


def _begins_with_day(days: Sequence[tuple[int, int]]) -> bool:
    firsts, seconds = ({day[place] for day in days} for place in (0, 1))
    if max(firsts) > 12 or max(seconds) > 12:
        return max(firsts) > 12
    return len(seconds) == 1 and len(firsts) >= _MIN_TOLD


def _label(text: str, start: int) -> str:
    """Return the name of the column that a date begins the cell of; "" for any other date."""
    found = _LABEL.search(text, max(0, start - _LABEL_CHARS), start)
    return found["label"].strip().lower() if found else ""


def _is_written_as_date(match: re.Match[str], label: str) -> bool:
    """False for what may be the number of a part or a version: 4.2.10."""
    is_full = len(match["three"]) == 4
    is_padded = all(len(match[part]) == 2 for part in ("one", "two", "three"))
    return is_full or is_padded or match["mark"] == "/" or bool(label and _DATED.search(label))


def _numbers(match: re.Match[str]) -> _Date:
    return int(match["one"]), int(match["two"]), int(match["three"])


def _order(dates: Sequence[_Date], text: str, mark: str) -> str:
    """Return in which order dates are written, "" where nothing tells it or none fits all.

    Where nothing does, a year of two digits goes first where languages write years first, and
    nowhere else; the month never goes before a point.
    """
    fitting = [order for order in _ORDERS if all(_fits(order, one) for one in dates)]
    for tells in (_by_year, _by_named_month, _by_one_year, _by_month):
        told = [order for order in fitting if tells(order, dates, text)]
        fitting = told or fitting
    if len(fitting) > 1 and "ymd" in fitting:
        fitting = ["ymd"] if is_chinese(text) else [one for one in fitting if one != "ymd"]
    if len(fitting) > 1 and mark == ".":
        fitting = [one for one in fitting if one == "dmy"]
    return fitting[0] if len(fitting) == 1 else ""


def _told_order(label: str) -> str:
    """Return the order that a label tells: date (dd/mm/yyyy)."""
    told = _IN_LABEL.search(label)
    order = "".join(part[0] for part in told.groups()) if told else ""
    return order if order in _ORDERS else ""


def _fits(order: str, numbers: _Date) -> bool:
    year, month, day = (numbers[order.index(part)] for part in "ymd")
    return (order != "ymd" or year <= 99 >= day) and 1 <= month <= 12 and 1 <= day <= 31


def _by_year(order: str, dates: Sequence[_Date], text: str) -> bool:
    """True where the years that the text names with four digits are those of all dates."""
    named = {int(match.group()) for match in _YEAR.finditer(text)}
    return all(full_year(one[order.index("y")]) in named for one in dates)


def _by_named_month(order: str, dates: Sequence[_Date], text: str) -> bool:
    """True where the one month that the text names with its year is that of all dates."""
    rest = _WHOLE.sub(" ", text[:_NAMED_WITHIN]).casefold()
    named = {value for _, (value, _) in CALENDAR.dates(rest) if _MONTH.fullmatch(value)}
    months = {_month_of(order, one) for one in dates}
    return len(named) == 1 and months == named


def _month_of(order: str, numbers: _Date) -> str:
    year, month = (numbers[order.index(part)] for part in "ym")
    return f"date:{full_year(year)}-{month}"


def _by_one_year(order: str, dates: Sequence[_Date], text: str) -> bool:
    """True where different dates lie in one year."""
    return len(set(dates)) > 1 and len({one[order.index("y")] for one in dates}) == 1


def _by_month(order: str, dates: Sequence[_Date], text: str) -> bool:
    """True where month and year stay the same in several dates, and the days do not."""
    days = {one[order.index("d")] for one in dates}
    return len(days) >= _MIN_TOLD and len({_month_of(order, one) for one in dates}) == 1
