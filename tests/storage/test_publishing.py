"""Publishing is all or nothing; embeddings are shared, reused and never orphaned."""

import struct
from collections.abc import Callable

import pytest
from sqlalchemy import select

from kb_service.domain.documents import (
    ChunkDraft,
    DocumentStatus,
    Page,
    PageKind,
    PageOutline,
    PageReport,
    ParsedDocument,
    regions_of,
)
from kb_service.domain.errors import DocumentError, StorageError
from kb_service.domain.ports import EmbeddingProfile, IndexChange
from kb_service.domain.queries import Filters
from kb_service.domain.spans import TextSpan
from kb_service.storage.embeddings import AddedVectors
from kb_service.storage.pages import page_of
from kb_service.storage.tables import pages as page_rows
from tests.storage.world import PROFILE, World, parsed_of, vectors_of

SCORES = b"\x80\xa0\xff\xff\xff\0\x90\xff\xff\xff"
OTHER = EmbeddingProfile("other", 1, "e" * 64)


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def test_a_published_revision_is_read_back_whole(world: World, kb_id: str) -> None:
    text = "标题\n第一句。second"
    boxes = tuple((index * 1.5, 10.25, index * 1.5 + 1, 20.5) for index in range(3))
    pages = (
        Page(1, TextSpan(0, 3), PageKind.TEXT, None, 595.0, 842.0, 90, boxes),
        Page(2, TextSpan(3, 3), PageKind.EMPTY, "no_text_layer"),
        Page(3, TextSpan(3, len(text)), PageKind.OCR, char_scores=SCORES),
    )
    draft = ChunkDraft(0, TextSpan(1, 8), text[1:8], ("标题", "二"), "prefix")
    parsed = ParsedDocument(text, pages, title=" 报告 ", metadata={"author": "x\u2028y"})
    world.upload(kb_id, "folder/a.txt", b"bytes")
    revision = world.publisher.publish(world.claim(), parsed, [draft])
    world.embeddings.add(PROFILE, vectors_of([draft]))
    assert (revision.num_pages, revision.num_chunks, revision.size_bytes) == (3, 1, 5)
    document = world.catalog.documents.find(kb_id, "folder/a.txt")
    assert document is not None
    assert document.status is DocumentStatus.PARTIAL
    assert document.metadata == {"author": "x\u2028y"}
    assert document.page_report is not None
    assert document.page_report == PageReport.of(pages)
    assert document.page_report.pages[1] == PageOutline(2, PageKind.EMPTY, 0, "no_text_layer")
    with world.database.read() as connection:
        rows = connection.execute(select(page_rows).order_by(page_rows.c.page_number))
        assert tuple(page_of(row) for row in rows) == pages
    [found] = world.source.revision_chunks(revision.id, PROFILE)
    stored = world.source.hydrate(kb_id, [found.chunk_id, found.chunk_id, 10**9])[found.chunk_id]
    chunk = stored.chunk
    assert (chunk.draft, chunk.title, chunk.document_id) == (draft, "报告", document.id)
    assert world.source.chunk_regions([chunk, chunk]) == [regions_of(pages, draft.span)] * 2
    assert world.catalog.revisions.regions(revision.id, TextSpan(0, 2)) == regions_of(
        pages, TextSpan(0, 2)
    )
    assert stored.sha256 == revision.sha256
    assert world.catalog.revisions.unsure(revision.id) == (TextSpan(3, 5), TextSpan(9, 10))
    world.assert_clean()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda drafts: drafts.append(drafts[0]),
        lambda drafts: drafts.__setitem__(0, ChunkDraft(0, TextSpan(0, 2), "xx")),
    ],
)
def test_a_revision_that_does_not_hold_together_is_refused(
    world: World, kb_id: str, spoil: Callable[[list[ChunkDraft]], object]
) -> None:
    world.ingest(kb_id, "a.txt", ["old"])
    world.upload(kb_id, "a.txt", b"new")
    claim = world.claim()
    parsed, drafts = parsed_of(["one", "two"])
    spoil(drafts)
    with pytest.raises(StorageError) as error:
        world.publisher.publish(claim, parsed, drafts)
    assert error.value.code == "chunk_mismatch"
    assert world.live_texts(kb_id) == ["old"]
    world.assert_clean()
    world.publish(claim, ["new"])
    assert world.live_texts(kb_id) == ["new"]
    world.assert_clean()


