"""The dense leg ranks each language apart, and is silent where an identifier says enough."""

from pathlib import Path

import pytest

from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.hybrid import HybridRetriever
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

CHINESE, ENGLISH = "阀门泄漏原因 aab", "aa ab ba leaked"


def ranks(retriever: HybridRetriever, text: str) -> dict[str, dict[str, int]]:
    items = retriever.retrieve(Query(KB, parse_question(text), 10)).items
    return {item.chunk.draft.text: dict(item.ranks) for item in items}


def test_the_nearest_of_each_language_is_first_in_its_own(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("zh", CHINESE, "消防检查 abc")
    source.put("en", ENGLISH, "cc dd ab")
    found = ranks(open_retriever(), "aab 原因")
    assert found[CHINESE]["dense"] == 1
    assert found[ENGLISH]["dense"] == 1
    assert found["cc dd ab"]["dense"] == 2


def test_in_a_named_document_of_its_own_language_the_words_decide(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("named", f"report SG-2021-002 {ENGLISH}")
    source.put("other", ENGLISH)
    found = ranks(open_retriever(), "why did aa leak in SG-2021-002")
    assert all("dense" not in legs for legs in found.values())
    assert next(iter(found)).startswith("report")


def test_in_a_named_document_of_another_language_the_vectors_vote(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("named", "report SG-2021-002", ENGLISH)
    source.put("other", "aab aab")
    found = ranks(open_retriever(), "事故SG-2021-002的泄漏原因 aab")
    assert found[ENGLISH]["dense"] == 1
    assert "dense" not in found.get("aab aab", {})


def test_the_best_of_the_other_language_is_second_where_the_words_are_nowhere_together(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("zh", *(f"检查第{n}项 abc 的情况" for n in range(9)))
    source.put("en", ENGLISH, "cc dd ab")
    found = list(ranks(open_retriever(), "阀门为何泄漏呢 aab，检查"))
    assert found.index(ENGLISH) == 1
    assert found.index("cc dd ab") == 3


def test_words_that_stand_together_in_one_text_leave_the_order_as_it_is(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.put("zh", CHINESE, *(f"阀门检查第{n}项泄漏 abc" for n in range(9)))
    source.put("en", ENGLISH, "cc dd ab")
    found = list(ranks(open_retriever(), "阀门泄漏原因 aab"))
    assert found[0] == CHINESE
    assert ENGLISH not in found[:4]


@pytest.mark.parametrize("flat_limit", [0, 100])
def test_both_languages_are_kept_in_a_snapshot(
    source: MemorySource, tmp_path: Path, flat_limit: int
) -> None:
    source.put("zh", CHINESE)
    source.put("en", ENGLISH)
    first = HybridRetriever(source, LetterEmbedder(), tmp_path, flat_limit=flat_limit)
    first.rebuild(KB)
    again = HybridRetriever(source, LetterEmbedder(), tmp_path, flat_limit=flat_limit)
    assert ranks(again, "aab 原因") == ranks(first, "aab 原因")
    assert again.counts(KB).num_vectors == 2
    again.close()
    first.close()
