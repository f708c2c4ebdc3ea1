"""A typed query run over what documents state: select → settle → aggregate → tabulate.

Knows the order of the steps. What is counted is shown with the places of its documents; what a
document does not state is told, never filled in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kb_service.domain.aggregating import (
    Group,
    Number,
    PlaceInTime,
    Sorted,
    behind,
    extremes,
    groups_of,
    in_time,
    measured,
    place_in_time,
    place_of,
    ranked,
    side,
    stating_number,
)
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import CONFLICTING, FactField
from kb_service.domain.queries import Filters
from kb_service.domain.record_filters import passing
from kb_service.domain.record_queries import (
    AGGREGATES,
    PERIODS,
    Counted,
    Measure,
    Operation,
    RecordQuery,
)
from kb_service.domain.record_sets import RecordRow, Unit, UnitPage, Value, units_of, with_values
from kb_service.domain.tables import Chart, Table, Tally
from kb_service.services.lengths import sources_of, work_out
from kb_service.services.tabulating import (
    CHANGE_COLUMNS,
    DOCUMENT,
    Titled,
    change_rows,
    chart_of,
    group_rows,
    side_label,
    unit_rows,
)
from kb_service.storage.identity import decode_cursor, encode_cursor

DEFAULT_COLUMNS = (FactField.NUMBER, FactField.TIME, FactField.PLACE, FactField.KIND)
NEEDS_NUMBER = AGGREGATES | {Operation.TOP}
_NUM_KEYS = 3
_IN_TIME = frozenset({Operation.LIST, Operation.TIMELINE})
_COUNTING = frozenset({Operation.COUNT, Operation.EXISTS})
GROUPING = frozenset({Operation.GROUP, Operation.TREND, Operation.WHICH})


class SelectedRecords(Protocol):
    """Records that pass filters, and what they state."""

    @property
    def rows(self) -> tuple[RecordRow, ...]:
        """The records."""

    @property
    def total(self) -> int:
        """How many there are of what is counted where nothing has to be stated."""

    @property
    def values(self) -> tuple[Value, ...]:
        """What they state of the fields that were wanted."""

    @property
    def lacking(self) -> Mapping[str, tuple[str, ...]]:
        """By filtered field the documents that pass all other filters and state nothing of it."""


class Records(Protocol):
    """Where records and what they state are read; storage fulfils it."""

    def select(
        self, kb_id: str, of: Counted, filters: Filters, fields: Collection[str]
    ) -> SelectedRecords:
        """Return the records that pass, with what they state of some fields."""

    def page(
        self,
        kb_id: str,
        of: Counted,
        filters: Filters,
        fields: Collection[str],
        limit: int,
        after: PlaceInTime | None,
    ) -> UnitPage:
        """Return the first incidents or records that pass behind a place in time."""

    def stated(
        self, kb_id: str, places: Sequence[tuple[int, int]], fields: Collection[str]
    ) -> list[Value]:
        """Return what some (revision id, record) state of some fields."""

    def fields(self, kb_id: str) -> frozenset[str]:
        """Return the fields that any record of a base states."""

    def named(self, document_ids: Iterable[str]) -> Mapping[str, Titled]:
        """Return what documents are called."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query gave: numbers or groups, the table they stand in, how much is behind it.

    `units`: those that the answer is about, in its order; the table shows the first of them.
    `counted`: ids of all documents that pass the filters, of a list those of its page.
    `next_cursor`: of the next page of a list.
    """

    query: RecordQuery
    table: Table
    tally: Tally
    numbers: tuple[Number, ...] = ()
    groups: tuple[Group, ...] = ()
    units: tuple[Unit, ...] = ()
    chart: Chart | None = None
    counted: frozenset[str] = frozenset()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class _Matched:
    units: list[Unit]
    total: int
    lacking: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Counted:
    tally: Tally
    documents: frozenset[str]


class QueryRunner:
    """Runs typed queries over one store of records. Safe to share between threads."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def run(self, kb_id: str, query: RecordQuery) -> QueryResult:
        """Return what a query gives. Raises NotFound (kb_not_found), StorageError."""
        if query.op is Operation.COMPARE:
            return self._compared(kb_id, query)
        if query.op is Operation.LIST:
            return self._page(kb_id, query)
        matched = self._matched(kb_id, query, query.filters)
        if query.op is Operation.CHANGES:
            return self._changed(query, matched)
        if query.op in NEEDS_NUMBER:
            return self._measured(kb_id, query, matched)
        if query.op in GROUPING:
            return self._grouped(query, matched, *groups_of(query, matched.units))
        units = in_time(matched.units) if query.op is Operation.TIMELINE else matched.units
        return self._listed(kb_id, query, units, _counted(matched, query))

    def _sources(self, kb_id: str, query: RecordQuery) -> frozenset[str]:
        """Return the fields from which follows what is asked for and may not be stated."""
        if query.field != FactField.DURATION:
            return frozenset()
        return sources_of(query, self._records.fields(kb_id))

    def _page(self, kb_id: str, query: RecordQuery) -> QueryResult:
        """Return a page of a list, and whether there is another one: one unit more is looked for.

        What equals differ in is told of all that pass, and documents are no units of an index; only
        then is all read that passes.
        """
        after = _place_of(query.cursor) if query.cursor else None
        if query.field or query.of is Counted.DOCUMENTS:
            matched = self._matched(kb_id, query, query.filters)
            units, counted = in_time(matched.units), _counted(matched, query)
            units = behind(units, after) if after else units
        else:
            wanted = (query.of, query.filters, _needed(query), query.limit + 1, after)
            page = self._records.page(kb_id, *wanted)
            lacking = tuple(sorted(_together(page.lacking)))
            units = list(page.units)
            tally = Tally(page.matched, page.total, page.num_documents, lacking)
            counted = _Counted(tally, _documents(units[: query.limit]))
        result = self._listed(kb_id, query, units, counted)
        if len(units) <= query.limit:
            return result
        when, *row = place_in_time(units[query.limit - 1])
        return replace(result, next_cursor=encode_cursor(when, *map(str, row)))

    def _matched(self, kb_id: str, query: RecordQuery, filters: Filters) -> _Matched:
        sources = self._sources(kb_id, query)
        found = self._records.select(kb_id, query.of, filters, _needed(query) | sources)
        units = units_of(found.rows, query.of)
        with_values(units, found.values)
        if sources:
            work_out(units, sources)
        return _Matched(passing(units, filters), found.total, _together(found.lacking))

    def _measured(self, kb_id: str, query: RecordQuery, matched: _Matched) -> QueryResult:
        name = query.field or ""
        parts = stating_number(matched.units, name, orders=query.op is Operation.TOP)
        units, numbers = list(parts.stating), tuple[Number, ...]()
        if query.op is Operation.TOP:
            units = ranked(units, name, descending=query.descending)[: query.limit]
        elif units:
            numbers = measured(units, query.measured, name)
        if query.op in {Operation.MIN, Operation.MAX}:
            units = extremes(units, name, most=query.op is Operation.MAX)
        counted = _counted(matched, query, parts)
        return replace(self._listed(kb_id, query, units, counted), numbers=numbers)

    def _changed(self, query: RecordQuery, matched: _Matched) -> QueryResult:
        names = self._records.named(row.document_id for u in matched.units for row in u.records)
        found = change_rows(in_time(matched.units), names)
        units = list({id(unit): unit for unit, _ in found}.values())
        changed = _Matched(units, matched.total, matched.lacking)
        return QueryResult(
            query,
            Table(CHANGE_COLUMNS, tuple(row for _, row in found[: query.limit])),
            _tally(changed, Sorted(), None),
            units=tuple(units),
            counted=_documents(units),
        )

    def _compared(self, kb_id: str, query: RecordQuery) -> QueryResult:
        sides = [self._side(kb_id, query, group) for group in query.groups]
        groups = [
            side(query, side_label(filters), one.units)
            for filters, one in zip(query.groups, sides, strict=True)
        ]
        both = _Matched(
            [unit for one in sides for unit in one.units],
            sides[0].total,
            frozenset().union(*(one.lacking for one in sides)),
        )
        is_counted = query.measure is Measure.COUNT
        parts = Sorted() if is_counted else stating_number(both.units, query.field or "")
        return self._grouped(query, both, groups, parts)

    def _side(self, kb_id: str, query: RecordQuery, group: Filters) -> _Matched:
        """Return what passes the filters and those of a group; none where no time is in both."""
        both = query.filters.both(group)
        found = self._matched(kb_id, query, both or query.filters)
        return found if both else _Matched([], found.total, frozenset())

    def _grouped(
        self, query: RecordQuery, matched: _Matched, groups: Sequence[Group], parts: Sorted
    ) -> QueryResult:
        shown = list(groups)[: query.limit]
        units = {id(unit): unit for group in shown for unit in group.units}
        by = query.field if query.op is Operation.WHICH else query.by
        measure = query.measure if query.measure is Measure.COUNT else query.field
        return QueryResult(
            query,
            Table((str(by or "group"), str(measure)), group_rows(query, shown)),
            _tally(matched, parts, query.field),
            groups=tuple(shown),
            units=tuple(units.values()),
            chart=chart_of(query, shown, ()),
            counted=_documents(matched.units),
        )

    def _listed(
        self, kb_id: str, query: RecordQuery, units: Sequence[Unit], counted: _Counted
    ) -> QueryResult:
        shown, columns = units[: query.limit], _columns(query)
        self._describe(kb_id, shown, query)
        if query.op in _COUNTING and len(units) <= query.limit:
            shown = units = in_time(units)
        names = self._records.named(row.document_id for u in shown for row in u.records)
        return QueryResult(
            query,
            Table((DOCUMENT, *columns), unit_rows(shown, columns, names)),
            counted.tally,
            units=tuple(units),
            chart=chart_of(query, (), shown),
            counted=counted.documents,
        )

    def _describe(self, kb_id: str, units: Sequence[Unit], query: RecordQuery) -> None:
        """Read what is shown of units and was not needed of all to choose them."""
        wanted = {*_columns(query)} - _needed(query)
        if any(len(unit.records) > 1 for unit in units):
            wanted |= {str(FactField.STATUS)} - _needed(query)
        if not units or not wanted:
            return
        for unit in units:
            for name in wanted & unit.values.keys():
                del unit.values[name]
        places = [(row.revision_id, row.record) for unit in units for row in unit.records]
        with_values(units, self._records.stated(kb_id, places, wanted))


