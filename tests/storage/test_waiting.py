"""Waiting for another writer ends in time, says what it waited for, and changes nothing."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.storage.database import Database, open_database
from tests.storage.world import World, build_world

WAIT_S = 0.2
FAR_TOO_LONG_S = 20.0
"""A bound for busy machines; before there was a bound of our own it was 34 s on an idle one."""


@contextmanager
def another_writer(url: str) -> Iterator[None]:
    other = open_database(url)
    with other.write():
        yield
    other.close()


@pytest.fixture
def hasty(database_url: str, tmp_path: Path) -> World:
    """All of storage, with little patience."""
    database = open_database(database_url, WAIT_S)
    return build_world(database, tmp_path)


WRITES: dict[str, Callable[[World, str, str], object]] = {
    "upload": lambda world, kb_id, document_id: world.upload(kb_id, "b.txt", b"more"),
    "delete": lambda world, kb_id, document_id: world.catalog.documents.delete(kb_id, document_id),
    "delete a base": lambda world, kb_id, document_id: world.catalog.bases.delete(kb_id),
    "rename": lambda world, kb_id, document_id: world.catalog.bases.update(kb_id, "other"),
    "claim": lambda world, kb_id, document_id: world.queue.claim("worker-2"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_waits_only_so_long_and_says_what_it_waited_for(
    hasty: World, database_url: str, name: str
) -> None:
    kb_id = hasty.catalog.bases.create("reports").id
    document = hasty.ingest(kb_id, "a.txt", ["the pump failed"]).document_id
    hasty.upload(kb_id, "c.txt", b"queued")
    with another_writer(database_url):
        began = time.monotonic()
        with pytest.raises(StorageError, match=r"another process is writing.* 0\.2 s") as error:
            WRITES[name](hasty, kb_id, document)
        assert time.monotonic() - began < FAR_TOO_LONG_S
        assert error.value.code == "database_locked"
        assert hasty.live_texts(kb_id) == ["the pump failed"], "reading does not wait"
    hasty.catalog.documents.delete(kb_id, document)
    hasty.assert_clean()


def test_a_database_of_this_version_is_opened_while_somebody_writes(database_url: str) -> None:
    with another_writer(database_url):
        opened = open_database(database_url, WAIT_S)
        opened.migrate()
        opened.close()


def test_making_a_database_waits_only_so_long_too(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as error:
        open_database(f"sqlite:///{path}", WAIT_S).migrate()
    assert error.value.code == "database_locked"
    holder.close()


def test_the_last_failed_write_is_remembered_until_one_succeeds(
    hasty: World, database_url: str
) -> None:
    with another_writer(database_url), pytest.raises(StorageError):
        hasty.catalog.bases.create("reports")
    failure = hasty.database.failure
    assert failure is not None
    assert failure.error.code == "database_locked"
    hasty.catalog.bases.create("reports")
    assert hasty.database.failure is None


def test_waits_do_not_outlive_their_transaction(database: Database, database_url: str) -> None:
    with another_writer(database_url), pytest.raises(StorageError), database.write(wait_s=WAIT_S):
        pass
    with database.write() as connection:
        name = "PRAGMA busy_timeout" if database.is_sqlite else "SHOW lock_timeout"
        found = connection.exec_driver_sql(name).scalar_one()
    assert found in (5000, "10s")
