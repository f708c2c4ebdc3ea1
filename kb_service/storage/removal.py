"""Deleting so that nothing stays: chunks, embeddings nobody needs, quoted words, blobs.

Called inside a write transaction. Blobs go in a second one (`sweep_blobs`): a crash between the two
leaves an unreferenced file for the next sweep, never a reference without its file.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    delete,
    exists,
    select,
    union,
    update,
)

from kb_service.storage.answer_codec import redacted
from kb_service.storage.blobs import BlobStore
from kb_service.storage.change_log import record_removed
from kb_service.storage.database import Database
from kb_service.storage.tables import (
    answer_documents,
    answers,
    chunks,
    documents,
    embeddings,
    feedback,
    knowledge_bases,
    messages,
    revisions,
)

BATCH = 500
"""Values in one IN list; far below the smallest limit of either database."""

Value = TypeVar("Value")


def batches(values: Iterable[Value]) -> Iterator[Sequence[Value]]:
    """Yield the values in lists of at most BATCH."""
    items = list(values)
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def remove_revision_chunks(connection: Connection, kb_id: str, revision_id: int) -> set[str]:
    """Take a revision out of search; return the hashes of the texts its chunks had."""
    removed = connection.execute(
        delete(chunks).where(chunks.c.revision_id == revision_id).returning(chunks.c.text_sha256)
    )
    hashes = set(removed.scalars())
    record_removed(connection, kb_id, revision_id)
    return hashes


def remove_unused_embeddings(connection: Connection, text_sha256s: Iterable[str]) -> None:
    """Delete those of the embeddings that no chunk refers to any more."""
    for batch in batches(text_sha256s):
        connection.execute(
            delete(embeddings).where(
                embeddings.c.text_sha256.in_(batch),
                ~exists().where(chunks.c.text_sha256 == embeddings.c.text_sha256),
            )
        )


def remove_document(connection: Connection, kb_id: str, document_id: str) -> set[str]:
    """Delete a document and all that came of it; return the hashes of its blobs."""
    blobs = set(connection.execute(_blobs_of(documents.c.id == document_id)).scalars())
    current = connection.execute(
        select(revisions.c.id).where(revisions.c.document_id == document_id, revisions.c.is_current)
    )
    hashes: set[str] = set()
    for revision_id in current.scalars().all():
        hashes |= remove_revision_chunks(connection, kb_id, revision_id)
    connection.execute(delete(documents).where(documents.c.id == document_id))
    remove_unused_embeddings(connection, hashes)
    redact_answers(connection, document_id)
    return blobs


def remove_knowledge_base(connection: Connection, kb_id: str) -> set[str]:
    """Delete a base and everything in it; return the hashes of its blobs."""
    blobs = set(connection.execute(_blobs_of(documents.c.kb_id == kb_id)).scalars())
    hashes = connection.execute(
        delete(chunks).where(chunks.c.kb_id == kb_id).returning(chunks.c.text_sha256)
    ).scalars()
    remove_unused_embeddings(connection, set(hashes))
    connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id == kb_id))
    return blobs


def redact_answers(connection: Connection, document_id: str) -> None:
    """Take the words out of every stored answer that saw text of the document."""
    quoting = select(answer_documents.c.answer_id).where(
        answer_documents.c.document_id == document_id
    )
    rows = connection.execute(select(answers).where(answers.c.id.in_(quoting))).all()
    for row in rows:
        payload, audit = redacted(row.payload, row.audit)
        connection.execute(
            update(answers).where(answers.c.id == row.id).values(payload=payload, audit=audit)
        )
    for batch in batches(row.id for row in rows):
        connection.execute(
            update(messages).where(messages.c.answer_id.in_(batch)).values(content="")
        )
        connection.execute(
            update(feedback).where(feedback.c.answer_id.in_(batch)).values(comment="")
        )
        connection.execute(delete(answer_documents).where(answer_documents.c.answer_id.in_(batch)))


def _blobs_of(which: ColumnElement[bool]) -> CompoundSelect[str]:
    return union(
        select(documents.c.sha256).where(which),
        select(revisions.c.sha256).select_from(revisions.join(documents)).where(which),
    )


def sweep_blobs(database: Database, blobs: BlobStore, candidates: Iterable[str]) -> int:
    """Remove those of the blobs that nothing refers to; return how many."""
    removed = 0
    for batch in batches(candidates):
        with database.write(needs_room=False) as connection:
            for sha256 in sorted(set(batch) - _referenced_among(connection, batch)):
                blobs.unlink(sha256)
                removed += 1
    return removed


def _referenced_among(connection: Connection, batch: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for column in (documents.c.sha256, revisions.c.sha256):
        found |= set(connection.execute(select(column).where(column.in_(batch))).scalars())
    return found
