"""A base as of a change: what was searchable then, and no more than that is ever searchable now."""

from datetime import UTC, datetime, timedelta

import pytest

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.history import AsOf, PastState, place_of, place_parts
from kb_service.domain.queries import Filters
from kb_service.storage.history import History
from kb_service.storage.past import PastIndexSource
from kb_service.storage.past_tables import past_chunks
from tests.storage.world import PROFILE, World, downgrade, parsed_of, sha256


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def history(world: World) -> History:
    return History(world.database, world.clock)


def texts_as_of(world: World, kb_id: str, change: int) -> list[str]:
    source = PastIndexSource(world.database)
    return [c.text for c in source.live_chunks(PastState(kb_id, change).key, PROFILE)]


def num_past(world: World) -> int:
    with world.database.read() as connection:
        return len(connection.execute(past_chunks.select()).all())


def change_now(world: World, kb_id: str) -> int:
    return world.source.head(kb_id)


def refused(history: History, kb_id: str, asked: int | datetime) -> str:
    with pytest.raises(InvalidRequest) as error:
        history.resolve(kb_id, asked)
    assert error.value.details
    return error.value.code


def test_each_change_shows_what_was_searchable_after_it(world: World, kb_id: str) -> None:
    states = {0: list[str]()}

    def note() -> None:
        states[change_now(world, kb_id)] = world.live_texts(kb_id)

    for name, sentences in (
        ("a.txt", ["a one", "shared"]),
        ("b.txt", ["b one"]),
        ("a.txt", ["a two", "shared"]),
        ("b.txt", []),
        ("a.txt", ["a three"]),
    ):
        world.clock.advance(60)
        world.ingest(kb_id, name, sentences)
        note()
    for change, texts in states.items():
        assert sorted(texts_as_of(world, kb_id, change)) == sorted(texts)
    assert world.live_texts(kb_id) == ["a three"]
    world.assert_clean()


def test_a_version_that_came_back_was_there_both_times(world: World, kb_id: str) -> None:
    changes = []
    for sentence in ("one", "two", "one", "three"):
        world.ingest(kb_id, "a.txt", [sentence])
        changes.append(change_now(world, kb_id))
    found = [texts_as_of(world, kb_id, change) for change in changes]
    assert found == [["one"], ["two"], ["one"], ["three"]]
    world.assert_clean()


def test_between_the_two_numbers_of_one_change_nothing_is_gone(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "a.txt", ["two"])
    found = [texts_as_of(world, kb_id, n) for n in range(change_now(world, kb_id) + 1)]
    assert found[0] == []
    assert set(map(tuple, found[1:])) == {("one",), ("two",)}


def test_a_deleted_document_was_never_there(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "b.txt", ["kept"])
    document_id = world.ingest(kb_id, "a.txt", ["two"]).document_id
    source, state = PastIndexSource(world.database), PastState(kb_id, change_now(world, kb_id))
    places = [chunk.chunk_id for chunk in source.live_chunks(state.key, PROFILE)]
    assert len(source.hydrate(state.key, places)) == 2
    world.catalog.documents.delete(kb_id, document_id)
    assert len(source.hydrate(state.key, places)) == 1
    for change in range(change_now(world, kb_id) + 1):
        assert set(texts_as_of(world, kb_id, change)) <= {"kept"}
    assert num_past(world) == 0
    world.assert_clean()


def test_hits_of_then_are_read_back_with_their_version_and_place(world: World, kb_id: str) -> None:
    world.ingest(kb_id, "a.txt", ["first", "second"])
    change = change_now(world, kb_id)
    world.ingest(kb_id, "a.txt", ["other"])
    source, key = PastIndexSource(world.database), PastState(kb_id, change).key
    indexed = list(source.live_chunks(key, PROFILE))
    assert [place_parts(chunk.chunk_id)[1] for chunk in indexed] == [0, 1]
    assert all(chunk.vector for chunk in indexed)
    stored = source.hydrate(key, [chunk.chunk_id for chunk in indexed])
    found = [stored[chunk.chunk_id] for chunk in indexed]
    assert [item.chunk.draft.text for item in found] == ["first", "second"]
    assert {item.sha256 for item in found} == {sha256(b"first\nsecond")}
    assert [r[0].page_number for r in source.chunk_regions([i.chunk for i in found])] == [1, 2]
    assert source.hydrate(PastState("kb_other", change).key, list(stored)) == {}


