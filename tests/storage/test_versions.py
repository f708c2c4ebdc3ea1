"""Versions: nothing that was acknowledged goes while its document is there."""

import threading

import pytest
from sqlalchemy import text

from kb_service.domain.documents import Document, VersionState
from kb_service.domain.errors import Conflict, DocumentError, NotFound
from kb_service.domain.names import OnConflict
from tests.storage.world import World, sha256


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def states(document: Document) -> list[tuple[int, str, str]]:
    return [(v.number, v.sha256, v.state.value) for v in document.versions]


def found(world: World, kb_id: str, name: str) -> Document:
    document = world.catalog.documents.find(kb_id, name)
    assert document is not None
    return document


def test_every_content_is_a_version_newest_first(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    world.clock.advance(60)
    document = world.upload(kb_id, "a.txt", b"two").document
    assert states(document) == [
        (2, sha256(b"two"), "unread"),
        (1, sha256(b"one"), "searchable"),
    ]
    assert [v.size_bytes for v in document.versions] == [3, 3]
    assert (document.versions[0].created_at - document.versions[1].created_at).seconds == 60
    world.publish(world.claim(), ["two"])
    assert [v.state for v in found(world, kb_id, "a.txt").versions] == [
        VersionState.SEARCHABLE,
        VersionState.KEPT,
    ]
    world.assert_clean()


def test_what_was_replaced_before_it_was_read_stays_as_a_version(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one")
    document = world.upload(kb_id, "a.txt", b"two").document
    world.publish(world.claim(), ["two"])
    assert states(found(world, kb_id, "a.txt")) == [
        (2, sha256(b"two"), "searchable"),
        (1, sha256(b"one"), "unread"),
    ]
    path, _ = world.catalog.documents.content(kb_id, document.id, sha256(b"one"))
    assert path.read_bytes() == b"one"
    assert world.verifier.sweep(stale_after_s=0).num_blobs == 0
    world.assert_clean()


def test_what_could_not_be_read_stays_as_a_version(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"poison")
    world.queue.fail(world.claim(), DocumentError("broken"), retry=False)
    world.ingest(kb_id, "a.txt", ["two"])
    assert [v.state.value for v in found(world, kb_id, "a.txt").versions] == [
        "searchable",
        "unread",
    ]
    assert world.blobs.exists(sha256(b"poison"))
    world.assert_clean()


def test_restoring_makes_an_earlier_version_the_newest(world: World, kb_id: str) -> None:
    old = world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "a.txt", ["two"])
    document = found(world, kb_id, "a.txt")
    done = world.catalog.documents.restore(kb_id, document.id, old.sha256)
    assert done.outcome == "revised"
    assert world.live_texts(kb_id) == ["two"]
    world.publish(world.claim(), ["one"])
    assert world.live_texts(kb_id) == ["one"]
    assert states(found(world, kb_id, "a.txt")) == [
        (3, old.sha256, "searchable"),
        (2, sha256(b"two"), "kept"),
        (1, old.sha256, "kept"),
    ]
    again = world.catalog.documents.restore(kb_id, document.id, old.sha256)
    assert (again.outcome, again.job) == ("unchanged", None)
    world.assert_clean()


def test_only_a_version_can_be_restored(world: World, kb_id: str) -> None:
    document = world.upload(kb_id, "a.txt", b"one").document
    other = world.upload(kb_id, "b.txt", b"other")
    for document_id, content in ((document.id, b"other"), ("doc_none", b"one")):
        with pytest.raises(NotFound):
            world.catalog.documents.restore(kb_id, document_id, sha256(content))
    assert other.document.versions[0].number == 1


def test_keeping_both_makes_a_document_beside_the_known_one(world: World, kb_id: str) -> None:
    keep = {"on_conflict": OnConflict.KEEP}
    assert world.upload(kb_id, "a.txt", b"one", **keep).outcome == "created"
    second = world.upload(kb_id, "a.txt", b"two", tags=("x",), **keep)
    third = world.upload(kb_id, "a.txt", b"three", **keep)
    assert [(item.outcome, item.document.name) for item in (second, third)] == [
        ("kept_both", "a (2).txt"),
        ("kept_both", "a (3).txt"),
    ]
    assert second.document.tags == ("x",)
    for content, name in ((b"one", "a.txt"), (b"two", "a (2).txt"), (b"three", "a (3).txt")):
        again = world.upload(kb_id, "a.txt", content, **keep)
        assert (again.outcome, again.document.name) == ("unchanged", name)
    world.assert_clean()


def test_rejecting_changes_nothing_and_names_the_document(world: World, kb_id: str) -> None:
    reject = {"on_conflict": OnConflict.REJECT}
    first = world.upload(kb_id, "a.txt", b"one", **reject)
    with pytest.raises(Conflict) as error:
        world.upload(kb_id, "a.txt", b"two", tags=("x",), **reject)
    assert error.value.code == "name_taken"
    assert error.value.details == {"name": "a.txt", "document_id": first.document.id}
    assert world.upload(kb_id, "a.txt", b"one", **reject).outcome == "unchanged"
    assert found(world, kb_id, "a.txt") == first.document
    assert not world.blobs.exists(sha256(b"two"))


@pytest.mark.parametrize("on_conflict", [OnConflict.REVISE, OnConflict.KEEP])
def test_uploads_of_one_name_at_once_lose_none(
    world: World, kb_id: str, on_conflict: OnConflict
) -> None:
    contents = [b"%d" % number for number in range(6)]

    def upload(content: bytes) -> None:
        world.upload(kb_id, "a.txt", content, on_conflict=on_conflict)

    threads = [threading.Thread(target=upload, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = world.catalog.documents.list(kb_id).items
    assert len(listed) == (1 if on_conflict is OnConflict.REVISE else 6)
    kept = {version.sha256 for document in listed for version in document.versions}
    assert kept == {sha256(content) for content in contents}
    assert all(world.blobs.exists(content) for content in kept)
    world.assert_clean()


def test_a_deleted_document_takes_its_versions_along(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one")
    document = world.upload(kb_id, "a.txt", b"two").document
    world.catalog.documents.delete(kb_id, document.id)
    assert list(world.blobs.iter_sha256()) == []
    world.assert_clean()


def test_the_check_names_content_that_is_no_version(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    with world.database.write() as connection:
        connection.execute(text("DELETE FROM versions"))
    assert ["no version" in message for message in world.verifier.verify().lost] == [True, True]
