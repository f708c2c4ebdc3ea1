"""Units and groups as rows of a table and as a picture's data, each cell with its places. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Protocol

from kb_service.domain.aggregating import Group, plain
from kb_service.domain.facts import CONFLICTING, COUNTS_OF_PEOPLE, FactField
from kb_service.domain.queries import Filters
from kb_service.domain.record_periods import stretch_label, time_label
from kb_service.domain.record_queries import PERIODS, Operation, RecordQuery
from kb_service.domain.record_sets import RecordRow, Unit, Value
from kb_service.domain.tables import Cell, Chart, Place

DOCUMENT = "document"
"""The column that says in which documents a unit stands."""

FIELD = "field"
"""The column that says which field was corrected."""

CHANGE_COLUMNS = (DOCUMENT, FactField.NUMBER, FIELD, "before", "after")

SEVERAL = "; "

_BY_PLACE = attrgetter("revision_id", "record", "start", "end")


class Titled(Protocol):
    """What a document is called."""

    @property
    def name(self) -> str:
        """The name of its file."""


def unit_rows(
    units: Iterable[Unit], columns: Sequence[str], names: Mapping[str, Titled]
) -> tuple[tuple[Cell, ...], ...]:
    """Return a row for each unit: its documents, then its columns."""
    return tuple(
        (_documents(unit, names), *(field_cell(unit, name) for name in columns)) for unit in units
    )


def field_cell(unit: Unit, name: str) -> Cell:
    """Return what a unit states of a field, as its document writes it; None: nothing."""
    values = unit.all(name) or list(filter(None, [unit.settled(name)]))
    if not values:
        return Cell(None)
    words = list(dict.fromkeys(_words(value) for value in values))
    places = tuple(dict.fromkeys(_place(unit, value) for value in values))
    return Cell(words[0] if len(words) == 1 else SEVERAL.join(map(str, words)), places)


def change_rows(
    units: Iterable[Unit], names: Mapping[str, Titled]
) -> list[tuple[Unit, tuple[Cell, ...]]]:
    """Return a row for each corrected field of a unit: its documents, what was stated, what is."""
    found = []
    for unit in units:
        number = field_cell(unit, FactField.NUMBER)
        for name in CONFLICTING:
            if both := unit.corrected(name):
                told = (Cell(_words(value), (_place(unit, value),)) for value in both)
                found.append((unit, (_documents(unit, names), number, Cell(str(name)), *told)))
    return found


def group_rows(query: RecordQuery, groups: Iterable[Group]) -> tuple[tuple[Cell, ...], ...]:
    """Return a row for each group: its label, and its number on the places of all its units."""
    name = FactField.TIME if query.by in PERIODS else (query.by or query.field or "")
    return tuple(
        (
            Cell(group.label, _places(group.units[:1], name)),
            Cell(
                None if group.number is None else plain(group.number),
                _places(group.units, query.field or name),
            ),
        )
        for group in groups
    )


def chart_of(query: RecordQuery, groups: Sequence[Group], units: Sequence[Unit]) -> Chart | None:
    """Return the data of the picture that helps, None where none does."""
    if query.op is Operation.TIMELINE:
        times = [str(field_cell(unit, FactField.TIME).value or "") for unit in units]
        dated = [time for time in times if time]
        return Chart("timeline", tuple(dated), (1,) * len(dated)) if dated else None
    if len(groups) < 2:
        return None
    numbers = tuple(None if g.number is None else plain(g.number) for g in groups)
    kind = "line" if query.by in PERIODS else "bars"
    return Chart(kind, tuple(group.label for group in groups), numbers)


def side_label(filters: Filters) -> str:
    """Return what one side of a comparison is called: what it is restricted to."""
    words = [*filters.kind, *filters.place, *filters.person, *filters.unit]
    words += [*filters.tags, *filters.labels]
    words += [f"{f.field} {f.text or '/'.join(f.any_of)}".strip() for f in filters.fields]
    if filters.time_from or filters.time_to:
        words.append(stretch_label(filters.time_from, filters.time_to))
    return ", ".join(words) or ", ".join(filters.document_ids)


def unit_place(unit: Unit, name: str) -> Place:
    """Return the words that a unit is counted by: its value of a field, else its first words.

    First in the text: databases give values in no order.
    """
    stated = (value for values in unit.values.values() for value in values)
    value = unit.settled(name) or min(stated, key=_BY_PLACE, default=None)
    if value is None:
        row = unit.records[0]
        return Place(row.revision_id, row.start, row.end)
    return _place(unit, value)


def _places(units: Iterable[Unit], name: str) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(unit_place(unit, name) for unit in units))


def _documents(unit: Unit, names: Mapping[str, Titled]) -> Cell:
    found = dict.fromkeys(row.document_id for row in unit.records)
    called = [names[one].name for one in found if one in names]
    return Cell(SEVERAL.join(called), (unit_place(unit, FactField.NUMBER),))


def _place(unit: Unit, value: Value) -> Place:
    """The words of a value; of a ledger the whole row, which says whose value it is."""
    row = _row_of(unit, value)
    if row is not None and row.record > 0:
        return Place(row.revision_id, row.start, row.end)
    return Place(value.revision_id, value.start, value.end)


def _row_of(unit: Unit, value: Value) -> RecordRow | None:
    return next(
        (
            row
            for row in unit.records
            if row.revision_id == value.revision_id and row.record == value.record
        ),
        None,
    )


def _words(value: Value) -> str | int | float:
    if value.field == FactField.TIME and value.time_from is not None:
        return time_label(value.time_from, value.precision)
    is_exact = value.number is not None and value.number_to in (None, value.number)
    if value.field in COUNTS_OF_PEOPLE and is_exact and value.number is not None:
        return plain(value.number)
    words = " ".join(value.value.split())
    return f"{_area_before(value, words)}{words}" if value.field == FactField.PLACE else words


def _area_before(value: Value, words: str) -> str:
    """Return the area that a place is known to lie in and that its own words leave out.

    In Chinese, where nothing parts the two and no letter is folded.
    """
    area = value.text.removesuffix(words.casefold())
    return area if len(area) < len(value.text) and not area.isascii() else ""
