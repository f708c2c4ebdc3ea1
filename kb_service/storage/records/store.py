"""What typed queries read of a base: its fields, selected records, what these state.

A handful of statements a query, however large the base is. Decides nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from operator import attrgetter

from sqlalchemy import Connection, and_, func, or_, select

from kb_service.domain.aggregating import PlaceInTime
from kb_service.domain.facts import DOCUMENT_RECORD, FactField, Role
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Counted
from kb_service.domain.record_sets import RecordRow, UnitPage, Value
from kb_service.language.stated.roles import role_of
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.facts.tables import facts, records
from kb_service.storage.labels.tables import by_label_ids
from kb_service.storage.records.conditions import holds
from kb_service.storage.records.pages import PageReader, settling_fields
from kb_service.storage.records.roles import read_roles
from kb_service.storage.records.selections import VALUE, Selection
from kb_service.storage.records.words import (
    categories_of,
    fields_of,
    label_fields,
    numeric_fields,
    people_labels,
)
from kb_service.storage.rows import batches, one_of
from kb_service.storage.tables import documents, revisions

MAX_LACKING = 1000
"""So many documents that lack a field are named."""

MAX_SILENT = 20_000
"""So many documents that tell of nothing are looked at."""

MAX_NAMED = 20
"""So many labels or words of one thing are looked at."""

MAX_TEXTS = 500
"""So many texts that have some words are looked at."""

_PLACE = attrgetter("revision_id", "record")
_NAMED = select(
    documents.c.id,
    documents.c.name,
    revisions.c.id.label("revision_id"),
    revisions.c.title,
    revisions.c.sha256,
).join(revisions, and_(revisions.c.document_id == documents.c.id, revisions.c.is_current))


@dataclass(frozen=True, slots=True)
class Selected:
    """Records that pass filters, out of `total` things of what is counted.

    `values`: what they state of the fields that were wanted. `lacking`: by filtered field the
    documents that pass all other filters and state nothing of it.
    """

    rows: tuple[RecordRow, ...]
    total: int
    values: tuple[Value, ...]
    lacking: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Silent:
    """How many searchable documents there are, and (title, name) of those that tell of nothing."""

    num_documents: int
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a document is called, and the public name of its searchable revision."""

    document_id: str
    name: str
    title: str
    sha256: str


