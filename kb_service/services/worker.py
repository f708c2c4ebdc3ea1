"""The ingest worker: which job runs when, so that no file holds the others up.

A fast lane takes one job after another. A file that outlasts its turn there goes on in the slow
lane, and the fast lane takes the next one; when the slow lane is full and others wait, the file is
put off, and the next one begins while it still ends. It begins again when the slow lane is free, or
in the fast lane, with a longer turn, when nobody waits who was not put off yet. Knows the queue and
the lanes; what a job does is `ingestion`, how one attempt goes `job_run`. Several workers may run.
"""

import os
import queue
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from kb_service.domain.errors import KbError, NotFound
from kb_service.domain.jobs import TERMINAL_STATUSES
from kb_service.services.ingestion import IngestionService
from kb_service.services.job_run import GIVEN_BACK, JobEnd, JobRun
from kb_service.storage.jobs.queue import EVERY_JOB, JobQueue, Selection

IDLE_POLL_S = 0.3
MAX_OUTAGE_PAUSE_S = 10.0
"""Longest pause between two tries of a queue that fails; the first is IDLE_POLL_S."""

BUSY_POLL_S = 0.1
LONGER = 6.0
"""How much longer the next turn of a file is that was put off: it begins again from nothing."""

MAX_PUT_OFF = 1000
"""Files that were put off at a time; past it the fast lane keeps its file."""

FINISH_S = 3.0
"""How long a worker that is told to stop waits for what it has begun."""

