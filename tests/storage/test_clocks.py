"""Clocks that are set: waiting takes as long as it should, whatever time people are told."""

import pytest

from kb_service.domain.errors import LeaseLost, ParseInterrupted, StorageError
from kb_service.domain.jobs import JobStatus
from kb_service.storage.jobs import queue as job_queue
from kb_service.storage.jobs.queue import JobQueue
from tests.storage.world import LEASE_S, FakeClock, World, downgrade

TWO_HOURS = 7200.0
STEPS = pytest.mark.parametrize("step", [-TWO_HOURS, TWO_HOURS, -90.0, 90.0])


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def another_process(world: World) -> JobQueue:
    """The queue as a process sees it that starts now, also after a reboot."""
    world.clock.passed = 5.0
    return JobQueue(world.database, LEASE_S, 3, world.clock, world.clock.elapsed)


def another_host(world: World, clock: FakeClock) -> JobQueue:
    return JobQueue(world.database, LEASE_S, 3, clock, clock.elapsed)


@STEPS
def test_a_job_queued_before_the_clock_was_set_is_taken_at_once(
    world: World, kb_id: str, step: float
) -> None:
    world.upload(kb_id, "a.txt", b"a")
    world.clock.set_by(step)
    assert another_process(world).claim("worker-1") is not None


@STEPS
@pytest.mark.parametrize("code", ["parse_crashed", "disk_full"])
def test_a_retry_waits_for_its_pause_and_no_longer(
    world: World, kb_id: str, step: float, code: str
) -> None:
    """Set back two hours, a retry of fifteen seconds once waited for two hours."""
    outage = StorageError("full", code=code)
    error = outage if outage.is_outage else ParseInterrupted("killed")
    pause = job_queue.OUTAGE_RETRY_S if outage.is_outage else job_queue.FIRST_RETRY_S
    world.upload(kb_id, "a.txt", b"a")
    world.queue.fail(world.claim(), error, retry=True)
    world.clock.set_by(step)
    world.clock.advance(pause - 0.1)
    assert world.queue.claim("worker-1") is None
    world.clock.advance(0.1)
    assert world.queue.claim("worker-1") is not None


@STEPS
def test_a_retry_after_a_restart_waits_no_longer_than_the_longest_pause(
    world: World, kb_id: str, step: float
) -> None:
    world.upload(kb_id, "a.txt", b"a")
    world.queue.fail(world.claim(), ParseInterrupted("killed"), retry=True)
    world.clock.set_by(step)
    queue = another_process(world)
    world.clock.advance(job_queue.MAX_RETRY_S)
    assert queue.claim("worker-1") is not None


@STEPS
def test_the_lease_of_a_dead_worker_runs_out_after_its_length(
    world: World, kb_id: str, step: float
) -> None:
    world.upload(kb_id, "a.txt", b"a")
    dead = world.claim()
    world.clock.set_by(step)
    queue = another_process(world)
    assert queue.claim("worker-2") is None
    world.clock.advance(LEASE_S - 0.1)
    assert queue.claim("worker-2") is None
    world.clock.advance(0.1)
    taken = queue.claim("worker-2")
    assert taken is not None
    assert (taken.job.id, taken.job.attempt) == (dead.job.id, 2)
    with pytest.raises(LeaseLost):
        world.publish(dead, ["late"])
    world.publish(taken, ["in time"])
    world.assert_clean()


@STEPS
def test_a_living_worker_keeps_its_job_through_every_step_and_restart_of_others(
    world: World, kb_id: str, step: float
) -> None:
    """Set forward two hours, a living worker once lost its job to the next."""
    world.upload(kb_id, "a.txt", b"a")
    claim = world.claim()
    watcher = another_process(world)
    for turn in range(6):
        assert watcher.claim("worker-2") is None
        world.clock.set_by(step)
        assert watcher.claim("worker-2") is None
        world.clock.advance(LEASE_S / 3)
        world.queue.heartbeat(claim)
        if turn == 3:
            watcher = another_process(world)
    world.publish(claim, ["done by the first"])
    assert world.queue.get(claim.job.id).attempt == 1


def test_hosts_whose_clocks_differ_leave_each_other_their_jobs(world: World, kb_id: str) -> None:
    ahead = FakeClock()
    ahead.set_by(TWO_HOURS)
    there = another_host(world, ahead)
    world.upload(kb_id, "a.txt", b"a")
    claim = world.claim()
    assert there.claim("worker-2") is None
    ahead.advance(LEASE_S - 1)
    assert there.claim("worker-2") is None
    world.queue.heartbeat(claim)
    ahead.advance(LEASE_S - 1)
    assert there.claim("worker-2") is None
    ahead.advance(LEASE_S)
    assert there.claim("worker-2") is not None


def test_a_watcher_that_was_busy_for_long_gives_a_new_holder_its_whole_lease(
    world: World, kb_id: str
) -> None:
    world.upload(kb_id, "a.txt", b"a")
    world.claim()
    watcher = another_process(world)
    assert watcher.claim("worker-2") is None
    world.clock.advance(10 * LEASE_S)
    world.queue.release("worker-1")
    second = world.claim()  # the same job, another holder
    assert watcher.claim("worker-2") is None
    assert world.queue.get(second.job.id).status is JobStatus.RUNNING


def test_a_database_of_a_version_with_timed_leases_goes_on(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"a")
    world.claim()
    downgrade(world.database, "0002")
    world.database.migrate()
    queue = another_process(world)
    assert queue.claim("worker-2") is None
    world.clock.advance(LEASE_S)
    assert queue.claim("worker-2") is not None
    world.assert_clean()
