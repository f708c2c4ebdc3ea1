"""Ingest jobs as people see them: show, retry, cancel, watch. What a job does is the worker's."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from kb_service.domain.jobs import IngestJob, Pause
from kb_service.domain.people import Principal, Right
from kb_service.storage.jobs.queue import JobEvents, JobQueue
from kb_service.storage.jobs.rows import no_job

NEWEST = 2**62
"""A version no base reaches: asking for what came after it returns the present one."""


class JobService:
    """Every method raises StorageError, and NotFound for a job or base that is not there."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs

    def show(self, job_id: str) -> IngestJob:
        """Return a job."""
        return self._jobs.get(job_id)

    def show_to(self, who: Principal, job_id: str, right: Right) -> IngestJob:
        """Return a job for who has that right in its base. Raises RightMissing."""
        job = self.show(job_id)
        if not who.sees(job.kb_id):
            raise no_job(job_id)
        who.require(job.kb_id, right)
        return job

    def retry(self, job_id: str) -> IngestJob:
        """Queue a failed, dead or cancelled job again. Raises Conflict."""
        return self._jobs.retry(job_id)

    def cancel(self, job_id: str) -> IngestJob:
        """Cancel an unfinished job. Raises Conflict."""
        return self._jobs.cancel(job_id)

    def paused(self, kb_id: str | None) -> Pause | None:
        """Return why the queue of a base stands still, or that of all (None); None: it goes on."""
        return self._jobs.pauses.of(kb_id)

    def pause(self, kb_id: str | None, by: str) -> Pause | None:
        """Let no worker take a job of a base, or of any (None); running ones go on."""
        self._jobs.pauses.begin(kb_id, by)
        return self.paused(kb_id)

    def resume(self, kb_id: str | None) -> Pause | None:
        """Let the queue go on; return what still holds it: the pause of the whole service."""
        self._jobs.pauses.end(kb_id)
        return self.paused(kb_id)

    def num_paused(self) -> dict[str, int]:
        """Return whether the whole `service` is paused, 1 or 0, and how many `bases` are."""
        return self._jobs.pauses.counts()

    def first_version(self, kb_id: str, seen: int | None) -> int:
        """Return the version to watch a base from: the last seen, None or too high: the newest."""
        newest = self._jobs.events_since(kb_id, NEWEST).version
        return newest if seen is None else min(seen, newest)

    def waking(
        self, kb_id: str, wake: Callable[[], None]
    ) -> AbstractContextManager[Callable[[], bool]]:
        """Call `wake`, from another thread, when something of a base may have changed.

        Inside it what is returned tells whether that is heard of; it is not everywhere.
        """
        return self._jobs.waking(kb_id, wake)

    def events_since(
        self, kb_id: str, version: int, still_may: Callable[[], None] = lambda: None
    ) -> JobEvents:
        """Return the jobs that changed after a version; `still_may` may refuse."""
        still_may()
        return self._jobs.events_since(kb_id, version)
