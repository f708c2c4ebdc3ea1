"""SQLite opens for reading what it cannot open for writing, and says nothing: it must not last."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from kb_service.domain.errors import StorageError
from kb_service.storage.database import Database, open_database
from tests.storage.world import World, build_world


@pytest.fixture
def path(migrated_sqlite: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "kb.sqlite3"
    copy.write_bytes(migrated_sqlite.read_bytes())
    return copy


def only_reads(database: Database, path: Path, *, how_often: int) -> None:
    """The first connections are opened as SQLite opens a file that it may not write."""
    num_left = [how_often]

    def connect(*_arguments: object) -> sqlite3.Connection | None:
        if num_left[0] == 0:
            return None  # as usual
        num_left[0] -= 1
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    event.listen(database.engine, "do_connect", connect)


def create(world: World) -> None:
    world.catalog.bases.create("reports")


def upload(world: World) -> None:
    world.upload(world.catalog.bases.create("reports").id, "a.txt", b"the pump failed")


def remove(world: World) -> None:
    world.catalog.bases.delete(world.catalog.bases.create("reports").id)


@pytest.mark.parametrize("write", [create, upload, remove])
def test_a_connection_that_can_only_read_is_replaced_by_the_first_write(
    path: Path, write: Callable[[World], None]
) -> None:
    database = open_database(f"sqlite:///{path}")
    only_reads(database, path, how_often=1)
    world = build_world(database, path.parent)
    assert world.catalog.bases.list().items == ()
    write(world)
    database.close()


def test_a_file_that_can_only_be_read_is_refused_at_once_and_written_when_it_can_be(
    path: Path,
) -> None:
    database = open_database(f"sqlite:///{path}")
    only_reads(database, path, how_often=2)
    world = build_world(database, path.parent)
    with pytest.raises(StorageError) as caught:
        create(world)
    assert caught.value.code == "storage_read_only"
    create(world)
    database.close()
