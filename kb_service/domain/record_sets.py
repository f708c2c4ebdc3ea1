"""Selected records as units that are counted once, each with the values it states. Values only.

A unit's value of a field is settled here where its records say several. Knows no SQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kb_service.domain.facts import (
    BY_REPORT,
    REPLACED,
    STANDING,
    UNKNOWN,
    UNMARKED,
    FactField,
    Precision,
    ReportStatus,
    Role,
)
from kb_service.domain.record_queries import Counted
from kb_service.domain.time_roles import ROLES_OF_ARRIVAL, TIME_ROLES, marks_of

SEVERAL_VALUED = frozenset(
    {
        FactField.PERSON,
        FactField.ORGANISATION,
        FactField.VEHICLE,
        FactField.PHONE,
        FactField.EMAIL,
        FactField.MEASURE,
        FactField.FOLLOWS,
        *Role,
    }
)
"""Fields of which a record may state several values that all hold."""
_OF_ONE = (REPLACED, *TIME_ROLES)
"""Roles of a value that are no label of people."""
_PRECISIONS = tuple(map(str, Precision))
_OF_DAY = _PRECISIONS.index(Precision.DAY)
_MIN_PLACE = 3


class RecordRow(NamedTuple):
    """A selected record: a document, a row of a ledger, an entry of a log."""

    incident: int | None
    revision_id: int
    record: int
    document_id: str
    start: int
    end: int


class Value(NamedTuple):
    """A fact as it is counted with; `start` to `end` is its span in the text of the revision."""

    revision_id: int
    record: int
    field: str
    text: str
    value: str
    number: float | None
    number_to: float | None
    unit: str
    time_from: datetime | None
    time_to: datetime | None
    precision: str | None
    confidence: float
    start: int
    end: int
    role: str = ""

    @property
    def is_known(self) -> bool:
        """False where the document says that it does not know."""
        return self.text != UNKNOWN

    @property
    def is_by_report(self) -> bool:
        """True for the time of a report in the place of the one of what happened."""
        return BY_REPORT in marks_of(self.role)

    @property
    def is_of_arrival(self) -> bool:
        """True for a time whose year is that in which its text came, since this names none."""
        return self.role in ROLES_OF_ARRIVAL

    @property
    def is_replaced(self) -> bool:
        """True where the text that states it says that another value holds."""
        return self.role == REPLACED


@dataclass(slots=True)
class Unit:
    """What is counted once: its records, and their values by field as far as they were read."""

    records: list[RecordRow]
    values: dict[str, list[Value]] = field(default_factory=dict)

    def all(self, name: str) -> list[Value]:
        """Return every known value of a field that holds: one, unless it may have several."""
        found = self.values.get(name, [])
        if self._has_several(name):
            known = (value for value in found if value.is_known)
            return sorted(known, key=lambda value: (value.revision_id, value.record, value.start))
        settled = self.settled(name)
        return [settled] if settled and settled.is_known else []

    def _has_several(self, name: str) -> bool:
        """True for a field of which a unit may state several; labels of people are such as well."""
        found = self.values.get(name, ())
        return name in SEVERAL_VALUED or any(v.role not in _OF_ONE for v in found)

    def settled(self, name: str) -> Value | None:
        """Return the value of a field that holds; None when it is not stated.

        That of the report that stands highest (corrected, final, follow-up), then the surest, then
        the one that came in last. A place or a time gives way to one that says the same more
        exactly: who goes on from a report names only the day and the street.
        """
        found = self.values.get(name)
        if not found or len(found) == 1:
            return found[0] if found else None
        best = max(found, key=self._rank)
        exact = [one for one in found if _is_more_exact(one, best)]
        return max(exact, key=lambda one: (_exactness(one), self._rank(one)), default=best)

    def is_disputed(self, name: str) -> bool:
        """True where records of equal standing state different values of a field."""
        found = self.values.get(name, [])
        if len(found) < 2 or self._has_several(name):
            return False
        highest = max(self._standing(value) for value in found)
        best: dict[tuple[int, int], Value] = {}
        for value in found:
            if self._standing(value) == highest and value.is_known and not value.is_replaced:
                key = (value.revision_id, value.record)
                if key not in best or best[key].confidence < value.confidence:
                    best[key] = value
        return len({(value.text, value.number) for value in best.values()}) > 1

    def corrected(self, name: str) -> tuple[Value, Value] | None:
        """Return what was stated of a field before a correction, and what holds by it.

        By a corrected report, else by a text that corrects itself. None where nobody corrected it,
        or both are the same.
        """
        told = [value for value in self.values.get(name, ()) if value.is_known]
        known = [value for value in told if not value.is_replaced]
        replaced = [value for value in told if value.is_replaced]
        highest = STANDING[ReportStatus.CORRECTED]
        after = [value for value in known if self._standing(value) == highest]
        before = [value for value in known if self._standing(value) < highest]
        if not after or not before:
            holding = self.settled(name)
            return (max(replaced, key=self._rank), holding) if replaced and holding else None
        old, new = max(before, key=self._rank), max(after, key=self._rank)
        return None if (old.text, old.number) == (new.text, new.number) else (old, new)

    def _rank(self, value: Value) -> tuple[bool, int, float, int, int]:
        standing = self._standing(value)
        holds = not value.is_replaced
        return holds, standing, value.confidence, value.revision_id, -value.start

    def _standing(self, value: Value) -> int:
        if len(self.records) == 1:
            return 0
        told = [
            STANDING[ReportStatus(status.text)]
            for status in self.values.get(FactField.STATUS, ())
            if status.revision_id == value.revision_id
            and status.record == value.record
            and status.text in STANDING
        ]
        return max(told, default=UNMARKED)


def _is_more_exact(one: Value, other: Value) -> bool:
    if one.field == FactField.PLACE:
        names = ["".join(filter(str.isalnum, value.text)) for value in (one, other)]
        return len(names[0]) > len(names[1]) >= _MIN_PLACE and names[1] in names[0]
    if one.field != FactField.TIME or not (one.time_from and other.time_from):
        return False
    is_on_it = one.time_from.date() == other.time_from.date() and not one.is_replaced
    return is_on_it and _exactness(one) > _exactness(other) == _OF_DAY


def _exactness(value: Value) -> int:
    """Return how exactly a place or a time is said: the longer name, the smaller unit."""
    if value.field == FactField.PLACE or value.precision is None:
        return len(value.text)
    return _PRECISIONS.index(value.precision)


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Some of the units that pass filters, in time, and how many pass, in so many documents.

    `total`: how many there are where nothing has to be stated. `lacking`: by filtered field the
    documents that pass all other filters and state nothing of it.
    """

    units: tuple[Unit, ...]
    matched: int
    num_documents: int
    total: int
    lacking: Mapping[str, tuple[str, ...]]