def test_filters_hold_for_the_documents_of_then(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one", tags=("x",))
    first = world.publish(world.claim(), ["one"]).document_id
    change, then = change_now(world, kb_id), world.clock.now
    world.clock.advance(3600)
    world.ingest(kb_id, "a.txt", ["two"])
    second = world.ingest(kb_id, "b.txt", ["three"]).document_id
    source, key = PastIndexSource(world.database), PastState(kb_id, change).key
    assert source.matching_documents(key, Filters(document_ids=(first, second))) == {first}
    assert source.matching_documents(key, Filters(tags=("x",))) == {first}
    assert source.matching_documents(key, Filters(date_to=then)) == {first}
    assert source.matching_documents(key, Filters(date_from=then + timedelta(seconds=1))) == set()


def test_a_time_means_the_last_change_before_it(world: World, kb_id: str, history: History) -> None:
    began = world.clock.now
    world.clock.advance(60)
    world.ingest(kb_id, "a.txt", ["one", "two"])
    first, at = change_now(world, kb_id), world.clock.now
    world.clock.advance(60)
    world.ingest(kb_id, "a.txt", ["three"])
    between = at + timedelta(seconds=30)
    found = history.resolve(kb_id, between)
    assert (found.at, found.is_present, found.num_chunks) == (between, False, 2)
    assert found.change <= first
    assert texts_as_of(world, kb_id, found.change) == ["one", "two"]
    assert history.resolve(kb_id, first) == AsOf(found.change, at, is_present=False, num_chunks=2)
    assert history.resolve(kb_id, began) == AsOf(0, began, is_present=False, num_chunks=0)
    assert history.resolve(kb_id, world.clock.now).is_present
    assert history.resolve(kb_id, change_now(world, kb_id)).is_present


def test_times_that_are_none_are_refused_with_the_accepted_range(
    world: World, kb_id: str, history: History
) -> None:
    world.ingest(kb_id, "a.txt", ["one"])
    later = world.clock.now + timedelta(seconds=1)
    assert refused(history, kb_id, later) == "as_of_in_future"
    assert refused(history, kb_id, change_now(world, kb_id) + 1) == "as_of_in_future"
    assert refused(history, kb_id, datetime(2020, 1, 1, tzinfo=UTC)) == "as_of_before_base"
    assert refused(history, kb_id, -1) == "as_of_before_base"
    with pytest.raises(NotFound):
        history.resolve("kb_nowhere", 0)


def test_a_purge_forgets_what_ended_long_ago_a_few_at_a_time(
    world: World, kb_id: str, history: History
) -> None:
    for number in range(4):
        world.ingest(kb_id, "a.txt", [f"number {number}", "shared"])
        world.clock.advance(3600)
    last = change_now(world, kb_id)
    assert history.purge(world.clock.now - timedelta(days=1), 10) == 0
    assert num_past(world) == 6
    kept = world.clock.now - timedelta(seconds=1.5 * 3600)
    assert [history.purge(kept, 1) for _ in range(3)] == [1, 1, 0]
    assert num_past(world) == 2
    assert refused(history, kb_id, 1) == "as_of_purged"
    began = world.clock.now - timedelta(hours=4)
    assert refused(history, kb_id, began) == "as_of_purged"
    found = history.resolve(kb_id, kept)
    assert texts_as_of(world, kb_id, found.change) == ["number 2", "shared"]
    assert history.resolve(kb_id, last).is_present
    world.assert_clean()


def test_a_purge_keeps_a_version_that_is_needed_at_another_time(
    world: World, kb_id: str, history: History
) -> None:
    for sentence in ("one", "two", "one", "three"):
        world.ingest(kb_id, "a.txt", [sentence])
        world.clock.advance(3600)
    assert history.purge(world.clock.now - timedelta(hours=2.5), 10) == 1
    assert num_past(world) == 2  # "one", of its second time, and "two"
    world.assert_clean()


def test_an_upgrade_begins_the_history_with_what_is_there(world: World, history: History) -> None:
    kb_id, empty = (world.catalog.bases.create(name).id for name in ("old", "empty"))
    world.ingest(kb_id, "a.txt", ["gone"])
    world.ingest(kb_id, "a.txt", ["one"])
    world.ingest(kb_id, "b.txt", ["two"])
    before = world.catalog.documents.list(kb_id)
    downgrade(world.database, "0016")
    world.database.migrate()
    world.assert_clean()
    world.clock.now = datetime.now(UTC) + timedelta(seconds=1)
    assert world.catalog.documents.list(kb_id) == before
    change = change_now(world, kb_id)
    assert refused(history, kb_id, change - 1) == "as_of_purged"
    assert history.resolve(kb_id, change).num_chunks == 2
    assert history.resolve(empty, 0).num_chunks == 0
    world.ingest(kb_id, "a.txt", ["three"])
    assert texts_as_of(world, kb_id, change) == ["one", "two"]
    world.assert_clean()


def test_a_place_holds_a_change_and_an_ordinal() -> None:
    assert place_parts(place_of(12, 345)) == (12, 345)
    assert place_of(2, 0) > place_of(1, 99_999)
    with pytest.raises(ValueError, match="ordinal"):
        place_of(1, 1 << 24)


def test_a_revision_without_vectors_is_kept_all_the_same(world: World, kb_id: str) -> None:
    world.upload(kb_id, "a.txt", b"one")
    world.publisher.publish(world.claim(), *parsed_of(["one"]))
    change = change_now(world, kb_id)
    world.ingest(kb_id, "a.txt", ["two"])
    assert texts_as_of(world, kb_id, change) == ["one"]
    world.assert_clean()
