"""Documents in lists: which ones, in which order, from where on. Builds statements."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    or_,
    select,
)

from kb_service.domain.lists import DocumentOrder, Wanted
from kb_service.domain.names import forms_of
from kb_service.storage.documents.folders import lies_in
from kb_service.storage.identity import (
    decode_cursor,
    decode_sized_cursor,
    decode_time_cursor,
    encode_cursor,
)
from kb_service.storage.labels.tables import carrying_all, ids_of_labels
from kb_service.storage.tables import document_tags, documents


def matching(connection: Connection, kb_id: str, wanted: Wanted) -> ColumnElement[bool]:
    """Return the condition for documents that are wanted, whatever their status."""
    which: list[ColumnElement[bool]] = [documents.c.kb_id == kb_id]
    if wanted.name is not None:
        which.append(documents.c.name.in_(forms_of(wanted.name)))
    if wanted.name_contains is not None:
        parts = forms_of(wanted.name_contains)
        which.append(or_(*(documents.c.name.icontains(part, autoescape=True) for part in parts)))
    if wanted.tag is not None:
        own = document_tags.c.document_id == documents.c.id
        which.append(exists().where(own, document_tags.c.tag == wanted.tag))
    if wanted.folder:
        which.append(lies_in(wanted.folder))
    if ids := ids_of_labels(connection, kb_id, wanted.labels):
        which.append(documents.c.id.in_(carrying_all(kb_id, ids)))
    return and_(*which)


def part_of_list(
    connection: Connection, kb_id: str, wanted: Wanted, order: DocumentOrder, cursor: str | None
) -> Select[Any]:
    """Return the rows of wanted documents in order, after the cursor. Raises InvalidRequest."""
    statement = select(documents).where(matching(connection, kb_id, wanted))
    if wanted.status is not None:
        statement = statement.where(documents.c.counted_as == wanted.status)
    key, is_down = _key(order)
    name = documents.c.name
    if cursor is not None:
        statement = statement.where(_after(order, cursor))
    sorted_by = key.desc() if is_down else key.asc()
    return statement.order_by(sorted_by) if key is name else statement.order_by(sorted_by, name)


def cursor_after(row: Row[Any], order: DocumentOrder) -> str:
    """Return the cursor that stands after a row of the list."""
    key, _ = _key(order)
    if key is documents.c.name:
        return encode_cursor(row.name)
    value = row.updated_at.isoformat() if key is documents.c.updated_at else str(row.size_bytes)
    return encode_cursor(value, row.name)


def _key(order: DocumentOrder) -> tuple[ColumnElement[Any], bool]:
    return documents.c[order.removeprefix("-")], order.startswith("-")


def _after(order: DocumentOrder, cursor: str) -> ColumnElement[bool]:
    key, is_down = _key(order)
    name = documents.c.name
    if key is name:
        last = decode_cursor(cursor, 1)[0]
        return name < last if is_down else name > last
    value: object
    is_time = key is documents.c.updated_at
    value, last = decode_time_cursor(cursor) if is_time else decode_sized_cursor(cursor)
    beyond = key < value if is_down else key > value
    return or_(beyond, and_(key == value, name > last))
