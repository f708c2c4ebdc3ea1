"""Counts by status are those of the documents themselves, however many a list shows."""

from collections import Counter

import pytest

from kb_service.domain.documents import Page, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.spans import TextSpan
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
    found = world.catalog.documents.count(kb_id, name_contains="READY")
    assert found == NONE | {"ready": 2, "pending": 1}
    assert world.catalog.documents.count(kb_id, name="failed.pdf") == NONE | {"failed": 1}
    assert world.catalog.documents.count(other) == NONE | {"ready": 1}


def test_an_empty_base_counts_nothing(world: World, kb_id: str) -> None:
    assert world.catalog.documents.count(kb_id) == NONE
