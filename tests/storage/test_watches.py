"""Standing questions are kept, and each change of an answer once, whoever asks beside."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kb_service.domain.answers import Citation, CitationStatus
from kb_service.domain.errors import Conflict, NotFound
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.schedules import Schedule
from kb_service.domain.spans import TextSpan
from kb_service.domain.watches import Asked, StandingAnswer
from kb_service.storage.erasure import Erasures
from kb_service.storage.facts.store import Facts
from kb_service.storage.watches.outbox import MAX_POSTS, Outbox
from kb_service.storage.watches.store import Watches
from tests.storage.facts_of import said
from tests.storage.world import World

COUNT = Asked(query=RecordQuery(Operation.COUNT), language="zh")


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def watches(world: World) -> Watches:
    return Watches(world.database, world.clock)


def answer(world: World, text: str, document_id: str = "", change: int = 1) -> StandingAnswer:
    quoted = Citation(
        "c1", 1, document_id, "a" * 64, "t", text, TextSpan(0, len(text)), (), TextSpan(0, 1), 1.0,
        CitationStatus.VERIFIED,
    )  # fmt: skip
    cited = (quoted,) if document_id else ()
    return StandingAnswer("answered", None, text, cited, world.clock(), change)


def asked(watches: Watches, kb_id: str, said_now: StandingAnswer) -> bool:
    ((watch, change),) = watches.due(kb_id)
    return watches.answered(watch, replace(said_now, base_change=change))


def later(world: World) -> Callable[[int], datetime]:
    return lambda tries: world.clock() + timedelta(seconds=10 * tries)


def test_a_question_is_kept_by_a_name_of_its_own(watches: Watches, kb_id: str) -> None:
    kept = watches.add(kb_id, "fires", COUNT, Schedule.of("every 2 hours"), "")
    assert watches.get(kb_id, "fires") == watches.get(kb_id, kept.id) == kept
    assert kept.asked == COUNT and kept.answer is None
    with pytest.raises(Conflict):
        watches.add(kb_id, "fires", COUNT, Schedule(), "")
    watches.add(kb_id, "accidents", COUNT, Schedule(), "")
    first = watches.listed(kb_id, 1)
    assert [watch.name for watch in first.items] == ["accidents"]
    assert watches.listed(kb_id, 1, first.next_cursor).items == (kept,)
    watches.remove(kb_id, "accidents")
    assert watches.listed(kb_id, 1, first.next_cursor).items == (kept,)
    watches.remove(kb_id, "fires")
    with pytest.raises(NotFound):
        watches.get(kb_id, "fires")


def test_the_first_answer_is_no_change_and_another_one_is_kept_with_both(
    world: World, watches: Watches, kb_id: str
) -> None:
    watches.add(kb_id, "fires", COUNT, Schedule(), "")
    assert asked(watches, kb_id, answer(world, "one")) is False
    assert watches.due(kb_id) == []
    world.ingest(kb_id, "a.txt", ["A fire."])
    assert asked(watches, kb_id, answer(world, "one")) is False
    world.ingest(kb_id, "b.txt", ["Two fires."])
    assert asked(watches, kb_id, answer(world, "two")) is True
    (change,) = watches.changes(kb_id, "fires").items
    assert (change.old.text, change.new.text) == ("one", "two")
    assert change.old.base_change < change.new.base_change
    assert [one.id for one in watches.untold(kb_id)] == [change.id]
    watches.told([change.id])
    assert watches.untold(kb_id) == []
    world.assert_clean(may_wait=True)


def test_who_asked_while_another_one_did_keeps_nothing(
    world: World, watches: Watches, kb_id: str
) -> None:
    watches.add(kb_id, "fires", COUNT, Schedule(), "")
    asked(watches, kb_id, answer(world, "one"))
    world.ingest(kb_id, "a.txt", ["A fire."])
    ((watch, change),) = watches.due(kb_id)
    new = answer(world, "two", change=change)
    assert watches.answered(watch, new) is True
    assert watches.answered(watch, new) is False
    assert len(watches.changes(kb_id, "fires").items) == 1


def test_a_corrected_fact_makes_it_due_again(world: World, watches: Watches, kb_id: str) -> None:
    watches.add(kb_id, "fires", COUNT, Schedule(), "")
    revision = world.ingest(kb_id, "a.txt", ["fire"])
    asked(watches, kb_id, answer(world, "one"))
    assert watches.due(kb_id) == []
    Facts(world.database).put(revision.id, [said("kind", "fire")])
    assert len(watches.due(kb_id)) == 1


def test_what_follows_changes_waits_for_documents_and_what_is_scheduled_does_not(
    world: World, watches: Watches, kb_id: str
) -> None:
    watches.add(kb_id, "fires", COUNT, Schedule(), "")
    watches.add(kb_id, "hourly", COUNT, Schedule.of("every 1 hour"), "")
    world.upload(kb_id, "a.txt", b"A fire.")
    assert [watch.name for watch, _ in watches.due()] == ["hourly"]
    world.publish(world.claim(), ["A fire."])
    assert {watch.name for watch, _ in watches.due()} == {"fires", "hourly"}
    for watch, change in watches.due():
        watches.answered(watch, answer(world, "one", change=change))
    assert watches.due() == []
    world.clock.advance(3601)
    assert [watch.name for watch, _ in watches.due()] == ["hourly"]


def test_a_failure_is_told_and_tried_again_later(
    world: World, watches: Watches, kb_id: str
) -> None:
    watch = watches.add(kb_id, "fires", COUNT, Schedule(), "")
    watches.failed(watch, {"code": "busy"}, world.clock() + timedelta(minutes=1))
    assert watches.due(kb_id) == []
    assert watches.get(kb_id, "fires").error == {"code": "busy"}
    world.clock.advance(61)
    asked(watches, kb_id, answer(world, "one"))
    assert watches.get(kb_id, "fires").error is None


def test_words_of_a_deleted_document_go_and_the_change_is_found_all_the_same(
    world: World, watches: Watches, kb_id: str
) -> None:
    watches.add(kb_id, "fires", COUNT, Schedule(), "")
    document = world.ingest(kb_id, "a.txt", ["A fire."]).document_id
    asked(watches, kb_id, answer(world, "A fire.", document))
    world.catalog.documents.delete(kb_id, document)
    kept = watches.get(kb_id, "fires").answer
    assert kept and kept.is_redacted and not kept.text and not kept.citations
    look = Erasures(world.database, world.blobs).look(document, None)
    assert [place.found for place in look if place.name == "answers"] == [()]
    late = answer(world, "A fire.", document)
    assert asked(watches, kb_id, late) is False and len(watches.due(kb_id)) == 1
    assert asked(watches, kb_id, answer(world, "none")) is True


def test_a_change_is_posted_until_it_is_taken(world: World, watches: Watches, kb_id: str) -> None:
    outbox = Outbox(world.database, world.clock)
    watches.add(kb_id, "fires", COUNT, Schedule(), "http://a.example/x")
    asked(watches, kb_id, answer(world, "one"))
    world.ingest(kb_id, "a.txt", ["A fire."])
    asked(watches, kb_id, answer(world, "two"))

    claimed = outbox.claim_post(later(world))
    assert claimed and claimed[1] == "http://a.example/x" and claimed[0].new.text == "two"
    assert outbox.claim_post(later(world)) is None
    world.clock.advance(11)
    again = outbox.claim_post(later(world))
    assert again and again[0].id == claimed[0].id
    outbox.posted(again[0].id)
    world.clock.advance(10_000)
    assert outbox.claim_post(later(world)) is None
    assert watches.changes(kb_id, "fires").items[0].posted_at is not None


def test_a_change_that_nobody_takes_is_given_up_after_the_last_try(
    world: World, watches: Watches, kb_id: str
) -> None:
    outbox = Outbox(world.database, world.clock)
    watches.add(kb_id, "fires", COUNT, Schedule(), "http://a.example/x")
    asked(watches, kb_id, answer(world, "one"))
    world.ingest(kb_id, "a.txt", ["A fire."])
    asked(watches, kb_id, answer(world, "two"))
    num_tries = 0
    while outbox.claim_post(later(world)):
        num_tries += 1
        world.clock.advance(10_000)
    assert num_tries == MAX_POSTS
    assert watches.changes(kb_id, "fires").items[0].posted_at is None
