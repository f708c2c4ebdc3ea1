"""Registering content under a name: what an upload means for document, jobs and blob.

One transaction of the caller. Knows nothing of what the bytes contain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from kb_service.domain.documents import Document
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.domain.names import composed
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.documents import (
    find_document_row,
    read_documents,
    require_kb,
)
from kb_service.storage.identity import new_id
from kb_service.storage.jobs import cancel_unfinished, insert_job, newest_job
from kb_service.storage.tables import document_tags, documents, revisions

CREATED, REVISED, UNCHANGED = "created", "revised", "unchanged"
_UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Upload:
    """Staged bytes and what they are sent in as. `origin`: the folder of a sync, None otherwise.

    Empty `tags` and a None `origin` keep what the document has.
    """

    kb_id: str
    name: str
    staged: StagedBlob
    media_type: str
    tags: Sequence[str] = ()
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """`created`, `revised` or `unchanged`; `job`: the ingest that will bring it in, None if done.

    An unchanged upload returns the unfinished job of the same content when there is one.
    """

    outcome: str
    document: Document
    job: IngestJob | None


def register(
    connection: Connection, blobs: BlobStore, upload: Upload, now: datetime
) -> tuple[UploadOutcome, set[str]]:
    """Write document and job rows and publish the blob; raises NotFound, StorageError.

    The second value: hashes of content that may have lost its last reference.
    """
    superseded: set[str] = set()
    row = find_document_row(connection, upload.kb_id, upload.name, by="name")
    job: IngestJob | None
    if row is None:
        require_kb(connection, upload.kb_id)
        outcome, job = CREATED, _create(connection, upload, now)
    else:
        outcome, job = _revise(connection, row, upload, now)
        superseded = {row.sha256} - {upload.staged.sha256}
    row = find_document_row(connection, upload.kb_id, upload.name, by="name")
    if row is None:
        raise RuntimeError(f"document {upload.name!r} vanished inside its own transaction")
    _keep_labels(connection, row.id, upload)
    # Also for unchanged content: the same bytes again heal a blob that was damaged on disk.
    blobs.publish(upload.staged)
    document = read_documents(connection, [row])[0]
    return UploadOutcome(outcome, document, job), superseded


def _create(connection: Connection, upload: Upload, now: datetime) -> IngestJob:
    statement = insert(documents).values(
        id=new_id("doc"),
        kb_id=upload.kb_id,
        name=composed(upload.name),
        origin=upload.origin,
        sha256=upload.staged.sha256,
        size_bytes=upload.staged.size_bytes,
        media_type=upload.media_type,
        created_at=now,
        updated_at=now,
    )
    row = connection.execute(statement.returning(*documents.c)).one()
    return insert_job(connection, row, now)


def _revise(
    connection: Connection, row: Row[Any], upload: Upload, now: datetime
) -> tuple[str, IngestJob | None]:
    if row.sha256 == upload.staged.sha256:
        job = newest_job(connection, row.id)
        if job is not None and job.status in _UNDER_WAY:
            return UNCHANGED, job
        if _is_current(connection, row.id, upload.staged.sha256):
            return UNCHANGED, None
    cancel_unfinished(connection, row.id, now)
    row = _set_content(connection, row.id, upload, now)
    if _is_current(connection, row.id, upload.staged.sha256):
        # Back to what is being served: only the newer content that was under way is given up.
        return UNCHANGED, None
    return REVISED, insert_job(connection, row, now)


def _set_content(
    connection: Connection, document_id: str, upload: Upload, now: datetime
) -> Row[Any]:
    statement = (
        update(documents)
        .where(documents.c.id == document_id)
        .values(
            sha256=upload.staged.sha256,
            size_bytes=upload.staged.size_bytes,
            media_type=upload.media_type,
            updated_at=now,
        )
    )
    return connection.execute(statement.returning(*documents.c)).one()


def _is_current(connection: Connection, document_id: str, sha256: str) -> bool:
    statement = select(revisions.c.id).where(
        revisions.c.document_id == document_id,
        revisions.c.sha256 == sha256,
        revisions.c.is_current,
    )
    return connection.execute(statement).first() is not None


def _keep_labels(connection: Connection, document_id: str, upload: Upload) -> None:
    if upload.tags:
        connection.execute(delete(document_tags).where(document_tags.c.document_id == document_id))
        values = [{"document_id": document_id, "tag": tag} for tag in dict.fromkeys(upload.tags)]
        connection.execute(insert(document_tags), values)
    if upload.origin is not None:
        connection.execute(
            update(documents).where(documents.c.id == document_id).values(origin=upload.origin)
        )
