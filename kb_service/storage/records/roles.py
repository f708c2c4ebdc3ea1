"""Under which names facts are asked for: people by their labels and roles, a time by its report.

A record that does not say when it happened is of the time at which it was reported.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, or_, select

from kb_service.domain.facts import (
    BY_REPORT,
    FIELD_OF_ROLE,
    STANDARD_FIELDS,
    FactField,
    Role,
)
from kb_service.domain.record_sets import Value
from kb_service.domain.time_roles import IN_PLACE, OF_ARRIVAL, with_mark
from kb_service.language.stated.roles import role_of
from kb_service.storage.facts.tables import facts
from kb_service.storage.records.words import labels_of

_ROLES = frozenset(Role)
_TIMES = (str(FactField.TIME), str(FactField.REPORTED))


@dataclass(frozen=True, slots=True)
class Roles:
    """The labels of a base by what they mean. Roles that were not read have none.

    `own`: labels of people that are asked for by themselves, each with the field it stands at.
    `dates_by_report`: of a record the time of its report may be all that is stated.
    """

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    dates_by_report: bool = False

    def fields_of(self, name: str) -> tuple[str, ...]:
        """Return the fields whose facts may state a field, or people and organisations in a role.

        Beside people of a label there may be a column of that name, in papers where none stand.
        """
        if name in _ROLES:
            return (str(FIELD_OF_ROLE[Role(name)]),)
        if name == FactField.TIME and self.dates_by_report:
            return _TIMES
        return (name, self.own[name]) if name in self.own else (name,)

    def states(self, name: str) -> ColumnElement[bool]:
        """True for a fact of a field, or of people and organisations in a role."""
        if name == FactField.TIME and self.dates_by_report:
            # The names bare as well: without them SQLite would read all facts of the base.
            is_own = facts.c.field == str(FactField.TIME)
            return facts.c.field.in_(_TIMES) & or_(is_own, facts.c.role.in_(IN_PLACE))
        *columns, of = self.fields_of(name)
        told = facts.c.field == of
        if name in _ROLES or name in self.own:
            told &= facts.c.role.in_(self.labels.get(name, ()))
        return or_(told, facts.c.field.in_(columns)) if columns else told

    def seen(self, value: Value, wanted: Iterable[str]) -> Iterator[Value]:
        """Yield a value under each of the wanted names that it has."""
        for name in wanted:
            if name == value.field:
                yield value
            elif name == FactField.TIME and value.field == FactField.REPORTED:
                if value.role in IN_PLACE:
                    role = with_mark(BY_REPORT, OF_ARRIVAL) if value.is_of_arrival else BY_REPORT
                    yield value._replace(field=name, role=role)
            elif value.role in self.labels.get(name, ()):
                yield value._replace(field=name)


def read_roles(connection: Connection, kb_id: str, names: Iterable[str]) -> Roles:
    """Return the labels of those names that are roles or labels, and how records are dated.

    Reads nothing where none is a role, a label or the time.
    """
    asked = {*names}
    roles, others = _ROLES & asked, asked - _ROLES - STANDARD_FIELDS
    found: dict[str, list[str]] = {name: [] for name in sorted(roles)}
    own: dict[str, str] = {}
    wanted = FIELD_OF_ROLE.values() if others else map(FIELD_OF_ROLE.__getitem__, map(Role, roles))
    for of in sorted({*wanted}):
        for label in labels_of(connection, kb_id, of):
            role = role_of(of, label)
            if role in found:
                found[role].append(label)
            if label in others:
                found[label], own[label] = [label], str(of)
    labels = {name: tuple(several) for name, several in found.items()}
    return Roles(labels, own, FactField.TIME in asked and _dates_by_report(connection, kb_id))


def _dates_by_report(connection: Connection, kb_id: str) -> bool:
    reports = (facts.c.kb_id == kb_id) & (facts.c.field == str(FactField.REPORTED))
    in_place = select(facts.c.id).where(reports, facts.c.role != "", facts.c.role.in_(IN_PLACE))
    return connection.execute(in_place.limit(1)).first() is not None