@pytest.mark.parametrize("bad", ["nul \x00", "surrogate \udc80"])
def test_text_that_cannot_be_stored_is_the_documents_fault(
    world: World, kb_id: str, bad: str
) -> None:
    world.upload(kb_id, "a.txt", b"bytes")
    claim = world.claim()
    for parsed in (
        ParsedDocument(bad, (Page(1, TextSpan(0, 1), PageKind.TEXT),)),
        ParsedDocument("fine", (Page(1, TextSpan(0, 1), PageKind.TEXT),), title=bad),
        ParsedDocument("fine", (), metadata={"author": bad}),
    ):
        with pytest.raises(DocumentError) as error:
            world.publisher.publish(claim, parsed, [])
        assert error.value.code == "unstorable_text"
    world.assert_clean()


def test_a_publish_whose_bytes_are_gone_is_refused(world: World, kb_id: str) -> None:
    job = world.upload(kb_id, "a.txt", b"bytes").job
    assert job is not None
    world.blobs.unlink(job.blob_sha256)
    with pytest.raises(StorageError) as error:
        world.publish(world.claim(), ["text"])
    assert error.value.code == "blob_missing"
    assert world.live_texts(kb_id) == []


def test_equal_texts_share_one_embedding_until_the_last_is_gone(world: World, kb_id: str) -> None:
    def waiting(profile: EmbeddingProfile = PROFILE) -> list[str]:
        return [text.text for text in world.embeddings.waiting(profile, 0, 10)]

    world.ingest(kb_id, "a.txt", ["shared", "only a"])
    other = world.catalog.bases.create("other").id
    world.upload(other, "b.txt", b"b")
    parsed, drafts = parsed_of(["shared", "only b"])
    world.publisher.publish(world.claim(), parsed, drafts)
    assert waiting() == ["only b"]
    assert waiting(OTHER) == ["shared", "only a", "shared", "only b"]
    assert world.embeddings.num_waiting(PROFILE) == 1
    world.embeddings.add(PROFILE, vectors_of(drafts))
    assert world.verifier.verify().num_embeddings == 3
    world.ingest(kb_id, "a.txt", ["changed"])
    assert waiting() == []
    world.assert_clean()
    world.catalog.bases.delete(other)
    # "changed", and the two of the version before, which a search as of then still finds.
    assert world.verifier.verify().num_embeddings == 3
    world.assert_clean()


def test_indexes_hear_of_additions_and_removals_without_pairs(world: World, kb_id: str) -> None:
    first = world.ingest(kb_id, "a.txt", ["one"])
    # Added once with its words, and once more with its vectors.
    assert world.source.changes(kb_id, 0) == [IndexChange(2, first.id, is_added=True)]
    second = world.ingest(kb_id, "a.txt", ["two"])
    assert world.source.head(kb_id) == 5
    removed, added = (
        IndexChange(3, first.id, is_added=False),
        IndexChange(5, second.id, is_added=True),
    )
    assert world.source.changes(kb_id, 1) == [removed, added]
    assert world.source.changes(kb_id, 0) == [removed, added]
    assert world.source.changes(kb_id, 5) == []
    world.catalog.documents.delete(kb_id, first.document_id)
    assert world.source.changes(kb_id, 5) == [IndexChange(6, second.id, is_added=False)]
    assert world.source.revision_chunks(second.id, PROFILE) == []
    assert world.source.head("kb_unknown") == 0
    world.assert_clean()


