"""Rows of documents as domain values: where a document stands, by name or id, and in numbers.

Where it stands is derived from its newest job and its current revision; it is stored only to be
counted (`counts.py`).
Reads only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from kb_service.domain.documents import Document, DocumentStatus
from kb_service.domain.errors import NotFound
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.domain.members import Container
from kb_service.domain.names import forms_of
from kb_service.storage.bases import require_kb
from kb_service.storage.counts import document_status
from kb_service.storage.documents.versions import read_versions
from kb_service.storage.jobs.rows import newest_jobs
from kb_service.storage.labels.tables import marks_of
from kb_service.storage.revisions.rows import page_report_of, revision_of
from kb_service.storage.rows import batches, value_of
from kb_service.storage.tables import document_tags, documents, revisions

_ENDED_BADLY = (JobStatus.DEAD, JobStatus.CANCELLED, JobStatus.FAILED)


def read_documents(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Document, ...]:
    """Return the documents of rows of the documents table, in their order, in seven queries."""
    ids = [row.id for row in rows]
    newest = newest_jobs(connection, documents.c.id.in_(ids))
    tags = _tags(connection, ids)
    marks = marks_of(connection, ids)
    versions = read_versions(connection, ids)
    containers = _container_names(connection, rows)
    current = {
        row.document_id: row
        for row in connection.execute(
            select(revisions).where(revisions.c.document_id.in_(ids), revisions.c.is_current)
        )
    }
    return tuple(
        _document_of(
            row,
            newest.get(row.id),
            current.get(row.id),
            tags=tags.get(row.id, ()),
            labels=marks.get(row.id, ()),
            versions=versions.get(row.id, ()),
            container=_container_of(row, containers),
        )
        for row in rows
    )


def _document_of(
    row: Row[Any],
    job: IngestJob | None,
    revision: Row[Any] | None,
    **given: object,
) -> Document:
    has_ended_badly = job is not None and job.status in _ENDED_BADLY
    return value_of(
        Document,
        row,
        status=document_status(
            job.status if job is not None else None,
            has_revision=revision is not None,
            is_complete=revision is not None and revision.is_complete,
        ),
        error=job.error if job is not None and has_ended_badly else None,
        metadata=revision.metadata if revision is not None else {},
        revision=revision_of(revision) if revision is not None else None,
        page_report=page_report_of(revision) if revision is not None else None,
        **given,
    )


def _container_names(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, str]:
    ids = {row.container_id for row in rows if row.container_id is not None}
    if not ids:
        return {}
    statement = select(documents.c.id, documents.c.name).where(documents.c.id.in_(ids))
    return dict(connection.execute(statement).tuples().all())


def _container_of(row: Row[Any], names: Mapping[str, str]) -> Container | None:
    if row.container_id not in names:
        return None
    return Container(row.container_id, names[row.container_id], row.container_path)


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


def find_synced_row(connection: Connection, kb_id: str, origin: str, path: str) -> Row[Any] | None:
    """Return the documents row that a folder calls so, in any Unicode form."""
    called = func.coalesce(documents.c.path, documents.c.name)
    statement = select(documents).where(
        documents.c.kb_id == kb_id, documents.c.origin == origin, called.in_(forms_of(path))
    )
    rows = {row.path or row.name: row for row in connection.execute(statement)}
    return next((rows[form] for form in forms_of(path) if form in rows), None)


def require_document_row(connection: Connection, kb_id: str, document_id: str) -> Row[Any]:
    """Return the documents row; NotFound when the base or the document does not exist."""
    row = find_document_row(connection, kb_id, document_id, by="id")
    if row is None:
        require_kb(connection, kb_id)
        raise NotFound(f"no document {document_id!r} in {kb_id}", code="document_not_found")
    return row


def ids_here(connection: Connection, kb_id: str, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are documents of the base."""
    found: set[str] = set()
    for batch in batches(ids):
        mine = select(documents.c.id).where(documents.c.kb_id == kb_id, documents.c.id.in_(batch))
        found.update(connection.execute(mine).scalars())
    return found


def require_documents(connection: Connection, kb_id: str, ids: Sequence[str]) -> None:
    """Raise NotFound when the base or one of the documents does not exist."""
    here = ids_here(connection, kb_id, ids)
    for document_id in ids:
        if document_id not in here:
            require_document_row(connection, kb_id, document_id)


def count_by_status(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    """Return the number of matching documents by status; every status is named, also with 0.

    Looks at each of them: of a whole base its counts are read.
    """
    counts = Counter(dict.fromkeys(map(str, DocumentStatus), 0))
    for status, number in connection.execute(
        select(documents.c.counted_as, func.count()).where(which).group_by(documents.c.counted_as)
    ):
        counts[status] += number
    return dict(counts)
