"""Backup and restore: what comes back is the whole of one moment, and nothing damaged does."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from kb_service.domain.errors import ConfigurationError, Conflict, InvalidRequest, StorageError
from kb_service.storage import backup
from kb_service.storage.backup import MANIFEST_FILE, back_up, restore
from kb_service.storage.blobs import BlobStore
from kb_service.storage.checks.verifier import Verifier
from kb_service.storage.database import Database, open_database
from tests.storage.world import World, build_world, sha256


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: the tests that need PostgreSQL say so."""
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    database.close()
    return f"sqlite:///{tmp_path / 'kb.sqlite3'}"


@pytest.fixture
def kb_id(world: World) -> str:
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "a.txt", ["old words"])
    world.ingest(kb_id, "a.txt", ["The pump failed at 07:42."])
    world.ingest(kb_id, "b.txt", ["Nobody was hurt."])
    world.upload(kb_id, "c.txt", b"waiting")
    return kb_id


def restored(folder: Path, target: Path) -> World:
    """Restore into a folder and open what is there, as a start does."""
    restore(folder, target, target / "kb.sqlite3")
    database = open_database(f"sqlite:///{target / 'kb.sqlite3'}")
    database.migrate()
    return build_world(database, target)


def test_what_is_restored_is_clean_and_goes_on(world: World, kb_id: str, tmp_path: Path) -> None:
    taken = back_up(world.database, world.blobs, tmp_path / "backup")
    assert (taken.num_blobs, taken.lacking) == (4, ())
    again = restored(tmp_path / "backup", tmp_path / "elsewhere")
    again.assert_clean()
    assert again.live_texts(kb_id) == world.live_texts(kb_id)
    document = again.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    old = again.catalog.revisions.text(kb_id, document.id, sha256(b"old words"))
    assert old[1] == "old words\n"
    again.publish(again.claim(), ["what waited"])  # the upload that waited is ingested there
    assert "what waited" in again.live_texts(kb_id)
    again.assert_clean()
    world.assert_clean()


