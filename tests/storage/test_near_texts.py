"""Documents of nearly the same text know each other, without a scan of the base."""

import pytest
from sqlalchemy import delete

from kb_service.services.sketching import SketchService
from kb_service.storage.near_texts import near_texts, sketch_marks, sketches
from tests.storage.world import World

REPORT = [
    "On 3 May 2024 at 14:20 a fire broke out in the boiler room of the mill.",
    "The crew of engine four was there after six minutes and closed the gas line.",
    "Nobody was hurt; the room stays closed until the wiring has been examined.",
    "The examiner found an overloaded cable behind the second cabinet on the left.",
]
OTHER = [
    "The committee met in the town hall and discussed the budget of the coming year.",
    "A majority was in favour of new hoses, ladders and a second tank wagon.",
]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def near(world: World, *revision_ids: int) -> dict[int, list[tuple[str, bool]]]:
    found = world.catalog.revisions.near(list(revision_ids))
    return {one: [(n.name, 0.85 <= n.share <= 1) for n in items] for one, items in found.items()}


def test_a_copy_but_for_little_is_found_from_both_sides(world: World, kb_id: str) -> None:
    first = world.ingest(kb_id, "a.txt", REPORT)
    other = world.ingest(kb_id, "minutes.txt", OTHER)
    copy = world.ingest(kb_id, "b.txt", [REPORT[0].replace("14:20", "14:25"), *REPORT[1:]])
    found = near(world, first.id, other.id, copy.id)
    assert found == {first.id: [("b.txt", True)], copy.id: [("a.txt", True)]}
    elsewhere = world.catalog.bases.create("elsewhere").id
    assert near(world, world.ingest(elsewhere, "a.txt", REPORT).id) == {}


def test_a_new_text_or_a_deletion_ends_it(world: World, kb_id: str) -> None:
    first = world.ingest(kb_id, "a.txt", REPORT)
    world.ingest(kb_id, "b.txt", REPORT)
    third = world.ingest(kb_id, "c.txt", REPORT)
    assert near(world, first.id) == {first.id: [("b.txt", True), ("c.txt", True)]}
    world.ingest(kb_id, "b.txt", OTHER)
    assert near(world, first.id) == {first.id: [("c.txt", True)]}
    world.catalog.documents.delete(kb_id, third.document_id)
    assert near(world, first.id) == {}
    world.assert_clean(may_wait=True)


def test_texts_from_before_get_their_sketches_in_steps(world: World, kb_id: str) -> None:
    first = world.ingest(kb_id, "a.txt", REPORT)
    world.ingest(kb_id, "b.txt", REPORT)
    with world.database.write() as connection:
        for table in (near_texts, sketch_marks, sketches):
            connection.execute(delete(table))
    service = SketchService(world.catalog.revisions, world.clock)
    assert service.step() is True and service.step() is False
    assert near(world, first.id) == {first.id: [("b.txt", True)]}
