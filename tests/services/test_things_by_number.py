"""A thing that is named by its number is found under any column that is called so."""

from pathlib import Path

import pytest

from kb_service.generation.words_reader import WordsReader
from kb_service.services.answering import AnsweringService
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf
from tests.services.test_over_many import ask, desk_with
from tests.storage.world import World, build_world

BOOKS = {
    "may.csv": [
        "Date: 2024-05-01; Type: fire; Stand no.: 4; Story: smoke from the tug",
        "Date: 2024-05-07; Type: leak; Stand no.: 40; Story: hose off",
        "Date: 2024-05-09; Type: leak; Stand no.: 8; Story: four litres on the ground",
    ],
    "july.csv": [
        "Date: 2024-07-02; Type: leak; Bay: Stand 4; Story: coupling wept",
        "Date: 2024-07-08; Type: fire; Bay: Stand 40; Story: a bin burnt",
        "Date: 2024-07-09; Type: fire; Bay: Stand 14; Story: an oven burnt",
    ],
}
BAYS = {
    "五月.csv": [
        "日期: 2024-05-01; 类型: 火灾; 机位编号: 4; 经过: 拖车冒烟",
        "日期: 2024-05-07; 类型: 泄漏; 机位编号: 14; 经过: 软管脱落",
    ],
    "七月.csv": [
        "日期: 2024-07-02; 类型: 泄漏; 地点: 4号机位; 经过: 接头渗油",
        "日期: 2024-07-08; 类型: 火灾; 地点: 14号机位; 经过: 垃圾桶起火",
    ],
}


def desk_of(tmp_path: Path, books: dict[str, list[str]]) -> AnsweringService:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world: World = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    for name, rows in books.items():
        world.ingest(kb_id, name, rows)
    return desk_with(world, WordsReader(), FakeShelf())


@pytest.mark.parametrize(
    ("books", "question", "number", "said"),
    [
        (BOOKS, "How many incidents happened on stand 4?", 2, "looked for as it stands"),
        (BOOKS, "How many incidents happened on stand 40?", 2, "looked for as it stands"),
        (BOOKS, "How many incidents happened on stand 8?", 1, ""),
        (BAYS, "4号机位发生过几起？", 2, "按字面查找"),
    ],
)
def test_incidents_at_a_thing_are_counted_by_its_number_too(
    tmp_path: Path, books: dict[str, list[str]], question: str, number: int, said: str
) -> None:
    """Half of the books write the number alone: three of six were counted."""
    answer = ask(desk_of(tmp_path, books), question)
    assert answer.tabled
    assert answer.tabled.tally.matched == number
    assert said in answer.answer


def test_a_list_of_them_is_the_same(tmp_path: Path) -> None:
    answer = ask(desk_of(tmp_path, BOOKS), "List all incidents on stand 8")
    assert answer.tabled
    (row,) = answer.tabled.rows
    assert "2024-05-09" in [cell.value for cell in row]
