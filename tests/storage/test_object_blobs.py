"""Original files in an object store, a real server: the folder's promises, kept elsewhere."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kb_service.domain.errors import ConfigurationError, KbError, NotFound, StorageError
from kb_service.s3_parts import open_blobs
from kb_service.settings import BlobSettings
from kb_service.storage import object_blobs, postgres
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from kb_service.storage.backup import back_up, restore
from kb_service.storage.blobs import BlobState
from kb_service.storage.database import open_database
from kb_service.storage.erasure import Erasures
from kb_service.storage.object_blobs import ObjectBlobs
from tests.sources.servers import S3Place
from tests.storage.world import World, build_world, sha256

for _module in ("s3fs", "moto", "flask_cors", "boto3"):
    pytest.importorskip(_module, reason=f"the extra `sources` lacks {_module}")

WORDS = b"the pump failed"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[S3Place]:
    made = S3Place(tmp_path)
    yield made
    made.stop()


def settings_of(place: S3Place, **values: object) -> BlobSettings:
    return BlobSettings.model_validate(
        {"url": f"{place.url}/originals", "timeout_s": 5, **place.account} | values
    )


def blobs_of(place: S3Place, folder: Path, **values: object) -> ObjectBlobs:
    opened = open_blobs(settings_of(place, **values), folder)
    assert isinstance(opened, ObjectBlobs)
    return opened


@pytest.fixture
def blobs(place: S3Place, tmp_path: Path) -> ObjectBlobs:
    return blobs_of(place, tmp_path)


@pytest.fixture
def world(migrated_sqlite: Path, tmp_path: Path, blobs: ObjectBlobs) -> Iterator[World]:
    shutil.copy(migrated_sqlite, tmp_path / "kb.sqlite3")
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    yield build_world(database, tmp_path, blobs)
    database.close()


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def test_a_file_is_stored_under_its_hash_and_comes_back_on_another_machine(
    world: World, kb_id: str, place: S3Place, tmp_path: Path
) -> None:
    world.ingest(kb_id, "a.txt", ["the pump failed"])
    assert list(world.blobs.iter_sha256()) == [sha256(WORDS)]
    assert list(world.blobs.staging.iterdir()) == []
    elsewhere = build_world(world.database, tmp_path, blobs_of(place, tmp_path / "elsewhere"))
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    for _ in range(2):  # the second time from the copy
        path, _ = elsewhere.catalog.documents.content(kb_id, document.id)
        assert path.read_bytes() == WORDS
        assert path.name == sha256(WORDS), "what OCR reads of it is kept under its hash"
    elsewhere.assert_clean()


def test_a_deleted_document_leaves_no_object_and_no_copy(world: World, kb_id: str) -> None:
    document_id = world.ingest(kb_id, "a.txt", ["the pump failed"]).document_id
    copy, _ = world.catalog.documents.content(kb_id, document_id)
    world.catalog.documents.delete(kb_id, document_id)
    assert not copy.exists()
    assert list(world.blobs.iter_sha256()) == []
    erasures = Erasures(world.database, world.blobs)
    receipt = erasures.receipt(document_id)
    assert receipt is not None
    assert not any(place.found for place in erasures.look(document_id, receipt))
    world.assert_clean()


def test_an_upload_that_is_refused_leaves_no_object(world: World, kb_id: str) -> None:
    with pytest.raises(NotFound):
        world.upload("kb_none", "a.txt", WORDS)
    assert list(world.blobs.iter_sha256()) == []
    world.upload(kb_id, "a.txt", WORDS)
    with pytest.raises(NotFound):
        world.upload("kb_none", "a.txt", WORDS)
    assert world.blobs.exists(sha256(WORDS)), "others refer to it"


def test_a_server_that_is_away_acknowledges_nothing_and_loses_nothing(
    world: World, kb_id: str, place: S3Place
) -> None:
    document = world.upload(kb_id, "a.txt", WORDS).document
    place.stop()
    for act in (
        lambda: world.upload(kb_id, "b.txt", b"more"),
        lambda: world.catalog.documents.content(kb_id, document.id),
        lambda: world.verifier.verify(),
    ):
        with pytest.raises(StorageError) as error:
            act()
        assert error.value.code == "storage_unavailable"
        assert error.value.is_outage
        assert "hunter2" not in error.value.message
    assert [item.name for item in world.catalog.documents.list(kb_id).items] == ["a.txt"]
    place.start_again()
    world.upload(kb_id, "b.txt", b"more")
    assert len(list(world.blobs.iter_sha256())) == 2
    assert world.verifier.verify().is_clean


class Cutting:
    """A way to the server that breaks off for good after so many bytes."""

    def __init__(self, endpoint: str, num_bytes: int) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self._to, self._left = (host, int(port)), num_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client = self._listener.accept()[0]
            if self._left <= 0:
                client.close()
                continue
            server = socket.create_connection(self._to)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._left -= len(data)
                if self._left <= 0:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with_shutdown(end)


def with_shutdown(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def test_an_upload_that_breaks_off_in_its_middle_is_not_there(
    world: World, kb_id: str, place: S3Place, tmp_path: Path
) -> None:
    way = Cutting(place.account["endpoint"], 400_000)
    broken = blobs_of(place, tmp_path, endpoint=way.endpoint)
    content = os.urandom(1_000_000)
    cut = build_world(world.database, tmp_path, broken)
    with pytest.raises(StorageError) as error:
        cut.upload(kb_id, "a.bin", content)
    assert error.value.code == "storage_unavailable"
    assert world.catalog.documents.list(kb_id).items == ()
    assert list(world.blobs.iter_sha256()) == []
    world.upload(kb_id, "a.bin", content)
    assert world.blobs.state_of(sha256(content)) is BlobState.WHOLE


class Flipping:
    """A file system that stores, and gives back other bytes."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401  s3fs has no types
        self._inner = inner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inner, name)

    def get_file(self, remote: str, local: str) -> None:
        self._inner.get_file(remote, local)
        path = Path(local)
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_what_comes_back_otherwise_than_it_was_sent_is_not_acknowledged(
    world: World, kb_id: str, place: S3Place, tmp_path: Path
) -> None:
    blobs = blobs_of(place, tmp_path)
    blobs._store = replace(blobs._store, filesystem=Flipping(blobs._store.filesystem))
    with pytest.raises(StorageError) as error:
        build_world(world.database, tmp_path, blobs).upload(kb_id, "a.txt", WORDS)
    assert error.value.code == "blob_damaged"
    assert world.catalog.documents.list(kb_id).items == ()
    assert not world.blobs.exists(sha256(WORDS)), "nothing refers to it"


