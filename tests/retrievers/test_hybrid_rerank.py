"""A search with a reranker: more candidates, pins, what has no score, and how it is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kb_service.domain.queries import Query, Reranking
from kb_service.language.asked import parse_question
from kb_service.schemas.search import search_body
from retrievers.hybrid import HybridRetriever
from retrievers.reranking import RerankPolicy
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource


class LongestFirst:
    """Scores a text by its length; only the first `num_finite` texts have a score."""

    name = "longest-first"

    def __init__(self, num_finite: int = 100) -> None:
        self.num_finite = num_finite
        self.asked: list[tuple[str, list[str]]] = []

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked.append((question, list(texts)))
        return [float(len(text)) for text in texts[: self.num_finite]]

    def close(self) -> None:
        pass


def opened(
    source: MemorySource, place: Path, reranker: LongestFirst, policy: RerankPolicy
) -> HybridRetriever:
    return HybridRetriever(
        source, LetterEmbedder(), place / "index", reranker=lambda: reranker, rerank_policy=policy
    )


@pytest.fixture
def source() -> MemorySource:
    """Ten documents about a valve; the longer a text, the later its words find it."""
    base = MemorySource()
    for number in range(10):
        base.put(f"doc_{number}", "valve" + " and some more words" * number, title="report")
    return base


def test_candidates_beyond_top_k_are_read_and_may_win(source: MemorySource, tmp_path: Path) -> None:
    reranker = LongestFirst()
    retriever = opened(source, tmp_path, reranker, RerankPolicy(candidates=8))
    result = retriever.retrieve(Query(KB, parse_question("valve"), 3))
    question, texts = reranker.asked[0]
    assert (question, len(texts)) == ("valve", 8)
    assert texts[0].startswith("report\nvalve"), "title and text are read together"
    assert [item.chunk.draft.text.count("and") for item in result.items] == [7, 6, 5]
    assert [item.ranks["rerank"] for item in result.items] == [1, 2, 3]
    assert [item.ranks["lexical"] for item in result.items] == [8, 7, 6]
    assert result.items[0].scores["rerank"] == max(len(text) for text in texts)
    assert result.reranking == Reranking("longest-first", 8, 8)
    assert result.timings["rerank_s"] >= 0
    retriever.close()


def test_candidates_without_a_score_keep_their_place_and_are_told(
    source: MemorySource, tmp_path: Path
) -> None:
    retriever = opened(source, tmp_path, LongestFirst(2), RerankPolicy(candidates=6))
    with capture_logs() as lines:
        result = retriever.retrieve(Query(KB, parse_question("valve"), 4))
    assert [item.chunk.draft.text.count("and") for item in result.items] == [1, 0, 2, 3]
    assert [item.ranks.get("rerank") for item in result.items] == [1, 2, None, None]
    body = search_body(result).model_dump()
    expected = {"model": "longest-first", "candidates": 6, "scored": 2}
    assert body["rerank"] == expected
    assert body["items"][2]["ranks"]["rerank"] is None
    assert [line["num_scored"] for line in lines if "reranked" in line["event"]] == [2]
    retriever.close()


def test_exact_identifiers_stay_in_front(source: MemorySource, tmp_path: Path) -> None:
    source.put("named", "valve of case ABC-2024-0001")
    retriever = opened(source, tmp_path, LongestFirst(), RerankPolicy())
    result = retriever.retrieve(Query(KB, parse_question("valve ABC-2024-0001"), 3))
    assert result.items[0].chunk.document_id == "named"
    assert result.items[0].ranks["rerank"] > 1
    assert [item.chunk.draft.text.count("and") for item in result.items[1:]] == [9, 8]
    retriever.close()


def test_nothing_found_is_nothing_to_read(tmp_path: Path) -> None:
    reranker = LongestFirst()
    retriever = opened(MemorySource(), tmp_path, reranker, RerankPolicy())
    result = retriever.retrieve(Query(KB, parse_question("valve"), 3))
    assert result.items == ()
    assert result.reranking == Reranking("longest-first", 0, 0)
    retriever.close()


def test_without_a_reranker_nothing_is_said_of_one(source: MemorySource, tmp_path: Path) -> None:
    retriever = HybridRetriever(source, LetterEmbedder(), tmp_path / "index")
    result = retriever.retrieve(Query(KB, parse_question("valve"), 3))
    assert result.reranking is None
    assert "rerank_s" not in result.timings
    assert search_body(result).rerank is None
    retriever.close()


def test_what_a_reader_reads_after_is_not_read_before(source: MemorySource, tmp_path: Path) -> None:
    reranker = LongestFirst()
    retriever = opened(source, tmp_path, reranker, RerankPolicy(candidates=8))
    result = retriever.retrieve(Query(KB, parse_question("valve"), 3, is_reranked=False))
    assert not reranker.asked
    assert [item.ranks["lexical"] for item in result.items] == [1, 2, 3]
    assert result.reranking is None
    assert "rerank_s" not in result.timings
    retriever.close()
