"""Selections of records as SQL: by filters, and what lacks a field. Runs nothing."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
)

from kb_service.domain.facts import DOCUMENT_RECORD, FactField
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Counted
from kb_service.domain.record_sets import Value
from kb_service.storage.facts.tables import facts, records
from kb_service.storage.records.conditions import having_words, passing_documents, stated
from kb_service.storage.records.roles import Roles
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


class Selection:
    """The records of a base that pass filters, counted as what is asked for."""

    def __init__(self, kb_id: str, of: Counted, filters: Filters, roles: Roles) -> None:
        self._kb_id, self._of, self._filters, self._roles = kb_id, of, filters, roles
        self._stated = stated(kb_id, filters, roles)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the filters ask for."""
        return tuple(self._stated)

    @property
    def _counts_bare_documents(self) -> bool:
        is_bare = not self._stated and not self._filters.text
        return self._of is Counted.DOCUMENTS and is_bare

    def rows(self) -> Select[Any]:
        """Select the records that pass, in no order: a sort of all would cost more than they do."""
        if self._counts_bare_documents:
            return self._bare_documents()
        return self._passing(self._stated)

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
        names = sorted(map(self._roles.field_of, {*fields, *settling}))
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
        stating = select(facts.c.revision_id, facts.c.record).where(of_field)
        return tuple_(records.c.revision_id, records.c.record).in_(stating)

    def _passing(
        self,
        conditions: Mapping[str, Select[Any]],
        *columns: ColumnElement[Any],
    ) -> Select[Any]:
        statement = select(*(columns or _ROW)).where(
            records.c.kb_id == self._kb_id, *self._allowed(records.c.document_id)
        )
        if self._of is Counted.INCIDENTS:
            statement = statement.where(records.c.incident.is_not(None))
        for condition in (*conditions.values(), *having_words(self._kb_id, self._filters)):
            statement = statement.where(self._meets(condition))
        return statement

    def _meets(self, condition: Select[Any]) -> ColumnElement[bool]:
        """True for a record that states something, or whose incident another one states it of."""
        if self._of is not Counted.INCIDENTS:
            return tuple_(records.c.revision_id, records.c.record).in_(condition)
        return records.c.incident.in_(condition.with_only_columns(facts.c.incident))

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


def stating_documents(kb_id: str, filters: Filters, roles: Roles) -> Select[Any]:
    """Select the documents of which one record states all that is asked for."""
    statement = select(records.c.document_id).where(records.c.kb_id == kb_id)
    conditions = (*stated(kb_id, filters, roles).values(), *having_words(kb_id, filters))
    for condition in conditions:
        here = tuple_(records.c.revision_id, records.c.record)
        statement = statement.where(here.in_(condition))
    return statement
