"""The tables of labels, and what others read and write of them inside their own transactions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Select,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
)

from kb_service.domain.labels import LabelMark, LabelMarks
from kb_service.domain.queries import Filters
from kb_service.storage.rows import batches
from kb_service.storage.tables import ID, StoredText, UtcTime, Word, metadata

labels = Table(
    "labels",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("name", StoredText, nullable=False),
    Column("colour", Word, nullable=False),
    Column("description", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("kb_id", "name"),
)

document_labels = Table(
    "document_labels",
    metadata,
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "label_id", ID, ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


def read_marks(connection: Connection, kb_id: str) -> LabelMarks:
    """Return the labels of a base without what carries them."""
    statement = select(labels.c.id, labels.c.name, labels.c.colour).where(labels.c.kb_id == kb_id)
    rows = connection.execute(statement.order_by(labels.c.name))
    return LabelMarks(kb_id, (LabelMark(*row) for row in rows))


def ids_of_labels(connection: Connection, kb_id: str, named: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of labels by id or name, each once; reads nothing where none is named.

    What is no label stays as it is: no document carries it.
    """
    if not named:
        return ()
    marks = read_marks(connection, kb_id)
    found = (marks.get(one) for one in named)
    ids = (mark.id if mark else one for mark, one in zip(found, named, strict=True))
    return tuple(dict.fromkeys(ids))


def by_label_ids(connection: Connection, kb_id: str, filters: Filters) -> Filters:
    """Return filters that name their labels by id."""
    return replace(filters, labels=ids_of_labels(connection, kb_id, filters.labels))


def carrying_all(kb_id: str, ids: Iterable[str]) -> Select[tuple[str]]:
    """Select the ids of the documents that carry all these labels, of `ids_of_labels`."""
    wanted = set(ids)
    return (
        select(document_labels.c.document_id)
        .join(labels, labels.c.id == document_labels.c.label_id)
        .where(labels.c.kb_id == kb_id, labels.c.id.in_(wanted))
        .group_by(document_labels.c.document_id)
        .having(func.count() == len(wanted))
    )


def marks_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[LabelMark, ...]]:
    """Return the labels of documents by document, by name."""
    found: dict[str, tuple[LabelMark, ...]] = {}
    statement = (
        select(document_labels.c.document_id, labels.c.id, labels.c.name, labels.c.colour)
        .join(labels, labels.c.id == document_labels.c.label_id)
        .order_by(labels.c.name)
    )
    for batch in batches(ids):
        mine = document_labels.c.document_id.in_(batch)
        for document_id, *mark in connection.execute(statement.where(mine)):
            found[document_id] = (*found.get(document_id, ()), LabelMark(*mark))
    return found


def change_labels(
    connection: Connection,
    kb_id: str,
    document_ids: Sequence[str],
    add: Iterable[str],
    remove: Iterable[str],
) -> None:
    """Give documents labels and take others from them, by label id."""
    gone = set(remove)
    for batch in batches(document_ids):
        mine = document_labels.c.document_id.in_(batch)
        connection.execute(
            delete(document_labels).where(mine, document_labels.c.label_id.in_(gone))
        )
    give_labels(connection, kb_id, document_ids, add)


def give_labels(
    connection: Connection, kb_id: str, document_ids: Sequence[str], label_ids: Iterable[str]
) -> None:
    """Give documents labels beside those that they carry; one that is no more is left out."""
    here = select(labels.c.id).where(labels.c.kb_id == kb_id, labels.c.id.in_(set(label_ids)))
    wanted = connection.execute(here).scalars().all()
    if not wanted:
        return
    both = select(document_labels.c.document_id, document_labels.c.label_id)
    for batch in batches(document_ids):
        mine = both.where(
            document_labels.c.document_id.in_(batch), document_labels.c.label_id.in_(wanted)
        )
        known = set(connection.execute(mine).tuples())
        new = [pair for pair in product(batch, wanted) if pair not in known]
        if new:
            rows = [dict(zip(("document_id", "label_id"), pair, strict=True)) for pair in new]
            connection.execute(insert(document_labels), rows)
