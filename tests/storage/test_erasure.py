"""A deleted document leaves a receipt without words, and whatever is left of it is named."""

import pytest
from sqlalchemy import insert

from kb_service.domain.answers import Answer, AnswerAudit, AnswerStatus, Understood
from kb_service.domain.chats import Usage
from kb_service.domain.erasure import Place
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.storage.erasure import Erasures
from kb_service.storage.past_tables import deletions
from kb_service.storage.tables import (
    embeddings,
)
from tests.storage.world import PROFILE, World, parsed_of, sha256, vectors_of

AUDIT = AnswerAudit("m" * 64, "t" * 64, (), {}, None, "raw", None)


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def erasures(world: World) -> Erasures:
    return Erasures(world.database, world.blobs, world.clock)


def quoting(world: World, kb_id: str, document_id: str) -> Answer:
    """An answer that was shown words of the document."""
    words = "Ada Lovelace"
    span = TextSpan(0, len(words))
    passage = Passage(1, 1, document_id, 1, "0" * 64, "t", span, words, 0.5)
    return Answer(
        id=world.answers.new_answer_id(),
        kb_id=kb_id,
        question="Who?",
        status=AnswerStatus.ANSWERED,
        answer=words,
        reason=None,
        citations=(),
        passages=(passage,),
        conversation_id="conv_1",
        model="extractive",
        usage=Usage(1, 2, 3),
        timings={},
        created_at=world.clock.now,
        understood=Understood("Who?"),
    )


def places(erasures: Erasures, document_id: str) -> dict[str, Place]:
    return {p.name: p for p in erasures.look(document_id, erasures.receipt(document_id))}


def found(erasures: Erasures, document_id: str) -> list[str]:
    return [what for place in places(erasures, document_id).values() for what in place.found]


def two_versions(world: World, kb_id: str) -> str:
    world.ingest(kb_id, "a.txt", ["Ada Lovelace fell"])
    return world.ingest(kb_id, "a.txt", ["Ada Lovelace rose", "a second line"]).document_id


def test_the_receipt_tells_hashes_and_numbers_and_no_words(
    world: World, kb_id: str, erasures: Erasures
) -> None:
    document_id = two_versions(world, kb_id)
    assert erasures.receipt(document_id) is None
    world.catalog.documents.delete(kb_id, document_id)
    receipt = erasures.receipt(document_id)
    assert receipt is not None
    first, second = "Ada Lovelace fell", "Ada Lovelace rose\na second line"
    assert set(receipt.files) == {sha256(first.encode()), sha256(second.encode())}
    assert set(receipt.texts) >= vectors_of(parsed_of(["Ada Lovelace rose"])[1]).keys()
    assert (receipt.kb_id, receipt.deleted_at) == (kb_id, world.clock.now)
    assert receipt.num_rows["versions"] == receipt.num_rows["revisions"] == 2
    with world.database.read() as connection:
        row = connection.execute(deletions.select()).one()
    assert "Ada" not in str(row)
    assert "a.txt" not in str(row)
    world.assert_clean()


def test_nothing_is_found_of_what_was_deleted(world: World, kb_id: str, erasures: Erasures) -> None:
    document_id = two_versions(world, kb_id)
    world.answers.save_turn(quoting(world, kb_id, document_id), AUDIT)
    world.ingest(kb_id, "b.txt", ["another document"])
    world.catalog.documents.delete(kb_id, document_id)
    assert found(erasures, document_id) == []
    looked = {name: place.num_looked for name, place in places(erasures, document_id).items()}
    assert looked["files"] == 2
    assert looked["answers"] == 1
    assert looked["rows"] > 5


def test_a_document_that_is_still_there_is_found_in_every_place(
    world: World, kb_id: str, erasures: Erasures
) -> None:
    document_id = two_versions(world, kb_id)
    world.answers.save_turn(quoting(world, kb_id, document_id), AUDIT)
    told = found(erasures, document_id)
    assert {"1 row of documents", "2 rows of versions", "2 rows of revisions"} <= set(told)
    assert any(what.endswith("rows of text_pieces") for what in told)
    assert any(what.startswith("answer ans_") for what in told)


def test_what_is_left_is_named_with_its_place(world: World, kb_id: str, erasures: Erasures) -> None:
    document_id = two_versions(world, kb_id)
    world.catalog.documents.delete(kb_id, document_id)
    receipt = erasures.receipt(document_id)
    assert receipt is not None
    key = receipt.texts[0]
    world.blobs.stage(b"Ada Lovelace fell", 100)
    with world.database.write() as connection:
        world.blobs.publish(world.blobs.stage(b"Ada Lovelace fell", 100))
        vector = {"profile_fingerprint": PROFILE.fingerprint, "text_sha256": key, "vector": b"1234"}
        connection.execute(insert(embeddings).values(vector))
    world.blobs.readings(sha256(b"Ada Lovelace fell")).mkdir(parents=True)
    told = places(erasures, document_id)
    assert told["vectors"].found == (f"vector of text {key}",)
    assert told["files"].found == (f"original file {sha256(b'Ada Lovelace fell')}",)
    assert len(told["readings"].found) == len(told["staged files"].found) == 1


def test_what_another_document_has_too_stays_and_is_told(
    world: World, kb_id: str, erasures: Erasures
) -> None:
    document_id = world.ingest(kb_id, "a.txt", ["the same words"]).document_id
    other = world.ingest(kb_id, "b.txt", ["the same words"]).document_id
    world.catalog.documents.delete(kb_id, document_id)
    told = places(erasures, document_id)
    assert found(erasures, document_id) == []
    assert told["files"].shared == (f"file {sha256(b'the same words')} of {other}",)
    assert told["vectors"].shared == ("1 vector of texts that other documents have",)


def test_a_deleted_base_leaves_a_receipt_for_each_document(
    world: World, kb_id: str, erasures: Erasures
) -> None:
    ids = [world.ingest(kb_id, name, [f"words of {name}"]).document_id for name in ("a", "b")]
    world.upload(kb_id, "c", b"never read")
    world.catalog.bases.delete(kb_id)
    receipts = [erasures.receipt(document_id) for document_id in ids]
    assert [receipt and receipt.files for receipt in receipts] == [
        (sha256(b"words of a"),),
        (sha256(b"words of b"),),
    ]
    assert [found(erasures, document_id) for document_id in ids] == [[], []]
    with world.database.read() as connection:
        assert len(connection.execute(deletions.select()).all()) == 3


def test_index_files_wait_until_they_are_noted_as_clean(
    world: World, kb_id: str, erasures: Erasures
) -> None:
    document_id = two_versions(world, kb_id)
    assert erasures.unfinished() == {}
    world.catalog.documents.delete(kb_id, document_id)
    assert erasures.unfinished() == {kb_id: world.clock.now}
    assert erasures.waiting(kb_id) == (document_id,)
    erasures.finish([document_id])
    assert erasures.unfinished() == {}
    assert erasures.waiting(kb_id) == ()