def test_an_object_with_other_bytes_is_never_given_out_and_healed_by_the_same_upload(
    world: World, kb_id: str, place: S3Place
) -> None:
    document_id = world.ingest(kb_id, "a.txt", ["the pump failed"]).document_id
    digest = sha256(WORDS)
    place.put(f"originals/{digest[:2]}/{digest[2:4]}/{digest}", "rot")
    with pytest.raises(StorageError) as error:
        world.catalog.documents.content(kb_id, document_id)
    assert error.value.code == "blob_damaged"
    assert world.verifier.verify().mismatched
    world.upload(kb_id, "a.txt", WORDS)
    world.assert_clean()
    place.remove(f"originals/{digest[:2]}/{digest[2:4]}/{digest}")
    assert world.verifier.verify().lost


def test_what_nothing_refers_to_is_swept_once_no_upload_can_be_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.blobs.send(world.blobs.stage(WORDS, 100))
    assert world.verifier.verify().is_clean
    assert world.verifier.sweep().num_blobs == 0
    monkeypatch.setattr(object_blobs, "UNDER_WAY", timedelta(0))
    assert world.verifier.verify().orphaned
    assert world.verifier.sweep().num_blobs == 1
    world.assert_clean()


def test_an_object_that_a_sweep_took_before_the_commit_is_stored_again(blobs: ObjectBlobs) -> None:
    staged = blobs.stage(WORDS, 100)
    assert blobs.send(staged)
    blobs.unlink(staged.sha256)
    blobs.publish(staged)
    assert blobs.state_of(staged.sha256) is BlobState.WHOLE
    assert not staged.path.exists()


def test_copies_go_after_their_time_and_the_oldest_where_room_is_short(
    place: S3Place, tmp_path: Path
) -> None:
    blobs = blobs_of(place, tmp_path, copies_s=3600, copies_bytes=5)
    paths = []
    for age_s, content in ((4000, b"old"), (100, b"idle"), (10, b"in use")):
        staged = blobs.stage(content, 100)
        blobs.publish(staged)
        paths.append(blobs.whole(staged.sha256, "a"))
        os.utime(paths[-1], (time.time() - age_s,) * 2)
    blobs.tidy_copies()
    assert [path.exists() for path in paths] == [False, False, True]
    assert len(list(blobs.iter_sha256())) == 3


def test_a_copy_that_is_being_read_outlives_every_limit(place: S3Place, tmp_path: Path) -> None:
    blobs = blobs_of(place, tmp_path, copies_s=120, copies_bytes=0)
    paths = []
    now = time.time()
    for content in (b"read", b"idle"):
        staged = blobs.stage(content, 100)
        blobs.publish(staged)
        paths.append(blobs.whole(staged.sha256, "a"))
        os.utime(paths[-1], (now - 4000,) * 2)
    blobs.in_use(paths[0])
    blobs.tidy_copies()
    assert [path.exists() for path in paths] == [True, False]
    os.utime(paths[0], (now - 10,) * 2)
    touched = paths[0].stat().st_mtime
    blobs.in_use(paths[0])
    assert paths[0].stat().st_mtime == touched, "not for every event"
    blobs.in_use(paths[1])
    assert not paths[1].exists()
    blobs._limits = replace(blobs._limits, keep_s=1.0)
    blobs.tidy_copies()
    assert paths[0].exists(), "touched within the last minute"


