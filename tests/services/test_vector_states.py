"""A document is `ready` for search by meaning while each of its texts has the present vector."""

from sqlalchemy import delete

from kb_service.domain.documents import VectorState
from kb_service.domain.ports import EmbeddingProfile
from kb_service.services.documents import DocumentService
from kb_service.services.vectors import BATCH, VectorService
from kb_service.storage.blobs import BlobStore
from kb_service.storage.checks.verifier import Verifier
from kb_service.storage.tables import embeddings
from tests.services.conftest import Desk
from tests.services.fakes import HashEmbedder
from tests.services.test_vectors import paragraphs

PENDING, READY = VectorState.PENDING, VectorState.READY


class NewEmbedder(HashEmbedder):
    profile = EmbeddingProfile("new", 4, "2" * 64)


def states(desk: Desk) -> dict[str, VectorState | None]:
    """Return the state of each document, and see that `verify` finds no fault with it."""
    report = Verifier(desk.database, BlobStore(desk.blobs.root)).verify()
    assert report.is_clean, report
    service = DocumentService(desk.catalog, desk.jobs, makes_vectors=True)
    found = {state.document.name: state.vectors for state in service.every(desk.base.id)}
    assert len(report.pending) == list(found.values()).count(PENDING)
    return found


def worker_of(desk: Desk, embedder: HashEmbedder) -> VectorService:
    return VectorService(desk.embeddings, lambda: embedder, desk.index.refresh)


def test_it_is_pending_until_the_last_of_its_texts_has_a_vector(desk: Desk) -> None:
    desk.upload("waits.txt", "text")
    assert states(desk) == {"waits.txt": None}
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)))
    assert states(desk)["a.txt"] is PENDING
    assert desk.vectors.step()
    assert states(desk)["a.txt"] is PENDING
    assert desk.vectors.step()
    assert states(desk)["a.txt"] is READY


def test_a_worker_killed_between_two_batches_leaves_it_pending_for_the_next(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)))
    killed = worker_of(desk, desk.embedder)
    assert killed.step()
    killed.close()
    assert states(desk) == {"a.txt": PENDING}
    desk.embed()
    assert states(desk) == {"a.txt": READY}


def test_texts_that_others_had_embedded_make_it_ready_at_its_commit(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one\n\ntwo"))
    desk.embed()
    desk.run(desk.upload("b/a.txt", "two\n\none"), desk.upload("c/a.txt", "two\n\nthree"))
    assert states(desk) == {"a.txt": READY, "b/a.txt": READY, "c/a.txt": PENDING}
    desk.run(desk.upload("a.txt", "two"))
    assert states(desk)["a.txt"] is READY
    desk.run(desk.upload("a.txt", "one\n\nfour"))
    assert states(desk)["a.txt"] is PENDING
    desk.embed()
    assert set(states(desk).values()) == {READY}


def test_texts_shared_with_a_document_that_is_half_done_are_noted_at_the_end(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)))
    assert desk.vectors.step()
    desk.run(desk.upload("b/a.txt", paragraphs(BATCH)))
    desk.embed()
    assert states(desk) == {"a.txt": READY, "b/a.txt": READY}


def test_vectors_that_were_lost_are_made_again_as_pending_ones(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)))
    desk.embed()
    with desk.database.write() as connection:
        connection.execute(delete(embeddings))
    again = worker_of(desk, desk.embedder)
    assert again.step()
    assert states(desk) == {"a.txt": PENDING}
    while again.step():
        pass
    again.close()
    assert states(desk) == {"a.txt": READY}


def test_deleting_a_document_takes_no_vector_of_another(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one\n\ntwo"))
    desk.embed()
    desk.run(desk.upload("b/a.txt", "two"))
    document = desk.catalog.documents.find(desk.base.id, "a.txt")
    assert document is not None
    desk.catalog.documents.delete(desk.base.id, document.id)
    assert states(desk) == {"b/a.txt": READY}


def test_after_a_change_of_the_model_it_waits_for_the_new_vectors(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)), desk.upload("b.txt", "two"))
    desk.embed()
    new = worker_of(desk, NewEmbedder())
    assert new.step()
    assert states(desk) == {"a.txt": PENDING, "b.txt": PENDING}
    desk.run(desk.upload("c/b.txt", "two"))
    assert states(desk)["c/b.txt"] is PENDING
    while new.step():
        assert states(desk)["a.txt"] in (PENDING, READY)
    new.close()
    assert set(states(desk).values()) == {READY}


def test_a_change_of_the_model_taken_back_halfway_loses_nothing(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH)), desk.upload("b.txt", "two"))
    desk.embed()
    new = worker_of(desk, NewEmbedder())
    assert new.step()
    new.close()
    assert states(desk) == {"a.txt": READY, "b.txt": PENDING}
    again = HashEmbedder()
    old = worker_of(desk, again)
    while old.step():
        pass
    old.close()
    assert again.embedded == []
    assert states(desk) == {"a.txt": READY, "b.txt": READY}


def test_reindexing_without_a_worker_makes_it_ready(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 1)))
    assert desk.vectors.catch_up(desk.base.id) == BATCH + 1
    assert states(desk) == {"a.txt": READY}


def test_a_document_without_words_waits_for_none(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one"), desk.upload("b.txt", " "))
    desk.embed()
    assert states(desk) == {"a.txt": READY, "b.txt": READY}
