"""What an upload means: created, revised, unchanged; superseded work; deletes."""

from dataclasses import replace

import pytest

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.errors import (
    Conflict,
    DocumentError,
    InvalidRequest,
    LeaseLost,
    NotFound,
    StorageError,
)
from kb_service.domain.jobs import JobStatus
from tests.storage.world import PROFILE, World, sha256


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def test_a_first_upload_creates_a_pending_document_and_a_job(world: World, kb_id: str) -> None:
    done = world.upload(kb_id, "a.txt", b"one", tags=("x", "b", "x"), origin="sync:/folder")
    assert done.outcome == "created"
    assert done.document.status is DocumentStatus.PENDING
    assert done.document.tags == ("b", "x")
    assert done.job is not None
    assert (done.job.status, done.job.blob_sha256) == (JobStatus.QUEUED, sha256(b"one"))
    assert world.blobs.exists(sha256(b"one"))
    world.assert_clean()


def test_the_same_bytes_again_change_nothing(world: World, kb_id: str) -> None:
    first = world.upload(kb_id, "a.txt", b"one")
    pending = world.upload(kb_id, "a.txt", b"one")
    assert (pending.outcome, pending.job) == ("unchanged", first.job)
    world.publish(world.claim(), ["one"])
    again = world.upload(kb_id, "a.txt", b"one")
    assert (again.outcome, again.job) == ("unchanged", None)
    assert len(world.queue.events_since(kb_id, 0).jobs) == 1
    world.assert_clean()


