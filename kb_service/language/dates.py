"""Dates and times of day in a text, in one form however they are written.

Pure functions on strings. A value is written `date:2024-8-17`, `date:8-17`, `date:2024-8`,
`time:18:12`; a year alone is a number (`num:2024`), because nothing tells the two apart. Knows no
today: what is relative to one is left alone.
"""

import re
from collections.abc import Iterator

from kb_service.language.lexicon import Lexicon, shipped_lexicon
from kb_service.language.numerals import Numerals
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

Value = tuple[str, tuple[str, ...]]
"""A value, and the weaker values that it implies: a full date implies its month and its year."""

IN_ORDER = "\ue001"
"""Stands in place of the marks of a date of which a text has settled what comes first: then it is
year, month and day, or month and day (`date_orders`)."""

# Written alike in every language: 2024-08-17, 2024/8/17, 12/08/2007 (month first, unless that is no
# month), 17.08.2024 and 17-08-2024 (day first). A year of two digits is read behind bars, and
# behind points where day and month have two digits: 4.2.10 is a part of a paper.
_DAY, _MONTH = r"(?P<d>0?[1-9]|[12]\d|3[01])", r"(?P<m>0?[1-9]|1[0-2])"
_FULL_YEAR = r"(?P<y>(?:19|20)\d\d)"
_NUMERIC = (
    r"(?<![a-z0-9_-])(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:(?=t\d)|(?![a-z0-9_-]))",
    r"(?<![a-z0-9_/])(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4}|\d\d)(?![a-z0-9_/])",
    rf"(?<![a-z0-9_/])(?P<d>1[3-9]|2\d|3[01])/{_MONTH}/(?P<y>(?:19|20)\d\d|\d\d)(?![a-z0-9_/])",
    rf"(?<![a-z0-9_./-]){_DAY}(?P<mark>[.-]){_MONTH}(?P=mark){_FULL_YEAR}(?![a-z0-9_-]|\.\d)",
    rf"(?<![a-z0-9_./-])(?=\d\d\.\d\d\.){_DAY}\.{_MONTH}\.(?P<y>\d\d)(?![a-z0-9_-]|\.\d)",
    rf"(?:(?P<y>\d{{2,4}}){IN_ORDER})?(?<!\d){_MONTH}{IN_ORDER}(?P<d>\d{{1,2}})(?!\d|{IN_ORDER})",
)
RUN_TOGETHER = regex(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
)
"""A date in the name of a file or at the head of a line: 20150803-Kafka, report_20240817."""


DATE_WORDS = frozenset(
    [
        *shipped_lexicon().numbered("calendar", "months"),
        *shipped_lexicon().numbered("calendar", "weekdays"),
    ]
)
"""Names of months and days of the week, which are written like names and name nobody."""


class Calendar:
    """The dates and times that a lexicon can read."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._months = lexicon.numbered("calendar", "months")
        self._numerals = Numerals(lexicon)
        written = lexicon.patterns("calendar", "dates")
        self.date_patterns = tuple(regex(pattern) for pattern in (*_NUMERIC, *written))
        self.time_patterns = tuple(map(regex, lexicon.patterns("calendar", "times")))

    def dates(self, text: str) -> Iterator[tuple[re.Match[str], Value]]:
        """Yield every date of a normalised text with its value; patterns may overlap."""
        for pattern in self.date_patterns:
            yield from (
                (match, value) for match in pattern.finditer(text) if (value := self.date(match))
            )

    def date(self, match: re.Match[str]) -> Value | None:
        """Return the value of a match of a date pattern, None when there is no such day."""
        groups = match.groupdict()
        written = (groups.get("y") or groups.get("short"), groups.get("m"), groups.get("d"))
        year, month, day = map(self._whole, written)
        if (month and month > 12) or (day and day > 31):
            return None
        if not month:
            return (f"num:{year}", ()) if year is not None else None
        year = None if year is None else full_year(year)
        monthly = f"{month}-{day}" if day else f"{month}"
        implied = [f"date:{monthly}", f"date:{month}"]
        if year is None:
            return f"date:{monthly}", tuple(implied)
        implied += [f"num:{year}", f"date:{year}-{month}"]
        return f"date:{year}-{monthly}", tuple(implied)

    def time(self, match: re.Match[str]) -> Value | None:
        """Return the value of a match of a time pattern, None when there is no such time."""
        groups = match.groupdict()
        hour, minute = int(groups["h"]), int(groups.get("min") or 0)
        if hour > 24 or minute > 59:
            return None
        half = groups.get("half")
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        return f"time:{hour}:{minute:02}", (f"time:{hour}",)

    def _whole(self, written: str | None) -> int | None:
        if not written:
            return None
        return self._months.get(written) or self._numerals.whole_number(written)


CALENDAR = Calendar(shipped_lexicon())


def full_year(year: int) -> int:
    """Return a year of four digits for one of two: 69 to 99 lie in the last century (POSIX, %y)."""
    if year > 99:
        return year
    return year + (1900 if year >= 69 else 2000)


def dates_in_title(title: str) -> frozenset[str]:
    """Return what the dates of a title or file name state and imply; empty without a dated year.

    Digits run together (20150803) are read as a date here only: in a text they may be any number.
    """
    text = normalise(title)
    run_together = ((match, CALENDAR.date(match)) for match in RUN_TOGETHER.finditer(text))
    found = [*run_together, *CALENDAR.dates(text)]
    values = [value for match, value in found if value and _has_year(match)]
    return frozenset(v for value, implied in values for v in (value, *implied))


def _has_year(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    return bool(groups.get("y") or groups.get("short"))


def without_dates(normalised: str) -> str:
    """Return a normalised text without its dates; bare years stay."""
    rest = normalised
    for pattern in CALENDAR.date_patterns:
        for match in reversed(list(pattern.finditer(rest))):
            value = CALENDAR.date(match)
            if value and value[0].startswith("date:"):
                rest = f"{rest[: match.start()]} {rest[match.end() :]}"
    return rest
