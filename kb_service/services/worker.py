"""The ingest worker: claim a job, keep its lease alive while it runs, record how it ended.

Knows the queue; what a job does is `ingestion`. One job at a time; several workers may run.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from kb_service.domain.errors import DocumentError, KbError, LeaseLost, ParseInterrupted
from kb_service.domain.jobs import JobStage, Progress
from kb_service.services.ingestion import IngestionService, IngestOutcome
from kb_service.storage.job_queue import Claim, JobQueue

IDLE_POLL_S = 0.3
MIN_REPORT_INTERVAL_S = 0.5

log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How one attempt ended: `succeeded`, `lease_lost` or the code of the error."""

    claim: Claim
    code: str
    outcome: IngestOutcome | None = None
    error: KbError | None = None


class JobLease:
    """Keeps one claim alive from a background thread and passes progress on, not too often.

    `report` raises LeaseLost as soon as the queue says that the job was cancelled or taken over.
    """

    def __init__(self, jobs: JobQueue, claim: Claim, interval_s: float) -> None:
        self._jobs = jobs
        self._claim = claim
        self._interval_s = interval_s
        self._progress = Progress(JobStage.LOAD, 0, 0)
        self._last_report = 0.0
        self._lost: LeaseLost | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job-lease", daemon=True)

    def __enter__(self) -> "JobLease":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, progress: Progress) -> None:
        """Record a step; written at once on a new stage, else at most twice a second."""
        if self._lost:
            raise self._lost
        is_new_stage = progress.stage is not self._progress.stage
        self._progress = progress
        now = time.monotonic()
        if is_new_stage or now - self._last_report >= MIN_REPORT_INTERVAL_S:
            self._last_report = now
            self._jobs.heartbeat(self._claim, progress)

    def _beat(self) -> None:
        while not self._ended.wait(self._interval_s):
            try:
                self._jobs.heartbeat(self._claim, self._progress)
            except LeaseLost as error:
                self._lost = error
                return
            except KbError as error:
                log.warning("heartbeat failed", job=self._claim.job.id, error=error.message)


class IngestWorker:
    """Takes jobs from the queue until it is told to stop."""

    def __init__(
        self, jobs: JobQueue, ingestion: IngestionService, worker_id: str, lease_s: float
    ) -> None:
        self._jobs = jobs
        self._ingestion = ingestion
        self._worker_id = worker_id
        self._lease_s = lease_s

    def run_until(self, is_stopped: Callable[[], bool]) -> None:
        """Work off the queue, sleeping while it is empty; a failing queue is waited out."""
        while not is_stopped():
            try:
                found = self.run_once()
            except KbError as error:
                log.error("queue unavailable", code=error.code, error=error.message)
                found = None
            if found is None:
                time.sleep(IDLE_POLL_S)

    def run_once(self) -> JobEnd | None:
        """Do the oldest runnable job and return how it ended; None when there is none."""
        claim = self._jobs.claim(self._worker_id)
        if claim is None:
            return None
        started = time.monotonic()
        with JobLease(self._jobs, claim, self._lease_s / 3) as lease:
            end = self._attempt(claim, lease)
        log.info(
            "job ended",
            job=claim.job.id,
            document=claim.job.document_id,
            outcome=end.code,
            num_embedded=end.outcome.num_embedded if end.outcome else 0,
            seconds=round(time.monotonic() - started, 3),
        )
        return end

    def _attempt(self, claim: Claim, lease: JobLease) -> JobEnd:
        try:
            return JobEnd(claim, "succeeded", self._ingestion.run(claim, lease.report))
        except LeaseLost as error:
            return JobEnd(claim, error.code)
        except DocumentError as error:
            return self._record(claim, error, retry=False)
        except ParseInterrupted as error:
            # The same file meets the same limits again; only a crash may have been an accident.
            return self._record(claim, error, retry=error.code == "parse_crashed")
        except KbError as error:
            return self._record(claim, error, retry=True)
        except Exception as error:  # outer edge: becomes a recorded failure
            log.exception("job failed unexpectedly", job=claim.job.id)
            unexpected = KbError(f"unexpected {type(error).__name__} while ingesting")
            return self._record(claim, unexpected, retry=True)

    def _record(self, claim: Claim, error: KbError, *, retry: bool) -> JobEnd:
        try:
            self._jobs.fail(claim, error, retry=retry)
        except LeaseLost as lost:
            return JobEnd(claim, lost.code)
        return JobEnd(claim, error.code, error=error)


def new_worker_id() -> str:
    """Return a name for a worker of this process: host, process id and a random part."""
    return f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(4)}"


def release_dead_workers(jobs: JobQueue) -> int:
    """Give back the jobs of workers of this host whose process is gone; return how many.

    Call it before a worker of this process exists: a lease under this very process id is then a
    predecessor's (a container gives the same id again). Other hosts' leases run out by themselves.
    """
    return sum(jobs.release(worker) for worker in jobs.leaseholders() if _is_dead(worker))


def _is_dead(worker_id: str) -> bool:
    host, _, rest = worker_id.rpartition(":")[0].rpartition(":")
    if host != os.uname().nodename or not rest.isdigit():
        return False
    return int(rest) == os.getpid() or not _is_alive(int(rest))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