def test_live_chunks_come_in_id_order_over_batches(
    world: World, kb_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.storage.chunks.STREAM_BATCH", 2)
    for name in ("a", "b", "c"):
        world.ingest(kb_id, name, [f"{name} one", f"{name} two"])
    found = list(world.source.live_chunks(kb_id, PROFILE))
    assert [chunk.chunk_id for chunk in found] == sorted(chunk.chunk_id for chunk in found)
    assert len(found) == 6
    assert all(chunk.vector and len(chunk.vector) == 8 for chunk in found)
    assert all(chunk.vector is None for chunk in world.source.live_chunks(kb_id, OTHER))


def test_another_profile_is_embedded_without_touching_the_first(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one", "two"])
    texts = world.embeddings.waiting(OTHER, 0, 10, kb_id)
    assert [text.text for text in texts] == ["one", "two"]
    assert world.embeddings.waiting(OTHER, texts[0].chunk_id, 10) == texts[1:]
    assert world.embeddings.waiting(OTHER, 0, 10, "kb_other") == []
    keys = [text.text_sha256 for text in texts]
    vectors = dict.fromkeys([*keys, "0" * 64], struct.pack("<f", 1.0))
    assert world.embeddings.add(OTHER, vectors) == AddedVectors(2, frozenset({kb_id}))
    assert world.embeddings.add(OTHER, vectors) == AddedVectors(0)
    assert world.embeddings.waiting(OTHER, 0, 10) == []
    world.assert_clean()


def test_known_vectors_are_noted_while_no_other_revision_is_whole(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one", "shared"])
    world.upload(kb_id, "a.txt", b"two")
    parsed, drafts = parsed_of(["two", "shared"])
    world.publisher.publish(world.claim(), parsed, drafts)  # its own vectors are still to come
    world.upload(kb_id, "b.txt", b"one")
    parsed, drafts = parsed_of(["one", "shared"])
    known = world.publisher.publish(world.claim(), parsed, drafts)
    assert known.embedded_by == PROFILE.fingerprint


def test_a_vector_of_another_length_is_refused(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    with pytest.raises(StorageError) as error:
        world.embeddings.add(OTHER, {"0" * 64: b"12345678"})
    assert error.value.code == "vector_mismatch"


def test_vectors_of_another_profile_go_when_no_base_lacks_the_present_ones(
    world: World, kb_id: str
) -> None:
    world.ingest(kb_id, "a.txt", ["one", "two"])
    second = world.catalog.bases.create("second").id
    world.ingest(second, "b.txt", ["three"])
    for base in (kb_id, second):
        assert world.embeddings.settle(OTHER) == 0
        keys = [text.text_sha256 for text in world.embeddings.waiting(OTHER, 0, 10, base)]
        world.embeddings.add(OTHER, dict.fromkeys(keys, struct.pack("<f", 1.0)))
    assert world.verifier.verify().num_embeddings == 6
    assert world.embeddings.settle(OTHER) == 3
    assert all(chunk.vector is None for chunk in world.source.live_chunks(kb_id, PROFILE))
    assert all(chunk.vector for chunk in world.source.live_chunks(kb_id, OTHER))
    world.assert_clean()


def test_filters_choose_documents(world: World, kb_id: str) -> None:
    old = world.upload(kb_id, "old", b"1", tags=("x", "y")).document
    world.clock.advance(3600)
    new = world.upload(kb_id, "new", b"2", tags=("x",)).document
    find = world.source.matching_documents
    assert find(kb_id, Filters()) == {old.id, new.id}
    assert find(kb_id, Filters(tags=("x",))) == {old.id, new.id}
    assert find(kb_id, Filters(tags=("x", "y"))) == {old.id}
    assert find(kb_id, Filters(date_from=new.updated_at)) == {new.id}
    assert find(kb_id, Filters(date_to=old.updated_at)) == {old.id}
    assert find(kb_id, Filters(document_ids=(new.id, "doc_other"))) == {new.id}
