"""The durable ingest queue: claim with a lease, heartbeat, fail, retry, cancel.

Waiting never depends on a clock that can be set: a lease runs out when whoever waits for it has
not seen it change for its length (`leases`), a retry is due by a clock that does not step.
Fencing: a claim's token changes hands with the job, and every write of a worker checks it. A worker
that died costs its job an interruption, not an attempt: only failures of the file count.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select

from kb_service.domain.errors import (
    ComputeError,
    Conflict,
    KbError,
    LeaseLost,
    NotFound,
    StorageError,
)
from kb_service.domain.jobs import TERMINAL_STATUSES, IngestJob, JobStage, JobStatus, Progress
from kb_service.storage.database import ANY_BASE, Database
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.jobs.leases import LeaseWatch
from kb_service.storage.jobs.pauses import Pauses, goes_on
from kb_service.storage.jobs.rows import (
    NO_LEASE,
    cancel_job,
    change_job,
    job_of,
    require_job_row,
)
from kb_service.storage.jobs.turns import Turns
from kb_service.storage.nudges import Wake
from kb_service.storage.tables import documents, jobs, knowledge_bases

FIRST_RETRY_S = 5.0
MAX_RETRY_S = 300.0
"""Longest pause. A retry that seems further away was written before a clock was set back: due."""

OUTAGE_RETRY_S = 15.0
MAX_INTERRUPTIONS = 100
"""Deaths of workers in a row that one job may see before it counts as their cause."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job until its lease runs out. `token` fences every write.

    `encoding`: the one that a person chose for the document's text, empty for none.
    """

    job: IngestJob
    token: str
    document_name: str
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs a worker asks for: those of `ids`, or with `is_excluded` all the others."""

    ids: frozenset[str] = frozenset()
    is_excluded: bool = True

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same on a row of jobs."""
        return jobs.c.id.not_in(self.ids) if self.is_excluded else jobs.c.id.in_(self.ids)


EVERY_JOB = Selection()


@dataclass(frozen=True, slots=True)
class JobEvents:
    """Jobs that changed after a version; `version` also grows when a document is deleted."""

    version: int
    jobs: tuple[IngestJob, ...]


class JobQueue:
    """The queue of all knowledge bases. Every method raises StorageError when storage fails."""

    def __init__(
        self,
        database: Database,
        lease_s: float = 30.0,
        max_attempts: int = 3,
        clock: Clock = utc_now,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` tells people when; `elapsed`, in seconds, never steps and measures waiting."""
        self._database = database
        self._max_attempts = max_attempts
        self._clock = clock
        self._elapsed = elapsed
        self._leases = LeaseWatch(lease_s, elapsed)
        self._turns = Turns()
        self.pauses = Pauses(database, clock)
        self._started_at = clock() - timedelta(seconds=elapsed())

    def claim(self, worker_id: str, which: Selection = EVERY_JOB) -> Claim | None:
        """Take a runnable job of a selection, None when there is none.

        Bases take turns, those whose queue is paused have none; of a base the oldest job comes
        first. Runnable: queued, waiting for a retry that is due, or running under a lease that ran
        out. Jobs with fewer attempts come first, so that a file that kills or holds its worker
        cannot stop the rest.
        """
        silent, has_due = self._look(which)
        if not silent and not has_due:
            return None

        def is_due(state: JobStatus) -> ColumnElement[bool]:
            return and_(self._is_due(state), which.condition)

        with self._database.write(base=ANY_BASE) as connection:
            hold = partial(self._database.hold_free, connection)
            self._interrupt_silent(connection, silent, hold)
            found = self._turns.next(connection, is_due, hold)
            if not isinstance(found, str):
                return self._take(connection, found, worker_id) if found is not None else None
        with self._database.write(base=found) as connection:
            row = self._turns.next_of(connection, found, is_due)
            return self._take(connection, row, worker_id) if row is not None else None

    def wait(self, seconds: float) -> None:
        """Wait until a job may have been queued, about so long at most."""
        self._database.wait_for_job(seconds)

    def waking(self, kb_id: str, wake: Wake) -> AbstractContextManager[Callable[[], bool]]:
        """Call `wake`, from another thread, when something of a base may have changed.

        Inside it what is returned tells whether that is heard of at this moment.
        """
        return self._database.waking(kb_id, wake)

    def has_runnable(self, which: Selection = EVERY_JOB) -> bool:
        """True when `claim` may find a job."""
        silent, has_due = self._look(which)
        return bool(silent) or has_due

    def heartbeat(self, claim: Claim, progress: Progress | None = None) -> None:
        """Renew the lease and record progress.

        Raises LeaseLost when the job was cancelled, deleted, or taken by another worker.
        """
        values: dict[str, object] = {}  # the new event number alone is the beat
        if progress is not None:
            values = {"stage": progress.stage, "done": progress.done, "total": progress.total}
        with self._database.write(base=claim.job.kb_id) as connection:
            change_job(connection, require_lease(connection, claim), **values)

    def check_lease(self, claim: Claim) -> None:
        """Raise LeaseLost where `heartbeat` does; writes nothing."""
        with self._database.read() as connection:
            require_lease(connection, claim)

    def give_back(self, claim: Claim) -> None:
        """Queue a job again whose worker does not go on; no attempt is counted. Raises LeaseLost.

        It comes after the jobs that nobody has tried yet.
        """
        with self._database.write(base=claim.job.kb_id) as connection:
            row = require_lease(connection, claim)
            self._interrupt(connection, jobs.c.number == row.number)

    def fail(self, claim: Claim, error: KbError, retry: bool) -> IngestJob:
        """End an attempt. With `retry` the job waits for its next one, unless it was the last.

        An attempt that a full disk, an absent database or an absent cluster ended does not count:
        what was acknowledged is ingested once they are back. The document keeps its searchable
        revision. Raises LeaseLost.
        """
        now = self._steady_now()
        with self._database.write(base=claim.job.kb_id) as connection:
            row = require_lease(connection, claim)
            num_failures = row.attempt - row.interruptions
            values: dict[str, object] = {"error": error.as_dict(), **NO_LEASE}
            if retry and isinstance(error, StorageError | ComputeError) and error.is_outage:
                pause = timedelta(seconds=OUTAGE_RETRY_S)
                values |= {"status": JobStatus.FAILED, "run_after": now + pause}
                values |= {"attempt": row.attempt - 1}
            elif retry and num_failures < self._max_attempts:
                delay = min(FIRST_RETRY_S * 2 ** (num_failures - 1), MAX_RETRY_S)
                values |= {"status": JobStatus.FAILED, "run_after": now + timedelta(seconds=delay)}
            else:
                values |= {"status": JobStatus.DEAD, "finished_at": self._clock()}
            return change_job(connection, row, **values)

    def cancel(self, job_id: str) -> IngestJob:
        """Cancel an unfinished job; cancelling twice is allowed.

        Raises NotFound (job_not_found), Conflict (job_finished) when it succeeded or is dead.
        """
        with self._database.write(base=self.get(job_id).kb_id) as connection:
            row = require_job_row(connection, job_id)
            if row.status == JobStatus.CANCELLED:
                return job_of(row)
            if row.status in TERMINAL_STATUSES:
                raise Conflict(f"job {job_id} is {row.status} already", code="job_finished")
            return cancel_job(
                connection, row, self._clock(), "job_cancelled", "the ingest was cancelled"
            )

    def retry(self, job_id: str) -> IngestJob:
        """Queue a failed, dead or cancelled job again with all its attempts.

        Raises NotFound, Conflict (job_not_failed, or job_superseded by newer content or a newer
        job).
        """
        with self._database.write(base=self.get(job_id).kb_id) as connection:
            row = require_job_row(connection, job_id)
            if row.status not in (JobStatus.FAILED, JobStatus.DEAD, JobStatus.CANCELLED):
                raise Conflict(
                    f"job {job_id} is {row.status}; failed, dead and cancelled jobs can be retried",
                    code="job_not_failed",
                )
            if not _is_newest(connection, row):
                raise Conflict(
                    f"job {job_id} was superseded by a newer upload", code="job_superseded"
                )
            return change_job(
                connection,
                row,
                status=JobStatus.QUEUED,
                stage=JobStage.QUEUED,
                done=0,
                total=0,
                attempt=0,
                interruptions=0,
                error=None,
                run_after=self._clock(),
                finished_at=None,
            )

    def get(self, job_id: str) -> IngestJob:
        """Return a job. Raises NotFound (job_not_found)."""
        with self._database.read() as connection:
            return job_of(require_job_row(connection, job_id))

    def newest_of(self, document_ids: Sequence[str]) -> dict[str, IngestJob]:
        """Return the newest job of each document that has one, by document id."""
        numbers = select(func.max(jobs.c.number)).where(jobs.c.document_id.in_(document_ids))
        statement = select(jobs).where(jobs.c.number.in_(numbers.group_by(jobs.c.document_id)))
        with self._database.read() as connection:
            found = [job_of(row) for row in connection.execute(statement)]
        return {job.document_id: job for job in found}

    def queued_by(self, job: IngestJob) -> frozenset[str]:
        """Return the jobs that the end of a container's job brought, whatever became of them."""
        own = select(jobs.c.number).where(jobs.c.id == job.id).scalar_subquery()
        statement = (
            select(jobs.c.id)
            .join(documents, documents.c.id == jobs.c.document_id)
            .where(documents.c.container_id == job.document_id, jobs.c.number > own)
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(statement).scalars())

    def release(self, worker_id: str) -> int:
        """Give back the jobs of a worker that is known to be dead; return how many."""
        with self._database.write() as connection:
            return self._interrupt(connection, jobs.c.worker_id == worker_id)

    def leaseholders(self) -> frozenset[str]:
        """Return the ids of the workers that hold a lease, expired or not."""
        statement = select(jobs.c.worker_id).where(jobs.c.status == JobStatus.RUNNING).distinct()
        with self._database.read() as connection:
            holders = connection.execute(statement).scalars().all()
        return frozenset(holder for holder in holders if holder is not None)

    def events_since(self, kb_id: str, version: int) -> JobEvents:
        """Return what changed after a version (0: everything); cheap to poll. Raises NotFound."""
        counter = select(knowledge_bases.c.event_seq).where(knowledge_bases.c.id == kb_id)
        statement = (
            select(jobs)
            .where(jobs.c.kb_id == kb_id, jobs.c.event_seq > version)
            .order_by(jobs.c.event_seq)
        )
        with self._database.read() as connection:
            newest = connection.execute(counter).scalar_one_or_none()
            if newest is None:
                raise NotFound(f"no knowledge base {kb_id!r}", code="kb_not_found")
            if newest <= version:
                return JobEvents(newest, ())
            return JobEvents(newest, tuple(job_of(row) for row in connection.execute(statement)))

    def _look(self, which: Selection) -> tuple[dict[int, int], bool]:
        """Return the beats of the leases that ran out, and whether a job is due."""
        # An idle worker asks several times a second: it must not take the write lock for that.
        running = select(jobs.c.number, jobs.c.event_seq).where(jobs.c.status == JobStatus.RUNNING)
        with self._database.read() as connection:
            beats = dict(connection.execute(running).tuples().all())
            one = select(jobs.c.number).where(which.condition).limit(1)
            due = (one.where(self._is_due(state)) for state in (JobStatus.QUEUED, JobStatus.FAILED))
            has_due = any(connection.execute(statement).first() for statement in due)
        return self._leases.silent(beats), has_due

    def _steady_now(self) -> datetime:
        """The time as of the start of this process, moved on by the clock that never steps."""
        return self._started_at + timedelta(seconds=self._elapsed())

    def _is_due(self, status: JobStatus) -> ColumnElement[bool]:
        """The condition that a job in that status, queued or failed, may be taken now."""
        if status is JobStatus.QUEUED:
            return and_(jobs.c.status == status, goes_on())
        now = self._steady_now()
        longest = now + timedelta(seconds=MAX_RETRY_S)
        is_over = or_(jobs.c.run_after <= now, jobs.c.run_after > longest)
        return and_(jobs.c.status == status, is_over, goes_on())

    def _take(self, connection: Connection, row: Row[Any], worker_id: str) -> Claim:
        token = secrets.token_hex(16)
        job = change_job(
            connection,
            row,
            status=JobStatus.RUNNING,
            stage=JobStage.LOAD,
            done=0,
            total=0,
            attempt=row.attempt + 1,
            worker_id=worker_id,
            lease_token=token,
            started_at=self._clock(),
            finished_at=None,
        )
        beat = select(jobs.c.event_seq).where(jobs.c.number == row.number)
        self._leases.heard(row.number, connection.execute(beat).scalar_one())
        told = select(documents.c.name, documents.c.encoding)
        document = connection.execute(told.where(documents.c.id == job.document_id)).one()
        return Claim(job, token, document.name, document.encoding)

    def _interrupt_silent(
        self, connection: Connection, silent: Mapping[int, int], hold: Callable[[str], bool]
    ) -> None:
        """Interrupt jobs whose last beats these are still, in bases where nobody writes now."""
        for number, beat in silent.items():
            stands_still = and_(jobs.c.number == number, jobs.c.event_seq == beat)
            base = connection.execute(select(jobs.c.kb_id).where(stands_still))
            if (kb_id := base.scalar_one_or_none()) is not None and hold(kb_id):
                self._interrupt(connection, stands_still)

    def _interrupt(self, connection: Connection, which: ColumnElement[bool]) -> int:
        """Queue running jobs again whose workers died; one that saw too many deaths ends."""
        running = select(jobs).where(jobs.c.status == JobStatus.RUNNING, which)
        rows = connection.execute(running).all()
        now = self._clock()
        for row in rows:
            values: dict[str, object] = {"interruptions": row.interruptions + 1, **NO_LEASE}
            if row.interruptions + 1 >= MAX_INTERRUPTIONS:
                message = f"{MAX_INTERRUPTIONS} workers died while they worked on this file"
                error = {"code": "worker_died", "message": message, "details": None}
                values |= {"status": JobStatus.DEAD, "error": error, "finished_at": now}
            else:
                values |= {"status": JobStatus.QUEUED, "stage": JobStage.QUEUED, "run_after": now}
            change_job(connection, row, **values)
        return len(rows)


# Built once: it is asked for with every step of a job.
_HELD = select(jobs).where(
    jobs.c.id == bindparam("job_id"),
    jobs.c.status == bindparam("running"),
    jobs.c.lease_token == bindparam("token"),
)


def require_lease(connection: Connection, claim: Claim) -> Row[Any]:
    """Return the job row that the claim still holds. Raises LeaseLost."""
    held = {"job_id": claim.job.id, "running": JobStatus.RUNNING, "token": claim.token}
    row = connection.execute(_HELD, held).first()
    if row is None:
        raise LeaseLost(f"job {claim.job.id} was cancelled, deleted or taken by another worker")
    return row


def _is_newest(connection: Connection, row: Row[Any]) -> bool:
    newest = select(func.max(jobs.c.number)).where(jobs.c.document_id == row.document_id)
    content = select(documents.c.sha256).where(documents.c.id == row.document_id)
    return bool(
        connection.execute(newest).scalar_one() == row.number
        and connection.execute(content).scalar_one() == row.blob_sha256
    )
