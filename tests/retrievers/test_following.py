"""What was committed comes into open indexes in nobody's question, and far behind by a snapshot."""

from unittest.mock import patch

import pytest

from kb_service.domain.errors import StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.hybrid import HybridRetriever
from retrievers.library import MAX_REPLAYED
from retrievers.live import LiveIndex
from retrievers.opening import IndexOpener
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, MemorySource

MANY = 2 * MAX_REPLAYED


def found(retriever: HybridRetriever) -> int:
    return len(retriever.retrieve(Query(KB, parse_question("valve"), 500)).items)


def put(source: MemorySource, num_documents: int) -> None:
    first = len(source.live)
    for number in range(first, first + num_documents):
        source.put(f"doc_{number}", f"valve number {number} leaked")


def num_replayed(retriever: HybridRetriever) -> int:
    """How many changes a question has to replay now."""
    replay = LiveIndex.replay
    with patch.object(LiveIndex, "replay", autospec=True, side_effect=replay) as replayed:
        found(retriever)
    return sum(len(call.args[1]) for call in replayed.call_args_list)


def test_a_question_after_many_documents_has_nothing_to_replay(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever = open_retriever()
    assert found(retriever) == 3
    put(source, MAX_REPLAYED - 1)
    retriever.follow()
    assert num_replayed(retriever) == 0
    assert found(retriever) == MAX_REPLAYED + 2


def test_the_first_question_opens_nothing_that_was_named_at_the_start(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever = open_retriever()
    retriever.follow([KB])
    with patch.object(IndexOpener, "open", side_effect=AssertionError):
        assert found(retriever) == 3


def test_a_question_far_behind_opens_what_another_process_published(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever, worker = open_retriever(), open_retriever()
    assert found(retriever) == 3
    put(source, MANY)
    worker.refresh(KB)
    put(source, 2)
    assert num_replayed(retriever) == 2
    assert found(retriever) == MANY + 5


def test_following_far_behind_opens_what_another_process_published(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever, worker = open_retriever(), open_retriever()
    assert found(retriever) == 3
    put(source, MANY)
    worker.refresh(KB)
    retriever.follow()
    assert num_replayed(retriever) == 0
    assert found(retriever) == MANY + 3


def test_documents_deleted_while_it_follows_are_not_found(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever = open_retriever()
    assert found(retriever) == 3
    put(source, 20)
    changes = source.changes(KB, 3)
    for number in range(0, 23, 2):
        source.delete(f"doc_{number}")
    with patch.object(source, "changes", return_value=changes):
        retriever.follow()
    assert found(retriever) == 11


def test_what_fails_while_following_is_done_by_the_question(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    put(source, 3)
    retriever = open_retriever()
    assert found(retriever) == 3
    put(source, 5)
    with (
        patch.object(LiveIndex, "replay", side_effect=ValueError("torn")),
        pytest.raises(StorageError),
    ):
        retriever.follow()
    assert found(retriever) == 8


def test_what_was_removed_does_not_weigh_in_what_a_small_base_finds(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    """A search as of then, and a base that was never revised, gave other scores than the present.

    Deleted and replaced texts counted as before in how rare a word is, until the index was
    published: who had it open and who opened it anew found by different scores.
    """
    put(source, 6)
    asked, following = open_retriever(), open_retriever()
    assert found(asked) == found(following) == 6
    source.put("doc_1", "the boiler was cold")
    source.delete("doc_2")
    following.follow()
    scores = [_scores(retriever) for retriever in (asked, following, open_retriever())]
    assert scores[0] == scores[1] == scores[2]
    assert len(scores[0]) == 5


def _scores(retriever: HybridRetriever) -> list[tuple[str, float, dict[str, float]]]:
    items = retriever.retrieve(Query(KB, parse_question("valve number 3"), 500)).items
    return [(item.chunk.document_id, item.score, item.scores) for item in items]
