"""What a document states as the field asked for answers a follow-up, however unsure the reader."""

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.asked import parse_question
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.services.borne_out import borne_out
from kb_service.settings import RetrievalSettings
from tests.services.answer_fakes import NOW, FakeLibrary, FakeLog, FakeShelf, PartsReader

TEXT = (
    "On 3 May 2025 a pump failed in hall 4 of the Northern Waterworks. Two workers were injured. "
    "The damage is put at 48,000 euros. Cause: a worn bearing."
)
CHINESE = "2025年5月3日，北区水厂4号车间水泵失效，2人受伤，直接经济损失48万元。起火原因：轴承磨损。"
UNSURE, SURE = 0.05, 0.25


def read(text: str, words: str) -> Reading:
    at = text.index(words)
    passage = Passage(1, 1, "d", 1, "ab" * 32, "t", TextSpan(0, len(text)), text, score=0.5)
    return Reading(passage, TextSpan(at, at + len(words)), UNSURE)


@pytest.mark.parametrize(
    ("text", "question", "words", "is_borne_out"),
    [
        (TEXT, "How large was the damage?", "48,000 euros", True),
        (TEXT, "What did it cost?", "48,000 euros", True),
        (TEXT, "What was the cause?", "a worn bearing", True),
        (CHINESE, "损失是多少？", "48万元", True),
        (CHINESE, "有几人受伤？", "2人", True),
        (TEXT, "How large was the damage?", "4", False),  # a hall's number, no sum
        (TEXT, "What was the cause?", "48,000 euros", False),
        (TEXT, "How large was the crane?", "48,000 euros", False),  # of no field
        (TEXT, "Who was told of the damage?", "48,000 euros", False),  # not of the field alone
        (TEXT, "How many pumps were there?", "Two", False),
    ],
)
def test_a_reading_is_borne_out_by_what_is_stated_as_the_field_that_is_asked_for(
    text: str, question: str, words: str, is_borne_out: bool
) -> None:
    found = borne_out([read(text, words)], parse_question(question), SURE)
    assert [reading.confidence for reading in found] == ([SURE] if is_borne_out else [])


def test_a_sure_reading_stays_as_sure_as_it_is() -> None:
    sure = read(TEXT, "48,000 euros")
    question = parse_question("How large was the damage?")
    assert borne_out([sure], question, 0.01)[0].confidence == UNSURE


def ask_twice(reader: PartsReader, follow_up: str) -> Answer:
    shelf = FakeShelf(pump=TEXT)
    library = FakeLibrary(shelf.texts)
    service = AnsweringService(
        retriever=shelf,
        find_base=library.get_kb,
        library=library,
        reader=reader,
        generator=ExtractiveReader(),
        answers=FakeLog(),
        settings=RetrievalSettings(),
        clock=lambda: NOW,
    )
    first = service.ask(AskRequest("kb_1", "When did the pump in hall 4 fail?"))
    asked = AskRequest("kb_1", follow_up, conversation_id=first.conversation_id)
    return service.ask(asked)


def test_a_follow_up_is_read_as_typed_in_its_document_where_the_full_question_says_nothing() -> (
    None
):
    """ "How large was the damage?" was refused after a question about hall 4."""
    damage = "How large was the damage?"
    answers = {"hall 4 fail": {"3 May 2025": 0.9}, "About": {"4": 0.04}, damage: {"48,000": 0.08}}
    found = ask_twice(PartsReader(answers), damage)
    assert found.status is AnswerStatus.ANSWERED
    assert "48,000 euros" in found.answer
    assert found.understood.question == f"About hall 4: {damage}"


def test_a_follow_up_that_its_document_does_not_answer_stays_refused() -> None:
    question = "Who owned the pump?"
    answers = {"hall 4 fail": {"3 May 2025": 0.9}, "own": {"Northern Waterworks": 0.1}}
    assert ask_twice(PartsReader(answers), question).status is AnswerStatus.REFUSED
