"""Roles of people and organisations as fields: which labels of a base mean each of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, func, select

from kb_service.domain.facts import FIELD_OF_ROLE, Role
from kb_service.domain.record_sets import Value
from kb_service.language.stated.roles import role_of
from kb_service.storage.facts.tables import facts

_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Roles:
    """The labels of a base by what they mean. Roles that were not read have none."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def field_of(self, name: str) -> str:
        """Return the field whose facts state a field, or people and organisations in a role."""
        return str(FIELD_OF_ROLE[Role(name)] if name in _ROLES else name)

    def states(self, name: str) -> ColumnElement[bool]:
        """True for a fact of a field, or of people and organisations in a role."""
        of = facts.c.field == self.field_of(name)
        if name not in _ROLES:
            return of
        return and_(of, facts.c.role.in_(self.labels.get(name, ())))

    def seen(self, value: Value, wanted: Iterable[str]) -> Iterator[Value]:
        """Yield a value under each of the wanted names that it has."""
        for name in wanted:
            if name == value.field:
                yield value
            elif value.role in self.labels.get(name, ()):
                yield value._replace(field=name)


def read_roles(connection: Connection, kb_id: str, names: Iterable[str]) -> Roles:
    """Return the labels of those names that are roles; reads nothing where none is."""
    wanted = sorted(_ROLES & set(names))
    found: dict[str, list[str]] = {name: [] for name in wanted}
    for of in sorted({FIELD_OF_ROLE[Role(name)] for name in wanted}):
        for label in _labels(connection, kb_id, of):
            role = role_of(of, label)
            if role in found:
                found[role].append(label)
    return Roles({name: tuple(labels) for name, labels in found.items()})


def _labels(connection: Connection, kb_id: str, of: str) -> list[str]:
    """Return the labels of a field; skips from one to the next."""
    mine = (facts.c.kb_id == kb_id) & (facts.c.field == str(of)) & (facts.c.role != "")
    walk = select(func.min(facts.c.role).label("role")).where(mine).cte("walk", recursive=True)
    following = select(func.min(facts.c.role)).where(mine, facts.c.role > walk.c.role)
    step = select(following.scalar_subquery()).where(walk.c.role.is_not(None))
    found = connection.execute(select(walk.union_all(step).c.role)).scalars()
    return [label for label in found if label is not None]
