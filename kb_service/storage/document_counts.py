"""How many documents of a base stand where: counted by the database, no document is read.

The rule for a status is `document_status`; here groups of equal rows are counted and named by it.
"""

from collections import Counter

from sqlalchemy import ColumnElement, Connection, and_, func, select

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.jobs import JobStatus
from kb_service.storage.documents import document_status
from kb_service.storage.tables import documents, jobs, revisions


def count_by_status(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    """Return the number of matching documents by status; every status is named, also with 0."""
    newest = (
        select(func.max(jobs.c.number))
        .where(jobs.c.document_id == documents.c.id, jobs.c.blob_sha256 == documents.c.sha256)
        .correlate(documents)
        .scalar_subquery()
    )
    current = and_(revisions.c.document_id == documents.c.id, revisions.c.is_current)
    groups = (jobs.c.status, revisions.c.is_complete)
    statement = (
        select(*groups, func.count())
        .select_from(documents.outerjoin(jobs, jobs.c.number == newest))
        .outerjoin(revisions, current)
        .where(which)
        .group_by(*groups)
    )
    counts = Counter(dict.fromkeys(map(str, DocumentStatus), 0))
    for job_status, is_complete, count in connection.execute(statement):
        status = document_status(
            None if job_status is None else JobStatus(job_status),
            has_revision=is_complete is not None,
            is_complete=bool(is_complete),
        )
        counts[status] += count
    return dict(counts)
