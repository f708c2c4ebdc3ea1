"""The same incident in several documents is one, and a person may say otherwise; so of a fact."""

import pytest
from sqlalchemy import text

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.facts import FactField
from kb_service.storage.facts.store import Facts
from tests.storage.facts_of import at, said
from tests.storage.world import World

NOTICE = ["Notice N-1 (Initial)", "", "On 3 May 2024 at 14:20 a fire broke out at Mill Lane 7."]
FOLLOW_UP = ["Notice N-2 (Follow-up)", "", "Follow-up to N-1. On 3 May 2024 the fire was out."]
ROW = ["Incident No.: C-77", "Time: 2024-05-03 14:25", "Location: 7 Mill Lane", "Type: fire"]
SAME_PLACE = ["Incident No.: C-78", "Time: 2024-05-03 14:30", "Location: Mill Lane 7", "Type: fire"]
OTHER = ["Incident No.: C-79", "Time: 2024-05-03 22:00", "Location: Mill Lane 7", "Type: fire"]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def stored(world: World) -> Facts:
    return Facts(world.database, world.clock)


def members(stored: Facts, kb_id: str) -> list[list[str]]:
    """Return the documents of each incident."""
    incidents = stored.incidents(kb_id).items
    return [
        sorted({fact.document_name for fact in stored.of_incidents(kb_id, [number])})
        for number in incidents
    ]


def test_a_follow_up_is_of_the_incident_that_it_follows(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "a", NOTICE)
    world.ingest(kb_id, "b", FOLLOW_UP)
    assert members(stored, kb_id) == [["a", "b"]]


def test_day_kind_and_place_link_what_has_other_numbers(
    world: World, kb_id: str, stored: Facts
) -> None:
    for name, sentences in (("a", NOTICE), ("b", SAME_PLACE), ("c", OTHER), ("d", ROW)):
        world.ingest(kb_id, name, sentences)
    assert members(stored, kb_id) == [["a", "b"], ["c"], ["d"]]


def test_what_is_told_of_a_month_is_no_incident_of_its_own(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "a", NOTICE)
    world.ingest(kb_id, "months", ["Fires in May 2024", "", "In May 2024 a fire was rare."])
    assert members(stored, kb_id) == [["a"]]


def test_a_link_comes_whichever_document_came_first(
    world: World, kb_id: str, stored: Facts
) -> None:
    for name, sentences in (("b", FOLLOW_UP), ("c", SAME_PLACE), ("a", NOTICE)):
        world.ingest(kb_id, name, sentences)
    assert members(stored, kb_id) == [["a", "b", "c"]]


def test_a_link_is_undone_and_stays_so_until_that_is_taken_back(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "a", NOTICE)
    revision = world.ingest(kb_id, "b", SAME_PLACE)
    stored.split(kb_id, revision.document_id, 0, "Ann")
    assert members(stored, kb_id) == [["a"], ["b"]]
    stored.find_anew(revision.id)
    assert members(stored, kb_id) == [["a"], ["b"]]
    stored.rejoin(kb_id, revision.document_id, 0)
    assert members(stored, kb_id) == [["a", "b"]]
    with pytest.raises(NotFound):
        stored.split(kb_id, revision.document_id, 9, "Ann")


def test_a_document_that_follows_two_others_is_of_the_incident_of_both(
    world: World, kb_id: str, stored: Facts
) -> None:
    both = ["Notice N-9 (Follow-up)", "", "Follow-up to N-1.", "Follow-up to N-5.", FOLLOW_UP[2]]
    world.ingest(kb_id, "b", both)
    world.ingest(kb_id, "a", NOTICE)
    world.ingest(kb_id, "c", ["Notice N-5 (Initial)", "", "On 9 May 2024 a fire broke out."])
    assert members(stored, kb_id) == [["a", "b", "c"]]


def test_a_link_is_the_same_by_the_surest_place_whichever_document_came_first(
    world: World, kb_id: str, stored: Facts
) -> None:
    told = [at("2024-05-03"), said(FactField.KIND, "fire")]
    sure = said(FactField.PLACE, "Mill Lane 7")
    doubtful = said(FactField.PLACE, "Oak Street 2", confidence=0.3)
    for name in ("a", "b"):
        world.ingest(kb_id, name, [" " * 40, name])
    one, other = (world.catalog.documents.find(kb_id, name) for name in ("a", "b"))
    assert one and one.revision and other and other.revision
    stored.put(one.revision.id, [*told, sure, doubtful])
    stored.put(other.revision.id, [*told, sure])
    assert members(stored, kb_id) == [["a", "b"]]


def test_a_link_that_was_undone_for_one_text_holds_for_the_next_from_both_sides(
    world: World, kb_id: str, stored: Facts
) -> None:
    first = world.ingest(kb_id, "a", NOTICE)
    second = world.ingest(kb_id, "b", SAME_PLACE)
    stored.split(kb_id, second.document_id, 0, "Ann")
    world.ingest(kb_id, "b", [*SAME_PLACE, "The roof was lost."])
    assert members(stored, kb_id) == [["a", "b"]]
    stored.find_anew(first.id)
    assert members(stored, kb_id) == [["a", "b"]]