log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`turn_s`: seconds a file may keep the fast lane from others; `max_slow`: slow lanes."""

    turn_s: float = 0.5
    max_slow: int = 1


class IngestWorker:
    """Takes jobs from the queue. Belongs to one thread; the jobs run on their own."""

    def __init__(
        self,
        jobs: JobQueue,
        ingestion: IngestionService,
        worker_id: str,
        lease_s: float,
        lanes: LaneLimits | None = None,
        spare: Callable[[], bool] = lambda: False,
    ) -> None:
        """`spare`: does a little of what waits for a time without jobs; False when nothing does."""
        self._jobs = jobs
        self._ingestion = ingestion
        self._worker_id = worker_id
        self._lease_s = lease_s
        self._lanes = lanes or LaneLimits()
        self._spare = spare
        self._fast: JobRun | None = None
        self._slow: list[JobRun] = []
        self._leaving: JobRun | None = None
        """The file put off last, until it has ended: at most one, for its process is one more."""
        self._put_off: set[str] = set()
        self._num_turns: dict[str, int] = {}
        self._ended: queue.SimpleQueue[JobRun] = queue.SimpleQueue()

    def run_until(self, is_stopped: Callable[[], bool]) -> None:
        """Work off the queue, then what waits for spare time; a failing queue is waited out."""
        outage_pause_s = IDLE_POLL_S
        while not is_stopped():
            try:
                end = self.step()
                is_resting = end is None and self.is_idle and not self._spare()
            except KbError as error:
                log.error("queue unavailable", code=error.code, error=error.message)
                self._pause(outage_pause_s, is_stopped)
                outage_pause_s = min(2 * outage_pause_s, MAX_OUTAGE_PAUSE_S)
                continue
            outage_pause_s = IDLE_POLL_S
            if is_resting:
                self._jobs.wait(IDLE_POLL_S)
        self.stop()

    def _pause(self, seconds: float, is_stopped: Callable[[], bool]) -> None:
        end_s = time.monotonic() + seconds
        while not is_stopped() and time.monotonic() < end_s:
            time.sleep(IDLE_POLL_S)

    def run_once(self) -> JobEnd | None:
        """Do the oldest runnable job and return how it ended; None when there is none."""
        while True:
            end = self.step()
            if end is not None or self.is_idle:
                return end

    @property
    def is_idle(self) -> bool:
        """True while no job runs."""
        return not self._running()

    def step(self) -> JobEnd | None:
        """Start what may start, wait a little for an end and return it.

        Raises StorageError when the queue cannot be read.
        """
        if len(self._slow) < self._lanes.max_slow and (run := self._resumed(self._put_off)):
            self._slow.append(run)
        self._clear_fast_lane()
        if self._fast is None:
            self._fast = self._started(self._others()) or self._resumed(self._least_tried())
        if self.is_idle:
            return None
        try:
            run = self._ended.get(timeout=self._patience_s())
        except queue.Empty:
            return None
        return self._taken_out(run)

    def stop(self, finish_s: float = FINISH_S) -> None:
        """Wait a little for the jobs that run, then put them back into the queue."""
        deadline = time.monotonic() + finish_s
        for run in self._running():
            run.join(max(0.0, deadline - time.monotonic()))
            run.want_back()
        for run in self._running():
            run.join(FINISH_S)

    def _running(self) -> list[JobRun]:
        return [run for run in (self._fast, self._leaving, *self._slow) if run]

    def _others(self) -> Selection:
        return Selection(frozenset(self._put_off))

    def _least_tried(self) -> set[str]:
        least = min((self._num_turns[job_id] for job_id in self._put_off), default=0)
        return {job_id for job_id in self._put_off if self._num_turns[job_id] == least}

    def _resumed(self, job_ids: set[str]) -> JobRun | None:
        """Begin again with one of some files that were put off."""
        if not job_ids:
            return None
        run = self._started(Selection(frozenset(job_ids), is_excluded=False))
        if run is None:
            gone = {job_id for job_id in job_ids if not self._is_unfinished(job_id)}
            self._put_off -= gone
        else:
            self._put_off.discard(run.claim.job.id)
        return run

    def _is_unfinished(self, job_id: str) -> bool:
        try:
            return self._jobs.get(job_id).status not in TERMINAL_STATUSES
        except NotFound:
            return False

    def _clear_fast_lane(self) -> None:
        """Let a file whose turn is over go on elsewhere, or later."""
        run = self._fast
        if run is None or run.age_s < self._lanes.turn_s:
            return
        if len(self._slow) < self._lanes.max_slow:
            self._slow.append(run)
            self._fast = None
        elif self._can_put_off() and self._must_give_way(run):
            job_id = run.claim.job.id
            self._num_turns[job_id] = self._num_turns.get(job_id, 0) + 1
            run.want_back()
            self._leaving, self._fast = run, None

    def _can_put_off(self) -> bool:
        return self._leaving is None and len(self._put_off) < MAX_PUT_OFF

    def _must_give_way(self, run: JobRun) -> bool:
        """To jobs not put off yet after one turn; to the others after a turn of its own length."""
        if self._jobs.has_runnable(self._others()):
            return True
        num_turns = self._num_turns.get(run.claim.job.id, 0)
        is_over = run.age_s >= self._lanes.turn_s * LONGER**num_turns
        return is_over and any(self._num_turns[job_id] <= num_turns for job_id in self._put_off)

    def _started(self, which: Selection = EVERY_JOB) -> JobRun | None:
        claim = self._jobs.claim(self._worker_id, which)
        if claim is None:
            return None
        return JobRun(self._jobs, self._ingestion, claim, self._lease_s, self._ended.put)

    def _patience_s(self) -> float:
        """How long to wait for an end before the lanes are looked at again."""
        if self._fast is None:
            return IDLE_POLL_S
        return max(BUSY_POLL_S, self._lanes.turn_s - self._fast.age_s)

    def _taken_out(self, run: JobRun) -> JobEnd:
        if run is self._fast:
            self._fast = None
        elif run is self._leaving:
            self._leaving = None
        else:
            self._slow.remove(run)
        job_id = run.claim.job.id
        if run.end.code == GIVEN_BACK:
            self._put_off.add(job_id)
        else:
            self._num_turns.pop(job_id, None)
        return run.end


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
