"""Similar incidents: by what is stated and by meaning, with what is alike and what differs."""

from pathlib import Path

import pytest

from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.errors import NotFound
from kb_service.domain.queries import RetrievalResult, ScoredChunk
from kb_service.domain.spans import TextSpan
from kb_service.services.searching import SearchRequest
from kb_service.services.similar import SimilarIncidents
from kb_service.storage.database import open_database
from kb_service.storage.facts.store import Facts
from tests.storage.facts_of import at, incident_report, people, said
from tests.storage.world import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    return build_world(database, tmp_path)


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def documents(world: World, kb_id: str) -> dict[str, str]:
    """A fire, one much like it, one elsewhere, a theft at the place, and one only near in words."""
    fire, mill = said("kind", "fire"), said("place", "mill lane")
    told = {
        "asked": (
            1, fire, mill, at("2024-08-02"), people("injured", 3),
            said("cause", "overloaded cable"),
        ),
        "twin": (
            2, fire, said("place", "mill lane 9"), at("2024-09-02"), people("injured", 4),
            said("cause", "overloaded power cable"),
        ),
        "elsewhere": (3, fire, said("place", "oak road"), at("2024-08-03"), people("injured", 0)),
        "theft": (4, said("kind", "theft"), mill, at("2024-08-04")),
        "smoke": (5, said("kind", "smoke"), said("place", "dock"), at("2024-08-05")),
        "other": (6, said("kind", "noise"), said("place", "pier"), at("2024-08-06")),
    }  # fmt: skip
    return {
        name: incident_report(world, kb_id, f"{name}.txt", facts, incident)  # type: ignore[arg-type]
        for name, (incident, *facts) in told.items()
    }


def near(*document_ids: str) -> RetrievalResult:
    chunks = (
        Chunk(n, "kb", one, 1, "t", ChunkDraft(0, TextSpan(0, 5), "words"))
        for n, one in enumerate(document_ids)
    )
    return RetrievalResult(tuple(ScoredChunk(c, "a" * 64, 1.0, {}, {}) for c in chunks), {})


def service(world: World, *found: str) -> SimilarIncidents:
    def search(request: SearchRequest) -> RetrievalResult:
        assert request.text == "fire overloaded cable mill lane"
        return near(*found)

    return SimilarIncidents(Facts(world.database), search)


def test_what_shares_most_comes_first_with_what_is_alike_and_what_differs(
    world: World, kb_id: str, documents: dict[str, str]
) -> None:
    found = service(world, documents["smoke"]).similar(kb_id, 1)
    assert found[0].incident.number == 2
    assert {one.incident.number for one in found} == {2, 3, 4, 5}
    by_number = {one.incident.number: one for one in found}
    assert {pair.field for pair in by_number[2].alike} == {"kind", "place", "cause", "injured"}
    assert {pair.field for pair in by_number[3].differs} == {"place", "injured"}
    (place,) = (pair for pair in by_number[3].differs if pair.field == "place")
    assert (place.mine.fact.value, place.other.fact.value) == ("mill lane", "oak road")
    assert by_number[5].nearness == 1.0 and by_number[3].nearness == 0.0


def test_what_one_does_not_state_is_neither_alike_nor_different(
    world: World, kb_id: str, documents: dict[str, str]
) -> None:
    found = {one.incident.number: one for one in service(world).similar(kb_id, 1)}
    told = {pair.field for pair in (*found[4].alike, *found[4].differs)}
    assert told == {"kind", "place"}


def test_an_incident_that_is_not_there_is_similar_to_none(world: World, kb_id: str) -> None:
    with pytest.raises(NotFound):
        service(world).similar(kb_id, 99)
