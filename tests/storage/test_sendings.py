"""Files on their way into an object store: nobody waits for the store, and nobody takes them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kb_service.domain.errors import NotFound
from kb_service.storage import sendings
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from kb_service.storage.blobs import BlobState, StagedBlob
from kb_service.storage.documents.members import StagedMember
from kb_service.storage.object_blobs import ObjectBlobs
from kb_service.storage.references import sent, sweep_blobs
from tests.storage.test_object_blobs import WORDS, blobs, kb_id, place, world
from tests.storage.world import World, parsed_of, sha256

__all__ = ["blobs", "kb_id", "place", "world"]


class Asked:
    """A way to the store that notes what is asked of it while nobody else may write."""

    def __init__(self, inner: Any, database: Path) -> None:  # noqa: ANN401  s3fs has no types
        self._inner, self._database = inner, database
        self.under_lock: list[str] = []
        self.num_calls = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self._inner, name)

        def noted(*args: object, **options: object) -> Any:  # noqa: ANN401
            self.num_calls += 1
            with closing(sqlite3.connect(self._database, timeout=0)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    self.under_lock.append(name)
            return found(*args, **options)

        return noted


@pytest.fixture
def asked(blobs: ObjectBlobs, tmp_path: Path) -> Iterator[Asked]:
    way = Asked(blobs._store.filesystem, tmp_path / "kb.sqlite3")
    blobs._store = replace(blobs._store, filesystem=way)
    yield way
    assert way.num_calls > 0


def test_an_import_asks_nothing_of_the_store_while_others_wait_to_write(
    world: World, kb_id: str, asked: Asked, tmp_path: Path
) -> None:
    for number in range(3):
        world.ingest(kb_id, f"{number}.txt", [f"pump {number} failed"])
    export_base(world.database, world.blobs, kb_id, tmp_path / "base.zip")
    asked.under_lock.clear()
    import_base(world.database, world.blobs, tmp_path / "base.zip", "again", 1000)
    assert asked.under_lock == []
    world.assert_clean()


def test_neither_does_an_upload_nor_a_revision_with_files_inside(
    world: World, kb_id: str, asked: Asked
) -> None:
    world.upload(kb_id, "a.zip", WORDS)
    member = StagedMember("b.txt", world.blobs.stage(b"inside", 100), "text/plain")
    world.publisher.publish(world.claim(), *parsed_of(["the pump failed"]), [member])
    assert asked.under_lock == []
    world.assert_clean(may_wait=True)


def test_what_somebody_sends_is_not_swept_until_it_is_stored(world: World, kb_id: str) -> None:
    staged = world.blobs.stage(WORDS, 100)
    with sent(world.database, world.blobs, [staged]):
        assert sweep_blobs(world.database, world.blobs, [staged.sha256]) == 0
        uploaded = world.upload(kb_id, "a.txt", WORDS)
        world.catalog.documents.delete(kb_id, uploaded.document.id)
        assert world.blobs.state_of(staged.sha256) is BlobState.WHOLE


def test_what_is_not_stored_in_the_end_may_be_swept(world: World, kb_id: str) -> None:
    with pytest.raises(NotFound):
        world.upload("kb_none", "a.txt", WORDS)
    assert list(world.blobs.iter_sha256()) == []
    assert no_sendings(world)


def test_the_store_is_asked_again_where_the_sender_was_given_up(
    world: World, kb_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendings, "HELD_FOR", timedelta(0))
    send = world.blobs.send

    def sent_and_swept(staged: StagedBlob) -> bool:
        is_new = send(staged)
        monkeypatch.setattr(world.blobs, "send", send)
        assert sweep_blobs(world.database, world.blobs, [staged.sha256]) == 1
        return is_new

    monkeypatch.setattr(world.blobs, "send", sent_and_swept)
    world.upload(kb_id, "a.txt", WORDS)
    assert world.blobs.state_of(sha256(WORDS)) is BlobState.WHOLE
    assert no_sendings(world)


def no_sendings(world: World) -> bool:
    with world.database.read() as connection:
        return connection.execute(sendings.sendings.select()).first() is None