def units_of(rows: Iterable[RecordRow], of: Counted) -> list[Unit]:
    """Return what the records count as, in their order."""
    units: dict[object, Unit] = {}
    for row in rows:
        key = _key(row, of)
        known = units.get(key)
        if known is None:
            units[key] = Unit([row])
        else:
            known.records.append(row)
    return list(units.values())


def with_values(units: Sequence[Unit], values: Iterable[Value]) -> None:
    """Put values to the units whose records state them."""
    owners: Mapping[tuple[int, int], Unit] = {
        (row.revision_id, row.record): unit for unit in units for row in unit.records
    }
    for value in values:
        unit = owners.get((value.revision_id, value.record))
        if unit is not None:
            unit.values.setdefault(value.field, []).append(value)
    for unit in units:
        if any(value.is_by_report for value in unit.values.get(FactField.TIME, ())):
            unit.values[FactField.TIME] = _own_times(unit.values[FactField.TIME])


def _own_times(told: Sequence[Value]) -> list[Value]:
    """Return the times of what happened; those of reports only where none of them is known."""
    own = [value for value in told if value.time_from and not value.is_by_report]
    return own or [value for value in told if value.is_by_report]


def _key(row: RecordRow, of: Counted) -> object:
    if of is Counted.DOCUMENTS:
        return row.document_id
    if of is Counted.INCIDENTS and row.incident is not None:
        return row.incident
    return row.revision_id, row.record
