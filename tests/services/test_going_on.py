"""Questions that go on from an answer over records: narrowed, or of another name or time."""

from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.generation.words_reader import WordsReader
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf
from tests.services.test_over_many import TODAY, desk_with
from tests.storage.world import World, build_world

TICKETS = [
    ("SD-1", "2024-08-02 08:00", "Harbour", "Email", "P1", "Closed"),
    ("SD-2", "2024-08-09 09:00", "Millgate", "Imaging", "P1", "Open"),
    ("SD-3", "2024-08-20 10:00", "Harbour", "Imaging", "P2", "On hold"),
    ("SD-4", "2024-09-03 11:00", "Millgate", "Email", "P1", "Closed"),
]
"""Ticket, opened, site, service, priority, status."""


@pytest.fixture
def desk(tmp_path: Path) -> AnsweringService:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world: World = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    names = ("Ticket", "Opened", "Site", "Service", "Priority", "Status")
    rows = [
        "; ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True))
        for row in TICKETS
    ]
    world.ingest(kb_id, "desk.csv", rows)
    return desk_with(world, WordsReader(), FakeShelf(), TODAY)


def asked(desk: AnsweringService, *questions: str) -> Answer:
    """Return the answer to the last of some questions of one conversation."""
    conversation = None
    for question in questions:
        answer = desk.ask(AskRequest("reports", question, conversation))
        conversation = answer.conversation_id
    return answer


def numbers(answer: Answer) -> set[str]:
    """Return the tickets that an answer shows."""
    assert answer.tabled, answer.answer
    shown = (str(cell.value) for row in answer.tabled.rows for cell in row)
    return {value for value in shown if value.startswith("SD-")}


@pytest.mark.parametrize(
    ("questions", "shown"),
    [
        (("How many P1 tickets in 2024?", "And how many of those were Email?"), {"SD-1", "SD-4"}),
        (("How many tickets last month?", "其中哪张工单还没关？"), {"SD-2", "SD-3"}),
        (("上个月有几张工单？", "which of them are at Harbour?"), {"SD-1", "SD-3"}),
        (("How many tickets in August 2024?", "这些工单里P1的有哪些？"), {"SD-1", "SD-2"}),
        # The narrowed one is narrowed again.
        (
            ("How many tickets last month?", "其中还没关的有哪些", "其中Harbour的有几张工单"),
            {"SD-3"},
        ),
        # Of another.
        (("How many tickets at Harbour in August 2024?", "And Millgate?"), {"SD-2"}),
        (("上个月Harbour有几张工单？", "那Millgate呢？"), {"SD-2"}),
        (("How many tickets at Millgate last month?", "And in September 2024?"), {"SD-4"}),
        (("8月有几张P1的工单？", "那P2呢"), {"SD-3"}),
        (("上个月Harbour有几张工单？", "And in Millgate?"), {"SD-2"}),
        (("How many tickets at Harbour last month?", "And Email?"), {"SD-1"}),
    ],
)
def test_a_question_goes_on_from_what_was_selected(
    desk: AnsweringService, questions: tuple[str, ...], shown: set[str]
) -> None:
    assert numbers(asked(desk, *questions)) == shown


def test_what_a_narrowed_question_is_of_is_told(desk: AnsweringService) -> None:
    answer = asked(desk, "How many tickets last month?", "其中哪张工单还没关？")
    assert answer.understood.about and "2024年8月" in answer.understood.about
    assert answer.understood.filters.time_from


@pytest.mark.parametrize(
    "words", ["其中有几张是设备老化引起的？", "how many of those were sabotage?"]
)
def test_what_does_not_narrow_it_is_told_and_never_dropped(
    desk: AnsweringService, words: str
) -> None:
    answer = asked(desk, "How many tickets last month?", words)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")


def test_a_question_of_its_own_is_not_narrowed(desk: AnsweringService) -> None:
    answer = asked(desk, "How many tickets at Harbour?", "How many P1 tickets are there?")
    assert numbers(answer) == {"SD-1", "SD-2", "SD-4"}
