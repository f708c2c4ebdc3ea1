"""A batch of jobs brought to their end in this process, and the figures of doing it.

Knows the queue and the worker; other workers may take some of the jobs meanwhile.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from kb_service.domain.errors import NotFound
from kb_service.domain.jobs import TERMINAL_STATUSES, IngestJob, JobStatus
from kb_service.services.ingestion import IngestOutcome
from kb_service.services.worker import IngestWorker
from kb_service.storage.jobs.queue import JobQueue

POLL_S = 0.2


@dataclass(slots=True)
class IngestRun:
    """What became of the jobs of one command.

    `num_here`: those done by this process; pages and chunks are counted for these. `num_embedded`:
    texts that got their vectors after, 0 when nobody waited for these.
    """

    num_jobs: int = 0
    num_succeeded: int = 0
    num_here: int = 0
    num_pages: int = 0
    num_chunks: int = 0
    num_embedded: int = 0
    seconds: float = 0.0
    failures: list[dict[str, object]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON-ready values."""
        return asdict(self)


def run_jobs(
    jobs: JobQueue, make_worker: Callable[[], IngestWorker], job_ids: Sequence[str]
) -> IngestRun:
    """Work until every one of the jobs has ended, whoever ran it, and those of files inside."""
    run = IngestRun(num_jobs=len(job_ids))
    if not job_ids:
        return run
    started = time.monotonic()
    worker = make_worker()
    waiting = set(job_ids)
    try:
        while waiting:
            end = worker.step()
            if end is not None:
                _settle(run, jobs, waiting, waiting & {end.claim.job.id})
                _count_outcome(run, end.outcome)
            elif worker.is_idle:  # others work on what is left, or it waits for its next try
                _settle(run, jobs, waiting, waiting)
                _leave_paused(run, jobs, waiting)
                time.sleep(POLL_S if waiting else 0)
    finally:
        worker.stop(finish_s=0)  # what it took of other jobs
    run.seconds = time.monotonic() - started
    return run


def _settle(run: IngestRun, jobs: JobQueue, waiting: set[str], asked: set[str]) -> None:
    """Take those of the asked jobs that have ended out of the waiting ones, and count them."""
    for job_id in tuple(asked):
        job = _ended(jobs, job_id)
        if job is not None:
            waiting.discard(job_id)
            _count(run, job)
            if isinstance(job, IngestJob):
                inside = jobs.queued_by(job) - waiting
                run.num_jobs += len(inside)
                waiting |= inside


def _leave_paused(run: IngestRun, jobs: JobQueue, waiting: set[str]) -> None:
    """Wait no more for jobs of a queue that somebody has paused: that may be for days."""
    for job_id, document_id in jobs.pauses.held(waiting).items():
        waiting.discard(job_id)
        told = {"code": "queue_paused", "message": "the queue is paused; it waits for `kb resume`"}
        run.failures.append({"document_id": document_id, **told})


def _count_outcome(run: IngestRun, outcome: IngestOutcome | None) -> None:
    if outcome is not None:
        run.num_here += 1
        run.num_pages += outcome.revision.num_pages
        run.num_chunks += outcome.revision.num_chunks


def _ended(jobs: JobQueue, job_id: str) -> IngestJob | NotFound | None:
    """Return the job once it has ended, the error when its document was deleted, else None."""
    try:
        job = jobs.get(job_id)
    except NotFound as error:
        return error
    return job if job.status in TERMINAL_STATUSES else None


def _count(run: IngestRun, job: IngestJob | NotFound) -> None:
    if isinstance(job, NotFound):
        run.failures.append({"document_id": None, **job.as_dict()})
    elif job.status is JobStatus.SUCCEEDED:
        run.num_succeeded += 1
    else:
        plain = {"code": job.status.value, "message": f"the job is {job.status.value}"}
        run.failures.append({"document_id": job.document_id, **(job.error or plain)})
