"""What stands behind a number: papers of which nothing was read, and times of reports alone."""

from datetime import datetime
from pathlib import Path

import pytest

from kb_service.domain.answers import AnswerStatus
from kb_service.domain.facts import FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import ByPeriod, Counted, Operation, RecordQuery
from kb_service.services.across import AcrossDocuments, Told
from kb_service.services.refusing import FIELD_MISSING
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from tests.storage.world import World, build_world

FIRE = "Case number: Q-{0}\nType: fire\nOccurred: 2024-03-0{0} 10:00\nLocation: Mill Lane {0}"
STORY = "The {0}th walk\n\nIt was a fine evening and nobody thought of anything. We went home."
CALLS = [
    "Call received: 2024-02-27 08:10; Case number: C-1; Address: 3 Mill Lane",
    "Call received: 2024-03-02 09:15; Case number: C-2; Address: 5 Mill Lane",
    "Call received: 2024-03-28 23:40; Case number: C-3; Address: 8 Mill Lane",
    "Call received: 2024-04-01 00:05; Case number: C-4; Address: 9 Mill Lane",
]
OCCURRED = (
    "Case number: Q-9\nType: theft\nOccurred: 2024-03-30 22:00\nReported: 2024-04-02 09:00\n"
    "Location: Pier Nine"
)
MARCH = Filters(
    time_from=datetime.fromisoformat("2024-03-01"), time_to=datetime.fromisoformat("2024-04-01")
)
APRIL = Filters(
    time_from=datetime.fromisoformat("2024-04-01"), time_to=datetime.fromisoformat("2024-05-01")
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    return build_world(database, tmp_path)


def base_of(world: World, texts: list[list[str]], names: list[str] | None = None) -> str:
    kb_id = world.catalog.bases.create("papers").id
    for number, lines in enumerate(texts):
        world.ingest(kb_id, names[number] if names else f"paper {number}.txt", lines)
    return kb_id


def told(world: World, kb_id: str, query: RecordQuery) -> Told:
    across = AcrossDocuments(RecordStore(world.database), world.catalog.revisions)
    return across.told_of(kb_id, query, "en")


FIRES = [FIRE.format(number).split("\n") for number in (1, 2, 3)]
STORIES = [STORY.format(number).split("\n") for number in (4, 5)]


@pytest.mark.parametrize("op", [Operation.COUNT, Operation.LIST, Operation.EXISTS])
def test_papers_of_which_nothing_was_read_make_a_count_partial(world: World, op: Operation) -> None:
    kb_id = base_of(world, FIRES + STORIES)
    answer = told(world, kb_id, RecordQuery(op, Filters(kind=("fire",))))
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, FIELD_MISSING)
    assert answer.tabled.tally.matched == 3
    assert "2 of 5 documents tell of no incident" in answer.text


def test_a_few_such_papers_are_told_and_leave_it_whole(world: World) -> None:
    kb_id = base_of(world, [*FIRES, *STORIES[:1]])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT))
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.text.endswith("1 of 4 documents tells of no incident.")


def test_a_count_is_a_part_where_more_papers_lack_what_it_asks_for(world: World) -> None:
    """Of nine registers eight have no such column, and one call was told as all."""
    wards = [[*FIRE.format(9).split("\n"), "Ward: 3"]]
    asked = Filters(fields=(FieldFilter("Ward", text="3"),))
    kb_id = base_of(world, [*FIRES, *wards])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, asked))
    assert answer.tabled.tally.matched == 1
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, FIELD_MISSING)
    whether = told(world, kb_id, RecordQuery(Operation.EXISTS, asked))
    assert whether.status is AnswerStatus.ANSWERED


def test_groups_are_a_part_where_more_papers_are_in_none_of_them(world: World) -> None:
    """Of eight jobs by place seven stated no place: one was told as all."""
    placed = [[*FIRE.format(9).split("\n"), "Ward: 3"]]
    by_ward = RecordQuery(Operation.GROUP, Filters(kind=("fire",)), by="Ward")
    answer = told(world, base_of(world, [*FIRES, *placed]), by_ward)
    assert answer.tabled.tally.matched == 4
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, FIELD_MISSING)


