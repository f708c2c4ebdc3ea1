"""Blobs: what is staged, published and refused, and that failures leave nothing behind."""

import errno
import io
import os
from pathlib import Path

import pytest

from kb_service.domain.errors import PayloadTooLarge, StorageError
from kb_service.storage.blobs import BlobStore
from tests.storage.world import sha256


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def test_published_bytes_are_found_by_their_hash(blobs: BlobStore) -> None:
    staged = blobs.stage(io.BytesIO(b"report"), 100)
    assert (staged.sha256, staged.size_bytes) == (sha256(b"report"), 6)
    assert not blobs.exists(staged.sha256)
    path = blobs.publish(staged)
    assert path.relative_to(blobs.root).parts == (*_shards(staged.sha256), staged.sha256)
    assert blobs.whole(staged.sha256, "a").read_bytes() == b"report"
    assert list(blobs.iter_sha256()) == [staged.sha256]
    assert list(blobs.staging.iterdir()) == []


def test_publishing_the_same_bytes_twice_keeps_one_blob(blobs: BlobStore) -> None:
    for _ in range(2):
        blobs.publish(blobs.stage(b"report", 100))
    assert len(list(blobs.iter_sha256())) == 1


def test_what_was_read_of_a_blob_goes_with_it(blobs: BlobStore) -> None:
    first, second = (blobs.stage(data, 100) for data in (b"first", b"second"))
    for staged in (first, second):
        blobs.publish(staged)
        folder = blobs.readings(staged.sha256)
        folder.mkdir(parents=True)
        (folder / "1.json").write_text("words")
    blobs.unlink(first.sha256)
    assert not blobs.readings(first.sha256).exists()
    blobs.path(second.sha256).unlink()  # as by a process that died in between
    blobs.discard_readings_without_blob()
    assert list(blobs.root.parent.glob("readings/??/*")) == []


def test_too_many_bytes_are_refused_and_leave_nothing(blobs: BlobStore) -> None:
    assert blobs.stage(b"12345", 5).size_bytes == 5
    for path in blobs.staging.iterdir():
        path.unlink()
    with pytest.raises(PayloadTooLarge) as error:
        blobs.stage(b"123456", 5)
    assert error.value.details == {"size_bytes": 6, "max_bytes": 5}
    assert list(blobs.staging.iterdir()) == []


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError) as error:
        blobs.stage(b"report", 100)
    assert error.value.code == "disk_full"
    assert list(blobs.staging.iterdir()) == []


def test_a_really_full_device_is_a_storage_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    store = BlobStore(Path("/dev/full/blobs"))
    with pytest.raises(StorageError):
        store.stage(b"report", 100)


def test_a_staging_folder_that_is_a_file_is_a_storage_error(blobs: BlobStore) -> None:
    blobs.staging.write_bytes(b"in the way")
    with pytest.raises(StorageError) as error:
        blobs.stage(b"report", 100)
    assert error.value.code == "storage_failed"


def test_a_reader_that_fails_while_staging_leaves_nothing(blobs: BlobStore) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise ConnectionResetError("the client went away")

    with pytest.raises(StorageError):
        blobs.stage(Broken(), 100)
    assert list(blobs.staging.iterdir()) == []


def test_discarding_is_allowed_after_publishing(blobs: BlobStore) -> None:
    staged = blobs.stage(b"report", 100)
    blobs.publish(staged)
    blobs.discard(staged)
    blobs.discard(staged)
    assert blobs.exists(staged.sha256)


def test_stale_staged_files_go_and_fresh_ones_stay(blobs: BlobStore) -> None:
    old, fresh = blobs.stage(b"old", 100), blobs.stage(b"fresh", 100)
    os.utime(old.path, (0, 0))
    assert blobs.discard_stale(older_than_s=3600) == 1
    assert not old.path.exists()
    assert fresh.path.exists()


def test_missing_bytes_are_a_loss_that_names_them(blobs: BlobStore) -> None:
    with pytest.raises(StorageError) as error:
        blobs.whole(sha256(b"never"), "'a.txt'")
    assert error.value.code == "blob_missing"
    assert "'a.txt'" in error.value.message


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_is_refused(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        blobs.path(name)


def _shards(name: str) -> tuple[str, str]:
    return name[:2], name[2:4]