def _needed(query: RecordQuery) -> frozenset[str]:
    """The fields that decide the result; what is only shown is read later."""
    by = FactField.TIME if query.by in PERIODS else query.by
    named = [query.field, by, FactField.TIME if query.op in _IN_TIME else None]
    if query.op in GROUPING | {Operation.COMPARE} and _asks_time(query):
        named.append(FactField.TIME)
    if query.op is Operation.CHANGES:
        named += [*CONFLICTING, FactField.NUMBER, FactField.TIME]
    return frozenset(str(name) for name in named if name)


def _asks_time(query: RecordQuery) -> bool:
    return any(one.time_from or one.time_to for one in (query.filters, *query.groups))


def _columns(query: RecordQuery) -> tuple[str, ...]:
    asked = query.columns or DEFAULT_COLUMNS
    filtered = (one.field for one in query.filters.fields)
    named = (*asked, *filtered, *([query.field] if query.field else []))
    return tuple(dict.fromkeys(str(name) for name in named if name != DOCUMENT))


def _tally(matched: _Matched, parts: Sorted, field: str | None) -> Tally:
    lacking = {row.document_id for unit in parts.lacking for row in unit.records}
    return Tally(
        len(matched.units),
        matched.total,
        len(_documents(matched.units)),
        tuple(sorted(lacking | matched.lacking)),
        len(parts.unclear),
        sum(unit.is_disputed(field) for unit in matched.units) if field else 0,
    )


def _counted(matched: _Matched, query: RecordQuery, parts: Sorted | None = None) -> _Counted:
    return _Counted(_tally(matched, parts or Sorted(), query.field), _documents(matched.units))


def _documents(units: Iterable[Unit]) -> frozenset[str]:
    return frozenset(row.document_id for unit in units for row in unit.records)


def _together(lacking: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(name for names in lacking.values() for name in names)


def _place_of(cursor: str) -> PlaceInTime:
    place = place_of(decode_cursor(cursor, _NUM_KEYS))
    if place is None:
        raise InvalidRequest(
            f"cursor {cursor[:100]!r} is not one this service gave out", code="invalid_cursor"
        )
    return place
