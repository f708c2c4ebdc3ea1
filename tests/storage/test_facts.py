"""Facts: stored beside the searchable revision, listed by field and document."""

from datetime import date, datetime, time

import pytest

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.facts import Fact, FactField, FactMethod, Precision
from kb_service.domain.spans import TextSpan
from kb_service.storage.facts.store import Facts
from tests.storage.world import World


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def stored(world: World) -> Facts:
    return Facts(world.database)


def fact(field: str, value: str, record: int = 0, **given: object) -> Fact:
    span = TextSpan(0, len(value))
    return Fact(record, field, value, span, value, FactMethod.FORM, 0.9, **given)  # type: ignore[arg-type]


INJURED = fact(FactField.INJURED, "three", number=3.0, unit="persons")
TIME = fact(
    FactField.TIME,
    "May 2024",
    time_from=datetime.combine(date(2024, 5, 1), time()),
    time_to=datetime.combine(date(2024, 6, 1), time()),
    precision=Precision.MONTH,
)


def test_facts_come_back_as_they_were_put(world: World, kb_id: str, stored: Facts) -> None:
    revision = world.ingest(kb_id, "a.txt", ["three hurt in May 2024"])
    given = (INJURED, TIME, fact("Crew", "red", record=2))
    stored.put(revision.id, given)
    records = stored.records(kb_id, revision.document_id)
    assert [record.number for record in records] == [0, 2]
    assert (*records[0].facts, *records[1].facts) == given
    world.assert_clean()


def test_putting_facts_again_replaces_them(world: World, kb_id: str, stored: Facts) -> None:
    revision = world.ingest(kb_id, "a.txt", ["three hurt"])
    stored.put(revision.id, [INJURED])
    stored.put(revision.id, [TIME])
    assert [item.fact for item in stored.listed(kb_id).items] == [TIME]


def test_facts_are_listed_by_field_and_document_page_by_page(
    world: World, kb_id: str, stored: Facts
) -> None:
    one, two = (world.ingest(kb_id, name, [name]) for name in ("a.txt", "b.txt"))
    stored.put(one.id, [INJURED, TIME])
    stored.put(two.id, [INJURED])
    first = stored.listed(kb_id, FactField.INJURED, limit=1)
    second = stored.listed(kb_id, FactField.INJURED, limit=1, cursor=first.next_cursor)
    assert [item.document_name for item in (*first.items, *second.items)] == ["a.txt", "b.txt"]
    assert second.next_cursor is None
    of_one = stored.listed(kb_id, document_id=one.document_id)
    assert [item.fact.field for item in of_one.items] == ["injured", "time"]
    assert stored.fields(kb_id) == {"injured": 2, "time": 1}


def test_facts_of_what_is_not_there_are_not_found(world: World, kb_id: str, stored: Facts) -> None:
    with pytest.raises(NotFound):
        stored.listed("kb_none")
    with pytest.raises(NotFound):
        stored.listed(kb_id, document_id="doc_none")
    with pytest.raises(InvalidRequest):
        stored.listed(kb_id, cursor="x")


def test_facts_go_with_their_revision(world: World, kb_id: str, stored: Facts) -> None:
    revision = world.ingest(kb_id, "a.txt", ["three hurt"])
    stored.put(revision.id, [INJURED])
    world.ingest(kb_id, "a.txt", ["The weather was fine."])
    assert stored.listed(kb_id).items == ()
    world.catalog.documents.delete(kb_id, revision.document_id)
    world.assert_clean()
