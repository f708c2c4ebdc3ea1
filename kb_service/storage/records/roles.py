"""Roles of people and organisations as fields: which labels of a base mean each of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, or_

from kb_service.domain.facts import FIELD_OF_ROLE, STANDARD_FIELDS, Role
from kb_service.domain.record_sets import Value
from kb_service.language.stated.roles import role_of
from kb_service.storage.facts.tables import facts
from kb_service.storage.records.words import labels_of

_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Roles:
    """The labels of a base by what they mean. Roles that were not read have none.

    `own`: labels of people that are asked for by themselves, each with the field it stands at.
    """

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def fields_of(self, name: str) -> tuple[str, ...]:
        """Return the fields whose facts may state a field, or people and organisations in a role.

        Beside people of a label there may be a column of that name, in papers where none stand.
        """
        if name in _ROLES:
            return (str(FIELD_OF_ROLE[Role(name)]),)
        return (name, self.own[name]) if name in self.own else (name,)

    def states(self, name: str) -> ColumnElement[bool]:
        """True for a fact of a field, or of people and organisations in a role."""
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
            elif value.role in self.labels.get(name, ()):
                yield value._replace(field=name)


def read_roles(connection: Connection, kb_id: str, names: Iterable[str]) -> Roles:
    """Return the labels of those names that are roles or labels; reads nothing where none is."""
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
    return Roles({name: tuple(labels) for name, labels in found.items()}, own)
