"""Vectors follow the words: a few at a time, from where the last worker stopped."""

import os
import sys
import threading
from collections.abc import Sequence

import pytest

from kb_service.domain.errors import ComputeError, StorageError
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.services.vectors import BATCH, VectorService
from kb_service.storage.chunks import SqlIndexSource
from retrievers.absent import NO_VECTORS
from tests.services.conftest import Desk
from tests.services.fakes import HashEmbedder


def paragraphs(count: int, about: str = "the pump") -> str:
    return "\n\n".join(f"paragraph {number} about {about}" for number in range(count))


def with_vectors(desk: Desk) -> list[bool]:
    source = SqlIndexSource(desk.database)
    return [bool(c.vector) for c in source.live_chunks(desk.base.id, desk.embedder.profile)]


def test_a_document_is_searchable_before_it_has_vectors(desk: Desk) -> None:
    assert desk.run(desk.upload("a.txt", paragraphs(3))).num_succeeded == 1
    assert with_vectors(desk) == [False, False, False]
    assert desk.embeddings.num_waiting(desk.embedder.profile) == 3
    desk.embed()
    assert with_vectors(desk) == [True, True, True]
    assert desk.embeddings.num_waiting(desk.embedder.profile) == 0


def test_a_worker_goes_on_where_the_last_one_was_killed(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(BATCH + 3)))
    assert desk.vectors.step()
    assert sum(with_vectors(desk)) == BATCH
    other = HashEmbedder()
    after = VectorService(desk.embeddings, lambda: other, desk.index.refresh)
    while after.step():
        pass
    after.close()
    assert len(other.embedded) == 3
    assert all(with_vectors(desk))


def test_indexes_hear_of_a_revision_once_when_all_of_it_has_vectors(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", paragraphs(2 * BATCH)))
    source, kb_id = SqlIndexSource(desk.database), desk.base.id
    head = source.head(kb_id)
    assert desk.vectors.step()
    assert source.changes(kb_id, head) == []
    desk.embed()
    assert [change.is_added for change in source.changes(kb_id, head)] == [True]
    assert desk.index.refreshed == [kb_id]


def test_a_revision_that_shares_its_last_texts_is_told_of_as_well(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "same"), desk.upload("b/a.txt", "same"))
    source = SqlIndexSource(desk.database)
    head = source.head(desk.base.id)
    desk.embed()
    assert len(desk.embedder.embedded) == 1
    assert len(source.changes(desk.base.id, head)) == 2


def test_with_nothing_new_nothing_is_looked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(desk.upload("a.txt", "one"))
    desk.embed()
    monkeypatch.setattr(desk.embeddings, "waiting", None)
    assert not desk.vectors.step()
    monkeypatch.undo()
    desk.run(desk.upload("b.txt", "two"))
    assert desk.vectors.step()
    assert all(with_vectors(desk))


def test_vectors_of_an_old_model_go_once_all_have_the_new(desk: Desk) -> None:
    class NewEmbedder(HashEmbedder):
        profile = EmbeddingProfile("new", 4, "2" * 64)

    desk.run(desk.upload("a.txt", "one"))
    desk.embed()
    new = VectorService(desk.embeddings, NewEmbedder, desk.index.refresh)
    while new.step():
        pass
    new.close()
    assert with_vectors(desk) == [False]
    assert desk.embeddings.num_waiting(NewEmbedder.profile) == 0


def test_without_a_model_nothing_waits(desk: Desk) -> None:
    class NoEmbedder(HashEmbedder):
        profile = NO_VECTORS

    desk.run(desk.upload("a.txt", "one"))
    desk.embed()
    none = VectorService(desk.embeddings, NoEmbedder, desk.index.refresh)
    assert not none.step()
    assert with_vectors(desk) == [True]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_texts_are_embedded_on_a_thread_that_steps_back(desk: Desk) -> None:
    seen: list[int] = []
    embed = desk.embedder.embed_passages

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def noted(texts: Sequence[str]) -> list[Vector]:
        seen.append(niceness())
        return embed(texts)

    desk.embedder.embed_passages = noted  # type: ignore[method-assign]
    desk.run(desk.upload("a.txt", "one"))
    desk.embed()
    assert seen == [max(niceness(), 15)]


def test_a_worker_without_jobs_makes_vectors_and_an_outage_is_waited_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(desk.upload("a.txt", "one"))
    add, num_calls = desk.embeddings.add, 0

    def refused_once(*arguments: object) -> object:
        nonlocal num_calls
        num_calls += 1
        if num_calls == 1:
            raise StorageError("the disk is full", code="storage_full")
        return add(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.embeddings, "add", refused_once)
    desk.worker.run_until(lambda: num_calls > 1)
    assert with_vectors(desk) == [True]


def test_texts_wait_for_who_embeds_them_and_hold_up_no_other_work(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_texts: Sequence[str]) -> list[Vector]:
        raise ComputeError("no cluster answers", code="compute_unavailable")

    desk.run(desk.upload("a.txt", "one"))
    monkeypatch.setattr(desk.embedder, "embed_passages", away)
    assert not desk.vectors.step()
    monkeypatch.undo()
    assert not desk.vectors.step()  # it rests: nobody is asked again at once
    monkeypatch.setattr(desk.vectors, "_rests_until", 0.0)
    assert desk.vectors.step()
    assert all(with_vectors(desk))
