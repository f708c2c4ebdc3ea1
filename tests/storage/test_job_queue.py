"""The queue: leases, fencing, retries with backoff, cancelling, and workers that die."""

import subprocess
import sys

import pytest

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.errors import (
    Conflict,
    DocumentError,
    LeaseLost,
    NotFound,
    ParseAccident,
    ParseInterrupted,
    StorageError,
)
from kb_service.domain.jobs import IngestJob, JobStage, JobStatus, Progress
from kb_service.storage.jobs import queue as job_queue
from tests.storage.world import LEASE_S, World


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def queued(world: World, kb_id: str, name: str = "a.txt") -> IngestJob:
    job = world.upload(kb_id, name, name.encode()).job
    assert job is not None
    return job


def document_of(world: World, job: IngestJob) -> tuple[DocumentStatus, str | None]:
    document = world.catalog.documents.get(job.kb_id, job.document_id)
    return document.status, str(document.error["code"]) if document.error else None


def test_jobs_are_claimed_oldest_first_and_once(world: World, kb_id: str) -> None:
    first, second = queued(world, kb_id, "b.txt"), queued(world, kb_id, "a.txt")
    claim = world.claim()
    assert (claim.job.id, claim.document_name) == (first.id, "b.txt")
    assert (claim.job.status, claim.job.attempt) == (JobStatus.RUNNING, 1)
    assert document_of(world, first) == (DocumentStatus.PROCESSING, None)
    assert world.claim().job.id == second.id
    assert world.queue.claim("worker-2") is None
    world.assert_clean()


