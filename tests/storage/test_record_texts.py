"""What texts of records mention, and what all papers with records are called by."""

import pytest

from kb_service.storage.records.store import RecordStore
from tests.storage.world import World

JOBS = [
    "Job no.: J-1; Date: 2025-01-04; Trade: plumbing; Remarks: Toilet blocked on second floor",
    "Job no.: J-2; Date: 2025-01-05; Trade: plumbing; Remarks: Drain blocked again",
    "Job no.: J-3; Date: 2025-01-06; Trade: electrical; Remarks: Socket sparking",
]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("registers").id


def test_texts_that_have_some_words_come_with_their_fields(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "maintenance-2025.txt", JOBS)
    store = RecordStore(world.database)
    fields = store.fields(kb_id)
    assert store.texts(kb_id, "blocked", fields) == [
        ("Remarks", "drain blocked again"),
        ("Remarks", "toilet blocked on second floor"),
    ]
    assert store.texts(kb_id, "blocked", ["Trade"]) == []
    assert store.texts(kb_id, "chimney", fields) == []


def test_all_papers_with_records_are_called_so_or_not(world: World, kb_id: str) -> None:
    store = RecordStore(world.database)

    def is_of_maintenance(called: str) -> bool:
        return "maintenance" in called

    assert not store.are_called(kb_id, is_of_maintenance)
    world.ingest(kb_id, "Note.txt", ["Nothing is recorded here."])
    assert not store.are_called(kb_id, is_of_maintenance)
    world.ingest(kb_id, "Maintenance-2025.txt", JOBS)
    assert store.are_called(kb_id, is_of_maintenance)
    later = [row.replace("2025", "2026").replace("J-", "K-") for row in JOBS]
    world.ingest(kb_id, "night-2026.txt", later)
    assert not store.are_called(kb_id, is_of_maintenance)
