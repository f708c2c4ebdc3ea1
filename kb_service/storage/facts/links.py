"""Which records tell of the same incident: by its number, or by day, kind and place.

Derived, and undone for a record that a person says to be of another one. Called inside a write.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from kb_service.domain.facts import Fact, FactField, Record
from kb_service.domain.spans import TextSpan
from kb_service.storage.facts.corrections import TextOf
from kb_service.storage.facts.identities import (
    IDENTIFYING,
    Identity,
    identity_of,
    is_at_other_time,
    is_of_row,
    is_same,
    is_same_otherwise,
    shares_no_more,
)
from kb_service.storage.facts.tables import facts, record_splits, records
from kb_service.storage.facts.values import fact_of
from kb_service.storage.rows import batches
from kb_service.storage.tables import revisions

_Names = tuple[str, str]
"""Number and occurrence, by which a record is found again in another text."""


@dataclass(frozen=True, slots=True)
class _Known:
    document_id: str
    record: int
    incident: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Before:
    """The incidents that a document's records told of, by record, and by number and occurrence.

    Of another text only what its record is known by says that a record is still the same.
    """

    by_record: dict[int, int]
    by_names: dict[_Names, int]

    def incident(self, record: int, identity: Identity) -> int | None:
        """Return what the same record told of, None where none did."""
        return self.by_record.get(record) or self.by_names.get(_names_of(identity))


def told_before(connection: Connection, document_id: str, *, is_same_text: bool = False) -> Before:
    """Return what the records of a document tell of now, before they are written anew."""
    rows = connection.execute(
        select(records).where(records.c.document_id == document_id, records.c.incident.is_not(None))
    ).all()
    if is_same_text:
        return Before({row.record: row.incident for row in rows}, {})
    named = [((row.number or "", row.occurrence or ""), row.incident) for row in rows]
    often = Counter(names for names, _ in named)
    return Before({}, {names: one for names, one in named if any(names) and often[names] == 1})


@dataclass(frozen=True, slots=True)
class Linked:
    """The incident that a record tells of, and by what others may tell of the same one."""

    incident: int
    number: str | None
    occurrence: str | None


def link(
    connection: Connection, kb_id: str, text: TextOf, found: Sequence[Record], before: Before
) -> dict[int, Linked]:
    """Return by record the incidents that a text tells of, the same as others that do.

    The text's own records are not written yet; others' are joined where one of its records tells of
    several. One that no other tells of keeps the number that it had, so that its address holds.
    """
    told = {record.number: identity_of(record) for record in found}
    identities = {number: identity for number, identity in told.items() if identity}
    if not identities:
        return {}
    splits = _splits(connection, text)
    known = _others(connection, kb_id, text.document_id, list(identities.values()))
    last = connection.execute(
        select(func.max(records.c.incident)).where(records.c.kb_id == kb_id)
    ).scalar_one()
    had = {number: before.incident(number, one) for number, one in identities.items()}
    linked = _Incidents((last or 0) + 1, _free(connection, kb_id, set(had.values())))
    own = _Own()
    for number, identity in sorted(identities.items()):
        alone = number in splits
        near = [] if alone else [item.incident for item in known.near(identity)]
        near += [] if alone else own.near(identity)
        incident = linked.joined(near, had[number])
        if not alone:
            own.add(identity, incident)
        linked.members[number] = incident
    _join(connection, kb_id, linked)
    return {
        number: Linked(linked.root(incident), one.number or None, one.occurrence or None)
        for number, incident in linked.members.items()
        for one in (identities[number],)
    }


def mark_split(
    connection: Connection, text: TextOf, record: int, by: str | None, at: datetime
) -> None:
    """Note that a record is linked to no other, and who says so; None: that nobody does."""
    own = {"document_id": text.document_id, "text_sha256": text.sha256, "record": record}
    connection.execute(
        delete(record_splits).where(*(record_splits.c[key] == own[key] for key in own))
    )
    if by is not None:
        connection.execute(insert(record_splits).values(**own, by=by, at=at))


class _Incidents:
    """Numbers of incidents, joined where one record tells of several."""

    def __init__(self, following: int, free: set[int]) -> None:
        self._following = max((following, *(number + 1 for number in free)))
        self._free = free
        self.joins: dict[int, int] = {}
        self.members: dict[int, int] = {}

    def joined(self, incidents: Iterable[int], had: int | None) -> int:
        """Return the lowest of these numbers, which stands for all of them.

        Without any it is the one that the record had, unless that is taken, or a new one.
        """
        roots = {self.root(incident) for incident in incidents}
        if not roots:
            if had is not None and had in self._free:
                self._free.remove(had)
                return had
            self._following += 1
            return self._following - 1
        first = min(roots)
        self.joins |= dict.fromkeys(roots - {first}, first)
        return first

    def root(self, incident: int) -> int:
        """Return the number that stands for one that may have been joined to others."""
        while incident in self.joins:
            incident = self.joins[incident]
        return incident


class _Own:
    """Records of the same text by number; by bare row numbers one for each day and time."""

    def __init__(self) -> None:
        self._by_number: dict[str, int] = {}
        self._by_day: dict[str, dict[date | None, dict[datetime, tuple[Identity, int]]]] = {}

    def near(self, identity: Identity) -> list[int]:
        """Return the incidents of the records before it that have its number.

        Of two rows that share a bare row number only where their times agree.
        """
        if not identity.number or identity.is_of_thing:
            return []
        if not is_of_row(identity.number):
            first = self._by_number.get(identity.number)
            return [] if first is None else [first]
        days = self._by_day.get(identity.number, {})
        wanted = (None, identity.begins.date()) if identity.is_row else tuple(days)
        told = (item for day in wanted for item in days.get(day, {}).values())
        return [
            incident
            for one, incident in told
            if not (one.is_row and identity.is_row and is_at_other_time(one, identity))
        ]

    def add(self, identity: Identity, incident: int) -> None:
        """Let later records find this one."""
        if not identity.number or identity.is_of_thing:
            return
        if is_of_row(identity.number):
            day = identity.begins.date() if identity.is_row else None
            told = self._by_day.setdefault(identity.number, {}).setdefault(day, {})
            told[identity.begins] = identity, incident
        else:
            self._by_number.setdefault(identity.number, incident)


class _Others:
    """Records of other documents by number and by day and kind."""

    def __init__(self, known: Iterable[_Known]) -> None:
        self._by_number: dict[str, list[_Known]] = {}
        self._by_occurrence: dict[str, list[_Known]] = {}
        self._by_day: dict[str, list[_Known]] = {}
        for item in known:
            for number in item.identity.numbers:
                self._by_number.setdefault(number, []).append(item)
            self._by_occurrence.setdefault(item.identity.occurrence, []).append(item)
            self._by_day.setdefault(item.identity.day, []).append(item)

    def near(self, identity: Identity) -> list[_Known]:
        """Return the records that tell of the same incident."""
        found = [
            item
            for number in identity.numbers
            for item in self._by_number.get(number, ())
            if not shares_no_more(number, item.identity, identity)
        ]
        if identity.occurrence and identity.place:
            at_once = self._by_occurrence.get(identity.occurrence, ())
            found += [item for item in at_once if is_same(item.identity, identity)]
            that_day = self._by_day.get(identity.day, ()) if not identity.is_row else ()
            found += [item for item in that_day if is_same_otherwise(item.identity, identity)]
        return found


def _free(connection: Connection, kb_id: str, numbers: set[int | None]) -> set[int]:
    """Those of these numbers that no record has."""
    taken: set[int] = set()
    for batch in batches(sorted(filter(None, numbers))):
        which = (records.c.kb_id == kb_id) & records.c.incident.in_(batch)
        taken |= set(connection.execute(select(records.c.incident).where(which)).scalars())
    return set(filter(None, numbers)) - taken


def _names_of(identity: Identity) -> _Names:
    return identity.number, identity.occurrence


def _splits(connection: Connection, text: TextOf) -> set[int]:
    statement = select(record_splits.c.record).where(
        record_splits.c.document_id == text.document_id,
        record_splits.c.text_sha256 == text.sha256,
    )
    return set(connection.execute(statement).scalars())


def _others(
    connection: Connection, kb_id: str, document_id: str, wanted: Sequence[Identity]
) -> _Others:
    numbers = {number for identity in wanted for number in identity.numbers}
    days = {identity.occurrence for identity in wanted if identity.occurrence}
    rows: dict[tuple[int, int], Row[Any]] = {}
    for column, values in ((records.c.number, numbers), (records.c.occurrence, days)):
        for batch in batches(sorted(values)):
            rows |= _rows(connection, kb_id, document_id, column.in_(batch))
    for day in sorted(
        {identity.day for identity in wanted if identity.day and not identity.is_row}
    ):
        told = records.c.occurrence
        rows |= _rows(connection, kb_id, document_id, (told > f"{day} ") & (told < f"{day}!"))
    for batch in batches(sorted(numbers)):
        follows = select(facts.c.revision_id).where(
            facts.c.kb_id == kb_id, facts.c.field == FactField.FOLLOWS, facts.c.text.in_(batch)
        )
        rows |= _rows(connection, kb_id, document_id, records.c.revision_id.in_(follows))
    return _Others(_known(connection, rows))


def _rows(
    connection: Connection, kb_id: str, document_id: str, where: ColumnElement[bool]
) -> dict[tuple[int, int], Row[Any]]:
    alone = exists().where(
        revisions.c.id == records.c.revision_id,
        record_splits.c.document_id == records.c.document_id,
        record_splits.c.text_sha256 == revisions.c.text_sha256,
        record_splits.c.record == records.c.record,
    )
    statement = select(records).where(
        records.c.kb_id == kb_id,
        records.c.document_id != document_id,
        records.c.incident.is_not(None),
        where,
        ~alone,
    )
    return {(row.revision_id, row.record): row for row in connection.execute(statement)}


def _known(connection: Connection, rows: dict[tuple[int, int], Row[Any]]) -> list[_Known]:
    """Read by what these records are known from what they state, as it was read of each itself."""
    told: dict[tuple[int, int], list[Fact]] = {key: [] for key in rows}
    for batch in batches(rows):
        which = or_(*(and_(facts.c.revision_id == r, facts.c.record == n) for r, n in batch))
        statement = select(facts).where(which, facts.c.field.in_(IDENTIFYING))
        for row in connection.execute(statement.order_by(facts.c.id)):
            told[row.revision_id, row.record].append(fact_of(row))
    return [
        _Known(row.document_id, row.record, row.incident, identity)
        for key, row in rows.items()
        if (identity := identity_of(_record_of(row, told[key])))
    ]


def _record_of(row: Row[Any], told: Sequence[Fact]) -> Record:
    return Record(row.record, TextSpan(row.start, row.end), tuple(told))


def _join(connection: Connection, kb_id: str, linked: _Incidents) -> None:
    for old in linked.joins:
        told = (records.c.kb_id == kb_id) & (records.c.incident == old)
        where = select(records.c.revision_id, records.c.record).where(told)
        stated = tuple_(facts.c.revision_id, facts.c.record).in_(where)
        number = {"incident": linked.root(old)}
        connection.execute(update(facts).where(stated).values(number))
        connection.execute(update(records).where(told).values(number))
