"""On a full disk: what is stored is read, deletes work from a reserve, and the folder tells."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.settings import Settings, StorageSettings
from kb_service.storage import opening
from kb_service.storage.data_folder import free_bytes
from kb_service.storage.database import open_database
from kb_service.storage.opening import Storage, open_storage
from kb_service.storage.reserve import MARGIN_BYTES, OPENING_BYTES, Reserve
from tests.disks import FILLER, fill, small_disk
from tests.storage.world import World, build_world

DISK_MIB = 8
MIB = 1024 * 1024
SENTENCES = [f"sentence {number} of many about the pump" for number in range(40)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MIB) as folder:
        yield folder


def opened(folder: Path, **values: int) -> Storage:
    return open_storage(Settings(data_dir=folder, storage=StorageSettings(**values)))


def filled(folder: Path, *, is_open: bool = True) -> tuple[Storage, World, str]:
    """A full disk with a base of documents and the reserve in place.

    `is_open` False: closed before the disk was full, so that opening it needs room.
    """
    storage = opened(folder)
    world = build_world(storage.database, folder)
    kb_id = world.catalog.bases.create("reports").id
    for number in range(3):
        world.ingest(kb_id, f"{number}.txt", [f"{number} {words}" for words in SENTENCES])
    storage.reserve.restore()
    assert storage.reserve.size_bytes == DISK_MIB * MIB // 8
    if not is_open:
        storage.close()
        assert not (folder / "kb.sqlite3-shm").exists()
    fill(folder)
    return storage, world, kb_id


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(StorageError) as error:
        action()
    return error.value.code


def test_documents_are_deleted_from_the_reserve_until_there_is_room(disk: Path) -> None:
    storage, world, kb_id = filled(disk)
    assert refused(lambda: world.upload(kb_id, "more.txt", b"x" * 900_000)) == "disk_full"
    documents = world.catalog.documents.list(kb_id).items
    for document in documents:
        world.catalog.documents.delete(kb_id, document.id)
    assert world.live_texts(kb_id) == []
    assert list(world.blobs.iter_sha256()) == []
    assert storage.reserve.size_bytes >= storage.reserve.target_bytes - 2 * MARGIN_BYTES
    (disk / FILLER).unlink()
    world.ingest(kb_id, "new.txt", SENTENCES)
    world.assert_clean()


def test_others_who_go_on_writing_do_not_take_the_room_that_deletes_need(disk: Path) -> None:
    storage, world, kb_id = filled(disk)
    world.catalog.documents.delete(kb_id, world.catalog.documents.list(kb_id).items[0].id)
    (disk / FILLER).unlink()

    numbers = count()

    def write_on() -> None:
        """As a worker with a long queue does, for as long as it may."""
        while True:
            text = [f"{next(numbers)} {'pump ' * 600}" for _ in range(6)]
            world.ingest(kb_id, f"more {next(numbers)}.txt", text)
            world.upload(kb_id, f"more {next(numbers)}.txt", f"{next(numbers)}".encode() * 100_000)
            world.claim()

    assert refused(write_on) == "disk_full"
    assert len(world.catalog.documents.list(kb_id).items) > 4
    assert storage.reserve.size_bytes == storage.reserve.target_bytes
    fill(disk)
    for number, document in enumerate(world.catalog.documents.list(kb_id).items):
        with suppress(StorageError):
            write_on() if number < 2 else world.catalog.bases.create(f"more {number}")
        world.catalog.documents.delete(kb_id, document.id)
    world.catalog.bases.delete(kb_id)
    world.catalog.bases.create("the file has room inside")
    world.assert_clean()


def test_a_base_and_a_conversation_are_deleted_from_the_reserve(disk: Path) -> None:
    _, world, kb_id = filled(disk)
    world.catalog.bases.delete(kb_id)
    assert world.catalog.bases.list().items == ()
    world.assert_clean()


def test_a_full_disk_is_opened_again_and_cleared(disk: Path) -> None:
    _, _, kb_id = filled(disk, is_open=False)
    again = opened(disk)
    assert again.can_write()
    world = build_world(again.database, disk)
    assert len(world.live_texts(kb_id)) == 3 * len(SENTENCES)
    document = world.catalog.documents.list(kb_id).items[0]
    world.catalog.documents.delete(kb_id, document.id)
    assert len(world.live_texts(kb_id)) == 2 * len(SENTENCES)


def test_a_full_disk_without_a_reserve_is_read_and_written_again_when_there_is_room(
    disk: Path,
) -> None:
    storage, _, kb_id = filled(disk, is_open=False)
    storage.reserve.release()
    fill(disk)
    again = opened(disk)
    world = build_world(again.database, disk)
    assert not again.can_write()
    assert len(world.live_texts(kb_id)) == 3 * len(SENTENCES)
    assert refused(lambda: world.catalog.bases.create("more")) == "disk_full"
    (disk / FILLER).unlink()
    assert again.can_write()
    world.catalog.bases.create("more")


def test_the_folder_tells_that_it_is_full_and_takes_the_reserve_again(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LOOK_EVERY_S", 0.0)
    storage, _, _ = filled(disk)
    trouble = storage.trouble()
    assert trouble is not None
    assert trouble.code == "disk_full"
    storage.reserve.release()
    (disk / FILLER).unlink()
    assert storage.trouble() is None
    assert storage.reserve.size_bytes == storage.reserve.target_bytes
    (disk / FILLER).write_bytes(bytes(free_bytes(disk) - 3 * MIB // 2))
    trouble = storage.trouble()
    assert trouble is not None
    assert (trouble.code, trouble.message) == (
        "disk_low",
        "the disk of the data folder has 1 MiB left",
    )


class FullUntilReleased:
    """Wraps an action so that it meets a full disk while the reserve is in place."""

    def __init__(self, reserve: Reserve, num_bytes_needed: int = 1) -> None:
        self.num_tries = 0
        self._reserve = reserve
        self._room = reserve.size_bytes - num_bytes_needed

    def __call__(self) -> str:
        self.num_tries += 1
        if self._reserve.size_bytes > 0 or self._room < 0:
            raise StorageError("the database refused: database or disk is full", code="disk_full")
        return "deleted"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    made = opened(tmp_path / "data", reserve_bytes=MIB)
    made.reserve.restore()
    return made


def test_the_reserve_is_given_up_for_a_delete_and_taken_again(storage: Storage) -> None:
    assert storage.reserve.size_bytes == MIB
    action = FullUntilReleased(storage.reserve)
    assert storage.database.freeing(action) == "deleted"
    assert action.num_tries == 2
    assert storage.reserve.size_bytes == MIB


def test_a_delete_that_needs_more_than_the_reserve_says_so(storage: Storage) -> None:
    with pytest.raises(StorageError, match=f"reserve of {MIB} bytes is too small") as error:
        storage.database.freeing(FullUntilReleased(storage.reserve, 2 * MIB))
    assert error.value.code == "disk_full"
    assert storage.reserve.size_bytes == MIB


def test_other_failures_of_a_delete_leave_the_reserve_alone(storage: Storage) -> None:
    def locked() -> None:
        raise StorageError("locked", code="database_locked")

    with pytest.raises(StorageError, match="locked"):
        storage.database.freeing(locked)
    assert storage.reserve.size_bytes == MIB


def with_three_documents(folder: Path) -> tuple[World, str]:
    """A data folder with a reserve and one base."""
    world = build_world(opened(folder, reserve_bytes=MIB).database, folder)
    kb_id = world.catalog.bases.create("reports").id
    for number in range(3):
        world.ingest(kb_id, f"{number}.txt", [f"{number} pumps failed"])
    return world, kb_id


def test_a_base_too_big_for_the_reserve_goes_document_by_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, kb_id = with_three_documents(tmp_path / "data")
    remove, deleted = world.catalog.bases._remove, []

    def too_big(base: str) -> set[str]:
        if world.catalog.documents.list(base).items:
            raise StorageError("full", code="disk_full")
        return remove(base)

    def note(base: str, document_id: str) -> set[str]:
        deleted.append(document_id)
        return set(remove_document(base, document_id))

    remove_document = world.catalog.documents._remove
    monkeypatch.setattr(world.catalog.bases, "_remove", too_big)
    monkeypatch.setattr(world.catalog.documents, "_remove", note)
    world.catalog.bases.delete(kb_id)
    assert len(deleted) == 3
    assert world.catalog.bases.list().items == ()
    world.assert_clean()


def test_many_documents_too_big_for_the_reserve_together_go_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, kb_id = with_three_documents(tmp_path / "data")
    documents = world.catalog.documents
    remove, steps = documents._remove_all, []

    def too_many(base: str, ids: Sequence[str]) -> tuple[int, set[str]]:
        steps.append(len(ids))
        if len(ids) > 1:
            raise StorageError("full", code="disk_full")
        return remove(base, ids)

    monkeypatch.setattr(documents, "_remove_all", too_many)
    kept, *gone = [document.id for document in documents.list(kb_id).items]
    assert documents.delete_all(kb_id, [*gone, "doc_gone"]) == 2
    assert set(steps) == {3, 1}
    assert [document.id for document in documents.list(kb_id).items] == [kept]
    world.assert_clean()


def test_the_reserve_gives_and_takes_parts_and_never_raises(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", MIB)
    assert not reserve.release()
    reserve.restore()
    assert reserve.release(OPENING_BYTES)
    assert reserve.size_bytes == MIB - OPENING_BYTES
    reserve.restore()
    assert reserve.size_bytes == MIB
    assert (tmp_path / "reserve").stat().st_mode & 0o077 == 0
    absent = Reserve(tmp_path / "nowhere" / "reserve", MIB)
    absent.restore()
    assert (absent.size_bytes, absent.target_bytes, absent.release()) == (0, 0, False)


def test_a_full_sqlite_file_is_a_full_disk(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    assert refused(lambda: world.ingest(kb_id, "a.txt", SENTENCES * 20)) == "disk_full"
    assert world.live_texts(kb_id) == []