def test_the_same_bytes_heal_a_damaged_blob(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    world.blobs.path(sha256(b"one")).write_bytes(b"rot")
    assert not world.verifier.verify().is_clean
    assert world.upload(kb_id, "a.txt", b"one").outcome == "unchanged"
    world.assert_clean()


def test_new_bytes_keep_the_old_revision_searchable_until_published(
    world: World, kb_id: str
) -> None:
    old = world.ingest(kb_id, "a.txt", ["one"])
    done = world.upload(kb_id, "a.txt", b"two")
    assert done.outcome == "revised"
    assert done.document.revision == replace(old, embedded_by=PROFILE.fingerprint)
    assert done.document.status is DocumentStatus.PENDING
    claim = world.claim()
    assert world.live_texts(kb_id) == ["one"]
    new = world.publish(claim, ["two"])
    assert world.live_texts(kb_id) == ["two"]
    document = world.catalog.documents.get(kb_id, done.document.id)
    assert document.revision == replace(new, embedded_by=PROFILE.fingerprint)
    assert document.status is DocumentStatus.READY
    assert world.catalog.revisions.text(kb_id, document.id, old.sha256)[1] == "one\n"
    world.assert_clean()


def test_newer_bytes_supersede_a_queued_job(world: World, kb_id: str) -> None:
    first = world.upload(kb_id, "a.txt", b"one")
    second = world.upload(kb_id, "a.txt", b"two")
    assert first.job is not None
    superseded = world.queue.get(first.job.id)
    assert superseded.status is JobStatus.CANCELLED
    assert superseded.error is not None
    assert superseded.error["code"] == "superseded"
    assert world.blobs.exists(sha256(b"one"))
    assert world.claim().job.id == (second.job and second.job.id)
    with pytest.raises(Conflict) as error:
        world.queue.retry(first.job.id)
    assert error.value.code == "job_superseded"
    world.assert_clean()


def test_a_running_job_that_is_superseded_cannot_publish(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one")
    claim = world.claim()
    world.upload(kb_id, "a.txt", b"two")
    with pytest.raises(LeaseLost):
        world.publish(claim, ["one"])
    with pytest.raises(LeaseLost):
        world.queue.heartbeat(claim)
    assert world.live_texts(kb_id) == []
    world.assert_clean()


def test_going_back_to_earlier_bytes_makes_them_searchable_again(world: World, kb_id: str) -> None:
    first = world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "a.txt", ["two"])
    third = world.ingest(kb_id, "a.txt", ["one"])
    assert third.sha256 == first.sha256
    assert third.id > first.id
    assert world.live_texts(kb_id) == ["one"]
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    assert document.revision == replace(third, embedded_by=PROFILE.fingerprint)
    for content in ("one", "two"):
        found = world.catalog.revisions.text(kb_id, document.id, sha256(content.encode()))
        assert found[1] == f"{content}\n"
    world.assert_clean()


def test_going_back_while_newer_bytes_wait_gives_them_up(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    newer = world.upload(kb_id, "a.txt", b"two")
    back = world.upload(kb_id, "a.txt", b"one")
    assert (back.outcome, back.job) == ("unchanged", None)
    assert back.document.status is DocumentStatus.READY
    assert back.document.error is None
    assert newer.job is not None
    assert world.queue.get(newer.job.id).status is JobStatus.CANCELLED
    assert world.blobs.exists(sha256(b"two"))
    world.assert_clean()


def test_bytes_whose_ingest_died_get_a_new_job(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one")
    world.queue.fail(world.claim(), DocumentError("broken"), retry=False)
    again = world.upload(kb_id, "a.txt", b"one")
    assert again.outcome == "revised"
    assert again.job is not None
    assert again.document.status is DocumentStatus.PENDING
    world.publish(world.claim(), ["one"])
    world.assert_clean()


def test_an_upload_keeps_tags_and_origin_unless_it_brings_its_own(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one", tags=("x",), origin="sync:/a")
    assert world.upload(kb_id, "a.txt", b"two").document.tags == ("x",)
    assert world.catalog.documents.known_hashes(kb_id, origin="sync:/a") == {
        "a.txt": sha256(b"two")
    }
    assert world.upload(kb_id, "a.txt", b"two", tags=("y",)).document.tags == ("y",)
    assert world.catalog.documents.known_hashes(kb_id, origin="sync:/b") == {}
    assert world.catalog.documents.known_hashes(kb_id) == {"a.txt": sha256(b"two")}


def test_an_upload_whose_blob_cannot_be_stored_registers_nothing(world: World, kb_id: str) -> None:
    world.blobs.root.write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError):
        world.upload(kb_id, "a.txt", b"one")
    assert world.catalog.documents.list(kb_id).items == ()
    assert world.queue.events_since(kb_id, 0).jobs == ()


def test_names_are_data_and_compared_exactly(world: World, kb_id: str) -> None:
    names = [
        "a.txt",
        "A.txt",
        "á.txt",
        "a'; DROP TABLE documents;--",
        "../../x",
        "报告",
    ]
    for name in names:
        assert world.upload(kb_id, name, name.encode()).outcome == "created"
    listed = [document.name for document in world.catalog.documents.list(kb_id).items]
    assert listed == sorted(names)
    world.assert_clean()


def test_deleting_a_document_removes_every_trace(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "a.txt", ["two"])
    kept = world.ingest(kb_id, "b.txt", ["three"])
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    world.catalog.documents.delete(kb_id, document.id)
    assert world.live_texts(kb_id) == ["three"]
    assert list(world.blobs.iter_sha256()) == [kept.sha256]
    report = world.verifier.verify()
    counts = (report.num_documents, report.num_revisions, report.num_chunks, report.num_embeddings)
    assert counts == (1, 1, 1, 1)
    assert report.num_jobs == 1
    with pytest.raises(NotFound):
        world.catalog.documents.get(kb_id, document.id)
    with pytest.raises(NotFound):
        world.catalog.documents.delete(kb_id, document.id)
    world.assert_clean()


def test_deleting_while_its_job_runs_leaves_nothing_to_publish(world: World, kb_id: str) -> None:
    done = world.upload(kb_id, "a.txt", b"one")
    claim = world.claim()
    world.catalog.documents.delete(kb_id, done.document.id)
    with pytest.raises(LeaseLost):
        world.publish(claim, ["one"])
    report = world.verifier.verify()
    assert report.is_clean
    assert (report.num_revisions, report.num_embeddings, report.num_blobs) == (0, 0, 0)


def test_a_blob_two_documents_share_stays_for_the_second(world: World, kb_id: str) -> None:
    first = world.upload(kb_id, "a.txt", b"one")
    world.upload(kb_id, "b.txt", b"one")
    world.catalog.documents.delete(kb_id, first.document.id)
    assert world.blobs.exists(sha256(b"one"))
    world.assert_clean()


def test_deleting_a_base_removes_everything_and_spares_the_others(world: World, kb_id: str) -> None:
    other = world.catalog.bases.create("other").id
    world.ingest(kb_id, "a.txt", ["one", "shared"])
    world.ingest(other, "b.txt", ["shared"])
    world.upload(kb_id, "c.txt", b"waiting")
    world.catalog.bases.delete(kb_id)
    assert world.live_texts(other) == ["shared"]
    report = world.verifier.verify()
    assert report.is_clean
    assert (report.num_documents, report.num_embeddings, report.num_blobs) == (1, 1, 1)
    with pytest.raises(NotFound):
        world.catalog.bases.get(kb_id)
    with pytest.raises(NotFound):
        world.upload(kb_id, "a.txt", b"one")
    world.verifier.sweep(stale_after_s=0)
    world.assert_clean()


def test_bases_have_unique_exact_names(world: World, kb_id: str) -> None:
    for taken in (lambda: world.catalog.bases.create("reports"), _rename_onto(world)):
        with pytest.raises(Conflict) as error:
            taken()
        assert error.value.code == "kb_name_taken"
    assert world.catalog.bases.create("Reports").id != kb_id
    assert world.catalog.bases.get("reports").id == kb_id
    assert world.catalog.bases.update(kb_id, description="d").description == "d"
    for name in ("", "  ", "x" * 201):
        with pytest.raises(InvalidRequest):
            world.catalog.bases.create(name)


def test_lists_go_on_where_they_stopped(world: World, kb_id: str) -> None:
    for number in range(5):
        world.upload(kb_id, f"{number}.txt", b"%d" % number)
    seen, cursor = [], None
    while True:
        listing = world.catalog.documents.list(kb_id, cursor, limit=2)
        seen += [document.name for document in listing.items]
        cursor = listing.next_cursor
        if cursor is None:
            break
    assert seen == [f"{number}.txt" for number in range(5)]
    for bad in ("", "?", "W10", "bnVsbA", "\ud800"):
        with pytest.raises(InvalidRequest):
            world.catalog.documents.list(kb_id, bad)
    with pytest.raises(InvalidRequest):
        world.catalog.documents.list(kb_id, limit=0)


def _rename_onto(world: World):  # noqa: ANN202  a callable for pytest.raises
    other = world.catalog.bases.create("other").id
    return lambda: world.catalog.bases.update(other, name="reports")
