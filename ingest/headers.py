"""Which of the first rows of a table name its columns, and what they name them.

Pure functions on rows whose merged cells stand in every place. A name is words, or what numbers
cannot be: years, days, hours and ranges side by side over plain numbers. Knows no file format.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby, pairwise

MAX_HEADER_ROWS = 3
_MAX_HEADER_CHARS = 60
MIN_NAMES = 2
MIN_MARKS = 2
"""Columns named by a year, day, hour or range: one alone may be a value."""
_STEPS = frozenset({1, 2, 5, 10})
"""Years from one column to the next."""

_YEAR = re.compile(r"(?:19|20)\d\d")
_DASH = "[-\u2010-\u2014~\uff5e]"
_YEAR_SPAN = re.compile(rf"(?:19|20)\d\d ?(?:/|{_DASH}) ?(?:(?:19|20)\d\d|\d\d)")
_DAY = re.compile(r"\d{1,4}([-/])\d{1,2}(?:\1\d{1,4})?|\d{1,4}\.\d{1,2}\.\d{1,4}")
"""With one point it is a decimal."""
_BETWEEN = re.compile("[-./]")
_CLOCK = re.compile(r"\d{1,2}[:\uff1a]\d\d")
_RANGE = re.compile(
    rf"\d+(?:\.\d+)? ?{_DASH} ?\d+(?:\.\d+)?|\d+ ?\+|[<>\u2264\u2265\u2266\u2267] ?\d+"
)
_SIGNS = frozenset("%\u2030#\u2116\uff05")
"""What names a column by itself, as the sign of a currency does."""

Rows = Sequence[Sequence[str]]


def num_header(
    head: Rows, before: Sequence[str], *, is_header_sure: bool = False, num_marked: int = 0
) -> int:
    """How many of the first rows name columns: none, one, or more under merged cells.

    `before`: the names of the table above. `num_marked`: so many are marked as names by the file.
    """
    if 0 < num_marked < len(head) and _are_marked_names(head[:num_marked], head[num_marked:]):
        return num_marked
    if not head or not (is_header_sure or _is_header(head[0], head[1:])):
        return 0
    is_merged = any(left and left == right for left, right in pairwise(head[0]))
    if is_merged and not (len(head) > 1 and _is_second(head[:2], head[2:])):
        return 1 if is_header_sure else 0
    if before and not _begins_anew(head, before):
        return 0
    return 2 if is_merged else 1


def names_of(header: Rows) -> list[str]:
    """The names of columns; below a merged cell both names are said, one that repeats once."""
    width = max(map(len, header))
    filled = [[*row, *[""] * (width - len(row))] for row in header]
    return [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*filled, strict=True)]


def is_number(word: str) -> bool:
    """True for words without a letter."""
    return not any(character.isalpha() for character in word)


def _are_marked_names(header: Rows, below: Rows) -> bool:
    """True where marked rows name every column but perhaps the first, each by another name."""
    names = names_of(header)
    width = max(map(len, below))
    named = names[1 if not names[0] else 0 : width]
    return (
        len(header) <= MAX_HEADER_ROWS
        and width > 1
        and len(names) >= width
        and all(named)
        and len(set(named)) == len(named)
        and all(len(name) <= _MAX_HEADER_CHARS for row in header for name in row)
    )


def _is_second(header: Rows, below: Rows) -> bool:
    """True for a row below merged cells whose names, with those above, are different."""
    if _is_header(header[1], below):
        return True
    names = names_of(header)
    own = [cell for cell in header[1] if cell]
    return len(own) == len(names) == len(set(names)) and _are_names(header[1], below)


def _begins_anew(head: Rows, before: Sequence[str]) -> bool:
    """True when rows after a gap have their own header: numbers below words, or other columns."""
    places = [place for place, cell in enumerate(head[0]) if cell]
    below = [row[place] for row in head[1:] for place in places if place < len(row)]
    return any(map(is_number, filter(None, below))) or places != [
        place for place, name in enumerate(before) if name
    ]


def _is_header(row: Sequence[str], below: Rows) -> bool:
    """True for words without a gap that name at least two columns.

    The column of the rows' own names may be without one.
    """
    words = [cell for cell in row if cell]
    first = 1 if not row[0] and any(other and other[0] for other in below) else 0
    last = max((place for place, cell in enumerate(row) if cell), default=-1)
    different = [word for word, _ in groupby(words)]
    return (
        len(different) >= MIN_NAMES
        and len(words) == last + 1 - first
        and len(set(different)) == len(different)
        and _are_names(row, below)
    )


def _are_names(row: Sequence[str], below: Rows) -> bool:
    """True for short words; numbers among them are years, days, hours or ranges over others."""
    words = [cell for cell in row if cell]
    places = [place for place, cell in enumerate(row) if cell and is_number(cell)]
    bare = [place for place in places if not _is_sign(row[place])]
    return (
        all(len(word) <= _MAX_HEADER_CHARS for word in words)
        and not any(word.endswith((":", "\uff1a")) for word in words)
        and (not bare or _are_marks(row, bare, below) or _is_year_of_days(row, bare, below))
    )


def _is_year_of_days(row: Sequence[str], places: Sequence[int], below: Rows) -> bool:
    """True for one number among words: the year over the days of a register."""
    under = [other[places[0]] for other in below if places[0] < len(other) and other[places[0]]]
    year = row[places[0]]
    is_alone = len(places) == 1 and len({*filter(None, row)}) > MIN_NAMES
    is_year = _YEAR.fullmatch(year) is not None
    return is_alone and is_year and bool(under) and all(_is_day_of(cell, year) for cell in under)


def _is_day_of(cell: str, year: str) -> bool:
    """True for a day of a year, or one without."""
    day = cell.split(maxsplit=1)[0]
    return _is_day(day) and (year in day or _YEAR.search(day) is None)


def _are_marks(row: Sequence[str], places: Sequence[int], below: Rows) -> bool:
    """True for marks of columns: not the first, in even steps, over numbers that are none."""
    sorts = {_mark(row[place]) for place in places}
    marks = [word for word, _ in groupby(row[place] for place in places)]
    under = [other[place] for other in below for place in places if place < len(other)]
    return (
        places[0] > 0
        and _is_first_name(row[0], [other[0] for other in below if other and other[0]])
        and len(marks) >= MIN_MARKS
        and "" not in sorts
        and any(map(is_number, filter(None, under)))
        and not any(_mark(cell) in sorts for cell in under if cell)
        and _are_even([int(mark) for mark in marks if _YEAR.fullmatch(mark)], bool(row[0]))
    )


def _is_first_name(word: str, below: Sequence[str]) -> bool:
    """True for no words, or words without a number that name none of what stands below them."""
    if any(character.isdigit() for character in word):
        return False
    parts = word.split()
    is_of_series = len(parts) > 1 and any(
        len(other.split()) == len(parts) and parts[0] == other.split()[0] for other in below
    )
    return not is_of_series and not (below and all(_is_one_apart(word, one) for one in below))


def _is_one_apart(one: str, other: str) -> bool:
    """True for names beyond ASCII that differ in one character, as those of a series do."""
    is_wide = len(one) == len(other) > 1 and not one.isascii()
    return is_wide and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _are_even(years: Sequence[int], is_named: bool) -> bool:
    """True for even steps; two years that are further apart may be values of what is named."""
    steps = {abs(later - earlier) for earlier, later in pairwise(years)}
    is_told = len(years) > MIN_MARKS or not is_named or steps == {1}
    return not steps or (len(steps) == 1 and steps <= _STEPS and is_told)


def _mark(word: str) -> str:
    """What sort of mark of a column a number is, "" for a plain one."""
    if _is_day(word):
        return "day"
    sorts = {"year": _YEAR, "years": _YEAR_SPAN, "clock": _CLOCK, "range": _RANGE}
    return next((sort for sort, pattern in sorts.items() if pattern.fullmatch(word)), "")


def _is_day(word: str) -> bool:
    """True for a month and a day in either order, with a year or without, or a year and a month."""
    if not _DAY.fullmatch(word) or _YEAR_SPAN.fullmatch(word):
        return False
    first, *rest = _BETWEEN.split(word)
    if _YEAR.fullmatch(first) and len(rest) == 1:
        return 1 <= int(rest[0]) <= 12
    return any(
        1 <= min(pair) <= 12 and max(pair) <= 31 for pair in pairwise(map(int, [first, *rest]))
    )


def _is_sign(word: str) -> bool:
    return all(one in _SIGNS or unicodedata.category(one) == "Sc" for one in word)