def test_a_heartbeat_keeps_the_lease_and_records_progress(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    claim = world.claim()
    for done in range(1, 4):
        world.clock.advance(LEASE_S * 0.9)
        world.queue.heartbeat(claim, Progress(JobStage.COMMIT, done, 9))
        assert world.queue.claim("worker-2") is None
    found = world.queue.get(job.id)
    assert (found.stage, found.done, found.total) == (JobStage.COMMIT, 3, 9)


def test_a_worker_whose_lease_ran_out_is_fenced_off(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    slow = world.claim()
    world.clock.advance(LEASE_S)
    fast = world.queue.claim("worker-2")
    assert fast is not None
    assert (fast.job.id, fast.job.attempt) == (job.id, 2)
    for late in (
        lambda: world.queue.heartbeat(slow),
        lambda: world.queue.fail(slow, DocumentError("late"), retry=True),
        lambda: world.publish(slow, ["late"]),
    ):
        with pytest.raises(LeaseLost):
            late()
    world.publish(fast, ["in time"])
    assert world.live_texts(kb_id) == ["in time"]
    with pytest.raises(LeaseLost):
        world.publish(fast, ["twice"])
    world.assert_clean()


def test_a_lease_that_ran_out_but_was_not_taken_still_publishes(world: World, kb_id: str) -> None:
    queued(world, kb_id)
    claim = world.claim()
    world.clock.advance(LEASE_S * 10)
    world.publish(claim, ["late but alone"])
    world.assert_clean()


def test_failures_are_retried_with_growing_pauses_and_then_end(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    for pause in (job_queue.FIRST_RETRY_S, 2 * job_queue.FIRST_RETRY_S):
        failed = world.queue.fail(world.claim(), ParseAccident("killed"), retry=True)
        assert failed.status is JobStatus.FAILED
        assert document_of(world, job) == (DocumentStatus.PENDING, "parse_crashed")
        world.clock.advance(pause - 0.1)
        assert world.queue.claim("worker-1") is None
        world.clock.advance(0.1)
    dead = world.queue.fail(world.claim(), ParseAccident("killed"), retry=True)
    assert (dead.status, dead.attempt) == (JobStatus.DEAD, 3)
    assert document_of(world, job) == (DocumentStatus.FAILED, "parse_crashed")
    world.assert_clean()


def test_a_hopeless_file_is_not_retried_and_spares_the_old_revision(
    world: World, kb_id: str
) -> None:
    world.ingest(kb_id, "a.txt", ["old"])
    job = world.upload(kb_id, "a.txt", b"broken").job
    assert job is not None
    dead = world.queue.fail(world.claim(), DocumentError("broken"), retry=False)
    assert dead.status is JobStatus.DEAD
    assert document_of(world, job) == (DocumentStatus.READY, "corrupt_document")
    assert world.live_texts(kb_id) == ["old"]
    world.assert_clean()


def test_a_dead_job_can_be_retried_from_the_start(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    with pytest.raises(Conflict) as error:
        world.queue.retry(job.id)
    assert error.value.code == "job_not_failed"
    world.queue.fail(world.claim(), DocumentError("broken"), retry=False)
    again = world.queue.retry(job.id)
    assert (again.status, again.attempt, again.error) == (JobStatus.QUEUED, 0, None)
    world.publish(world.claim(), ["now it reads"])
    assert document_of(world, job) == (DocumentStatus.READY, None)
    world.assert_clean()


def test_a_cancelled_running_job_cannot_publish(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    claim = world.claim()
    assert world.queue.cancel(job.id).status is JobStatus.CANCELLED
    assert world.queue.cancel(job.id).status is JobStatus.CANCELLED
    with pytest.raises(LeaseLost):
        world.queue.heartbeat(claim)
    with pytest.raises(LeaseLost):
        world.publish(claim, ["too late"])
    assert document_of(world, job) == (DocumentStatus.FAILED, "job_cancelled")
    assert world.queue.claim("worker-1") is None
    world.assert_clean()


def test_a_finished_job_cannot_be_cancelled(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    world.publish(world.claim(), ["done"])
    with pytest.raises(Conflict) as error:
        world.queue.cancel(job.id)
    assert error.value.code == "job_finished"
    with pytest.raises(NotFound):
        world.queue.cancel("job_unknown")


def test_deaths_of_workers_do_not_use_up_attempts(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    for _ in range(10):
        world.claim()
        assert world.queue.leaseholders() == {"worker-1"}
        assert world.queue.release("worker-1") == 1
    assert world.queue.release("worker-1") == 0
    assert world.queue.get(job.id).status is JobStatus.QUEUED
    assert world.queue.leaseholders() == frozenset()
    world.queue.fail(world.claim(), ParseAccident("killed"), retry=True)
    assert world.queue.get(job.id).status is JobStatus.FAILED
    world.assert_clean()


def test_a_file_that_kills_its_workers_lets_the_others_pass_and_ends(
    world: World, kb_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "MAX_INTERRUPTIONS", 3)
    poison, good = queued(world, kb_id, "poison"), queued(world, kb_id, "good")
    assert world.claim().job.id == poison.id
    world.queue.release("worker-1")
    claim = world.claim()
    assert claim.job.id == good.id
    world.publish(claim, ["good"])
    for _ in range(2):
        assert world.claim().job.id == poison.id
        world.clock.advance(LEASE_S)
    assert world.queue.claim("worker-1") is None
    assert document_of(world, poison) == (DocumentStatus.FAILED, "worker_died")
    world.assert_clean()


def test_the_retry_of_a_slow_file_waits_behind_files_not_tried_yet(
    world: World, kb_id: str
) -> None:
    slow, fresh = queued(world, kb_id, "slow"), queued(world, kb_id, "fresh")
    world.queue.fail(world.claim(), ParseInterrupted("took 300 s"), retry=True)
    world.clock.advance(job_queue.MAX_RETRY_S)
    assert [world.claim().job.id for _ in range(2)] == [fresh.id, slow.id]


def test_a_full_disk_uses_up_no_attempt(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    full = StorageError("no space left", code="disk_full")
    for _ in range(10):
        waiting = world.queue.fail(world.claim(), full, retry=True)
        assert (waiting.status, waiting.attempt) == (JobStatus.FAILED, 0)
        assert document_of(world, job) == (DocumentStatus.PENDING, "disk_full")
        world.clock.advance(job_queue.OUTAGE_RETRY_S)
    world.publish(world.claim(), ["space again"])
    assert document_of(world, job) == (DocumentStatus.READY, None)
    world.assert_clean()


def test_watchers_see_each_change_once(world: World, kb_id: str) -> None:
    job = queued(world, kb_id)
    events = world.queue.events_since(kb_id, 0)
    assert [seen.id for seen in events.jobs] == [job.id]
    assert world.queue.events_since(kb_id, events.version).jobs == ()
    world.claim()
    later = world.queue.events_since(kb_id, events.version)
    assert [seen.status for seen in later.jobs] == [JobStatus.RUNNING]
    world.catalog.documents.delete(kb_id, job.document_id)
    assert world.queue.events_since(kb_id, later.version).version > later.version
    with pytest.raises(NotFound):
        world.queue.events_since("kb_unknown", 0)


CLAIM_ALL = """
import sys
from kb_service.storage.database import open_database
from kb_service.storage.jobs.queue import JobQueue
queue = JobQueue(open_database(sys.argv[1]))
sys.stdin.readline()
while claim := queue.claim(sys.argv[2]):
    print(claim.job.id)
"""


def test_processes_that_claim_together_get_different_jobs(world: World, kb_id: str) -> None:
    expected = {queued(world, kb_id, f"{number}.txt").id for number in range(30)}
    url = world.database.engine.url.render_as_string(hide_password=False)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, url, f"worker-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    outputs = [child.communicate("go\n", timeout=60)[0].split() for child in children]
    assert sorted(outputs[0] + outputs[1]) == sorted(expected)
    world.assert_clean()
