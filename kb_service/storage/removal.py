"""Deleting so that nothing stays: chunks, embeddings nobody needs, quoted words, blobs.

Called inside a write transaction. Blobs go in a second one (`sweep_blobs`).
"""

from sqlalchemy import Connection, delete, select

from kb_service.storage.answers.store import redact_answers
from kb_service.storage.chunks import remove_revision_chunks, remove_unused_embeddings
from kb_service.storage.references import blobs_of
from kb_service.storage.tables import chunks, documents, knowledge_bases, revisions


def remove_document(connection: Connection, kb_id: str, document_id: str) -> set[str]:
    """Delete a document and all that came of it; return the hashes of its blobs."""
    blobs = blobs_of(connection, documents.c.id == document_id)
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
    blobs = blobs_of(connection, documents.c.kb_id == kb_id)
    hashes = connection.execute(
        delete(chunks).where(chunks.c.kb_id == kb_id).returning(chunks.c.text_sha256)
    ).scalars()
    remove_unused_embeddings(connection, set(hashes))
    connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id == kb_id))
    return blobs
