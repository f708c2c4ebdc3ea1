"""Which documents have nearly the same text: found by marks of their texts, kept in pairs.

Called inside a transaction. A text is compared with those that share a mark, the newest so many of
each mark, so that what an ingest costs does not grow with the base.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
)

from kb_service.domain.documents import NearText
from kb_service.domain.sketches import ALIKE, likeness, marks_of
from kb_service.storage.rows import batches
from kb_service.storage.tables import ID, RowId, documents, metadata, revisions

MAX_OF_A_MARK = 100
MAX_NEAR = 20
"""So many pairs are kept of a text that comes in."""

sketches = Table(
    "sketches",
    metadata,
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    # b"" for a text that is too short to compare.
    Column("sketch", LargeBinary, nullable=False),
)

sketch_marks = Table(
    "sketch_marks",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("mark", BigInteger, primary_key=True, autoincrement=False),
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_sketch_marks_revision_id", "revision_id"),
)

# Each pair once, the later text first.
near_texts = Table(
    "near_texts",
    metadata,
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Column("share", Float, nullable=False),
    Index("ix_near_texts_other_id", "other_id"),
)


# Built once: of what a statement costs, building it anew is most.
_OF_MARK = (
    select(sketch_marks.c.revision_id)
    .where(sketch_marks.c.kb_id == bindparam("kb_id"), sketch_marks.c.mark == bindparam("mark"))
    .order_by(sketch_marks.c.revision_id.desc())
    .limit(MAX_OF_A_MARK)
)


def write_sketch(connection: Connection, kb_id: str, revision_id: int, sketch: bytes) -> None:
    """Keep the sketch of a searchable revision, and find the texts that are nearly its own."""
    connection.execute(insert(sketches).values(revision_id=revision_id, sketch=sketch))
    marks = marks_of(sketch)
    if not marks:
        return
    candidates = set[int]()
    for mark in marks:
        found = connection.execute(_OF_MARK, {"kb_id": kb_id, "mark": mark})
        candidates |= set(found.scalars())
    shares: list[tuple[float, int]] = []
    for batch in batches(sorted(candidates)):
        chosen = select(sketches).where(sketches.c.revision_id.in_(batch))
        for row in connection.execute(chosen):
            share = likeness(sketch, row.sketch)
            if share >= ALIKE:
                shares.append((share, row.revision_id))
    owner = {"kb_id": kb_id, "revision_id": revision_id}
    connection.execute(insert(sketch_marks), [{**owner, "mark": mark} for mark in marks])
    pairs = [
        {"revision_id": revision_id, "other_id": other, "share": share}
        for share, other in sorted(shares, reverse=True)[:MAX_NEAR]
    ]
    if pairs:
        connection.execute(insert(near_texts), pairs)


def remove_sketch(connection: Connection, revision_id: int) -> None:
    """Forget the sketch of a revision that is no longer searchable, and its pairs."""
    for table in (sketches, sketch_marks):
        connection.execute(delete(table).where(table.c.revision_id == revision_id))
    pair = near_texts.c
    either = or_(pair.revision_id == revision_id, pair.other_id == revision_id)
    connection.execute(delete(near_texts).where(either))


def near_of(connection: Connection, revision_ids: Sequence[int]) -> dict[int, list[NearText]]:
    """Return the documents whose texts are nearly those of revisions, the nearest first."""
    found: dict[int, list[NearText]] = {}
    pair = near_texts.c
    for mine, other in ((pair.revision_id, pair.other_id), (pair.other_id, pair.revision_id)):
        for batch in batches(revision_ids):
            statement = (
                select(mine.label("mine"), documents.c.id, documents.c.name, pair.share)
                .join(revisions, revisions.c.id == other)
                .join(documents, documents.c.id == revisions.c.document_id)
                .where(mine.in_(batch))
            )
            for row in connection.execute(statement):
                near = NearText(row.id, row.name, round(row.share, 2))
                found.setdefault(row.mine, []).append(near)
    for items in found.values():
        items.sort(key=lambda near: (-near.share, near.name))
        del items[MAX_NEAR:]
    return found
