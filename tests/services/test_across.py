"""A question in one language is answered from a document in the other one."""

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.queries import Query, RetrievalResult
from kb_service.language.scripts import is_across
from tests.services.answer_fakes import (
    FakeShelf,
    asked_of,
)

PUMP = "The pump at the mill stopped. The cause was a worn seal."
VALVE = "阀门检修记录。锅炉房的阀门无人看管。"


class CrowdedShelf(FakeShelf):
    """A base in which a search finds the language of the question alone, unless told otherwise."""

    def retrieve(self, query: Query) -> RetrievalResult:
        found = super().retrieve(query)
        asked = query.question.language
        mine = (
            item
            for item in found.items
            if query.is_across or not is_across(asked, item.chunk.draft.text)
        )
        return RetrievalResult(tuple(mine), found.timings, found.reranking)


def ask(question: str, shelf: FakeShelf, **reads: float) -> Answer:
    return asked_of(question, shelf, reads)


def test_when_its_own_language_says_nothing_the_other_one_is_asked() -> None:
    shelf = CrowdedShelf(pump=PUMP, valve=VALVE)
    answer = ask("水泵停转的原因是什么？", shelf, seal=0.9)
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.answer == "The cause was a worn seal."
    assert [query.is_across for query in shelf.queries] == [False, True]


def test_what_its_own_language_answers_is_not_asked_of_the_other_one() -> None:
    shelf = CrowdedShelf(pump=PUMP, valve=VALVE)
    assert "无人看管" in ask("阀门怎么了？", shelf, 无人看管=0.9, seal=0.95).answer
    assert [query.is_across for query in shelf.queries] == [False]


@pytest.mark.parametrize("texts", [{"valve": VALVE}, {"pump": PUMP}])
def test_a_refusal_stays_one_where_only_one_language_is_there(texts: dict[str, str]) -> None:
    shelf = FakeShelf(**texts)
    answer = ask("水泵停转的原因是什么？", shelf)
    assert answer.status is AnswerStatus.REFUSED
