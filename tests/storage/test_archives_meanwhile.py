"""An archive written beside deletes and uploads: one moment of the base, whole, and nothing else.

SQLite and PostgreSQL.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, Connection

from kb_service.domain.archives import Archived
from kb_service.domain.errors import NotFound, StorageError
from kb_service.storage.archives import exporting
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from tests.storage.world import World, sha256

A, B = b"The pump of hall A failed.", b"Nobody was hurt in hall B."


@pytest.fixture
def kb_id(world: World) -> str:
    kb_id = world.catalog.bases.create("reports").id
    for name, content in (("a.txt", A), ("b.txt", B)):
        world.upload(kb_id, name, content)
        world.publish(world.claim(), [content.decode()])
    return kb_id


def deleted(world: World, kb_id: str, name: str) -> None:
    document = world.catalog.documents.find(kb_id, name)
    assert document is not None
    world.catalog.documents.delete(kb_id, document.id)


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, steps: Iterator[Callable[[], None]]
) -> None:
    """Take a step each time before the bytes of a file are looked up."""
    whole = world.blobs.whole

    def step_and_look(sha256: str, owner: str) -> Path:
        next(steps, lambda: None)()
        return whole(sha256, owner)

    monkeypatch.setattr(world.blobs, "whole", step_and_look)


def exported(world: World, kb_id: str, path: Path) -> Archived:
    return export_base(world.database, world.blobs, kb_id, path)


def names_in_a_copy(world: World, path: Path) -> list[str]:
    copy = import_base(world.database, world.blobs, path, "copy", 1_000_000)
    world.assert_clean(may_wait=True)
    return [item.name for item in world.catalog.documents.list(copy.kb_id).items]


def test_what_is_deleted_between_its_rows_and_its_bytes_is_left_out_whole(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was an error (blob_missing) once, and the archive of all the others was lost."""
    path = tmp_path / "a.zip"
    gone, kept = sorted(("a.txt", "b.txt"), key=lambda name: sha256(A if name == "a.txt" else B))
    meanwhile(world, monkeypatch, iter([lambda: deleted(world, kb_id, gone)]))
    done = exported(world, kb_id, path)
    assert (done.num_documents, done.num_files) == (1, 1)
    assert names_in_a_copy(world, path) == [kept]


def test_of_what_is_deleted_after_its_bytes_were_copied_no_byte_is_in_the_archive(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    first, other = sorted((A, B), key=sha256)
    name = "a.txt" if first == A else "b.txt"
    meanwhile(world, monkeypatch, iter([lambda: None, lambda: deleted(world, kb_id, name)]))
    done = exported(world, kb_id, path)
    assert (done.num_documents, done.num_files) == (1, 1)
    assert done.size_bytes == path.stat().st_size
    assert first not in path.read_bytes()
    assert other in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = json.loads(archive.read("manifest.json"))["members"]
        assert {*members, "manifest.json"} == set(archive.namelist())
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith("a.zip")] == ["a.zip"]
    assert len(names_in_a_copy(world, path)) == 1


def test_a_sync_that_changes_and_removes_meanwhile_leaves_one_moment(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        world.upload(kb_id, "a.txt", b"a new version")
        world.upload(kb_id, "c.txt", b"a new document")
        deleted(world, kb_id, "b.txt")

    meanwhile(world, monkeypatch, iter([change]))
    done = exported(world, kb_id, tmp_path / "a.zip")
    assert (done.num_documents, done.num_files) == (2, 3)
    assert names_in_a_copy(world, tmp_path / "a.zip") == ["a.txt", "c.txt"]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        rows = [json.loads(line) for line in archive.read("rows/documents.jsonl").splitlines()]
        files = {name[6:] for name in archive.namelist() if name.startswith("files/")}
    assert {row["sha256"] for row in rows} == files - {sha256(A)}


def test_deletes_that_never_end_are_held_up_at_last(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time a new file is gone before its bytes are copied, as long as that can be."""
    were_free: list[bool] = []
    come: list[str] = []
    world.database.write_wait_s = 0.2
    require_kb, blobs_of = exporting.require_kb, exporting.blobs_of

    def come_and_look(connection: Connection, kb: str) -> None:
        name = f"{len(were_free)}.txt"
        try:
            world.upload(kb_id, name, name.encode())
            come.append(name)
        except StorageError as error:
            assert error.code == "database_locked"
        were_free.append(bool(come))
        require_kb(connection, kb)

    def list_and_go(connection: Connection, which: ColumnElement[bool]) -> set[str]:
        found = blobs_of(connection, which)
        while come:
            deleted(world, kb_id, come.pop())
        return found

    monkeypatch.setattr(exporting, "require_kb", come_and_look)
    monkeypatch.setattr(exporting, "blobs_of", list_and_go)
    done = exported(world, kb_id, tmp_path / "a.zip")
    assert were_free == [True] * (1 + exporting.FREE_ROUNDS) + [False]
    assert (done.num_documents, done.num_files) == (2, 2)
    assert names_in_a_copy(world, tmp_path / "a.zip") == ["a.txt", "b.txt"]


def test_a_file_that_the_store_has_lost_is_told_and_no_archive_stays(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    world.blobs.unlink(sha256(A))
    with pytest.raises(StorageError) as error:
        exported(world, kb_id, tmp_path / "a.zip")
    assert error.value.code == "blob_missing"
    assert sha256(A) in error.value.message
    assert not list(tmp_path.glob("a.zip*"))


def test_a_file_that_goes_between_the_look_and_the_copy_is_left_out(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = world.blobs.whole
    names = iter(["a.txt", "b.txt"])

    def look_and_delete(found: str, owner: str) -> Path:
        path = whole(found, owner)
        if found == sha256(A) and next(names, "") == "a.txt":
            deleted(world, kb_id, "a.txt")
        return path

    monkeypatch.setattr(world.blobs, "whole", look_and_delete)
    done = exported(world, kb_id, tmp_path / "a.zip")
    assert (done.num_documents, done.num_files) == (1, 1)


def test_a_base_that_is_deleted_meanwhile_is_not_found_and_leaves_nothing(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(world, monkeypatch, iter([lambda: world.catalog.bases.delete(kb_id)]))
    with pytest.raises(NotFound) as error:
        exported(world, kb_id, tmp_path / "a.zip")
    assert error.value.code == "kb_not_found"
    assert not list(tmp_path.glob("a.zip*"))
