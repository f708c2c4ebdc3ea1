"""What is made of selected records: a number, a table, a picture's data. Values only.

Every cell knows the places of the documents that it rests on; as citations they get numbers later.
"""

from dataclasses import dataclass
from typing import NamedTuple

from kb_service.domain.record_queries import RecordQuery

CellValue = str | int | float | None


class Place(NamedTuple):
    """Words of a revision's text that a cell rests on."""

    revision_id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and what it rests on; None: not stated."""

    value: CellValue
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns, which are fields, `document`, or what was measured."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Data of a picture. `kind`: `bars` by group, `line` by period, `timeline`."""

    kind: str
    x: tuple[str, ...]
    y: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How much stands behind a table.

    `matched` of the `of` units there are; they stand in `documents`. `lacking`: ids of documents
    that may belong to them and do not state what was asked; `unclear`: units that state it not to
    the point (a range, no year). `disputed`: units whose documents say different things.
    """

    matched: int
    of: int
    documents: int
    lacking: tuple[str, ...] = ()
    unclear: int = 0
    disputed: int = 0


@dataclass(frozen=True, slots=True)
class CitedCell:
    """A value with the numbers of the citations that it rests on."""

    value: CellValue
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tabled:
    """What an answer over many documents has beside its words. `query`: what was asked.

    `documents`: ids of those whose words the table shows. `next_cursor`: of the next page of a
    list, None behind the last.
    """

    query: RecordQuery
    columns: tuple[str, ...]
    rows: tuple[tuple[CitedCell, ...], ...]
    tally: Tally
    chart: Chart | None = None
    documents: tuple[str, ...] = ()
    next_cursor: str | None = None
