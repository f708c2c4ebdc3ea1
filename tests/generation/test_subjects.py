"""Which documents a question means, by dates, titles and names."""

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.generation.subjects import meant, names_stated
from kb_service.language.asked import parse_question
from kb_service.language.units import marked


def passage(number: int, title: str, text: str) -> Passage:
    span = TextSpan(0, len(text))
    return Passage(
        number,
        number,
        f"doc{number}",
        number,
        "ab" * 32,
        title,
        span,
        text,
        1.0,
        tuple(marked(text).quotable()),
    )


PUMP = passage(1, "Incidents/20150803-Pump", "The seal leaked and the Berlin site stopped.")
VALVE = passage(2, "Incidents/20170106-Valve", "The root cause of this outage was rust.")
UNDATED = passage(3, "Notes", "In August 2015 nothing was done at Oslo.")


def kept(question: str, *passages: Passage) -> list[int]:
    return [
        p.number for p in meant(parse_question(question), passages or (PUMP, VALVE, UNDATED), {})
    ]


def test_a_title_with_another_date_than_the_question_is_out() -> None:
    assert kept("What leaked in January 2017?", PUMP) == []
    assert kept("What leaked in August 2015?", PUMP) == [1]
    assert kept("What leaked in 2015?", PUMP, VALVE) == [1]


def test_the_document_whose_title_the_question_names_is_meant() -> None:
    assert kept("Why did the pump stop?") == [1]
    assert kept("What caused the valve outage?") == [2]


def test_without_a_date_or_a_titled_name_every_document_is_meant() -> None:
    assert kept("What was rusty there?") == [1, 2, 3]


def test_documents_are_weighed_by_the_names_they_state() -> None:
    passages = (PUMP, VALVE, UNDATED)
    assert names_stated(parse_question("What stopped in Berlin?"), passages) == {
        "doc1": 1.0,
        "doc2": 0,
        "doc3": 0,
    }
    assert set(names_stated(parse_question("what stopped?"), passages).values()) == {1.0}


def test_a_name_that_no_passage_states_leaves_no_document() -> None:
    assert names_stated(parse_question("What stopped in Lisbon?"), (PUMP, VALVE)) == {}
