"""Whose job is next: bases take turns, and what waits behind costs nothing."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event, update

from kb_service.domain.jobs import JobStatus
from kb_service.storage.jobs.queue import Selection
from kb_service.storage.tables import counts
from tests.storage.world import World

STEPS = 10
"""Steps of SQLite's machine between two looks."""


@pytest.fixture
def kb_ids(world: World) -> list[str]:
    return [world.catalog.bases.create(name).id for name in ("large", "small")]


def queue_jobs(world: World, kb_id: str, num: int, name: str = "file") -> list[str]:
    uploads = [world.upload(kb_id, f"{name}-{n}", f"{name} {n}".encode()) for n in range(num)]
    return [upload.job.id for upload in uploads if upload.job]


def claimed(world: World, num: int) -> list[str]:
    return [world.claim().job.kb_id for _ in range(num)]


def test_a_base_of_many_files_keeps_nobody_waiting(world: World, kb_ids: list[str]) -> None:
    large, small = kb_ids
    queue_jobs(world, large, 30)
    queue_jobs(world, small, 3)
    assert Counter(claimed(world, 6)) == {large: 3, small: 3}
    assert claimed(world, 4) == [large] * 4
    queue_jobs(world, small, 1, "late")
    assert small in claimed(world, 2)


def test_within_a_base_the_oldest_and_least_tried_comes_first(
    world: World, kb_ids: list[str]
) -> None:
    first, second, third = queue_jobs(world, kb_ids[0], 3)
    claim = world.claim()
    assert claim.job.id == first
    world.queue.give_back(claim)
    assert [world.claim().job.id for _ in range(3)] == [second, third, first]


def test_a_selection_is_kept_to_whosever_turn_it_is(world: World, kb_ids: list[str]) -> None:
    large, small = kb_ids
    wanted = queue_jobs(world, large, 2)
    queue_jobs(world, small, 2)
    which = Selection(frozenset(wanted[1:]), is_excluded=False)
    claim = world.queue.claim("worker", which)
    assert claim is not None
    assert claim.job.id == wanted[1]
    assert world.queue.claim("worker", which) is None
    assert not world.queue.has_runnable(which)


def test_a_wrong_count_keeps_no_job_from_being_done(world: World, kb_ids: list[str]) -> None:
    (job,) = queue_jobs(world, kb_ids[0], 1)
    with world.database.write() as connection:
        connection.execute(update(counts).where(counts.c.noun == "jobs").values(number=0))
    claim = world.queue.claim("worker")
    assert claim is not None
    assert claim.job.id == job
    assert claim.job.status is JobStatus.RUNNING


def test_taking_a_job_reads_none_of_those_that_wait_behind_it(
    world: World, kb_ids: list[str]
) -> None:
    if not world.database.is_sqlite:
        pytest.skip("steps are counted on SQLite")
    spent: list[int] = []
    for num in (20, 380):
        queue_jobs(world, kb_ids[0], num, f"of {num}")
        spent.append(num_steps(world))
    assert spent[1] < 1.5 * spent[0]


def num_steps(world: World) -> int:
    """Return how many steps of SQLite's machine a claim takes."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += STEPS
        return 0

    def look(connection: Any, *_: object) -> None:  # noqa: ANN401  a driver's connection
        connection.set_progress_handler(step, STEPS)

    def look_away(connection: Any, *_: object) -> None:  # noqa: ANN401
        connection.set_progress_handler(None, STEPS)

    event.listen(world.database.engine, "checkout", look)
    event.listen(world.database.engine, "checkin", look_away)
    assert world.queue.claim("counting") is not None
    event.remove(world.database.engine, "checkout", look)
    event.remove(world.database.engine, "checkin", look_away)
    return steps
