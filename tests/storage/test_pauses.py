"""Queues that stand still: nothing is claimed, what runs goes on, and a restart forgets none."""

import pytest

from kb_service.domain.errors import NotFound
from kb_service.domain.jobs import JobStatus, Pause
from kb_service.storage.jobs.queue import JobQueue
from tests.storage.world import LEASE_S, World


@pytest.fixture
def bases(world: World) -> tuple[str, str]:
    first, second = (world.catalog.bases.create(name).id for name in ("first", "second"))
    for kb_id in (first, second):
        for name in ("a.txt", "b.txt"):
            world.upload(kb_id, name, f"{kb_id} {name}".encode())
    return first, second


def claimed(world: World, queue: JobQueue | None = None) -> list[str]:
    found = []
    while claim := (queue or world.queue).claim("worker-1"):
        found.append(claim.job.kb_id)
    return found


def test_nothing_of_a_paused_base_is_claimed_by_anybody(
    world: World, bases: tuple[str, str]
) -> None:
    first, second = bases
    world.queue.pauses.begin(first, "ann")
    after_a_restart = JobQueue(world.database)
    assert world.queue.pauses.of(first) == Pause("ann", world.clock.now, is_everywhere=False)
    assert world.queue.pauses.of(second) is None
    assert claimed(world, after_a_restart) == [second, second]
    assert not after_a_restart.has_runnable()
    after_a_restart.pauses.end(first)
    assert claimed(world) == [first, first]


def test_a_running_job_ends_and_one_whose_worker_died_waits(
    world: World, bases: tuple[str, str]
) -> None:
    first, second = bases
    running, dying = world.claim(), world.claim()
    for kb_id in bases:
        world.queue.pauses.begin(kb_id, "ann")
    world.publish(running, ["words"])
    assert world.queue.get(running.job.id).status is JobStatus.SUCCEEDED
    assert claimed(world) == []
    world.clock.advance(2 * LEASE_S)
    assert claimed(world) == []
    assert world.queue.get(dying.job.id).status is JobStatus.QUEUED
    world.queue.pauses.end(dying.job.kb_id)
    assert dying.job.kb_id in claimed(world)
    assert {first, second} == {running.job.kb_id, dying.job.kb_id}


def test_the_whole_service_and_a_base_are_paused_apart(
    world: World, bases: tuple[str, str]
) -> None:
    first, second = bases
    pauses = world.queue.pauses
    pauses.begin(first, "ann")
    pauses.begin(None, "bob")
    assert pauses.of(first) == pauses.of(second) == pauses.of()
    assert (pauses.of() or Pause("", world.clock.now, is_everywhere=False)).by == "bob"
    assert pauses.counts() == {"service": 1, "bases": 1}
    assert claimed(world) == []
    pauses.end(None)
    assert claimed(world) == [second, second]
    assert pauses.counts() == {"service": 0, "bases": 1}


def test_what_waits_can_be_cancelled_and_tried_again(world: World, bases: tuple[str, str]) -> None:
    first, second = bases
    world.queue.pauses.begin(first, "ann")
    waiting = [world.upload(first, "c.txt", b"three").job, world.upload(second, "c.txt", b"3").job]
    assert waiting[0] is not None and waiting[1] is not None
    assert world.queue.cancel(waiting[0].id).status is JobStatus.CANCELLED
    assert world.queue.retry(waiting[0].id).status is JobStatus.QUEUED
    ids = {job.id for job in waiting if job}
    assert world.queue.pauses.held(ids) == {waiting[0].id: waiting[0].document_id}


def test_a_pause_is_told_once_and_goes_with_its_base(world: World, bases: tuple[str, str]) -> None:
    first, second = bases
    seen = world.queue.events_since(second, 0).version
    world.queue.pauses.begin(first, "ann")
    world.queue.pauses.begin(first, "bob")
    assert (
        world.queue.pauses.of(first) or Pause("", world.clock.now, is_everywhere=False)
    ).by == "ann"
    assert world.queue.events_since(second, 0).version == seen
    world.queue.pauses.begin(None, "ann")
    assert world.queue.events_since(second, 0).version == seen + 1
    world.catalog.bases.delete(first)
    assert world.queue.pauses.counts() == {"service": 1, "bases": 0}
    with pytest.raises(NotFound):
        world.queue.pauses.begin("kb_gone", "ann")
