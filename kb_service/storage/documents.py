"""Reading knowledge bases, documents, revisions, chunks and jobs back as domain values.

Where a document stands is derived here from its newest job and its current revision; it is stored
nowhere. Reads only.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from kb_service.domain.documents import (
    Document,
    DocumentStatus,
    KnowledgeBase,
    Revision,
)
from kb_service.domain.errors import NotFound
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.domain.names import forms_of
from kb_service.storage.jobs import newest_jobs
from kb_service.storage.page_reports import page_report_of
from kb_service.storage.rows import value_of
from kb_service.storage.tables import document_tags, documents, knowledge_bases
from kb_service.storage.tables import revisions as revision_table

REVISION_COLUMNS = [column for column in revision_table.c if column.name != "page_report"]
_TOLD_COLUMNS = [*REVISION_COLUMNS, revision_table.c.page_report]
_ENDED_BADLY = (JobStatus.DEAD, JobStatus.CANCELLED)


def document_status(
    job: JobStatus | None, *, has_revision: bool, is_complete: bool
) -> DocumentStatus:
    """Return where a document stands, from the newest job of its newest content."""
    if job in (JobStatus.QUEUED, JobStatus.FAILED):
        return DocumentStatus.PENDING
    if job is JobStatus.RUNNING:
        return DocumentStatus.PROCESSING
    if not has_revision:
        return DocumentStatus.FAILED
    return DocumentStatus.READY if is_complete else DocumentStatus.PARTIAL


def knowledge_base_rows() -> Select[Any]:
    """Select bases with their counts of documents and searchable chunks."""
    num_documents = (
        select(func.count())
        .select_from(documents)
        .where(documents.c.kb_id == knowledge_bases.c.id)
        .scalar_subquery()
    )
    num_chunks = (
        select(func.coalesce(func.sum(revision_table.c.num_chunks), 0))
        .select_from(revision_table.join(documents))
        .where(documents.c.kb_id == knowledge_bases.c.id, revision_table.c.is_current)
        .scalar_subquery()
    )
    return select(
        knowledge_bases,
        num_documents.label("num_documents"),
        num_chunks.label("num_chunks"),
    )


def knowledge_base_of(row: Row[Any]) -> KnowledgeBase:
    """Return the base of a row of `knowledge_base_rows`."""
    return value_of(KnowledgeBase, row, num_chunks=int(row.num_chunks))


def require_kb(connection: Connection, kb_id: str) -> None:
    """Raise NotFound (kb_not_found) unless the base exists."""
    found = connection.execute(select(knowledge_bases.c.id).where(knowledge_bases.c.id == kb_id))
    if found.first() is None:
        raise NotFound(f"no knowledge base {kb_id!r}", code="kb_not_found")


def read_documents(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Document, ...]:
    """Return the documents of rows of the documents table, in their order, in four queries."""
    ids = [row.id for row in rows]
    newest = newest_jobs(connection, documents.c.id.in_(ids))
    tags = _tags(connection, ids)
    current = {
        row.document_id: row
        for row in connection.execute(
            select(*_TOLD_COLUMNS).where(
                revision_table.c.document_id.in_(ids), revision_table.c.is_current
            )
        )
    }
    return tuple(
        _document_of(row, newest.get(row.id), current.get(row.id), tags.get(row.id, ()))
        for row in rows
    )


def _document_of(
    row: Row[Any],
    job: IngestJob | None,
    revision: Row[Any] | None,
    tags: tuple[str, ...],
) -> Document:
    has_ended_badly = job is not None and job.status in (*_ENDED_BADLY, JobStatus.FAILED)
    return value_of(
        Document,
        row,
        status=document_status(
            job.status if job is not None else None,
            has_revision=revision is not None,
            is_complete=revision is not None and revision.is_complete,
        ),
        error=job.error if job is not None and has_ended_badly else None,
        tags=tags,
        metadata=revision.metadata if revision is not None else {},
        revision=revision_of(revision) if revision is not None else None,
        page_report=page_report_of(revision) if revision is not None else None,
    )


def _tags(connection: Connection, ids: list[str]) -> dict[str, tuple[str, ...]]:
    rows = connection.execute(
        select(document_tags.c.document_id, document_tags.c.tag)
        .where(document_tags.c.document_id.in_(ids))
        .order_by(document_tags.c.tag)
    )
    found: dict[str, tuple[str, ...]] = {}
    for document_id, tag in rows:
        found[document_id] = (*found.get(document_id, ()), tag)
    return found


def find_document_row(connection: Connection, kb_id: str, key: str, *, by: str) -> Row[Any] | None:
    """Return the documents row with that `id` or `name` in the base.

    A name is found in any Unicode form, first as it is given.
    """
    keys = forms_of(key) if by == "name" else (key,)
    statement = select(documents).where(documents.c.kb_id == kb_id, documents.c[by].in_(keys))
    rows = {str(getattr(row, by)): row for row in connection.execute(statement)}
    return next((rows[key] for key in keys if key in rows), None)


def require_document_row(connection: Connection, kb_id: str, document_id: str) -> Row[Any]:
    """Return the documents row; NotFound when the base or the document does not exist."""
    row = find_document_row(connection, kb_id, document_id, by="id")
    if row is None:
        require_kb(connection, kb_id)
        raise NotFound(f"no document {document_id!r} in {kb_id}", code="document_not_found")
    return row


def revision_of(row: Row[Any]) -> Revision:
    """Return the revision of a row that has REVISION_COLUMNS."""
    return value_of(Revision, row)


def kb_matches(key: str) -> ColumnElement[bool]:
    """Match a base by id, or by name in any Unicode form."""
    return or_(knowledge_bases.c.id == key, knowledge_bases.c.name.in_(forms_of(key)))
