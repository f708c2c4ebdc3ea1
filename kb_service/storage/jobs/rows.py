"""Writing job rows: the few statements that uploads, publishing and the queue share.

Every change of a job takes a new event number of its base, so that watchers see it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, select, update

from kb_service.domain.errors import NotFound
from kb_service.domain.jobs import TERMINAL_STATUSES, IngestJob, JobStage, JobStatus
from kb_service.storage.change_log import next_event
from kb_service.storage.counts import count_document, count_job
from kb_service.storage.identity import new_id
from kb_service.storage.nudges import note_queued
from kb_service.storage.rows import value_of
from kb_service.storage.tables import documents, jobs

UNFINISHED = tuple(status.value for status in JobStatus if status not in TERMINAL_STATUSES)
NO_LEASE: dict[str, object] = {"worker_id": None, "lease_token": None}
_BY_ID = select(jobs).where(jobs.c.id == bindparam("job_id"))


def job_of(row: Row[Any]) -> IngestJob:
    """Return the job of a row of the jobs table."""
    return value_of(IngestJob, row, status=JobStatus(row.status), stage=JobStage(row.stage))


def newest_jobs(connection: Connection, which: ColumnElement[bool]) -> dict[str, IngestJob]:
    """Return the newest job for the newest content of each document that has one."""
    same_content = and_(
        jobs.c.document_id == documents.c.id, jobs.c.blob_sha256 == documents.c.sha256
    )
    newest = (
        select(func.max(jobs.c.number).label("number"))
        .select_from(documents.join(jobs, same_content))
        .where(which)
        .group_by(documents.c.id)
        .subquery()
    )
    rows = connection.execute(select(jobs).join(newest, jobs.c.number == newest.c.number))
    return {row.document_id: job_of(row) for row in rows}


def newest_job(connection: Connection, document_id: str) -> IngestJob | None:
    """Return the newest job for the newest content of a document, None when it has none."""
    return newest_jobs(connection, documents.c.id == document_id).get(document_id)


def insert_job(connection: Connection, document: Row[Any], now: datetime) -> IngestJob:
    """Queue the ingest of the newest content of a documents row."""
    statement = insert(jobs).values(
        id=new_id("job"),
        kb_id=document.kb_id,
        document_id=document.id,
        blob_sha256=document.sha256,
        size_bytes=document.size_bytes,
        media_type=document.media_type,
        status=JobStatus.QUEUED,
        stage=JobStage.QUEUED,
        done=0,
        total=0,
        attempt=0,
        interruptions=0,
        run_after=now,
        event_seq=next_event(connection, document.kb_id),
        created_at=now,
    )
    job = job_of(connection.execute(statement.returning(*jobs.c)).one())
    note_queued(connection)
    count_job(connection, job.kb_id, None, job.status)
    count_document(connection, job.document_id)
    return job


def change_job(connection: Connection, job: Row[Any], **values: object) -> IngestJob:
    """Write values to a job and return it."""
    statement = (
        update(jobs)
        .where(jobs.c.number == job.number)
        .values(event_seq=next_event(connection, job.kb_id), **values)
        .returning(*jobs.c)
    )
    changed = job_of(connection.execute(statement).one())
    if changed.status != job.status:
        if changed.status == JobStatus.QUEUED:
            note_queued(connection)
        count_job(connection, job.kb_id, job.status, changed.status)
        count_document(connection, job.document_id)
    return changed


def cancel_job(
    connection: Connection, job: Row[Any], now: datetime, code: str, message: str
) -> IngestJob:
    """End an unfinished job as cancelled; its worker loses the lease at once."""
    error = {"code": code, "message": message, "details": None}
    return change_job(
        connection, job, status=JobStatus.CANCELLED, error=error, finished_at=now, **NO_LEASE
    )


def cancel_unfinished(connection: Connection, document_id: str, now: datetime) -> int:
    """Cancel every unfinished job of a document because newer content came; return how many."""
    rows = connection.execute(
        select(jobs).where(jobs.c.document_id == document_id, jobs.c.status.in_(UNFINISHED))
    ).all()
    for row in rows:
        cancel_job(connection, row, now, "superseded", "newer content of this document came in")
    return len(rows)


def require_job_row(connection: Connection, job_id: str) -> Row[Any]:
    """Return the jobs row. Raises NotFound (job_not_found)."""
    row = connection.execute(_BY_ID, {"job_id": job_id}).first()
    if row is None:
        raise no_job(job_id)
    return row


def no_job(job_id: str) -> NotFound:
    """Return the error for a job that is not there, or not for who asks."""
    return NotFound(f"no job {job_id!r}", code="job_not_found")
