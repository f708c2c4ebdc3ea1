"""Filters as SQL: which documents pass, and which records state what is asked for. Runs nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kb_service.domain.facts import FactField, Precision
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.storage.facts.tables import facts
from kb_service.storage.records.roles import Roles
from kb_service.storage.tables import document_tags, documents

ROUGH = (Precision.YEAR, Precision.MONTH)
"""Of these a time begins in a stretch of days for certain only when it ends in it too."""


class holds(FunctionElement[bool]):  # noqa: N801  an SQL function
    """True where the first text has the second one in it, character for character."""

    inherit_cache = True
    type = Boolean()


@compiles(holds)
def _holds_in_sqlite(element: holds, compiler: Any, **options: Any) -> str:  # noqa: ANN401  SQLAlchemy
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(holds, "postgresql")
def _holds_in_postgresql(element: holds, compiler: Any, **options: Any) -> str:  # noqa: ANN401
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"


def passing_documents(kb_id: str, filters: Filters) -> Select[Any]:
    """Select the ids of documents that pass tags and dates; the caller sees to `document_ids`."""
    statement = select(documents.c.id).where(documents.c.kb_id == kb_id)
    if filters.date_from is not None:
        statement = statement.where(documents.c.updated_at >= filters.date_from)
    if filters.date_to is not None:
        statement = statement.where(documents.c.updated_at <= filters.date_to)
    if filters.tags:
        statement = statement.where(documents.c.id.in_(_with_all_tags(filters.tags)))
    return statement


def stated(kb_id: str, filters: Filters, roles: Roles) -> Mapping[str, Select[Any]]:
    """Select by field the (revision_id, record) of the facts that each filter asks for.

    Several filters of one field are one condition. `roles`: of the base, those that filters name.
    """
    found: dict[str, list[ColumnElement[bool]]] = {}
    if filters.time_from or filters.time_to:
        found[FactField.TIME] = [_in_time(filters)]
    if filters.kind:
        found[FactField.KIND] = [facts.c.text.in_(filters.kind)]
    for name, wanted in (
        (FactField.PLACE, filters.place),
        (FactField.PERSON, filters.person),
        (FactField.ORGANISATION, filters.unit),
    ):
        if wanted:
            found[name] = [or_(*(holds(facts.c.text, words) for words in wanted))]
    for one in filters.fields:
        found.setdefault(one.field, []).append(_as_asked(one))
    return {
        name: _of_base(kb_id).where(roles.states(name), *conditions)
        for name, conditions in found.items()
    }


def having_words(kb_id: str, filters: Filters) -> Iterator[Select[Any]]:
    """Yield for each text of the filters the (revision_id, record) that state it in any field."""
    for words in filters.text:
        yield _of_base(kb_id).where(holds(facts.c.text, words))


def _of_base(kb_id: str) -> Select[Any]:
    return select(facts.c.revision_id, facts.c.record).where(facts.c.kb_id == kb_id)


def _in_time(filters: Filters) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [facts.c.time_from.is_not(None)]
    if filters.time_from:
        conditions.append(facts.c.time_from >= filters.time_from)
    if filters.time_to:
        ends_inside = facts.c.time_to <= filters.time_to
        is_fine = or_(facts.c.precision.is_(None), facts.c.precision.not_in(ROUGH))
        conditions += [facts.c.time_from < filters.time_to, or_(is_fine, ends_inside)]
    return and_(*conditions)


def _as_asked(asked: FieldFilter) -> ColumnElement[bool]:
    if asked.text is not None and asked.field == FactField.KIND:
        return or_(holds(facts.c.text, asked.text), holds(func.lower(facts.c.value), asked.text))
    if asked.text is not None:
        return holds(facts.c.text, asked.text)
    conditions: list[ColumnElement[bool]] = [facts.c.number.is_not(None)]
    if asked.min is not None:
        conditions.append(facts.c.number >= asked.min)
    if asked.max is not None:
        conditions.append(func.coalesce(facts.c.number_to, facts.c.number) <= asked.max)
    return and_(*conditions)


def _with_all_tags(tags: Sequence[str]) -> Select[tuple[str]]:
    wanted = set(tags)
    return (
        select(document_tags.c.document_id)
        .where(document_tags.c.tag.in_(wanted))
        .group_by(document_tags.c.document_id)
        .having(func.count() == len(wanted))
    )