@pytest.mark.parametrize("name", ["Duty roster.txt", "会议纪要.txt", "抢修管理规定（2025版）.txt"])
def test_nor_do_papers_that_are_called_otherwise(world: World, name: str) -> None:
    names = ["a.txt", "b.txt", "c.txt", name, f"2 {name}"]
    kb_id = base_of(world, FIRES + STORIES, names)
    answer = told(world, kb_id, RecordQuery(Operation.COUNT))
    assert answer.status is AnswerStatus.ANSWERED
    assert "tell" not in answer.text


def test_a_register_without_the_time_of_a_happening_is_asked_by_that_of_the_call(
    world: World,
) -> None:
    kb_id = base_of(world, [CALLS])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, MARCH))
    assert answer.tabled.tally.matched == 2
    assert "the time of the report is taken" in answer.text
    rows = [[cell.value for cell in row] for row in answer.tabled.rows]
    assert [row[2] for row in rows] == ["2024-03-02 09:15", "2024-03-28 23:40"]


def test_it_is_grouped_and_sorted_by_it_too(world: World) -> None:
    kb_id = base_of(world, [CALLS])
    trend = told(world, kb_id, RecordQuery(Operation.TREND, by=ByPeriod.MONTH))
    assert [[cell.value for cell in row] for row in trend.tabled.rows] == [
        ["2024-02", 1],
        ["2024-03", 2],
        ["2024-04", 1],
    ]
    latest = told(world, kb_id, RecordQuery(Operation.TOP, field="time", limit=1))
    assert latest.tabled.rows[0][1].value == "C-4"
    assert "the time of the report is taken" in latest.text


@pytest.mark.parametrize("of", [Counted.INCIDENTS, Counted.RECORDS])
@pytest.mark.parametrize(("asked", "number"), [(MARCH, 3), (APRIL, 1)])
def test_what_says_when_it_happened_is_of_that_time_alone(
    world: World, asked: Filters, number: int, of: Counted
) -> None:
    kb_id = base_of(world, [CALLS, OCCURRED.split("\n")])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, asked, of=of))
    assert answer.tabled.tally.matched == number


def test_nothing_is_said_of_reports_where_all_say_when_it_happened(world: World) -> None:
    kb_id = base_of(world, [OCCURRED.split("\n")])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, MARCH))
    assert answer.tabled.tally.matched == 1
    assert "report" not in answer.text


BY_ARRIVAL = "Where a document writes no year"
UNDATED = [
    "Call received: 27 February 08:10; Case number: C-1; Address: 3 Mill Lane",
    "Call received: 2 March 09:15; Case number: C-2; Address: 5 Mill Lane",
]


def test_a_number_tells_that_papers_without_a_year_are_among_it(world: World) -> None:
    world.clock.advance(90 * 86400.0)  # it is March 2026
    kb_id = base_of(world, [UNDATED, OCCURRED.replace("2024", "2026").split("\n")])
    first, last = (datetime.fromisoformat(f"2026-0{month}-01") for month in (3, 4))
    asked = Filters(time_from=first, time_to=last)
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, asked))
    assert answer.tabled.tally.matched == 2
    assert BY_ARRIVAL in answer.text
    assert "the time of the report is taken" in answer.text
    listed = told(world, kb_id, RecordQuery(Operation.LIST, asked))
    assert BY_ARRIVAL in listed.text


def test_nothing_is_said_of_years_where_none_of_these_is_counted(world: World) -> None:
    kb_id = base_of(world, [UNDATED, OCCURRED.split("\n")])
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, MARCH))
    assert answer.tabled.tally.matched == 1
    assert BY_ARRIVAL not in answer.text


@pytest.mark.parametrize(("injured", "status"), [("0", "answered"), ("", "partial")])
def test_a_none_is_partial_where_papers_do_not_state_what_is_asked(
    world: World, injured: str, status: str
) -> None:
    stated = [f"Injured: {injured}"] if injured else []
    kb_id = base_of(world, [[*lines, *stated] for lines in FIRES])
    hurt = Filters(fields=(FieldFilter(FactField.INJURED, min=1),))
    answer = told(world, kb_id, RecordQuery(Operation.COUNT, hurt))
    assert answer.tabled.tally.matched == 0
    assert (answer.status, answer.reason) == (status, FIELD_MISSING if stated == [] else None)