def test_a_corrected_fact_keeps_its_words_and_who_corrected_it(
    world: World, kb_id: str, stored: Facts
) -> None:
    text = ["Incident No.: C-5", "Injured: three"]
    revision = world.ingest(kb_id, "a", text)
    known = stored.listed(kb_id, "injured").items[0]
    done = stored.correct(kb_id, known.id, "5", "Ann")
    assert (done.fact.value, done.fact.number, done.fact.method) == ("three", 5.0, "person")
    assert done.correction is not None
    assert (done.correction.by, done.correction.at) == ("Ann", world.clock.now)
    stored.find_anew(revision.id)
    assert stored.listed(kb_id, "injured").items[0].fact.number == 5.0
    with pytest.raises(InvalidRequest):
        stored.correct(kb_id, stored.listed(kb_id, "injured").items[0].id, "many", "Ann")
    back = stored.correct(kb_id, stored.listed(kb_id, "injured").items[0].id, None, "Ann")
    assert (back.fact.number, back.correction) == (3.0, None)
    world.assert_clean()


def test_a_correction_holds_again_when_the_document_has_that_text_again(
    world: World, kb_id: str, stored: Facts
) -> None:
    text = ["Incident No.: C-5", "Injured: three"]
    world.ingest(kb_id, "a", text)
    stored.correct(kb_id, stored.listed(kb_id, "injured").items[0].id, "5", "Ann")
    world.ingest(kb_id, "a", ["Incident No.: C-5", "Injured: four"])
    assert stored.listed(kb_id, "injured").items[0].fact.number == 4.0
    world.ingest(kb_id, "a", text)
    assert stored.listed(kb_id, "injured").items[0].fact.number == 5.0


def test_an_incident_keeps_its_number_when_a_fact_of_it_is_set_right(
    world: World, kb_id: str, stored: Facts
) -> None:
    """Its page has an address by that number: it was once gone after each correction."""
    for name in ("a", "b", "c"):
        world.ingest(kb_id, name, [f"Report {name}-1", f"On {ord(name) - 90} May 2024 a fire."])
    before = {f.document_name: f.incident for f in stored.of_incidents(kb_id, [1, 2, 3])}
    kind = next(f for f in stored.listed(kb_id, "kind").items if f.document_name == "b")
    stored.correct(kb_id, kind.id, "explosion", "Ann")
    after = {f.document_name: f.incident for f in stored.of_incidents(kb_id, [1, 2, 3, 4])}
    assert after == before == {"a": 1, "b": 2, "c": 3}


def test_an_incident_keeps_its_number_in_a_new_version_that_names_it_alike(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "a", ROW)
    world.ingest(kb_id, "b", OTHER)
    world.ingest(kb_id, "a", [*ROW, "Injured: 2"])
    assert {f.document_name for f in stored.of_incidents(kb_id, [1])} == {"a"}
    world.ingest(kb_id, "a", ["Incident No.: D-1", "Time: 2024-06-01 10:00", "Type: flood"])
    assert stored.of_incidents(kb_id, [1]) == []
    assert stored.incidents(kb_id).items == (2, 3)


def test_a_record_taken_apart_has_a_number_of_its_own_and_the_others_keep_theirs(
    world: World, kb_id: str, stored: Facts
) -> None:
    first = world.ingest(kb_id, "a", NOTICE)
    world.ingest(kb_id, "b", SAME_PLACE)
    stored.split(kb_id, first.document_id, 0, "Ann")
    assert {f.document_name for f in stored.of_incidents(kb_id, [1])} == {"b"}
    assert {f.document_name for f in stored.of_incidents(kb_id, [2])} == {"a"}
    (said,) = stored.apart([(first.document_id, 0)]).values()
    assert (said.by, said.at) == ("Ann", world.clock.now)
    stored.rejoin(kb_id, first.document_id, 0)
    assert stored.incidents(kb_id).items == (1,)
    assert stored.apart([(first.document_id, 0)]) == {}


def test_what_is_stated_is_told_of_the_incident_of_its_record_when_two_become_one(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "a", NOTICE)
    world.ingest(kb_id, "b", ["Notice N-9 (Initial)", "", "On 4 May 2024 a leak was found."])
    assert members(stored, kb_id) == [["a"], ["b"]]
    world.ingest(kb_id, "c", [*FOLLOW_UP, "", "Follow-up to N-9."])
    assert world.verifier.verify().is_clean
    with world.database.write() as connection:
        connection.execute(text("UPDATE facts SET incident = 99 WHERE field = 'kind'"))
    told = world.verifier.verify()
    assert any("another incident than its record" in one for one in told.mismatched), told
