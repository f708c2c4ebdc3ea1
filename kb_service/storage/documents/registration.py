"""Content sent in under a name: whose new version it is, or of what new document.

Runs inside the caller's write transaction, so that two uploads of one name follow each other.
Knows nothing of what the bytes contain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from kb_service.domain.documents import Document
from kb_service.domain.errors import Conflict
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.domain.names import OnConflict, composed, numbered
from kb_service.storage.bases import require_kb
from kb_service.storage.counts import count_document
from kb_service.storage.documents.rows import find_document_row, find_synced_row
from kb_service.storage.documents.tags import set_tags
from kb_service.storage.documents.versions import Content, add_version
from kb_service.storage.documents.within import ids_within, with_all_within
from kb_service.storage.identity import new_id
from kb_service.storage.jobs.rows import cancel_unfinished, insert_job, newest_job
from kb_service.storage.labels.tables import give_labels
from kb_service.storage.tables import documents, revisions

CREATED, REVISED, UNCHANGED, KEPT_BOTH = "created", "revised", "unchanged", "kept_both"
_UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Upload:
    """Content and what it is sent in as. `origin`: the folder of a sync, None otherwise.

    Empty `tags` and a None `origin` keep what the document has. `path`: what its origin calls the
    document, None where that is its name. `container_id`, `container_path`: what the document came
    out of, and where it stands there. `encoding`: in which its text is said to be written, empty to
    keep what was said before. `labels`: ids of labels to carry beside those that it has.
    """

    kb_id: str
    name: str
    content: Content
    tags: Sequence[str] = ()
    origin: str | None = None
    on_conflict: OnConflict = OnConflict.REVISE
    path: str | None = None
    container_id: str | None = None
    container_path: str | None = None
    encoding: str = ""
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """`created`, `revised`, `unchanged` or `kept_both`; `job`: its ingest, None if done.

    An unchanged upload returns the unfinished job of the same content when there is one. The same
    content said to be in another encoding is `revised`: it is read again.
    """

    outcome: str
    document: Document
    job: IngestJob | None


def register(
    connection: Connection, upload: Upload, now: datetime
) -> tuple[str, str, IngestJob | None]:
    """Write the rows of an upload; return its outcome, document id and job.

    Raises NotFound (kb_not_found), Conflict (name_taken).
    """
    placed, row = _place(connection, upload)
    if row is not None:
        outcome, job = revise(connection, row, upload.content, now)
        document_id = str(row.id)
        if upload.encoding and upload.encoding != row.encoding:
            outcome, job = REVISED, read_again(connection, row, upload.encoding, now)
    else:
        require_kb(connection, upload.kb_id)
        outcome = CREATED if placed.name == upload.name else KEPT_BOTH
        document_id, job = create(connection, placed, now)
    _keep_marks(connection, document_id, placed)
    return outcome, document_id, job


def _place(connection: Connection, upload: Upload) -> tuple[Upload, Row[Any] | None]:
    """Return the upload under the name that it gets, and the document that has that name."""
    if upload.origin is not None:
        called = upload.path or upload.name
        row = find_synced_row(connection, upload.kb_id, upload.origin, called)
        if row is not None:
            return replace(upload, path=row.path), row
        # Another folder, or a person, has that name for something else: it stays theirs.
        upload = replace(upload, on_conflict=OnConflict.KEEP)
    row = find_document_row(connection, upload.kb_id, upload.name, by="name")
    if row is None or _is_the_same(row, upload):
        return upload, row
    if row.container_id is not None:  # it goes with its container: what is sent in must not
        upload = replace(upload, on_conflict=OnConflict.KEEP)
    if upload.on_conflict is OnConflict.REJECT:
        raise Conflict(
            f"a document {row.name!r} is there with other content; send on_conflict revise or keep",
            code="name_taken",
            details={"name": row.name, "document_id": row.id},
        )
    if upload.on_conflict is OnConflict.REVISE:
        return upload, row
    number = 2
    while True:
        path = (upload.path or upload.name) if upload.origin is not None else None
        other = replace(upload, name=numbered(upload.name, number), path=path)
        row = find_document_row(connection, upload.kb_id, other.name, by="name")
        # The same bytes sent again find the document that was made of them the time before.
        if row is None or _is_the_same(row, upload):
            return other, row
        number += 1


def _is_the_same(row: Row[Any], upload: Upload) -> bool:
    return bool(row.sha256 == upload.content.sha256 and row.container_id is None)


def create(connection: Connection, upload: Upload, now: datetime) -> tuple[str, IngestJob]:
    """Write a document under a name that is free, and queue its ingest; return its id and job."""
    document_id = new_id("doc")
    connection.execute(
        insert(documents).values(
            id=document_id,
            kb_id=upload.kb_id,
            name=composed(upload.name),
            origin=upload.origin,
            path=upload.path,
            container_id=upload.container_id,
            container_path=upload.container_path,
            sha256=upload.content.sha256,
            size_bytes=upload.content.size_bytes,
            media_type=upload.content.media_type,
            encoding=upload.encoding,
            created_at=now,
            updated_at=now,
        )
    )
    add_version(connection, document_id, upload.content, now)
    return document_id, _queue(connection, document_id, now)


def revise(
    connection: Connection, row: Row[Any], content: Content, now: datetime
) -> tuple[str, IngestJob | None]:
    """Make content the newest of a document; return the outcome and the job that will read it."""
    if row.sha256 == content.sha256:
        job = newest_job(connection, row.id)
        if job is not None and job.status in _UNDER_WAY:
            return UNCHANGED, job
        if _is_current(connection, row.id, content.sha256):
            return UNCHANGED, None
    else:
        add_version(connection, row.id, content, now)
    cancel_unfinished(connection, row.id, now)
    _set_content(connection, row.id, content, now)
    if _is_current(connection, row.id, content.sha256):
        # Back to what is being served: only the newer content that was under way is given up.
        count_document(connection, row.id)
        return UNCHANGED, None
    return REVISED, _queue(connection, row.id, now)


def read_again(connection: Connection, row: Row[Any], encoding: str, now: datetime) -> IngestJob:
    """Queue the ingest of a document's newest content, as text in that encoding."""
    cancel_unfinished(connection, row.id, now)
    connection.execute(
        update(documents).where(documents.c.id == row.id).values(encoding=encoding, updated_at=now)
    )
    return _queue(connection, row.id, now)


def _queue(connection: Connection, document_id: str, now: datetime) -> IngestJob:
    row = connection.execute(select(documents).where(documents.c.id == document_id)).one()
    return insert_job(connection, row, now)


def _set_content(connection: Connection, document_id: str, content: Content, now: datetime) -> None:
    connection.execute(
        update(documents)
        .where(documents.c.id == document_id)
        .values(
            sha256=content.sha256,
            size_bytes=content.size_bytes,
            media_type=content.media_type,
            updated_at=now,
        )
    )


def _is_current(connection: Connection, document_id: str, sha256: str) -> bool:
    statement = select(revisions.c.id).where(
        revisions.c.document_id == document_id,
        revisions.c.sha256 == sha256,
        revisions.c.is_current,
    )
    return connection.execute(statement).first() is not None


def _keep_marks(connection: Connection, document_id: str, upload: Upload) -> None:
    if upload.tags:
        set_tags(connection, (document_id, *ids_within(connection, document_id)), upload.tags)
    if upload.labels:
        every = with_all_within(connection, [document_id])
        give_labels(connection, upload.kb_id, every, upload.labels)
    if upload.origin is not None:
        connection.execute(
            update(documents)
            .where(documents.c.id == document_id)
            .values(origin=upload.origin, path=upload.path)
        )
