"""Questions over the entries of a log are told entry by entry, and open the lines of each."""

from pathlib import Path

import pytest

from kb_service.domain.answers import Answer
from kb_service.generation.words_reader import WordsReader
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf
from tests.services.test_over_many import TODAY, desk_with
from tests.storage.world import build_world

LOG = """Control room - occurrence book, March 2024

Wednesday 4 March
0640  Day shift on. Nothing to report.
0912  Lorry hit a van at Gate 3: collision. Both drove on.
      One person was injured.
1420  Small fire in a skip at Shed 2. Put out at once.

Thursday 5 March
0205  Fire at Gate 7. 2 people were injured.
0650  Day shift on. Fire drill at ten."""


@pytest.fixture
def desk(tmp_path: Path) -> AnsweringService:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    world.ingest(world.catalog.bases.create("reports").id, "book.txt", LOG.split("\n"))
    return desk_with(world, WordsReader(), FakeShelf(), TODAY)


def ask(desk: AnsweringService, question: str) -> Answer:
    answer = desk.ask(AskRequest("reports", question))
    assert answer.tabled, answer.answer
    return answer


def quoted(answer: Answer) -> set[str]:
    assert all(LOG[c.source.start : c.source.end] == c.cited_text for c in answer.citations)
    return {citation.cited_text for citation in answer.citations}


def test_entries_are_counted_and_listed_by_day_and_kind(desk: AnsweringService) -> None:
    assert len(ask(desk, "How many fires were there in March 2024?").tabled.rows) == 2
    fires = ask(desk, "Which fires were there on 4 March 2024?")
    assert quoted(fires) == {"1420  Small fire in a skip at Shed 2."}
    months = ask(desk, "How many incidents per day in March 2024?")
    assert [[cell.value for cell in row] for row in months.tabled.rows] == [
        ["2024-03-04", 2],
        ["2024-03-05", 1],
    ]


def test_who_was_hurt_is_summed_and_all_lines_of_an_entry_are_opened(
    desk: AnsweringService,
) -> None:
    hurt = ask(desk, "How many people were injured in March 2024?")
    assert "3" in hurt.answer
    assert (
        "0912  Lorry hit a van at Gate 3: collision. Both drove on.\n"
        "      One person was injured." in quoted(hurt)
    )
