"""Nudges between processes: they come soon, and nobody waits for one for ever."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kb_service.storage import nudges
from kb_service.storage.database import Database, open_database
from kb_service.storage.tables import metadata
from tests.postgres import administer, with_database
from tests.storage.world import World, build_world

SOON_S = 30.0
"""A bound for busy machines."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL only, but for the test that says otherwise."""
    url = with_database(request.getfixturevalue("postgres_server"), "kb_shared")
    administer(url, f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture
def other(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Another process, as far as the database knows."""
    database = open_database(database_url)
    yield build_world(database, tmp_path)
    database.close()


def hear(database: Database) -> None:
    end = time.monotonic() + SOON_S
    while not (database.nudges and database.nudges.is_heard):
        assert time.monotonic() < end
        database.wait_for_job(0.05)


@pytest.mark.postgres
def test_a_queued_job_wakes_a_worker_of_another_process(world: World, other: World) -> None:
    kb_id = world.catalog.bases.create("reports").id
    hear(other.database)
    woken = threading.Event()

    def wait() -> None:
        other.queue.wait(SOON_S)
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    world.catalog.bases.update(kb_id, description="no job")
    assert not woken.wait(1.0)
    world.upload(kb_id, "a.txt", b"words")
    assert woken.wait(SOON_S)


@pytest.mark.postgres
def test_a_commit_wakes_who_watches_its_base_and_not_who_watches_another(
    world: World, other: World
) -> None:
    first, second = (world.catalog.bases.create(name).id for name in ("first", "second"))
    hear(other.database)
    time.sleep(10 * nudges.GATHER_S)
    of_first, of_second = threading.Event(), threading.Event()
    with (
        other.queue.waking(first, of_first.set) as is_heard,
        other.queue.waking(second, of_second.set),
    ):
        assert is_heard()
        world.upload(first, "a.txt", b"words")
        assert of_first.wait(SOON_S)
        assert not of_second.is_set()
        world.catalog.bases.delete(second)
        assert of_second.wait(SOON_S), "what is written alone may be of any base"


@pytest.mark.postgres
def test_a_lost_connection_is_told_and_made_again(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudges, "RETRY_S", 0.1)
    monkeypatch.setattr(nudges, "HEAR_S", 0.1)
    hear(other.database)
    with world.database.write() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query IN ('LISTEN kb_service', 'SELECT 1') AND datname = 'kb_shared'"
            )
        )
        assert any(ended.scalars())
    heard = other.database.nudges
    assert heard is not None
    end = time.monotonic() + SOON_S
    while heard.is_heard:
        assert time.monotonic() < end
        time.sleep(0.001)
    hear(other.database)
    kb_id = world.catalog.bases.create("reports").id
    came = threading.Event()
    with other.queue.waking(kb_id, came.set):
        world.upload(kb_id, "a.txt", b"words")
        assert came.wait(SOON_S)


@pytest.mark.postgres
def test_what_is_rolled_back_wakes_nobody(world: World, other: World) -> None:
    hear(other.database)
    other.queue.wait(0.01)
    with pytest.raises(ZeroDivisionError), world.database.write() as connection:
        nudges.note_queued(connection)
        raise ZeroDivisionError
    world.catalog.bases.create("reports")  # on the same connection
    assert other.database.nudges is not None
    assert not other.database.nudges._job_came.wait(1.0)


def test_without_nudges_waiting_ends_by_the_clock(migrated_sqlite: Path) -> None:
    database = open_database(f"sqlite:///{migrated_sqlite}")
    began = time.monotonic()
    database.wait_for_job(0.05)
    assert 0.05 <= time.monotonic() - began < SOON_S
    with database.waking("kb", pytest.fail) as is_heard:
        assert not is_heard()
