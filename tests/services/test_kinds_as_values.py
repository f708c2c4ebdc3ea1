"""No zero by a kind is said of a base whose own values state the word: it is counted by them."""

from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.generation.words_reader import WordsReader
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf
from tests.services.test_over_many import ask, desk_with
from tests.storage.world import build_world

LIFTS = (
    "日期: 2024-01-15; 地点: 望江大厦; 电梯编号: DT-2007; 故障原因: 停电",
    "日期: 2024-02-21; 地点: 枫林苑; 电梯编号: DT-5017; 故障原因: 变频器故障",
    "日期: 2024-03-19; 地点: 望江大厦; 电梯编号: DT-2007; 故障原因: 停电",
)
MIXED = (*LIFTS, "日期: 2024-04-19; 地点: 江湾大厦; 电梯编号: DT-2009; 故障原因: 爆炸")
SHORTS = (
    "编号: Q-1; 日期: 2024-01-15; 地点: 东厂; 诱因: 线路短路; 类别: 火灾",
    "编号: Q-2; 日期: 2024-01-16; 地点: 西厂; 诱因: 管线泄漏; 类别: 火灾",
    "编号: Q-3; 日期: 2024-01-17; 地点: 西厂; 诱因: 管线泄漏; 类别: 火灾",
)
ALARMS = (
    "Job: J-1; Date: 2024-01-15; Location: Mill Lane 7; Alarm type: fire; Outcome: false alarm",
    "Job: J-2; Date: 2024-01-16; Location: Elm Court 2; Alarm type: intruder; Outcome: guard sent",
    "Job: J-3; Date: 2024-01-17; Location: Elm Court 9; Alarm type: fire; Outcome: guard sent",
)
CLAIMS = (
    "Claim no.: C-1; Date: 2024-01-15; Location: Mill Lane 7; Cause: collision with a gate",
    "Claim no.: C-2; Date: 2024-01-16; Location: Elm Court 2; Cause: hail",
)
BOTH = (
    "Claim no.: C-1; Date: 2024-01-15; Location: Mill Lane 7; Cause: a flood; Trigger: none known",
    "Claim no.: C-2; Date: 2024-01-16; Location: Elm Court 2; Cause: hail; Trigger: after a flood",
)


def asked(tmp_path: Path, rows: tuple[str, ...], question: str) -> Answer:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "ledger", list(rows))
    world.ingest(kb_id, "report", ["Report R-1", "On 3 May 2024 at 14:20 a theft at Oak Street."])
    return ask(desk_with(world, WordsReader(), FakeShelf()), question)


@pytest.mark.parametrize(
    ("rows", "question", "number"),
    [
        (LIFTS, "停电的有几起？", 2),
        (SHORTS, "泄漏的有几起？", 2),
        (ALARMS, "How many fires were there?", 2),
        (CLAIMS, "How many collisions were there?", 1),
    ],
)
def test_a_kind_that_is_a_value_of_the_base_is_counted_by_the_value(
    tmp_path: Path, rows: tuple[str, ...], question: str, number: int
) -> None:
    """Six rows of a register gave 停电 as the cause, and the answer was none."""
    answer = asked(tmp_path, rows, question)
    assert answer.tabled and answer.tabled.tally.matched == number
    assert answer.understood.filters.kind == ()


def test_a_kind_that_two_columns_state_is_refused_with_both(tmp_path: Path) -> None:
    answer = asked(tmp_path, BOTH, "How many floods were there?")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert "Cause" in answer.answer and "Trigger" in answer.answer


@pytest.mark.parametrize(
    ("rows", "question", "number"),
    [
        (LIFTS, "停电或火灾有几起？", 2),
        (LIFTS, "停电和爆炸一共有几起？", 2),
        (MIXED, "停电或爆炸有几起？", 3),
        (MIXED, "停电和爆炸一共有几起？", 3),
        (CLAIMS, "How many collisions or floods were there?", 1),
    ],
)
def test_several_kinds_that_one_field_states_are_counted_by_any_of_them(
    tmp_path: Path, rows: tuple[str, ...], question: str, number: int
) -> None:
    answer = asked(tmp_path, rows, question)
    assert answer.tabled and answer.tabled.tally.matched == number
    assert answer.understood.filters.kind == ()


@pytest.mark.parametrize(
    ("rows", "question", "words"),
    [
        (BOTH, "How many floods or collisions were there?", ("flood", "Cause", "Trigger")),
        (LIFTS, "停电或盗窃有几起？", ("停电", "故障原因")),
        (LIFTS, "停电和盗窃一共有几起？", ("停电", "故障原因")),
    ],
)
def test_several_kinds_that_no_one_field_states_are_refused(
    tmp_path: Path, rows: tuple[str, ...], question: str, words: tuple[str, ...]
) -> None:
    answer = asked(tmp_path, rows, question)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert all(one in answer.answer for one in words)


def test_kinds_of_which_there_are_records_are_counted_by_these(tmp_path: Path) -> None:
    answer = asked(tmp_path, LIFTS, "盗窃或火灾有几起？")
    assert answer.tabled and answer.tabled.tally.matched == 1


@pytest.mark.parametrize("question", ["爆炸的有几起？", "2024年5月停电的有几起？"])
def test_a_kind_that_nothing_states_is_none(tmp_path: Path, question: str) -> None:
    answer = asked(tmp_path, LIFTS, question)
    assert answer.tabled and answer.tabled.tally.matched == 0
