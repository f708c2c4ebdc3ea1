"""One attempt at a job, on a thread of its own, and the lease that it lives under.

Knows how an attempt ends and what is recorded of it; which job runs when is the worker's.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat

import structlog

from kb_service.domain.errors import (
    DocumentError,
    KbError,
    LeaseLost,
    ParseAccident,
    ParseInterrupted,
    is_same_death,
)
from kb_service.domain.jobs import JobStage, Progress
from kb_service.services.ingestion import IngestionService, IngestOutcome
from kb_service.storage.jobs.queue import Claim, JobQueue

MIN_REPORT_INTERVAL_S = 0.5
GIVEN_BACK = "given_back"

log = structlog.get_logger("worker")


class GivenBack(Exception):
    """The worker wants the job put back into the queue."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How one attempt ended: `succeeded`, `lease_lost`, `given_back` or the code of the error."""

    claim: Claim
    code: str
    outcome: IngestOutcome | None = None
    error: KbError | None = None


class JobLease:
    """Keeps one claim alive from a background thread and passes progress on, not too often.

    `report` raises LeaseLost as soon as the queue says that the job was cancelled or taken over,
    and GivenBack once the worker has asked for the job back.
    """

    def __init__(self, jobs: JobQueue, claim: Claim, interval_s: float) -> None:
        self._jobs = jobs
        self._claim = claim
        self._interval_s = interval_s
        self._progress = Progress(JobStage.LOAD, 0, 0)
        self._started = self._last_report = time.monotonic()
        self._lost: LeaseLost | None = None
        self._is_wanted_back = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job-lease", daemon=True)

    def __enter__(self) -> "JobLease":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def want_back(self) -> None:
        """Stop the work at its next step."""
        self._is_wanted_back = True

    def report(self, progress: Progress) -> None:
        """Record a step; written at once on a new stage, else at most twice a second.

        Of a job that has only begun nothing is written: most end before anybody could read it, and
        a write is a wait for the disk.
        """
        if self._lost:
            raise self._lost
        if self._is_wanted_back:
            raise GivenBack
        is_new_stage = progress.stage is not self._progress.stage
        self._progress = progress
        now = time.monotonic()
        is_young = now - self._started < MIN_REPORT_INTERVAL_S
        if is_new_stage and is_young:
            self._jobs.check_lease(self._claim)
        elif is_new_stage or now - self._last_report >= MIN_REPORT_INTERVAL_S:
            self._last_report = now
            self._jobs.heartbeat(self._claim, progress)

    def _beat(self) -> None:
        # The first one tells what has been reported and not written.
        pauses_s = chain([min(MIN_REPORT_INTERVAL_S, self._interval_s)], repeat(self._interval_s))
        while not self._ended.wait(next(pauses_s)):
            try:
                self._jobs.heartbeat(self._claim, self._progress)
            except LeaseLost as error:
                self._lost = error
                return
            except KbError as error:
                log.warning("heartbeat failed", job=self._claim.job.id, error=error.message)


class JobRun:
    """One claimed job at work. `end` is there once `ended` was called, from the run's thread."""

    def __init__(
        self,
        jobs: JobQueue,
        ingestion: IngestionService,
        claim: Claim,
        lease_s: float,
        ended: Callable[["JobRun"], None],
    ) -> None:
        self.claim = claim
        self.end = JobEnd(claim, LeaseLost.default_code)
        self._jobs = jobs
        self._ingestion = ingestion
        self._ended = ended
        self._lease = JobLease(jobs, claim, lease_s / 3)
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="job-run", daemon=True)
        self._thread.start()

    @property
    def age_s(self) -> float:
        """Seconds since the job was claimed."""
        return time.monotonic() - self._started

    def want_back(self) -> None:
        """Stop the work at its next step and put the job back into the queue."""
        self._lease.want_back()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _work(self) -> None:
        try:
            with self._lease:
                self.end = self._attempt()
        except KbError as error:  # how it ended could not be recorded: the lease will run out
            log.error("queue unavailable", code=error.code, error=error.message)
            self.end = JobEnd(self.claim, error.code, error=error)
        finally:
            log.info(
                "job ended",
                job=self.claim.job.id,
                document=self.claim.job.document_id,
                outcome=self.end.code,
                seconds=round(self.age_s, 3),
            )
            self._ended(self)

    def _attempt(self) -> JobEnd:
        claim = self.claim
        try:
            return JobEnd(claim, "succeeded", self._ingestion.run(claim, self._lease.report))
        except GivenBack:
            return self._given_back()
        except LeaseLost as error:
            return JobEnd(claim, error.code)
        except DocumentError as error:
            return self._record(error, retry=False)
        except ParseAccident as error:
            # Once may be bad luck. The same death twice is poison: there is no third try.
            return self._record(error, retry=not is_same_death(claim.job.error, error))
        except ParseInterrupted as error:
            # The same file meets the same limits again.
            return self._record(error, retry=False)
        except KbError as error:
            return self._record(error, retry=True)
        except Exception as error:  # outer edge: becomes a recorded failure
            log.exception("job failed unexpectedly", job=claim.job.id)
            unexpected = KbError(f"unexpected {type(error).__name__} while ingesting")
            return self._record(unexpected, retry=True)

    def _given_back(self) -> JobEnd:
        try:
            self._jobs.give_back(self.claim)
        except LeaseLost as lost:
            return JobEnd(self.claim, lost.code)
        return JobEnd(self.claim, GIVEN_BACK)

    def _record(self, error: KbError, *, retry: bool) -> JobEnd:
        try:
            self._jobs.fail(self.claim, error, retry=retry)
        except LeaseLost as lost:
            return JobEnd(self.claim, lost.code)
        return JobEnd(self.claim, error.code, error=error)
