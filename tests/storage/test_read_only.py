"""A folder that cannot be written is read whole; nothing is written beside it or into it."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from kb_service.domain.errors import ConfigurationError, StorageError
from kb_service.settings import Settings
from kb_service.storage import opening
from kb_service.storage.blobs import BlobStore
from kb_service.storage.checks.verifier import Verifier
from kb_service.storage.database import Database, open_database
from kb_service.storage.opening import open_storage
from tests.disks import sealed
from tests.storage.world import build_world

REFUSAL = StorageError("nothing can be written", code="storage_read_only")

# Leaves -wal and -shm behind: what it committed is in the log only.
KILLED = """
import os, sys
from pathlib import Path
from kb_service.storage.database import open_database
from tests.storage.world import build_world
folder = Path(sys.argv[1])
database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
database.migrate()
world = build_world(database, folder)
world.ingest(world.catalog.bases.create("reports").id, "a.txt", ["the pump failed"])
os._exit(9)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one document, closed as it should be."""
    place = tmp_path / "data"
    storage = open_storage(Settings(data_dir=place))
    world = build_world(storage.database, place)
    world.ingest(world.catalog.bases.create("reports").id, "a.txt", ["the pump failed"])
    storage.close()
    assert not (place / "kb.sqlite3-wal").exists()
    return place


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose only process was killed."""
    place = tmp_path_factory.mktemp("killed")
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", KILLED, str(place)], cwd=root, check=False)
    assert (place / "kb.sqlite3-wal").stat().st_size > 0
    return place


def reading(folder: Path) -> Database:
    path = folder / "kb.sqlite3"
    database = open_database(f"sqlite:///{path}")
    database.read_only(path, REFUSAL)
    return database


def texts(database: Database, folder: Path) -> list[str]:
    world = build_world(database, folder)
    return world.live_texts(world.catalog.bases.get("reports").id)


def listing(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_closed_database_is_read_without_a_file_beside_it(folder: Path) -> None:
    before = listing(folder)
    database = reading(folder)
    database.migrate()
    assert texts(database, folder) == ["the pump failed"]
    assert listing(folder) == before


def test_what_a_killed_process_left_in_the_log_is_read(killed: Path) -> None:
    assert texts(reading(killed), killed) == ["the pump failed"]


def test_a_log_that_came_without_its_memory_file_is_read_in_a_copy(
    killed: Path, tmp_path: Path
) -> None:
    for name in ("kb.sqlite3", "kb.sqlite3-wal"):
        (tmp_path / name).write_bytes((killed / name).read_bytes())
    before = listing(tmp_path)
    database = reading(tmp_path)
    for _ in range(2):
        assert texts(database, tmp_path) == ["the pump failed"]
    assert listing(tmp_path) == before


def test_a_writer_that_comes_later_is_followed(folder: Path) -> None:
    database = reading(folder)
    writer = build_world(open_database(f"sqlite:///{folder / 'kb.sqlite3'}"), folder)
    kb_id = writer.catalog.bases.get("reports").id
    assert texts(database, folder) == ["the pump failed"]
    writer.ingest(kb_id, "b.txt", ["the valve held"])
    assert texts(database, folder) == ["the pump failed", "the valve held"]
    writer.database.close()
    assert texts(database, folder) == ["the pump failed", "the valve held"]


def test_every_write_is_refused_with_one_code(folder: Path) -> None:
    database = reading(folder)
    world = build_world(database, folder)
    kb_id = world.catalog.bases.get("reports").id
    document = world.catalog.documents.list(kb_id).items[0]
    for write in (
        lambda: world.catalog.bases.create("more"),
        lambda: world.catalog.documents.delete(kb_id, document.id),
        lambda: world.catalog.bases.delete(kb_id),
        lambda: world.answers.feedback("ans_1", "up"),
    ):
        with pytest.raises(StorageError) as error:
            write()
        assert error.value.code == "storage_read_only"
    with pytest.raises(StorageError), database.read() as connection:
        connection.execute(text("DELETE FROM documents"))


def test_a_sealed_folder_is_opened_read_and_verified(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LOOK_EVERY_S", 0.0)
    with sealed(folder):
        storage = open_storage(Settings(data_dir=folder))
        assert texts(storage.database, folder) == ["the pump failed"]
        assert Verifier(storage.database, BlobStore(folder / "blobs")).verify().is_clean
        assert not storage.can_write()
        trouble = storage.trouble()
        assert trouble is not None
        assert trouble.code == "storage_read_only"
        with pytest.raises(StorageError) as error:
            BlobStore(folder / "blobs").stage(b"bytes", 100)
        assert error.value.code == "storage_read_only"
    assert storage.can_write(), "and written again once it can be"
    assert storage.trouble() is None
    build_world(storage.database, folder).catalog.bases.create("more")


def test_a_sealed_folder_without_a_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with sealed(tmp_path / "empty"), pytest.raises(StorageError) as error:
        open_storage(Settings(data_dir=tmp_path / "empty"))
    assert error.value.code == "storage_read_only"


def test_a_schema_of_another_version_is_not_read_as_if_it_were_ours(folder: Path) -> None:
    writer = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    for version, code in ((None, "database_needs_migration"), ("9999", "database_version_unknown")):
        with writer.write() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
            if version:
                statement = text("INSERT INTO alembic_version VALUES (:version)")
                connection.execute(statement, {"version": version})
        with pytest.raises(ConfigurationError) as error:
            reading(folder).migrate()
        assert error.value.code == code
