"""Readings that tell of other times than a question counts in."""

from datetime import date

import pytest

from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.text import normalise
from kb_service.language.units import quotable_units
from kb_service.services.named import named_in
from kb_service.services.other_things import told_of_others

TODAY = date(2026, 11, 28)


def tells_of_others(asked: str, text: str, words: str) -> bool:
    question = parse_question(asked)
    whole, start = TextSpan(0, len(text)), text.index(words)
    units = tuple(quotable_units(text))
    passage = Passage(1, 1, "doc_1", 1, "", "Summary", whole, text, 1.0, units)
    reading = Reading(passage, TextSpan(start, start + len(words)), 0.9)
    told = told_of_others(question, named_in(question, TODAY), {"doc_1": normalise(text)})
    return told(reading)


@pytest.mark.parametrize(
    ("asked", "text", "words"),
    [
        (
            "How many calls came in in March?",
            "The desk took sixteen calls between January and March.",
            "sixteen",
        ),
        ("8月热线一共几单？", "7月到9月热线登记共22单。", "22"),
        ("How many were hurt in May 2026?", "From April to June 2026 nine were hurt.", "nine"),
        ("2026年2月接警多少起？", "2026年1-3月共接警16起。", "16"),
    ],
)
def test_a_number_of_longer_times_is_none_of_a_month(asked: str, text: str, words: str) -> None:
    assert tells_of_others(asked, text, words)


@pytest.mark.parametrize(
    ("asked", "text", "words"),
    [
        ("8月热线一共几单？", "7月到9月热线登记共22单，其中8月8单。", "8单"),
        ("7月到9月热线一共几单？", "7月到9月热线登记共22单。", "22"),
        ("How many calls came in in March?", "In March the desk took six calls.", "six"),
        ("How many calls came in in March?", "The desk took six calls on 3 March.", "six"),
        ("How many calls came in?", "Sixteen calls came between January and March.", "Sixteen"),
        ("How many were hurt on 3 March?", "In March 2026, on the 3rd, five were hurt.", "five"),
        ("Who took the calls in March?", "Ann took them between January and March.", "Ann"),
    ],
)
def test_a_number_of_the_time_itself_is_one(asked: str, text: str, words: str) -> None:
    assert not tells_of_others(asked, text, words)
