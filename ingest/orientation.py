"""How a table is to be read: names over columns, names beside rows, or pairs of a form.

Pure functions on rows of cells. Told by the sorts of values (a day, a number, words) that stand
beside and under each other; knows a label only where `language` understands it.
"""

import re
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TypeVar

from kb_service.language.stated.sorts import Sort, measured_sort, sort_of

MAX_ROWS = 40
"""A table of more rows has names over its columns: so many names of values no record has."""

MIN_NAMED, MIN_ALIKE = 4, 0.8
_MAX_NAME = 40
_TELLING = frozenset({Sort.DAY, Sort.IDENTIFIER, Sort.PHONE})
"""Sorts of which a column has nothing else, where a table has names over its columns."""
_MIN_SORTS, _MIN_TELLING = 3, 2
MIN_BELOW = 2
"""Rows below names: of one row no column shows what it is of."""
_SENTENCE = re.compile(r"[\u3002\uff1b;!?\uff01\uff1f]|\.\s")

Rows = Sequence[Sequence[str]]
_Cell = TypeVar("_Cell")


def has_names_beside(rows: Rows) -> bool:
    """True where each row begins with its name and holds one sort of value, a record a column."""
    if not _have_names(rows, (0,)) or max(map(len, rows)) < 3:
        return False
    values = [[sort_of(cell) for cell in row[1:]] for row in rows]
    told = [[one for one in row if one] for row in values]
    shared = [row for row in told if len(row) > 1]
    are_telling = {row[0] for row in shared if len(set(row)) == 1} & _TELLING
    columns = [[one for one in column if one] for column in _columns(values, None)]
    is_any_alike = any(len(column) > 1 and len(set(column)) == 1 for column in columns)
    return (
        len(are_telling) >= _MIN_TELLING
        and fmean(_share_alike(row) for row in shared) >= MIN_ALIKE
        and not is_any_alike
    )


def has_pairs(rows: Rows) -> bool:
    """True for rows of a name and its value, one pair or several in a row, of several sorts."""
    width = max(map(len, rows), default=0)
    names = tuple(range(0, width, 2))
    if width < 2 or width % 2 or not _have_names(rows, names):
        return False
    values = [measured_sort(row[at + 1]) for row in rows for at in names if at + 1 < len(row)]
    told = {one for one in values if one}
    is_head = width == 2 and not any(map(measured_sort, rows[0][1::2]))
    is_told = len(told) >= _MIN_SORTS and bool(told & _TELLING)
    return is_told and not is_head and not has_names_above(rows)


def has_names_above(rows: Rows) -> bool:
    """True where the first row is words over columns of values that are of one sort each."""
    if len(rows) <= MIN_BELOW or any(map(_is_measured, rows[0])):
        return False
    columns = _columns([[sort_of(cell) for cell in row] for row in rows[1:]], None)
    told = [[one for one in column if one] for column in columns]
    alike = [column[0] for column in told if len(column) > 1 and len({*column}) == 1]
    return bool({*alike} - {Sort.WORDS}) and all(
        _share_alike(column) >= MIN_ALIKE for column in told if column
    )


def _is_measured(words: str) -> bool:
    return measured_sort(words) not in (None, Sort.WORDS)


def upright(rows: Rows) -> list[list[str]]:
    """Return rows that stand beside their names with the names over them."""
    return [list(column) for column in _columns(rows, "")]


def _columns(rows: Sequence[Sequence[_Cell]], blank: _Cell) -> list[tuple[_Cell, ...]]:
    width = max(map(len, rows))
    filled = [[*row, *[blank] * (width - len(row))] for row in rows]
    return list(zip(*filled, strict=True))


def _have_names(rows: Rows, places: Iterable[int]) -> bool:
    """True where different names stand in these places: short words, no value of another sort."""
    found = [row[at] for at in places for row in rows if at < len(row)]
    names = list(filter(None, found))
    blank = [row[at + 1] for at in places for row in rows if at + 1 < len(row) and not row[at]]
    return (
        len(names) >= MIN_NAMED
        and len(set(names)) == len(names)
        and not any(blank)
        and all(map(_is_name, names))
    )


def _is_name(words: str) -> bool:
    return len(words) <= _MAX_NAME and sort_of(words) is Sort.WORDS and not _SENTENCE.search(words)


def _share_alike(sorts: Sequence[Sort]) -> float:
    return max(sorts.count(one) for one in set(sorts)) / len(sorts)
