"""Filters as SQL: which documents pass, and which records state what is asked for. Runs nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from string import digits
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kb_service.domain.facts import SORTING, STANDARD_FIELDS, UNKNOWN, FactField, Precision, Role
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_sets import SEVERAL_VALUED
from kb_service.language.numbered import columns_of
from kb_service.storage.facts.tables import facts
from kb_service.storage.labels.tables import carrying_all
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


class holds_pattern(FunctionElement[bool]):  # noqa: N801  an SQL function
    """True where a text between blanks fits a pattern: SQLite's as a GLOB, PostgreSQL's a regex."""

    inherit_cache = True
    type = Boolean()


@compiles(holds_pattern)
def _fits_in_sqlite(element: holds_pattern, compiler: Any, **options: Any) -> str:  # noqa: ANN401  SQLAlchemy
    text, glob, _ = (compiler.process(one, **options) for one in element.clauses)
    return f"((' ' || {text} || ' ') GLOB {glob})"


@compiles(holds_pattern, "postgresql")
def _fits_in_postgresql(element: holds_pattern, compiler: Any, **options: Any) -> str:  # noqa: ANN401
    text, _, regex = (compiler.process(one, **options) for one in element.clauses)
    return f"((' ' || {text} || ' ') ~ {regex})"


def passing_documents(kb_id: str, filters: Filters) -> Select[Any]:
    """Select the documents that pass tags, labels and dates; `document_ids` are the caller's.

    `filters`: of `by_label_ids`.
    """
    statement = select(documents.c.id).where(documents.c.kb_id == kb_id)
    if filters.date_from is not None:
        statement = statement.where(documents.c.updated_at >= filters.date_from)
    if filters.date_to is not None:
        statement = statement.where(documents.c.updated_at <= filters.date_to)
    if filters.tags:
        statement = statement.where(documents.c.id.in_(_with_all_tags(filters.tags)))
    if filters.labels:
        statement = statement.where(documents.c.id.in_(carrying_all(kb_id, filters.labels)))
    return statement


def asked(
    kb_id: str, filters: Filters, roles: Roles
) -> Mapping[str, tuple[ColumnElement[bool], ...]]:
    """Return by field the conditions that facts of it meet; none is ever null.

    Several filters of one field are one condition, unless it may state several values: two people
    are two facts. `roles`: of the base, those that filters name.
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
            found[name] = [or_(*(_has(kb_id, name, words, roles) for words in wanted))]
    for one in filters.fields:
        found.setdefault(one.field, []).extend(_as_asked(kb_id, one, roles))
    return {
        name: tuple(conditions) if _has_several(name, roles) else (and_(true(), *conditions),)
        for name, conditions in found.items()
    }


def _has_several(name: str, roles: Roles) -> bool:
    return name in SEVERAL_VALUED or name in roles.own


def stated(kb_id: str, filters: Filters, roles: Roles) -> Mapping[str, tuple[Select[Any], ...]]:
    """Select by field the (revision_id, record) of the facts that meet each of its conditions."""
    return {
        name: tuple(_of_base(kb_id).where(roles.states(name), one) for one in conditions)
        for name, conditions in asked(kb_id, filters, roles).items()
    }


def having_words(kb_id: str, filters: Filters) -> Iterator[Select[Any]]:
    """Yield for each text of the filters the (revision_id, record) that state it in any field.

    Of a thing with a number (stand 4) its number does, in a column that is called so (Stand no.).
    """
    for words in filters.text:
        columns, number = columns_of(words)
        under = func.lower(facts.c.field).in_(columns) & (facts.c.text == number)
        told = _holds_words(facts.c.text, words)
        yield _of_base(kb_id).where(or_(told, under) if columns else told)


def _holds_words(text: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """True for a text with words in it, of which no number goes on: stand 4 is not stand 40."""
    ends = (words.startswith(tuple(digits)), words.endswith(tuple(digits)))
    if not any(ends):
        return holds(text, words)
    first, last = (f"[^{digits}]" if is_digit else "" for is_digit in ends)
    glob = "".join(f"[{one}]" if one in "*?[" else one for one in words)
    return holds_pattern(text, f"*{first}{glob}{last}*", f"{first}{re.escape(words)}{last}")


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


def _as_asked(kb_id: str, asked: FieldFilter, roles: Roles) -> Iterator[ColumnElement[bool]]:
    """Yield what a value has, one of several, none and a number: each of one fact."""
    if asked.text is not None:
        yield _has(kb_id, asked.field, asked.text, roles)
    if asked.any_of:
        yield or_(*(_has(kb_id, asked.field, words, roles) for words in asked.any_of))
    if asked.none_of:
        has = or_(*(_has(kb_id, asked.field, words, roles) for words in asked.none_of))
        others = _of_base(kb_id).where(roles.states(asked.field), has).correlate(None)
        is_other = tuple_(facts.c.revision_id, facts.c.record).not_in(others)
        yield and_(is_other, facts.c.text != UNKNOWN)  # the unknown may be what is left out
    if asked.min is not None or asked.max is not None:
        last = func.coalesce(facts.c.number_to, facts.c.number)
        yield and_(
            facts.c.number.is_not(None),
            facts.c.number >= asked.min if asked.min is not None else true(),
            last <= asked.max if asked.max is not None else true(),
        )


def _has(kb_id: str, name: str, words: str, roles: Roles) -> ColumnElement[bool]:
    """True for a value that has words in it; the whole one goes first where one is called so.

    Of people in characters: a name of three may begin with another of two, which is somebody else.
    Of what sorts records: what is unpaid is not paid, P10 is not P1.
    """
    if name == FactField.KIND:
        return or_(
            _holds_words(facts.c.text, words), _holds_words(func.lower(facts.c.value), words)
        )
    is_of_people = FactField.PERSON in roles.fields_of(name)
    is_own = not is_of_people and name not in STANDARD_FIELDS and name not in {*Role}
    goes_first = is_of_people and not words.isascii()
    if not (goes_first or is_own or name in SORTING):
        return _holds_words(facts.c.text, words)
    field = str(FactField.PERSON) if is_of_people else name
    mine = (facts.c.kb_id == kb_id) & (facts.c.field == field) & (facts.c.text == words)
    is_known = select(facts.c.id).where(mine).correlate(None).exists()
    return or_(facts.c.text == words, and_(not_(is_known), _holds_words(facts.c.text, words)))


def _with_all_tags(tags: Sequence[str]) -> Select[tuple[str]]:
    wanted = set(tags)
    return (
        select(document_tags.c.document_id)
        .where(document_tags.c.tag.in_(wanted))
        .group_by(document_tags.c.document_id)
        .having(func.count() == len(wanted))
    )
