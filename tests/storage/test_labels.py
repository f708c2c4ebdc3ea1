"""Labels in both databases: carried by documents, asked by, gone with what carries them."""

import pytest
from sqlalchemy import func, select

from kb_service.domain.errors import Conflict, NotFound
from kb_service.domain.history import PastState
from kb_service.domain.labels import LabelColour
from kb_service.domain.queries import Filters
from kb_service.storage.labels.tables import document_labels, labels
from kb_service.storage.past import PastIndexSource
from tests.storage.world import World


@pytest.fixture
def kb_id(world: World) -> str:
    made = world.catalog.bases.create("reports").id
    for name in ("a.txt", "b.txt"):
        world.ingest(made, name, [f"words of {name}"])
    return made


def label(world: World, kb_id: str, name: str) -> str:
    return world.catalog.labels.create(kb_id, name, LabelColour.RED, "").id


def ids(world: World, kb_id: str) -> list[str]:
    return [item.id for item in world.catalog.documents.list(kb_id).items]


def num_rows(world: World) -> tuple[int, int]:
    with world.database.read() as connection:
        labelled = connection.execute(select(func.count()).select_from(document_labels))
        return connection.execute(
            select(func.count()).select_from(labels)
        ).scalar_one(), labelled.scalar_one()


def test_documents_pass_that_carry_every_label_by_id_or_name(world: World, kb_id: str) -> None:
    first, second = ids(world, kb_id)
    open_, north = label(world, kb_id, "open"), label(world, kb_id, "Ångström")
    world.catalog.labels.put(kb_id, [first, second], [open_], [])
    world.catalog.labels.put(kb_id, [second], [north], [])

    def passing(*named: str) -> set[str]:
        return set(world.source.matching_documents(kb_id, Filters(labels=named)))

    assert passing("open") == passing(open_) == {first, second}
    assert passing("open", "A\u030angstro\u0308m") == passing(open_, north) == {second}
    assert passing(open_, "open") == {first, second}
    assert passing("open", "nothing") == set()
    assert passing("OPEN", "åNGSTRÖM") == passing("Open", "open", north) == {second}


def test_an_earlier_moment_is_narrowed_by_the_labels_of_today(world: World, kb_id: str) -> None:
    first, second = ids(world, kb_id)
    then = PastState(kb_id, world.source.head(kb_id)).key
    world.catalog.labels.put(kb_id, [second], [label(world, kb_id, "open")], [])
    source = PastIndexSource(world.database)
    assert source.matching_documents(then, Filters(labels=("open",))) == {second}
    assert source.matching_documents(then, Filters()) == {first, second}


def test_labels_stay_with_new_content_and_go_with_what_carries_them(
    world: World, kb_id: str
) -> None:
    first, second = ids(world, kb_id)
    open_ = label(world, kb_id, "open")
    world.catalog.labels.put(kb_id, [first, second], [open_, label(world, kb_id, "old")], [])
    world.ingest(kb_id, "a.txt", ["other words"])
    assert [m.name for m in world.catalog.documents.get(kb_id, first).labels] == ["old", "open"]
    world.catalog.documents.delete(kb_id, first)
    assert num_rows(world) == (2, 2)
    world.catalog.labels.delete(kb_id, "old")
    assert num_rows(world) == (1, 1)
    world.catalog.bases.delete(kb_id)
    assert num_rows(world) == (0, 0)


def test_one_name_is_one_label_in_any_case_and_form(world: World, kb_id: str) -> None:
    made = label(world, kb_id, "É")
    with pytest.raises(Conflict):
        label(world, kb_id, "e\u0301")
    assert world.catalog.labels.find(kb_id, "e\u0301").id == made
    renamed = world.catalog.labels.change(kb_id, "é", "e\u0301")
    assert (renamed.id, renamed.name, renamed.colour) == (made, "é", LabelColour.RED)
    other = world.catalog.bases.create("others").id
    with pytest.raises(NotFound, match="no label"):
        world.catalog.labels.find(other, made)


def test_a_label_of_another_base_is_given_to_no_document(world: World, kb_id: str) -> None:
    other = world.catalog.bases.create("others").id
    world.catalog.labels.put(kb_id, ids(world, kb_id), [label(world, other, "open")], [])
    assert num_rows(world) == (1, 0)


def test_labels_and_watchers_hear_of_each_other(world: World, kb_id: str) -> None:
    before = world.queue.events_since(kb_id, 0).version
    open_ = label(world, kb_id, "open")
    world.catalog.labels.put(kb_id, ids(world, kb_id), [open_], [])
    assert world.queue.events_since(kb_id, 0).version == before + 2
