"""The end of a document and of all that came out of it, inside the caller's write transaction."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from kb_service.storage.answers.store import redact_answers
from kb_service.storage.chunks import remove_past_chunks, remove_revision_chunks
from kb_service.storage.counts import uncount_document
from kb_service.storage.documents.within import ids_within
from kb_service.storage.embeddings import remove_unused_embeddings
from kb_service.storage.erasure import record_deletions
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.references import blobs_of
from kb_service.storage.suggestions import forget_suggestions
from kb_service.storage.tables import (
    documents,
    revisions,
)
from kb_service.storage.watches.rows import redact_standing_answers


def remove_document(
    connection: Connection, kb_id: str, document_id: str, now: datetime
) -> set[str]:
    """Delete a document and all that came of it, with receipts; return the hashes of its blobs."""
    blobs: set[str] = set()
    for key in (*reversed(ids_within(connection, document_id)), document_id):
        record_deletions(connection, documents.c.id == key, now)
        blobs |= _remove_one(connection, kb_id, key)
    return blobs


def _remove_one(connection: Connection, kb_id: str, document_id: str) -> set[str]:
    blobs = blobs_of(connection, documents.c.id == document_id)
    current = connection.execute(
        select(revisions.c.id).where(revisions.c.document_id == document_id, revisions.c.is_current)
    )
    hashes: set[str] = set()
    for revision_id in current.scalars().all():
        hashes |= remove_revision_chunks(connection, kb_id, revision_id)
    uncount_document(connection, document_id)
    hashes |= remove_past_chunks(connection, past_chunks.c.document_id == document_id)
    connection.execute(delete(documents).where(documents.c.id == document_id))
    remove_unused_embeddings(connection, hashes)
    redact_answers(connection, document_id)
    redact_standing_answers(connection, document_id)
    forget_suggestions(connection, kb_id)
    return blobs
