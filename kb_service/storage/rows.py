"""Rows as domain values: a column stands for the field of its name. Knows no table."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Row, and_, tuple_

BATCH = 500
"""Values in one IN list; far below the smallest limit of either database."""

Value = TypeVar("Value")


def value_of(kind: type[Value], row: Row[Any], **given: object) -> Value:
    """Return the dataclass of that kind, each field the row's column of its name unless given."""
    names: tuple[str, ...] = cast("Any", kind).__match_args__  # of a dataclass: its fields
    return kind(**{name: getattr(row, name) for name in names if name not in given}, **given)


def batches(values: Iterable[Value], size: int = BATCH) -> Iterator[Sequence[Value]]:
    """Yield the values in lists of at most `size`."""
    items = list(values)
    for start in range(0, len(items), size):
        yield items[start : start + size]


def one_of(
    columns: Sequence[ColumnElement[Any]], keys: Sequence[tuple[object, ...]]
) -> ColumnElement[bool]:
    """Match rows of which the columns are one of the keys.

    The first column is named by itself too: SQLite searches no index for a list of row values.
    """
    first = dict.fromkeys(key[0] for key in keys)
    return and_(columns[0].in_(list(first)), tuple_(*columns).in_(keys))
