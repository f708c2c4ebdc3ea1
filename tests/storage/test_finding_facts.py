"""Facts are found in the commit that makes a text searchable, and anew by other rules."""

import pytest
from sqlalchemy import update

from kb_service.services.facts import FactService
from kb_service.storage.facts.store import Facts
from kb_service.storage.tables import revisions
from tests.storage.world import World

REPORT = [
    "Incident No.: IR-7",
    "Type: fire",
    "Nobody was hurt.",
]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def stored(world: World) -> Facts:
    return Facts(world.database)


def told(stored: Facts, kb_id: str) -> list[tuple[str, str]]:
    return [(item.fact.field, item.fact.text) for item in stored.listed(kb_id).items]


def test_a_published_text_has_its_facts_at_once(world: World, kb_id: str, stored: Facts) -> None:
    world.ingest(kb_id, "a.txt", REPORT)
    assert told(stored, kb_id) == [("number", "ir-7"), ("kind", "fire"), ("injured", "0")]
    assert stored.waiting(10) == []
    world.assert_clean()


def test_a_base_from_before_gets_its_facts_one_document_a_step(
    world: World, kb_id: str, stored: Facts
) -> None:
    for name in ("a.txt", "b.txt"):
        stored.put(world.ingest(kb_id, name, [name, *REPORT]).id, [])
    with world.database.write() as connection:
        connection.execute(update(revisions).values(fact_rules=""))
    service = FactService(stored)
    assert [service.step(), service.step(), service.step()] == [True, True, False]
    assert len(told(stored, kb_id)) == 6


def test_all_facts_of_a_base_are_found_anew_when_asked(
    world: World, kb_id: str, stored: Facts
) -> None:
    revision = world.ingest(kb_id, "a.txt", REPORT)
    stored.put(revision.id, [])
    assert FactService(stored).find_all(kb_id) == 1
    assert len(told(stored, kb_id)) == 3


def test_a_log_is_of_the_day_by_which_its_file_is_called_whenever_it_is_read(
    world: World, kb_id: str, stored: Facts
) -> None:
    lines = ["08:40 Shift on.", "09:15 Fire in a skip."]
    revision = world.ingest(kb_id, "gate log 2026-03-04.txt", lines)
    times = [item.fact.text for item in stored.listed(kb_id, "time").items]
    assert times == ["2026-03-04T08:40", "2026-03-04T09:15"]
    stored.find_anew(revision.id)
    assert [item.fact.text for item in stored.listed(kb_id, "time").items] == times