def test_deletes_and_uploads_while_the_backup_is_taken_leave_it_whole(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the snapshot and the copying of files, one document goes and another comes."""
    copy_database = backup._copy_database
    moves = iter(["a.txt", "b.txt"])

    def copy_and_change(database: Database, target: Path) -> None:
        copy_database(database, target)
        if name := next(moves, None):
            document = world.catalog.documents.find(kb_id, name)
            assert document is not None
            world.catalog.documents.delete(kb_id, document.id)
            world.upload(kb_id, f"new-{name}", f"new {name}".encode())

    monkeypatch.setattr(backup, "_copy_database", copy_and_change)
    taken = back_up(world.database, world.blobs, tmp_path / "backup")
    assert taken.lacking == ()
    again = restored(tmp_path / "backup", tmp_path / "elsewhere")
    again.assert_clean()
    names = {item.name for item in again.catalog.documents.list(kb_id).items}
    # The moment of the second snapshot: b.txt went after it, and its file was copied before.
    assert names == {"b.txt", "c.txt", "new-a.txt"}
    kept = set(BlobStore(tmp_path / "backup" / "blobs").iter_sha256())
    assert sha256(b"old words") not in kept
    assert len(kept) == 3


def test_deletes_that_never_end_are_held_up_at_last(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_database = backup._copy_database
    are_writes_free: list[bool] = []

    def copy_and_change(database: Database, target: Path) -> None:
        are_writes_free.append(can_write(tmp_path / "kb.sqlite3"))
        name = f"{len(are_writes_free)}.txt"
        if are_writes_free[-1]:
            document = world.upload(kb_id, name, name.encode()).document
            copy_database(database, target)
            world.catalog.documents.delete(kb_id, document.id)
        else:
            copy_database(database, target)

    monkeypatch.setattr(backup, "_copy_database", copy_and_change)
    assert back_up(world.database, world.blobs, tmp_path / "backup").lacking == ()
    assert are_writes_free == [True] * backup.FREE_ROUNDS + [False]
    restored(tmp_path / "backup", tmp_path / "elsewhere").assert_clean()


def can_write(path: Path) -> bool:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def test_a_file_that_the_store_has_lost_is_named_and_the_rest_is_kept(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    world.blobs.unlink(sha256(b"old words"))
    world.blobs.path(sha256(b"Nobody was hurt.")).write_bytes(b"rot")
    taken = back_up(world.database, world.blobs, tmp_path / "backup")
    assert taken.num_blobs == 2
    assert len(taken.lacking) == 2
    report = restored(tmp_path / "backup", tmp_path / "elsewhere").verifier.verify()
    assert (len(report.lost), report.mismatched, report.damaged) == (2, (), ())


def test_a_damaged_database_is_not_taken_for_a_backup(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    world.database.close()
    path = tmp_path / "kb.sqlite3"
    with sqlite3.connect(path) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'"
        ).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"torn" * 1024)
    with pytest.raises(StorageError) as error:
        back_up(world.database, world.blobs, tmp_path / "backup")
    assert error.value.code == "database_damaged"
    with pytest.raises(InvalidRequest):
        restored(tmp_path / "backup", tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["kb.sqlite3", "blob"])
def test_one_wrong_byte_in_a_backup_is_found_and_no_database_appears(
    world: World, kb_id: str, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "backup"
    back_up(world.database, world.blobs, folder)
    digest = sha256(b"old words")
    path = BlobStore(folder / "blobs").path(digest) if name == "blob" else folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StorageError) as error:
        restored(folder, tmp_path / "elsewhere")
    assert error.value.code == "backup_damaged"
    assert path.name in error.value.message
    assert not (tmp_path / "elsewhere" / "kb.sqlite3").exists()
    path.write_bytes(whole)
    restored(folder, tmp_path / "elsewhere").assert_clean()  # broken off, then repeated


def test_nothing_is_written_over(world: World, kb_id: str, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    back_up(world.database, world.blobs, folder)
    with pytest.raises(Conflict) as error:
        back_up(world.database, world.blobs, folder)
    assert error.value.code == "folder_not_empty"
    for present in ("kb.sqlite3", "kb.sqlite3-wal", "index"):
        target = tmp_path / f"used-{present}"
        (target / present).mkdir(parents=True)
        with pytest.raises(Conflict) as error:
            restored(folder, target)
        assert error.value.code == "data_folder_in_use"
        assert present in error.value.message


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_folder_without_its_manifest_is_no_backup(
    world: World, kb_id: str, tmp_path: Path, manifest: str | None
) -> None:
    folder = tmp_path / "backup"
    back_up(world.database, world.blobs, folder)
    assert len(json.loads((folder / MANIFEST_FILE).read_text())["blobs"]) == 4
    (folder / MANIFEST_FILE).unlink()
    if manifest is not None:
        (folder / MANIFEST_FILE).write_text(manifest)
    with pytest.raises(InvalidRequest) as error:
        restored(folder, tmp_path / "elsewhere")
    assert error.value.code == "not_a_backup"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.postgres
def test_postgresql_is_referred_to_its_own_tools(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = open_database(request.getfixturevalue("postgres_server"))
    with pytest.raises(ConfigurationError) as error:
        back_up(database, BlobStore(tmp_path / "blobs"), tmp_path / "backup")
    assert error.value.code == "backup_by_pg_dump"
    assert "pg_dump" in error.value.message
    assert not (tmp_path / "backup").exists()


def test_what_a_damaged_database_still_has_is_brought_over_as_the_guide_says(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("the sqlite3 shell is not installed")
    world.database.close()
    damaged = tmp_path / "kb.sqlite3"
    with sqlite3.connect(damaged) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'"
        ).fetchone()[0]
    with damaged.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"torn" * 1024)
    dump = subprocess.run([shell, damaged, ".dump"], capture_output=True, check=False).stdout
    (tmp_path / "new").mkdir()
    salvaged = tmp_path / "new" / "kb.sqlite3"
    statements = dump.replace(b"ROLLBACK; -- due to errors", b"COMMIT;")
    subprocess.run([shell, salvaged], input=statements, check=True)
    database = open_database(f"sqlite:///{salvaged}")
    database.migrate()
    report = Verifier(database, world.blobs).verify()
    database.close()
    assert (report.is_clean, report.num_documents, report.num_revisions) == (True, 3, 3)
    assert len(report.pending) == 2  # the vectors were in the page; `kb reindex` makes them


def test_a_file_that_goes_between_the_look_and_the_copy_is_no_damage_of_the_backup(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = world.blobs.whole
    gone = sha256(b"Nobody was hurt.")

    def look_and_delete(found: str, owner: str) -> Path:
        path = whole(found, owner)
        document = world.catalog.documents.find(kb_id, "b.txt")
        if found == gone and document is not None:
            world.catalog.documents.delete(kb_id, document.id)
        return path

    monkeypatch.setattr(world.blobs, "whole", look_and_delete)
    taken = back_up(world.database, world.blobs, tmp_path / "backup")
    assert (taken.num_blobs, taken.lacking) == (3, ())
    again = restored(tmp_path / "backup", tmp_path / "elsewhere")
    assert again.catalog.documents.find(kb_id, "b.txt") is None
    again.assert_clean()
