"""Counts by status are those of the documents themselves, however many a list shows."""

from collections import Counter

import pytest

from kb_service.domain.documents import DocumentStatus, Page, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError, InvalidRequest
from kb_service.domain.lists import DocumentOrder, Wanted
from kb_service.domain.spans import TextSpan
from kb_service.storage.identity import encode_cursor
from tests.storage.world import World, parsed_of

NONE = {"pending": 0, "processing": 0, "ready": 0, "partial": 0, "failed": 0}


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def fail(world: World, kb_id: str, name: str) -> None:
    world.upload(kb_id, name, name.encode())
    world.queue.fail(world.claim(), DocumentError("unreadable"), retry=False)


def read_in_part(world: World, kb_id: str, name: str) -> None:
    world.upload(kb_id, name, name.encode())
    parsed, drafts = parsed_of(["half of it"])
    lost = Page(2, TextSpan(0, 0), PageKind.FAILED, "corrupt_page")
    partly = ParsedDocument(parsed.text, (*parsed.pages, lost))
    world.publisher.publish(world.claim(), partly, drafts)


def fill(world: World, kb_id: str) -> None:
    """Documents in every state, among them one whose newer content waits and one whose failed."""
    for number in range(3):
        world.ingest(kb_id, f"ready-{number}.txt", [f"sentence {number}"])
    read_in_part(world, kb_id, "partial.pdf")
    fail(world, kb_id, "failed.pdf")
    fail(world, kb_id, "ready-0.txt")
    world.upload(kb_id, "running.txt", b"running")
    world.claim()
    world.upload(kb_id, "waiting.txt", b"waiting")
    world.upload(kb_id, "ready-1.txt", b"newer content")


def test_counts_are_those_of_the_listed_documents(world: World, kb_id: str) -> None:
    fill(world, kb_id)
    listed = Counter(str(item.status) for item in world.catalog.documents.list(kb_id).items)
    assert world.catalog.documents.count(kb_id) == NONE | listed
    assert listed == {"ready": 2, "partial": 1, "failed": 1, "processing": 1, "pending": 2}


def test_counts_follow_the_search_by_name_and_stay_inside_their_base(
    world: World, kb_id: str
) -> None:
    other = world.catalog.bases.create("other").id
    world.ingest(other, "ready-9.txt", ["elsewhere"])
    fill(world, kb_id)
    found = world.catalog.documents.count(kb_id, Wanted(name_contains="READY"))
    assert found == NONE | {"ready": 2, "pending": 1}
    assert world.catalog.documents.count(kb_id, Wanted("failed.pdf")) == NONE | {"failed": 1}
    assert world.catalog.documents.count(other) == NONE | {"ready": 1}


def test_an_empty_base_counts_nothing(world: World, kb_id: str) -> None:
    assert world.catalog.documents.count(kb_id) == NONE


def test_a_list_has_one_status_or_tag_in_any_order_part_by_part(world: World) -> None:
    kb_id = world.catalog.bases.create("sorted").id
    for number, name in enumerate(("b.txt", "a.txt", "c.txt")):
        world.clock.advance(1)
        world.ingest(kb_id, name, ["x" * (5 - number)])
    documents = world.catalog.documents
    by_name = {item.name: item.id for item in documents.list(kb_id).items}
    assert documents.mark(kb_id, by_name["a.txt"], ("fire", "2025")).tags == ("2025", "fire")
    assert documents.tags(kb_id) == {"2025": 1, "fire": 1}

    def names(order: DocumentOrder, **which: object) -> list[str]:
        wanted, found, cursor = Wanted(**which), list[str](), None  # type: ignore[arg-type]  # fields
        while True:
            part = documents.list(kb_id, cursor, 1, wanted, order)
            found += [item.name for item in part.items]
            cursor = part.next_cursor
            if cursor is None:
                return found

    assert names(DocumentOrder.NAME_DOWN) == ["c.txt", "b.txt", "a.txt"]
    assert names(DocumentOrder.LATEST) == ["c.txt", "a.txt", "b.txt"]
    assert names(DocumentOrder.OLDEST) == ["b.txt", "a.txt", "c.txt"]
    assert names(DocumentOrder.SMALLEST) == ["c.txt", "a.txt", "b.txt"]
    assert names(DocumentOrder.NAME, tag="fire") == ["a.txt"]
    assert names(DocumentOrder.NAME, status=DocumentStatus.FAILED) == []
    assert len(names(DocumentOrder.NAME, status=DocumentStatus.READY)) == 3


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (DocumentOrder.SMALLEST, "many"),
        (DocumentOrder.SMALLEST, "9" * 30),
        (DocumentOrder.LATEST, "yesterday"),
        (DocumentOrder.LATEST, "2026-01-01T00:00:00"),
    ],
)
def test_a_cursor_of_another_list_is_refused(
    world: World, kb_id: str, order: DocumentOrder, value: str
) -> None:
    with pytest.raises(InvalidRequest) as error:
        world.catalog.documents.list(kb_id, encode_cursor(value, "a.txt"), order=order)
    assert error.value.code == "invalid_cursor"
