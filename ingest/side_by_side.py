"""Tables that stand beside each other on one sheet, parted by an empty column.

Pure functions on rows of cells. A gap between groups of columns of one table is none between two
tables: these have titles of their own, or ends of their own. Knows no file format.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from ingest.headers import is_number

Rows = Sequence[Sequence[str]]
_MIN_COLUMNS, _MIN_ROWS = 2, 3


def tables_beside(rows: Rows) -> list[list[list[str]]]:
    """Return the tables that rows consist of, from left to right, without what heads them all.

    Only one where no column is empty throughout, and where the parts are groups of one table.
    """
    width = max(map(len, rows), default=0)
    filled = [[*row, *[""] * (width - len(row))] for row in rows]
    parts = [[row[left:right] for row in filled] for left, right in _runs(filled, width)]
    parts = [list(_to_its_end(part)) for part in parts]
    is_of_tables = (
        len(parts) > 1
        and all(map(_is_table, parts))
        and (len(set(map(len, parts))) > 1 or all(map(_has_title, parts)))
    )
    return parts if is_of_tables else [filled]


def _runs(rows: Rows, width: int) -> Iterator[tuple[int, int]]:
    """Yield where each run of columns with words begins and ends."""
    start = 0
    for column in range(width + 1):
        if column == width or not any(row[column] for row in rows):
            if column > start:
                yield start, column
            start = column + 1


def _to_its_end(part: Rows) -> Iterator[list[str]]:
    num_empty = sum(1 for _ in takewhile(lambda row: not any(row), reversed(part)))
    yield from (list(row) for row in part[: len(part) - num_empty])


def _is_table(part: Rows) -> bool:
    """True for names of things, each once, below a head."""
    if len(part) < _MIN_ROWS or len(part[0]) < _MIN_COLUMNS or not all(map(any, part)):
        return False
    below = [row[0] for row in part[1 + _has_title(part) :]]
    return len(set(below)) == len(below) > 1 and all(one and not is_number(one) for one in below)


def _has_title(part: Rows) -> bool:
    """True where the first row has one cell, and the next one names columns."""
    return sum(map(bool, part[0])) == 1 < sum(map(bool, part[1]))
