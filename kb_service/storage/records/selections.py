"""Selections of records as SQL: by filters, in time, and what lacks a field. Runs nothing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
)

from kb_service.domain.facts import DOCUMENT_RECORD, UNKNOWN, FactField
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Counted
from kb_service.domain.record_sets import Value
from kb_service.storage.facts.tables import facts, records
from kb_service.storage.records.conditions import asked, having_words, passing_documents, stated
from kb_service.storage.records.roles import Roles
from kb_service.storage.rows import one_of
from kb_service.storage.tables import documents, revisions

_ROW = (
    records.c.incident,
    records.c.revision_id,
    records.c.record,
    records.c.document_id,
    records.c.start,
    records.c.end,
)
VALUE = tuple(facts.c[name] for name in Value._fields)
_NOTHING_STATED: Mapping[str, Any] = dict.fromkeys(
    ("kind", "place", "person", "unit", "fields", "text"), ()
)
Key = tuple[int, ...]
"""By what a unit is known: (incident,), or (revision_id, record)."""


class Selection:
    """The records of a base that pass filters, counted as what is asked for.

    `keys`: of the units that it is narrowed to, of those that pass.
    """

    def __init__(
        self,
        kb_id: str,
        of: Counted,
        filters: Filters,
        roles: Roles,
        keys: Sequence[Key] | None = None,
    ) -> None:
        self._kb_id, self._of, self._filters, self._roles = kb_id, of, filters, roles
        self._stated = stated(kb_id, filters, roles)
        self._keys = keys

    def narrowed(self, keys: Sequence[Key]) -> "Selection":
        """Return these units alone, which are known to pass."""
        of_documents = replace(self._filters, time_from=None, time_to=None, **_NOTHING_STATED)
        return Selection(self._kb_id, self._of, of_documents, self._roles, keys)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the filters ask for."""
        return tuple(self._stated)

    @property
    def _counts_bare_documents(self) -> bool:
        is_bare = not self._stated and not self._filters.text
        return self._of is Counted.DOCUMENTS and is_bare

    @property
    def is_whole(self) -> bool:
        """True where all of the base passes."""
        return not self._stated and self._filters.is_empty and self._keys is None

    def rows(self) -> Select[Any]:
        """Select the records that pass, in no order: a sort of all would cost more than they do."""
        if self._counts_bare_documents:
            return self._bare_documents()
        return self._passing(self._stated)

    def sizes(self) -> Select[Any]:
        """Select of what passes (records, of incidents, incidents, revisions, first number)."""
        return self._passing(
            self._stated,
            func.count(),
            func.count(records.c.incident),
            func.count(records.c.incident.distinct()),
            func.count(records.c.revision_id.distinct()),
            func.min(records.c.record),
        )

    def contested(self, field: str) -> Select[Any]:
        """Select the keys of units of which one report passes in a field and another does not."""
        condition = and_(*asked(self._kb_id, self._filters, self._roles)[field])
        key = self._key(facts)
        of_field = (facts.c.kb_id == self._kb_id) & facts.c.field.in_(self._roles.fields_of(field))
        statement = select(*key).where(of_field, self._roles.states(field), *self._within())
        if self._of is Counted.INCIDENTS:
            # From an index first who states it twice at all: most do not, and need not be read.
            several = select(*key).where(of_field).group_by(*key).having(func.count() > 1)
            statement = statement.where(_is_in(key, several))
        return statement.where(or_(not_(condition), facts.c.text == UNKNOWN)).distinct()

    def dated(self, begin: datetime | None, limit: int) -> Select[Any]:
        """Select (time, *key) of what units state as theirs, from a moment on, in their order."""
        statement = select(facts.c.time_from, *self._key(facts)).where(
            *self._states_time(), facts.c.time_from.is_not(None)
        )
        if begin is not None:
            statement = statement.where(facts.c.time_from >= begin)
        return statement.order_by(facts.c.time_from).limit(limit)

    def undated(self, after: tuple[int, int] | None, limit: int) -> Select[Any]:
        """Select (revision_id, record, *key) of records whose units may have no time, in order."""
        key = self._key(facts)
        only_dated = (
            select(*key)
            .where(*self._states_time())
            .group_by(*key)
            .having(func.count() == func.count(facts.c.time_from))
        )
        place = (records.c.revision_id, records.c.record)
        statement = self._passing(self._stated, *place, *self._key(records))
        if self._of is Counted.INCIDENTS:
            statement = statement.where(not_(_is_in(self._key(records), only_dated)))
        else:
            of_time = (facts.c.kb_id == self._kb_id) & self._roles.states(FactField.TIME)
            dated, bare = facts.c.time_from.is_not(None), facts.c.time_from.is_(None)
            statement = statement.where(~_exists(of_time & dated) | _exists(of_time & bare))
        if after is not None:
            statement = statement.where(tuple_(*place) > tuple_(*map(literal, after)))
        return statement.order_by(*place).limit(limit)

    def sizes_of(self, revision_ids: Sequence[int]) -> Select[Any]:
        """Select of some revisions (revision, how many of its records pass)."""
        mine = records.c.revision_id
        statement = self._passing(self._stated, mine, func.count()).where(mine.in_(revision_ids))
        return statement.group_by(mine)

    def total(self) -> Select[Any]:
        """Select how many there are where nothing has to be stated."""
        if self._of is Counted.DOCUMENTS:
            allowed = self._allowed(documents.c.id)
            return select(func.count()).where(documents.c.kb_id == self._kb_id, *allowed)
        counted = records.c.incident.distinct() if self._of is Counted.INCIDENTS else None
        number = func.count() if counted is None else func.count(counted)
        allowed = self._allowed(records.c.document_id)
        return select(number).where(records.c.kb_id == self._kb_id, *allowed)

    def values(self, fields: Collection[str], settling: Collection[str] = ()) -> Select[Any]:
        """Select what the passing records state of some fields.

        Of those that only settle whether a record passes, or which of several reports holds, what
        is stated more than once of an incident; all of it where other things are counted.
        """
        # The names once more, bare: without them SQLite would read all facts of the base.
        names = sorted({of for one in (*fields, *settling) for of in self._roles.fields_of(one)})
        told = (facts.c.kb_id == self._kb_id) & facts.c.field.in_(names)
        told &= or_(
            *map(self._roles.states, sorted(fields)),
            *map(self._states_several, sorted(settling)),
        )
        if self._of is Counted.INCIDENTS:
            return select(*VALUE).where(told, facts.c.incident.in_(self._numbers()))
        chosen = self._passing(self._stated).subquery()
        same = (chosen.c.revision_id == facts.c.revision_id) & (chosen.c.record == facts.c.record)
        return select(*VALUE).join_from(chosen, facts, same).where(told)

    def _numbers(self) -> Select[Any]:
        return self._passing(self._stated, records.c.incident).correlate(None)

    def _states_several(self, field: str) -> ColumnElement[bool]:
        states = self._roles.states(field)
        if self._of is not Counted.INCIDENTS:
            return states
        table, said = (records, true()) if field == FactField.STATUS else (facts, states)
        several = (
            select(table.c.incident)
            .where(table.c.kb_id == self._kb_id, said, table.c.incident.in_(self._numbers()))
            .group_by(table.c.incident)
            .having(func.count() > 1)
            .correlate(None)
        )
        return states & facts.c.incident.in_(several)

    def lacking(self, field: str, limit: int) -> Select[Any]:
        """Select documents whose records pass all other filters and state nothing of a field.

        Nor does another record of the same incident, where incidents are counted.
        """
        others = {name: one for name, one in self._stated.items() if name != field}
        passing = self._passing(others, records.c.document_id).where(~self._states(field))
        return passing.distinct().order_by(records.c.document_id).limit(limit)

    def _states(self, field: str) -> ColumnElement[bool]:
        # Sets that are read once from an index: a lookup for every record costs seven times more.
        of_field = (facts.c.kb_id == self._kb_id) & self._roles.states(field)
        if self._of is Counted.INCIDENTS:
            numbers = select(facts.c.incident).where(of_field, facts.c.incident.is_not(None))
            return records.c.incident.in_(numbers)
        # Of pairs it is a lookup: SQLite reads a whole set for every pair that is not in it.
        return _exists(of_field)

    def _passing(
        self,
        conditions: Mapping[str, Sequence[Select[Any]]],
        *columns: ColumnElement[Any],
    ) -> Select[Any]:
        statement = select(*(columns or _ROW)).where(
            records.c.kb_id == self._kb_id, *self._allowed(records.c.document_id)
        )
        return statement.where(*self._meeting(records, conditions))

    def _meeting(
        self, table: Table, conditions: Mapping[str, Sequence[Select[Any]]]
    ) -> Iterator[ColumnElement[bool]]:
        """Yield what holds of a record that states all, or whose incident others state it of."""
        if self._of is Counted.INCIDENTS:
            yield table.c.incident.is_not(None)
        having = having_words(self._kb_id, self._filters)
        for condition in chain(*conditions.values(), having):
            yield _is_in(self._key(table), condition.with_only_columns(*self._key(facts)))
        if self._keys is not None:
            yield self._is_one_of(table, self._keys)

    def _within(self) -> Iterator[ColumnElement[bool]]:
        """Yield what holds of the facts of units that pass, in documents that may be read."""
        yield from self._meeting(facts, self._stated)
        if allowed := list(self._allowed(records.c.document_id)):
            mine = select(records.c.revision_id).where(records.c.kb_id == self._kb_id, *allowed)
            yield facts.c.revision_id.in_(mine.correlate(None))

    def _states_time(self) -> Iterator[ColumnElement[bool]]:
        yield facts.c.kb_id == self._kb_id
        yield self._roles.states(FactField.TIME)
        yield from self._within()

    def _key(self, table: Table) -> tuple[ColumnElement[Any], ...]:
        if self._of is Counted.INCIDENTS:
            return (table.c.incident,)
        return table.c.revision_id, table.c.record

    def _is_one_of(self, table: Table, keys: Sequence[Key]) -> ColumnElement[bool]:
        key = self._key(table)
        return key[0].in_([one for (one,) in keys]) if len(key) == 1 else one_of(key, keys)

    def _allowed(self, document_id: ColumnElement[str]) -> Iterable[ColumnElement[bool]]:
        filters = self._filters
        if filters.tags or filters.labels or filters.date_from or filters.date_to:
            yield document_id.in_(passing_documents(self._kb_id, filters))
        if filters.document_ids:
            yield document_id.in_(filters.document_ids)

    def _bare_documents(self) -> Select[Any]:
        none = (null(), revisions.c.id, literal(DOCUMENT_RECORD), documents.c.id)
        return (
            select(*none, literal(0), literal(0))
            .join(revisions, revisions.c.document_id == documents.c.id)
            .where(documents.c.kb_id == self._kb_id, revisions.c.is_current)
            .where(*self._allowed(documents.c.id))
        )


def _exists(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """True for a record of which a fact meets a condition."""
    of_record = (facts.c.revision_id == records.c.revision_id) & (
        facts.c.record == records.c.record
    )
    return select(facts.c.id).where(condition, of_record).correlate(records).exists()


def _is_in(key: Sequence[ColumnElement[Any]], chosen: Select[Any]) -> ColumnElement[bool]:
    of_others = chosen.correlate(None)
    return key[0].in_(of_others) if len(key) == 1 else tuple_(*key).in_(of_others)


def stating_documents(kb_id: str, filters: Filters, roles: Roles) -> Select[Any]:
    """Select the documents of which one record states all that is asked for."""
    statement = select(records.c.document_id).where(records.c.kb_id == kb_id)
    conditions = stated(kb_id, filters, roles).values()
    for condition in chain(*conditions, having_words(kb_id, filters)):
        here = tuple_(records.c.revision_id, records.c.record)
        statement = statement.where(here.in_(condition))
    return statement
