"""Papers that name no year are of the year in which their content came, whenever they are read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.domain.facts import BY_REPORT, FactField
from kb_service.domain.record_sets import Value
from kb_service.domain.time_roles import OF_ARRIVAL, TIME_ROLES, marks_of, with_mark, without_mark
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from kb_service.storage.facts.store import Facts
from tests.storage.world import World

MAY = [
    "Call sheet",
    "Ref: 1; Date: 3 May; Time: 09:22; Said: fuel on the ground by stand 4",
    "Ref: 2; Date: 4 May; Time: 17:45; Said: a dog ran across the apron",
]
JUNE = [line.replace("May", "June") for line in MAY]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("calls").id


@pytest.fixture
def stored(world: World) -> Facts:
    return Facts(world.database, world.clock)


def at(world: World, moment: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    world.clock.advance((now - world.clock.now).total_seconds())


def days(stored: Facts, kb_id: str) -> list[str]:
    times = [item.fact for item in stored.listed(kb_id, FactField.TIME).items]
    assert all(OF_ARRIVAL in marks_of(fact.role) for fact in times)
    return [f"{fact.time_from:%Y-%m-%d}" for fact in times]


def test_the_year_stays_when_facts_are_found_anew(world: World, kb_id: str, stored: Facts) -> None:
    at(world, "2027-05-10")
    revision = world.ingest(kb_id, "calls.txt", MAY)
    assert days(stored, kb_id) == ["2027-05-03", "2027-05-04"]
    at(world, "2029-05-10")
    stored.find_anew(revision.id)
    assert days(stored, kb_id) == ["2027-05-03", "2027-05-04"]
    world.assert_clean()


def test_what_comes_on_the_evening_before_its_day_in_utc_is_of_that_year(
    world: World, kb_id: str, stored: Facts
) -> None:
    at(world, "2027-05-03T10:00")
    world.ingest(kb_id, "calls.txt", MAY)
    at(world, "2027-06-03T09:59")
    world.ingest(kb_id, "more.txt", JUNE)
    assert days(stored, kb_id) == ["2027-05-03", "2027-05-04", "2026-06-03", "2026-06-04"]


def test_new_content_is_of_the_year_in_which_it_came_and_old_content_of_its_own(
    world: World, kb_id: str, stored: Facts
) -> None:
    at(world, "2027-05-10")
    world.ingest(kb_id, "calls.txt", MAY)
    at(world, "2028-06-10")
    world.ingest(kb_id, "calls.txt", JUNE)
    assert days(stored, kb_id) == ["2028-06-03", "2028-06-04"]
    at(world, "2029-06-10")
    world.ingest(kb_id, "calls.txt", MAY)
    assert days(stored, kb_id) == ["2027-05-03", "2027-05-04"]


def test_a_base_that_is_brought_back_keeps_its_years(
    world: World, kb_id: str, stored: Facts, tmp_path: Path
) -> None:
    at(world, "2027-05-10")
    world.ingest(kb_id, "calls.txt", MAY)
    export_base(world.database, world.blobs, kb_id, tmp_path / "a.zip")
    at(world, "2029-05-10")
    back = import_base(world.database, world.blobs, tmp_path / "a.zip", "copy", 1_000_000)
    for revision_id in stored.waiting(10, back.kb_id):
        stored.find_anew(revision_id)
    assert days(stored, back.kb_id) == days(stored, kb_id) == ["2027-05-03", "2027-05-04"]


def test_a_person_who_sets_a_time_right_says_its_year(
    world: World, kb_id: str, stored: Facts
) -> None:
    at(world, "2027-05-10")
    world.ingest(kb_id, "calls.txt", MAY)
    first = stored.listed(kb_id, FactField.TIME).items[0]
    said = stored.correct(kb_id, first.id, "2026-05-03 09:22", "Ann").fact
    assert (f"{said.time_from:%Y-%m-%d %H:%M}", said.role) == ("2026-05-03 09:22", "")


def test_roles_keep_both_whose_time_it_is_and_by_what_its_year_is_known() -> None:
    role = with_mark(with_mark("", OF_ARRIVAL), BY_REPORT)
    assert role == with_mark(with_mark("", BY_REPORT), OF_ARRIVAL)
    assert role in TIME_ROLES
    assert without_mark(role, OF_ARRIVAL) == BY_REPORT
    assert without_mark("shift lead, east", OF_ARRIVAL) == "shift lead, east"
    value = Value(1, 0, "time", "", "", None, None, "", None, None, None, 1.0, 0, 1, role)
    assert value.is_by_report
    assert value.is_of_arrival
