"""The retriever as its users see it: freshness, removal, filters, pins, duplicates, explanation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.ports import StoredChunk
from kb_service.domain.queries import Filters, Query
from kb_service.domain.spans import PageRegion
from kb_service.language.asked import parse_question
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever
from retrievers.langchain import KnowledgeBaseRetriever
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource


def found(retriever: HybridRetriever, text: str, top_k: int = 10, *only: str) -> list[str]:
    """Return the texts found, best first."""
    result = retriever.retrieve(Query(KB, parse_question(text), top_k, Filters(document_ids=only)))
    return [item.chunk.draft.text for item in result.items]


def test_a_commit_is_visible_in_the_next_query(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    retriever = open_retriever()
    assert found(retriever, "valve") == []
    source.put("a", "the valve leaked")
    assert found(retriever, "valve") == ["the valve leaked"]
    source.put("a", "the valve was replaced")
    assert found(retriever, "valve") == ["the valve was replaced"]
    source.delete("a")
    assert found(retriever, "valve") == []


def test_where_chunks_stand_is_looked_up_only_when_it_is_wanted(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("a", "the valve leaked")
    retriever = open_retriever()
    [plain] = retriever.retrieve(Query(KB, parse_question("valve"))).items
    [placed] = retriever.retrieve(Query(KB, parse_question("valve"), with_regions=True)).items
    assert plain.regions == ()
    assert placed.regions == (PageRegion(1),)


def test_deleted_chunks_do_not_take_places_from_live_ones(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    for number in range(30):
        source.put(f"doc_{number}", f"valve number {number} leaked")
    retriever = open_retriever(candidates=5)
    assert len(found(retriever, "valve", 5)) == 5
    for number in range(25):
        source.delete(f"doc_{number}")
    assert len(found(retriever, "valve", 5)) == 5


def test_a_deletion_between_search_and_hydration_is_searched_again(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        source.put(f"doc_{number}", f"valve number {number}")
    retriever = open_retriever(candidates=3)
    hydrate = source.hydrate

    def delete_then_hydrate(kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        for number in range(3):
            source.delete(f"doc_{number}")
        return hydrate(kb_id, chunk_ids)

    monkeypatch.setattr(source, "hydrate", delete_then_hydrate)
    texts = found(retriever, "valve", 3)
    assert len(texts) == 3
    assert not {"valve number 0", "valve number 1", "valve number 2"} & set(texts)


def test_without_a_weight_for_vectors_no_question_is_embedded(
    source: MemorySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(embedder: LetterEmbedder, text: str) -> bytes:
        raise AssertionError(f"{text!r} was embedded")

    source.put("a", "the valve leaked")
    monkeypatch.setattr(LetterEmbedder, "embed_query", refuse)
    policy = FusionPolicy(dense_weight=0.0)
    retriever = HybridRetriever(source, LetterEmbedder(), tmp_path / "index", policy=policy)
    result = retriever.retrieve(Query(KB, parse_question("valve"), 1))
    retriever.close()
    assert [item.ranks for item in result.items] == [{"lexical": 1}]


def test_filters_apply_before_the_best_are_taken(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    for number in range(20):
        source.put(f"doc_{number}", "valve valve valve", f"other words {number}")
    source.put("wanted", "one valve among many other words that are here")
    retriever = open_retriever(candidates=2)
    assert found(retriever, "valve", 2, "wanted") == [
        "one valve among many other words that are here"
    ]
    assert found(retriever, "valve", 2, "unknown") == []


def test_documents_that_hold_the_named_identifier_come_first(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    for number in range(20):
        source.put(f"doc_{number}", f"泄漏事故的直接原因是管道开裂，第{number}起", title="泄漏")
    source.put("named", "起火原因不明", title="SG-2024-001")
    assert found(open_retriever(), "SG-2024-001泄漏事故的直接原因是什么", 3)[0] == "起火原因不明"


def test_an_identifier_that_stands_everywhere_pins_nothing(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("best", "covid19 vaccine trial results")
    for number in range(6):
        source.put(f"doc_{number}", f"covid19 covid19 covid19 note {number}")
    assert found(open_retriever(), "covid19 vaccine trial results")[0].startswith("covid19 vaccine")


def test_the_same_words_in_two_documents_are_returned_once(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("a", "The valve leaked.")
    source.put("b", "the  VALVE leaked")
    source.put("c", "the valve leaked", title="Report SG-2024-007")
    source.put("d", "the valve leaked", title="Report SG-2024-008")
    result = open_retriever().retrieve(Query(KB, parse_question("valve leaked"), 10))
    documents = {item.chunk.document_id for item in result.items}
    assert len(documents) == 3
    assert {"c", "d"} < documents


def test_chunks_without_a_vector_are_found_by_their_words_and_counted(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("a", "the valve leaked", embed=False)
    source.put("b", "the pump failed")
    retriever = open_retriever()
    assert found(retriever, "valve")[0] == "the valve leaked"
    counts = retriever.counts(KB)
    assert (counts.num_chunks, counts.num_vectors) == (2, 1)


def test_every_hit_explains_itself(source: MemorySource, open_retriever: OpenRetriever) -> None:
    source.put("a", "bad cabbage", "a decade", title="food")
    source.put("b", "缺陷")
    result = open_retriever().retrieve(Query(KB, parse_question("bad cabbage 缺陷"), 10))
    assert set(result.timings) == {"lexical_s", "dense_s", "fuse_s", "hydrate_s", "total_s"}
    first = result.items[0]
    assert first.chunk.draft.text == "bad cabbage"
    assert first.ranks == {"lexical": 1, "dense": 1}
    assert first.scores["dense"] > 0.5
    by_text = {item.chunk.draft.text: item for item in result.items}
    assert by_text["缺陷"].ranks.keys() == {"lexical"}
    assert [i.score for i in result.items] == sorted((i.score for i in result.items), reverse=True)


def test_idf_is_that_of_the_base(source: MemorySource, open_retriever: OpenRetriever) -> None:
    retriever = open_retriever()
    assert retriever.idf(KB, ["valve"]) == {"valve": 0.0}
    source.put("a", "valve", "valve pump")
    idf = retriever.idf(KB, ["valve", "pump"])
    assert 0 < idf["valve"] < idf["pump"]


def test_top_k_below_one_is_refused(open_retriever: OpenRetriever) -> None:
    with pytest.raises(InvalidRequest, match="top_k is 0, it must be at least 1"):
        open_retriever().retrieve(Query(KB, parse_question("valve"), 0))


def test_threads_may_ask_while_documents_come_and_go(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("fixed", "the valve leaked")
    retriever = open_retriever()

    def always_finds_it() -> bool:
        return all("the valve leaked" in found(retriever, "valve leaked", 3) for _ in range(30))

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(always_finds_it) for _ in range(4)]
        for number in range(20):
            source.put(f"doc_{number % 5}", f"pump {number}")
            retriever.refresh(KB)
        assert all(answer.result() for answer in answers)


def test_more_bases_than_may_stay_open_are_all_answered(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "head", lambda kb_id: len(source.log))
    source.put("a", "the valve leaked")
    retriever = open_retriever(max_open=2)
    for _ in range(2):
        for number in range(5):
            items = retriever.retrieve(Query(f"kb_{number}", parse_question("valve"))).items
            assert [item.chunk.draft.text for item in items] == ["the valve leaked"]


def test_a_langchain_chain_gets_documents_with_their_provenance(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("a", "the valve leaked", title="Report")
    retriever = KnowledgeBaseRetriever(retriever=open_retriever(), kb_id=KB, top_k=1)
    (document,) = retriever.invoke("Which valve leaked?")
    assert document.page_content == "the valve leaked"
    assert document.metadata["document_id"] == "a"
    assert (document.metadata["start"], document.metadata["end"]) == (0, 16)
    assert document.metadata["ranks"]["lexical"] == 1


def stating(retriever: HybridRetriever, name: str, *documents: str) -> set[str]:
    """Return which of the documents hold the name."""
    return set(retriever.stating(KB, [name], documents)[name])


@pytest.mark.parametrize(
    ("name", "holding", "lacking"),
    [
        ("zebrafish", "the Zebrafish's tank", "zebrafishes swim"),
        ("sg-1", "report SG-1.", "report SG-12"),
        ("qx-7731", "see QX-7731/2 of May", "QX and 7731 apart"),
        ("10.0.0.1", "host 10.0.0.1:80 failed", "host 10.0.0.12"),
        ("博源", "在博源热力公司", "博大的水源"),
        ("博源热力", "在博源热力公司", "博源的热力，源热"),
        ("new york", "in New York today", "York is new"),
    ],
)
def test_a_name_is_looked_up_whole_in_the_documents(
    source: MemorySource, open_retriever: OpenRetriever, name: str, holding: str, lacking: str
) -> None:
    source.put("a", "another page", holding)
    source.put("b", lacking)
    source.put("c", holding)
    retriever = open_retriever()
    assert stating(retriever, name, "a", "b") == {"a"}
    assert stating(retriever, name, "b") == set()


def test_a_name_is_found_in_a_document_behind_one_that_says_it_everywhere(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.live._MAX_HITS", 3)
    source.put("often", *(f"valve {number}" for number in range(9)))
    source.put("once", "a long sentence about other things that names a valve only at its very end")
    assert stating(open_retriever(), "valve", "often", "once") == {"often", "once"}


def test_no_document_states_a_name_in_a_base_without_any(open_retriever: OpenRetriever) -> None:
    assert open_retriever().stating(KB, ["valve"], ["a"]) == {}


@pytest.mark.parametrize(
    "written", ["Incident 19008", "No. 19008", "No.19008", "#19008", "事故编号：19008"]
)
@pytest.mark.parametrize("asked", ["#19008 valve", "valve of incident 19008", "编号19008 valve"])
def test_a_numbered_incident_is_pinned_however_its_number_is_written(
    source: MemorySource, open_retriever: OpenRetriever, written: str, asked: str
) -> None:
    source.put("other", "valve valve valve of incident 19009")
    source.put("meant", f"{written}: what happened that day, told at great length, with a valve")
    assert found(open_retriever(), asked)[0].startswith(written)
