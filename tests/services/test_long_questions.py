"""A long question is read by the clause that asks, where the one before it leaves nothing sure."""

from kb_service.domain.answers import AnswerStatus
from tests.services.answer_fakes import FakeShelf, PartsReader, asked_of

VALVE = "The sprinkler valve of the bay had been shut since 2 March. The fire began in March."
OTHER = "The sprinkler valve of the yard had been shut since 9 May."
TOLD = (
    "For the insurance file of the logistics company whose warehouse on the river burned down, "
    "I need to know since when the sprinkler valve in the bay where the fire began had been shut."
)
ALONE = {"since 2 March": 0.6, "since 9 May": 0.7}


def asked(reads: dict[str, dict[str, float]], question: str = TOLD) -> str:
    shelf = FakeShelf(**{"warehouse.txt": VALVE, "yard.txt": OTHER})
    answer = asked_of(question, shelf, PartsReader(reads))
    return answer.answer if answer.status is not AnswerStatus.REFUSED else ""


def test_the_clause_that_asks_is_read_alone_in_the_document_that_says_most_of_it() -> None:
    told = asked({"insurance": {"since 2 March": 0.2}, "": ALONE})
    assert "since 2 March" in told and "9 May" not in told


def test_what_is_read_surely_with_the_clause_before_is_not_read_again() -> None:
    reads = {"insurance": {"The fire began in March": 0.9}, "": ALONE}
    assert "began in March" in asked(reads)


def test_a_question_that_is_not_long_is_read_once() -> None:
    reads = {"bay": {"since 2 March": 0.2}, "": ALONE}
    assert asked(reads, "In the bay, since when had the valve been shut?") == ""
