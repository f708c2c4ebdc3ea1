"""The tables of labels, and what others read and write of them inside their own transactions."""

from collections.abc import Iterable, Sequence
from itertools import product

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Select,
    Table,
    UniqueConstraint,
    case,
    func,
    insert,
    or_,
    select,
)

from kb_service.domain.labels import LabelMark
from kb_service.domain.names import composed
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


def carrying_all(kb_id: str, named: Iterable[str]) -> Select[tuple[str]]:
    """Select the ids of the documents that carry every label that is named, by id or name."""
    wanted = {composed(one) for one in named}
    by_id, by_name = labels.c.id.in_(wanted), labels.c.name.in_(wanted)
    num_named = func.sum(case((by_id, 1), else_=0) + case((by_name, 1), else_=0))
    return (
        select(document_labels.c.document_id)
        .join(labels, labels.c.id == document_labels.c.label_id)
        .where(labels.c.kb_id == kb_id, or_(by_id, by_name))
        .group_by(document_labels.c.document_id)
        .having(num_named == len(wanted))
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
