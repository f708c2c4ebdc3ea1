"""How long something took, worked out from when it began and was over."""

from pathlib import Path

import pytest

from kb_service.domain.answers import Answer
from kb_service.generation.words_reader import WordsReader
from kb_service.language.lengths import says_end
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf
from tests.services.test_over_many import TODAY, desk_with
from tests.storage.world import build_world

LIFTS = [
    ("L-1", "2024-08-02 08:00", "2024-08-02 08:20", "电梯困人", "东港区望江苑3号楼"),
    ("L-2", "2024-08-09 23:50", "2024-08-10 01:03", "电梯困人", "西山区南苑"),
    ("L-3", "2024-08-20 10:00", "2024-08-20 09:00", "电梯困人", "东港区码头路12号"),
    ("L-4", "2024-09-03 11:00", "2024-09-03 15:00", "停电", "清水县石坪村"),
]
"""Number, when it happened and when it was over, kind, place; of the third the end is an error."""
TICKETS = [
    ("SD-1", "2024-08-02 08:00", "2024-08-02 09:30", "Jam", "12 Mill Lane, Harbour District"),
    ("SD-2", "2024-08-09 09:00", "2024-08-09 09:45", "Jam", "Quay 4, Harbour District"),
    ("SD-3", "2024-08-20 10:00", "2024-08-20 14:00", "Leak", "3 Oak Street, North District"),
]


def desk_of(folder: Path, names: str, cells: list[tuple[str, ...]]) -> AnsweringService:
    database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, folder)
    kb_id = world.catalog.bases.create("reports").id
    labels = names.split("; ")
    rows = ["; ".join(f"{n}: {c}" for n, c in zip(labels, row, strict=True)) for row in cells]
    world.ingest(kb_id, "ledger.csv", rows)
    return desk_with(world, WordsReader(), FakeShelf(), TODAY)


@pytest.fixture
def lifts(tmp_path: Path) -> AnsweringService:
    return desk_of(tmp_path, "编号; 发生时间; 处置结束时间; 事件类别; 地点", LIFTS)


@pytest.fixture
def tickets(tmp_path: Path) -> AnsweringService:
    return desk_of(tmp_path, "Ticket; Opened; Closed; Category; Location", TICKETS)


def ask(desk: AnsweringService, question: str) -> Answer:
    return desk.ask(AskRequest("reports", question))


def cells(answer: Answer) -> list[list[object]]:
    assert answer.tabled, answer.answer
    return [[cell.value for cell in row] for row in answer.tabled.rows]


@pytest.mark.parametrize(
    "question",
    ["哪次电梯困人从发生到处置结束拖得最久？用了多长时间？", "电梯困人持续时间最长的是哪一起？",
     "Which 电梯困人 took the longest?"],
)  # fmt: skip
def test_a_length_is_worked_out_from_start_and_end_and_told_so(
    lifts: AnsweringService, question: str
) -> None:
    answer = ask(lifts, question)
    (row,) = cells(answer)
    assert "L-2" in row and "73" in row
    assert "处置结束时间" in answer.answer
    quoted = " ".join(citation.cited_text for citation in answer.citations)
    assert "2024-08-10 01:03" in quoted and "2024-08-09 23:50" in quoted


def test_an_end_before_its_start_gives_no_length(lifts: AnsweringService) -> None:
    answer = ask(lifts, "电梯困人平均持续多长时间？")
    assert answer.tabled and answer.tabled.query.field == "duration"
    assert "46.5" in answer.answer and "2 起" in answer.answer


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Which ticket took the longest to close?", "240 minutes"),
        ("How long did the tickets take in total?", "375 minutes"),
        ("Which ticket was the quickest to resolve?", "45 minutes"),
    ],
)
def test_tickets_are_measured_from_opened_to_closed(
    tickets: AnsweringService, question: str, told: str
) -> None:
    answer = ask(tickets, question)
    assert told in answer.answer and "Closed" in answer.answer


@pytest.mark.parametrize(
    ("column", "is_end"),
    [
        ("处置结束时间", True),
        ("解除时间", True),
        ("Closed", True),
        ("Time resolved", True),
        ("Closed by", False),
        ("结束语", False),
        ("发生时间", False),
    ],
)
def test_columns_of_ends_are_known_by_their_names(column: str, is_end: bool) -> None:
    assert says_end(column) is is_end
