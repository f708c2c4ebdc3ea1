"""The lexical leg against an own BM25 of twenty lines, and its limits."""

import math
from collections import Counter
from pathlib import Path

import pytest

from kb_service.domain.ports import IndexedChunk
from kb_service.language.asked import parse_question
from retrievers import bm25
from retrievers.bm25 import MIN_COLLECTION
from retrievers.lexical import LexicalIndex
from retrievers.terms import passage_terms, question_weights

TEXTS = [
    "三号机房发生泄漏，五人受伤。",
    "泄漏事故的直接原因是管道焊缝开裂。",
    "The valve leaked; the valve was replaced twice.",
    "Wind was calm at the airport near 三号机房.",
    "整改措施：修订应急预案并每季度演练。",
]


def indexed(folder: Path, texts: list[str]) -> LexicalIndex:
    """Return an index of the texts with ids from 1, each a revision and a document of its own."""
    index = LexicalIndex(folder)
    chunks = [
        IndexedChunk(number, number, f"doc_{number}", "", text, None)
        for number, text in enumerate(texts, start=1)
    ]
    index.apply((), chunks)
    return index


def reference_bm25(texts: list[str], weights: dict[str, float]) -> dict[int, float]:
    """BM25 as Robertson and Zaragoza (2009) give it, k1 1.2, b 0.75."""
    counts = [Counter(passage_terms(text)) for text in texts]
    mean = sum(sum(count.values()) for count in counts) / len(counts)
    scores: dict[int, float] = {}
    for number, count in enumerate(counts, start=1):
        norm = 1.2 * (0.25 + 0.75 * sum(count.values()) / mean)
        for term, weight in weights.items():
            holding = sum(term in other for other in counts)
            idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            if count[term]:
                part = weight * idf * count[term] * 2.2 / (count[term] + norm)
                scores[number] = scores.get(number, 0.0) + part
    return scores


@pytest.mark.parametrize("question", ["三号机房泄漏的原因", "Which valves leaked?", "应急预案"])
def test_scores_are_those_of_bm25(tmp_path: Path, question: str) -> None:
    weights = question_weights(parse_question(question))
    found = dict(indexed(tmp_path, TEXTS).search(weights, 10))
    assert found == pytest.approx(reference_bm25(TEXTS, weights), rel=1e-4)


def test_user_text_is_never_query_syntax(tmp_path: Path) -> None:
    index = indexed(tmp_path, TEXTS)
    weights = question_weights(
        parse_question('body:valve AND -leaked* "document_id:doc_1" [a TO z] \\ ^9 ~')
    )
    assert index.search(weights, 10)[0][0] == 3


def test_a_long_question_is_cut_to_its_rarest_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = indexed(tmp_path, ["common rare", "common", "common", "common"])
    monkeypatch.setattr(bm25, "MAX_QUERY_TERMS", 1)
    assert index.search({"common": 1.0, "absent": 1.0, "rare": 1.0}, 10) == [
        (1, pytest.approx(index.search({"rare": 1.0}, 10)[0][1]))
    ]


def test_idf_falls_with_frequency_and_counts_unknown_terms_as_rarest(tmp_path: Path) -> None:
    idf = indexed(tmp_path, TEXTS).idf(["泄漏", "valve", "nowhere"])
    assert idf["泄漏"] < idf["valve"] < idf["nowhere"]
    assert idf["nowhere"] == pytest.approx(math.log(1 + (MIN_COLLECTION + 0.5) / 0.5))


def test_a_word_of_every_chunk_still_weighs_in_a_base_of_one_report(tmp_path: Path) -> None:
    idf = indexed(tmp_path, ["三号机房泄漏"] * 6).idf(["泄漏", "漏发"])
    assert idf["泄漏"] > 0.5 * idf["漏发"]


def test_idf_stays_positive_when_removed_chunks_outnumber_the_live(tmp_path: Path) -> None:
    index = indexed(tmp_path, ["same words"] * 6)
    index.apply([1, 2, 3, 4, 5], [])
    assert index.num_chunks == 1
    assert index.idf(["same"])["same"] > 0


def test_the_title_counts_less_than_the_body(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path)
    index.apply(
        (),
        [
            IndexedChunk(1, 1, "doc_1", "valve", "pump pump pump", None),
            IndexedChunk(2, 2, "doc_2", "pump", "valve valve valve", None),
        ],
    )
    assert [chunk_id for chunk_id, _ in index.search({"valve": 1.0}, 10)] == [2, 1]


def test_a_revision_removed_and_added_in_one_commit_is_there_once(tmp_path: Path) -> None:
    index = indexed(tmp_path, TEXTS)
    index.apply([2], [IndexedChunk(2, 2, "doc_2", "", TEXTS[1], None)])
    assert [
        chunk_id for chunk_id, _ in index.search(question_weights(parse_question("焊缝")), 10)
    ] == [2]
    assert (index.num_chunks, index.num_removed) == (5, 1)