def test_copies_stay_longer_than_the_time_in_which_a_reader_says_so() -> None:
    shortest = 2 * object_blobs.IN_USE_S
    assert BlobSettings(copies_s=shortest).copies_s == shortest
    with pytest.raises(ValueError, match="copies_s"):
        BlobSettings(copies_s=shortest - 1)


@pytest.mark.parametrize("is_checked", [False, True])
def test_a_store_that_does_not_answer_holds_no_writer_until_its_turn_is_lost(
    place: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_checked: bool
) -> None:
    assert 2 * object_blobs.REMOVE_WAIT_S < postgres.STANDSTILL_S
    monkeypatch.setattr(object_blobs, "REMOVE_WAIT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        blobs = blobs_of(place, tmp_path, endpoint=endpoint, timeout_s=10)
        blobs._state.is_checked = is_checked
        began = time.monotonic()
        with pytest.raises(StorageError) as error:
            blobs.unlink(sha256(WORDS))
        assert time.monotonic() - began < 10
    assert error.value.code == "storage_unavailable"


def test_a_bucket_that_keeps_versions_is_refused(world: World, kb_id: str, place: S3Place) -> None:
    place.keep_versions()
    with pytest.raises(ConfigurationError, match="keeps versions") as error:
        world.upload(kb_id, "a.txt", WORDS)
    assert error.value.code == "bucket_keeps_versions"
    assert world.catalog.documents.list(kb_id).items == ()


def test_a_bucket_that_is_gone_is_named_and_no_file_is_said_to_be_lost(
    world: World, kb_id: str, place: S3Place
) -> None:
    document_id = world.ingest(kb_id, "a.txt", ["the pump failed"]).document_id
    other = world.upload(kb_id, "b.txt", b"more").document.id
    world.catalog.documents.delete(kb_id, other)
    erasures = Erasures(world.database, world.blobs)
    receipt = erasures.receipt(other)
    assert receipt is not None
    place.remove_bucket()
    for act in (
        lambda: world.catalog.documents.content(kb_id, document_id),
        lambda: world.verifier.verify(),
        lambda: list(world.blobs.iter_sha256()),
        lambda: world.blobs.exists(sha256(WORDS)),
        lambda: erasures.look(other, receipt),
        lambda: world.upload(kb_id, "c.txt", b"new"),
        lambda: world.blobs.describe(),
    ):
        with pytest.raises(StorageError, match=f"no bucket '{place.url.split('/')[2]}'") as error:
            act()
        assert error.value.code == "storage_unavailable"
    assert [item.name for item in world.catalog.documents.list(kb_id).items] == ["a.txt"]


def test_a_misspelt_bucket_takes_nothing(place: S3Place, tmp_path: Path) -> None:
    blobs = blobs_of(place, tmp_path, url="s3://reprots/originals")
    for act in (blobs.describe, lambda: blobs.send(blobs.stage(WORDS, 100))):
        with pytest.raises(StorageError, match="no bucket 'reprots'"):
            act()


def test_backup_and_archive_hold_the_files_and_bring_them_back(
    world: World, kb_id: str, place: S3Place, tmp_path: Path
) -> None:
    world.ingest(kb_id, "a.txt", ["the pump failed"])
    taken = back_up(world.database, world.blobs, tmp_path / "backup")
    assert taken.num_blobs == 1
    export_base(world.database, world.blobs, kb_id, tmp_path / "base.zip")
    world.catalog.bases.delete(kb_id)
    assert list(world.blobs.iter_sha256()) == []
    import_base(world.database, world.blobs, tmp_path / "base.zip", "again", 1000)
    assert list(world.blobs.iter_sha256()) == [sha256(WORDS)]
    world.blobs.unlink(sha256(WORDS))
    folder = tmp_path / "new"
    blobs = blobs_of(place, folder)
    restore(tmp_path / "backup", folder, folder / "kb.sqlite3", blobs)
    database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    build_world(database, folder, blobs).assert_clean()
    database.close()


def test_no_message_and_no_setting_shows_the_secret(place: S3Place, tmp_path: Path) -> None:
    settings = settings_of(place, password="open sesame")
    assert "sesame" not in repr(settings)
    assert "sesame" not in settings.model_dump_json()
    blobs = blobs_of(place, tmp_path, endpoint="http://127.0.0.1:9", password="open sesame")
    with pytest.raises(KbError) as error:
        blobs.describe()
    assert "sesame" not in str(error.value)


@pytest.mark.parametrize("url", ["http://x/y", "s3://", "s3://user:pw@bucket", "s3://b/?secret=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/folder"):
        BlobSettings(url=url)
