"""What papers of a base call what they state, and the values that stand for sorts of things.

Every look skips in an index from one value to the next: what it costs grows with how many different
ones there are, up to a bound, and not with the records. Decides nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlalchemy import ColumnElement, Connection, func, literal, select

from kb_service.domain.facts import UNKNOWN, FactField, FactMethod
from kb_service.domain.spans import TextSpan
from kb_service.language.stated.labels import label_before
from kb_service.storage.facts.tables import facts
from kb_service.storage.revisions.pieces import joined, read_pieces

MAX_CATEGORIES = 40
"""A field with more values names single things, not sorts of them."""

_PEOPLE = (FactField.PERSON, FactField.ORGANISATION)
_LABELLED = (FactMethod.COLUMN, FactMethod.FORM)
_LOOKED_AT = 4
"""So many facts of a field, from both ends of its values, are looked at for their labels."""

_SAMPLED, _MOST = 40, 0.8
_BEFORE = 48


def fields_of(connection: Connection, kb_id: str) -> frozenset[str]:
    """Return the fields that any record of a base states."""
    return frozenset(walked(connection, facts.c.field, facts.c.kb_id == kb_id))


def labels_of(connection: Connection, kb_id: str, of: str) -> list[str]:
    """Return by which labels people or organisations are stated."""
    return walked(connection, facts.c.role, _of(kb_id, of) & (facts.c.role != ""))


def people_labels(connection: Connection, kb_id: str) -> frozenset[str]:
    """Return by which labels people and organisations are stated: fields of their own."""
    return frozenset(one for of in _PEOPLE for one in labels_of(connection, kb_id, of))


def label_fields(connection: Connection, kb_id: str, have: Iterable[str]) -> dict[str, str]:
    """Return labels by which the fields are stated in forms and ledgers, with the field of each.

    Those of people are fields of their own.
    """
    others = [name for name in have if name not in _PEOPLE]
    places = [(name, place) for name in others for place in _labelled(connection, kb_id, name)]
    pieces = read_pieces(connection, [place for _, place in places])
    found: dict[str, str] = {}
    for name, place in places:
        text = joined(pieces, place)
        label = label_before(text.text) if text else ""
        if label:
            found.setdefault(label, name)
    return found


def numeric_fields(connection: Connection, kb_id: str, fields: Iterable[str]) -> frozenset[str]:
    """Return those of the fields of which most of the first values are numbers.

    Unit 1203 of many named otherwise is none.
    """
    order = (facts.c.revision_id, facts.c.record)
    numeric: set[str] = set()
    for name in fields:
        first = select(facts.c.number, facts.c.text).where(_of(kb_id, name)).order_by(*order)
        rows = connection.execute(first.limit(_SAMPLED))
        told = [number is not None for number, text in rows if text != UNKNOWN]
        if told and sum(told) >= _MOST * len(told):
            numeric.add(name)
    return frozenset(numeric)


def categories_of(
    connection: Connection, kb_id: str, fields: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return the values of each field that has no more than MAX_CATEGORIES of them."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(fields):
        values = walked(connection, facts.c.text, _of(kb_id, name), MAX_CATEGORIES + 1)
        if len(values) <= MAX_CATEGORIES:
            found[name] = tuple(values)
    return found


def walked(
    connection: Connection,
    column: ColumnElement[str],
    mine: ColumnElement[bool],
    limit: int | None = None,
) -> list[str]:
    """Return the different values of a column in order, so many at most."""
    first = select(func.min(column).label("value"), literal(1).label("place")).where(mine)
    walk = first.cte("walk", recursive=True)
    following = select(func.min(column)).where(mine, column > walk.c.value).scalar_subquery()
    step = select(following, walk.c.place + 1).where(walk.c.value.is_not(None))
    if limit is not None:
        step = step.where(walk.c.place < limit)
    found = connection.execute(select(walk.union_all(step).c.value)).scalars()
    return [value for value in found if value is not None]


def _of(kb_id: str, name: str) -> ColumnElement[bool]:
    return (facts.c.kb_id == kb_id) & (facts.c.field == str(name))


def _labelled(connection: Connection, kb_id: str, name: str) -> Iterator[tuple[int, TextSpan]]:
    """Yield where the words before some values of a field stand: of the least and the greatest."""
    columns = (facts.c.revision_id, facts.c.start, facts.c.method)
    for order in (facts.c.text.asc(), facts.c.text.desc()):
        statement = select(*columns).where(_of(kb_id, name)).order_by(order).limit(_LOOKED_AT)
        for row in connection.execute(statement):
            if row.method in _LABELLED and row.start:
                yield row.revision_id, TextSpan(max(0, row.start - _BEFORE), row.start)