class RecordStore:
    """Records of all bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def select(
        self, kb_id: str, of: Counted, filters: Filters, fields: Collection[str]
    ) -> Selected:
        """Return the records that pass, in one snapshot, with what they state of some fields.

        Raises NotFound (kb_not_found).
        """
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            roles = read_roles(connection, kb_id, _names(fields, filters))
            chosen = Selection(kb_id, of, by_label_ids(connection, kb_id, filters), roles)
            found = map(RecordRow._make, connection.execute(chosen.rows()).all())
            rows = tuple(sorted(found, key=_PLACE))
            total = connection.execute(chosen.total()).scalar_one()
            settling = _settling(chosen, rows) - {*fields}
            wanted = {*fields, *settling} if rows else ()
            found_values = connection.execute(chosen.values(fields, settling)) if wanted else ()
            values = (v for one in found_values for v in roles.seen(Value._make(one), wanted))
            return Selected(rows, total, tuple(values), _lacking(connection, chosen))

    def page(
        self,
        kb_id: str,
        of: Counted,
        filters: Filters,
        fields: Collection[str],
        limit: int,
        after: PlaceInTime | None,
    ) -> UnitPage:
        """Return the first incidents or records that pass behind a place in time, in one snapshot.

        Of documents there are no such pages. Raises NotFound (kb_not_found).
        """
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            roles = read_roles(connection, kb_id, _names(fields, filters))
            pages = PageReader(connection, kb_id, of, filters, roles, fields)
            return UnitPage(
                pages.units(limit, after),
                pages.matched,
                pages.num_documents,
                pages.total,
                _lacking(connection, pages.chosen),
            )

    def stated(
        self, kb_id: str, places: Sequence[tuple[int, int]], fields: Collection[str]
    ) -> list[Value]:
        """Return what some (revision id, record) state of some fields."""
        found: list[Value] = []
        with self._database.read() as connection:
            roles = read_roles(connection, kb_id, fields)
            mine = (facts.c.kb_id == kb_id) & or_(*map(roles.states, sorted(fields)))
            for batch in batches(places):
                here = one_of((facts.c.revision_id, facts.c.record), batch)
                statement = select(*VALUE).where(mine, here).order_by(facts.c.id)
                values = map(Value._make, connection.execute(statement))
                found += (value for one in values for value in roles.seen(one, fields))
        return found

    def named(self, document_ids: Iterable[str]) -> dict[str, Named]:
        """Return what documents are called; what is gone is left out."""
        found: dict[str, Named] = {}
        with self._database.read() as connection:
            for batch in batches(dict.fromkeys(document_ids)):
                for row in connection.execute(_NAMED.where(documents.c.id.in_(batch))):
                    found[row.id] = Named(row.id, row.name, row.title, row.sha256)
        return found

    def of_revisions(self, revision_ids: Iterable[int]) -> dict[int, Named]:
        """Return the documents of searchable revisions; what is gone is left out."""
        found: dict[int, Named] = {}
        with self._database.read() as connection:
            for batch in batches(sorted(set(revision_ids))):
                for row in connection.execute(_NAMED.where(revisions.c.id.in_(batch))):
                    found[row.revision_id] = Named(row.id, row.name, row.title, row.sha256)
        return found

    def fields(self, kb_id: str) -> frozenset[str]:
        """Return the fields that any record of a base states."""
        with self._database.read() as connection:
            return fields_of(connection, kb_id)

    def people(self, kb_id: str) -> frozenset[str]:
        """Return by which labels people and organisations are stated: fields of their own."""
        with self._database.read() as connection:
            return people_labels(connection, kb_id)

    def labels(self, kb_id: str, fields: Iterable[str]) -> Mapping[str, str]:
        """Return a label by which each of the fields is stated, with the field."""
        with self._database.read() as connection:
            return label_fields(connection, kb_id, fields)

    def numeric(self, kb_id: str, fields: Iterable[str]) -> frozenset[str]:
        """Return those of the fields whose values are numbers."""
        with self._database.read() as connection:
            return numeric_fields(connection, kb_id, fields)

    def categories(self, kb_id: str, fields: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each of the fields that has only a few."""
        with self._database.read() as connection:
            return categories_of(connection, kb_id, fields)

    def roles(self, kb_id: str) -> frozenset[Role]:
        """Return the roles in which a base states people or organisations."""
        with self._database.read() as connection:
            found = read_roles(connection, kb_id, Role)
            return frozenset(role for role in Role if found.labels.get(role))

    def roles_of(self, kb_id: str, field: str, words: str) -> frozenset[Role | None]:
        """Return the roles in which a base states somebody; None: in one that is none of these."""
        statement = (
            select(facts.c.role)
            .where(facts.c.kb_id == kb_id, facts.c.field == field, holds(facts.c.text, words))
            .distinct()
            .limit(MAX_NAMED)
        )
        with self._database.read() as connection:
            return frozenset(role_of(field, one) for one in connection.execute(statement).scalars())

    def among(
        self, kb_id: str, words: Iterable[str], fields: Collection[str]
    ) -> list[tuple[str, str]]:
        """Return (field, value) of a base whose values are any of the words."""
        found: list[tuple[str, str]] = []
        mine = (facts.c.kb_id == kb_id) & facts.c.field.in_(sorted(fields))
        with self._database.read() as connection:
            for batch in batches(dict.fromkeys(words)):
                statement = select(facts.c.field, facts.c.text).where(mine, facts.c.text.in_(batch))
                rows = connection.execute(statement.distinct())
                found += [(row.field, row.text) for row in rows]
        return sorted(found)

    def is_dated(self, kb_id: str, first: date, last: date) -> bool:
        """Return whether any record of a base is of the days from the one to the other."""
        begin, end = (datetime.combine(day, time.min) for day in (first, last + timedelta(1)))
        within = (facts.c.time_from >= begin) & (facts.c.time_from < end)
        with self._database.read() as connection:
            is_time = read_roles(connection, kb_id, (FactField.TIME,)).states(FactField.TIME)
            mine = (facts.c.kb_id == kb_id) & is_time
            statement = select(facts.c.id).where(mine, within).limit(1)
            return connection.execute(statement).first() is not None

    def silent(self, kb_id: str, of: Counted) -> Silent:
        """Return which documents of a base tell of no incident, and of how many.

        Where records are counted, those that state nothing in rows or entries either.
        """
        told = records.c.incident.is_not(None)
        is_row = records.c.record > DOCUMENT_RECORD
        which = or_(told, is_row) if of is Counted.RECORDS else told
        telling = select(records.c.document_id).where(records.c.kb_id == kb_id, which)
        mine = documents.c.kb_id == kb_id
        silent = _NAMED.where(mine, documents.c.id.not_in(telling)).limit(MAX_SILENT)
        with self._database.read() as connection:
            number = connection.execute(
                select(func.count()).select_from(_NAMED.where(mine).subquery())
            ).scalar_one()
            names = tuple((row.title, row.name) for row in connection.execute(silent))
        return Silent(number, names)

    def states_kind(self, kb_id: str, kind: str) -> bool:
        """Return whether any record of a base is of a kind; of a ledger its rows are."""
        rows = facts.alias()
        has_rows = rows.c.revision_id == facts.c.revision_id
        is_row = facts.c.record > DOCUMENT_RECORD
        in_rows = select(rows.c.id).where(has_rows, rows.c.record > DOCUMENT_RECORD).exists()
        mine = (facts.c.kb_id == kb_id) & (facts.c.field == str(FactField.KIND))
        statement = select(facts.c.id).where(mine, facts.c.text == kind, or_(is_row, ~in_rows))
        with self._database.read() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def written_kinds(self, kb_id: str, kind: str) -> list[str]:
        """Return the words by which records of a base say that they are of a kind."""
        statement = (
            select(func.lower(facts.c.value))
            .where(facts.c.kb_id == kb_id, facts.c.field == str(FactField.KIND))
            .where(facts.c.text == kind)
            .distinct()
            .limit(MAX_NAMED)
        )
        with self._database.read() as connection:
            return sorted(connection.execute(statement).scalars())

    def holding(self, kb_id: str, words: str, fields: Collection[str]) -> frozenset[str]:
        """Return those of the fields of which any value of a base has the words in it."""
        mine = (facts.c.kb_id == kb_id) & facts.c.field.in_(sorted(fields))
        statement = select(facts.c.field).where(mine, holds(facts.c.text, words)).distinct()
        with self._database.read() as connection:
            return frozenset(connection.execute(statement).scalars())

    def texts(self, kb_id: str, words: str, fields: Collection[str]) -> list[tuple[str, str]]:
        """Return (field, value) of a base whose values have the words in them, a number of them."""
        mine = (facts.c.kb_id == kb_id) & facts.c.field.in_(sorted(fields))
        named = select(facts.c.field, facts.c.text).where(mine, holds(facts.c.text, words))
        with self._database.read() as connection:
            rows = connection.execute(named.distinct().limit(MAX_TEXTS))
            return sorted((row.field, row.text) for row in rows)

    def are_called(self, kb_id: str, is_so: Callable[[str], object]) -> bool:
        """Return whether there are documents with records, and all are called so.

        `is_so`: true or not of the name and the title of one, in lower case.
        """
        of_records = documents.c.id.in_(
            select(records.c.document_id).where(records.c.kb_id == kb_id)
        )
        named = _NAMED.where(documents.c.kb_id == kb_id, of_records)
        is_any = False
        with self._database.read() as connection:
            for row in connection.execute(named):
                is_any = True
                if not is_so(f"{row.name} {row.title}".lower()):
                    return False
        return is_any

    def registers(self, kb_id: str, is_so: Callable[[str], object]) -> tuple[str, ...]:
        """Return the ids of documents of several records that are called so, a number of them.

        `is_so`: true or not of the title of one, in lower case.
        """
        mine = documents.c.kb_id == kb_id
        is_row = facts.c.record > DOCUMENT_RECORD + 1
        rows = select(facts.c.id).where(facts.c.revision_id == revisions.c.id, is_row).exists()
        statement = _NAMED.where(mine, rows).order_by(documents.c.id)
        with self._database.read() as connection:
            named = connection.execute(statement)
            found = (row.id for row in named if is_so(row.title.lower()))
            return tuple(islice(found, MAX_NAMED))


def _names(fields: Iterable[str], filters: Filters) -> tuple[str, ...]:
    """Return what is read or asked for; the time as well, by which units stand in order."""
    return (*fields, *(one.field for one in filters.fields), str(FactField.TIME))


def _settling(chosen: Selection, rows: Sequence[RecordRow]) -> set[str]:
    incidents = {row.incident for row in rows if row.incident is not None}
    is_linked = len(incidents) < sum(row.incident is not None for row in rows)
    is_plain = not is_linked and all(row.record > DOCUMENT_RECORD for row in rows)
    return settling_fields(chosen.fields, is_plain=is_plain, is_linked=is_linked)


def _lacking(connection: Connection, chosen: Selection) -> dict[str, tuple[str, ...]]:
    return {
        field: tuple(connection.execute(chosen.lacking(field, MAX_LACKING)).scalars())
        for field in chosen.fields
    }
