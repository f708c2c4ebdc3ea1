"""Questions are suggested only when the documents answered them, and while these stay."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus, CitationStatus
from kb_service.domain.errors import GenerationError, NotFound
from kb_service.services.asking import AskRequest
from kb_service.services.suggesting import MAX_SHOWN, MAX_TRIED, SuggestionService
from kb_service.storage.database import open_database
from kb_service.storage.facts.store import Facts
from kb_service.storage.suggestions import Suggestions
from tests.api.service import sample_answer
from tests.storage.world import World, build_world

FIRE = ["Incident No.: C-7", "Time: 2024-05-03 14:25", "Location: 7 Mill Lane", "Type: fire"]
CAUSE = "Cause: a worn cable"


class ScriptedReader:
    """Answers what `answers` says, from the documents of the base."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[str] = []
        self.change: Callable[[Answer], Answer] = lambda answer: answer

    def __call__(self) -> "ScriptedReader":
        return self

    def ask(self, request: AskRequest) -> Answer:
        self.asked.append(request.question)
        answer = sample_answer(request.kb_id, request.question)
        documents = self.world.catalog.documents.list(request.kb_id).items
        cited = next((d for d in documents if d.name in request.question), documents[0])
        citations = tuple(replace(c, document_id=cited.id) for c in answer.citations)
        return self.change(replace(answer, citations=citations))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    yield build_world(database, tmp_path)
    database.close()


@pytest.fixture
def reader(world: World) -> ScriptedReader:
    return ScriptedReader(world)


def made_in(world: World, reader: ScriptedReader) -> SuggestionService:
    return SuggestionService(
        Suggestions(world.database),
        Facts(world.database, world.clock),
        reader,  # type: ignore[arg-type]  # scripted
        world.clock.elapsed,
        settle_s=5.0,
    )


@pytest.fixture
def service(world: World, reader: ScriptedReader) -> SuggestionService:
    return made_in(world, reader)


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


def run(world: World, service: SuggestionService) -> None:
    service.step()
    world.clock.advance(10)
    while service.step():
        pass


def questions(service: SuggestionService, kb_id: str) -> list[str]:
    return [one.question for one in service.listed(kb_id)]


def test_questions_are_made_from_what_is_stated_and_kept_when_answered(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    world.ingest(kb_id, "a", [*FIRE, CAUSE])
    assert questions(service, kb_id) == []
    run(world, service)
    found = questions(service, kb_id)
    assert found[0] == "What was the cause of C-7?"
    assert "Which incidents happened in 2024?" in found and len(found) <= MAX_SHOWN
    assert set(found) <= set(reader.asked)
    num_asked = len(reader.asked)
    run(world, service)
    assert len(reader.asked) == num_asked  # nothing has changed


def test_a_base_without_any_shows_each_as_it_is_found_and_one_with_some_keeps_them_till_the_end(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    world.ingest(kb_id, "a", [*FIRE, CAUSE])
    service.step()
    world.clock.advance(10)
    seen = []
    while service.step():
        seen.append(len(questions(service, kb_id)))
    assert seen[:3] == [1, 2, 3]
    before = questions(service, kb_id)
    world.ingest(kb_id, "D-8", ["Incident No.: D-8", "Time: 2024-06-03 14:25", "Cause: lightning"])
    service.step()
    world.clock.advance(10)
    asked = len(reader.asked)
    service.step()
    assert len(reader.asked) > asked and questions(service, kb_id) == before
    run(world, service)
    assert "What was the cause of D-8?" in questions(service, kb_id)


def test_what_was_found_before_the_end_does_not_end_the_looking(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    """A worker that is killed in the middle: the next one looks the base through whole."""
    world.ingest(kb_id, "a", [*FIRE, CAUSE])
    service.step()
    world.clock.advance(10)
    service.step()
    assert len(questions(service, kb_id)) == 1
    after = made_in(world, reader)
    run(world, after)
    assert len(questions(after, kb_id)) > 3


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: replace(answer, status=AnswerStatus.REFUSED, citations=()),
        lambda answer: replace(answer, status=AnswerStatus.PARTIAL),
        lambda answer: replace(answer, citations=()),
        lambda answer: replace(
            answer,
            citations=tuple(replace(c, status=CitationStatus.UNVERIFIED) for c in answer.citations),
        ),
        lambda answer: replace(
            answer, citations=tuple(replace(c, document_id="doc_x") for c in answer.citations)
        ),
    ],
    ids=["refused", "partial", "uncited", "unverified", "of-another"],
)
def test_what_was_not_answered_whole_is_never_shown(
    world: World,
    kb_id: str,
    service: SuggestionService,
    reader: ScriptedReader,
    change: Callable[[Answer], Answer],
) -> None:
    world.ingest(kb_id, "a", FIRE)
    reader.change = change
    run(world, service)
    assert reader.asked and len(reader.asked) <= MAX_TRIED
    assert questions(service, kb_id) == []


def test_a_reader_that_fails_suggests_nothing(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    def fails(_: Answer) -> Answer:
        raise GenerationError("the model stopped")

    world.ingest(kb_id, "a", FIRE)
    reader.change = fails
    run(world, service)
    assert questions(service, kb_id) == []


def test_a_question_goes_at_once_with_the_document_that_answers_it(
    world: World, kb_id: str, service: SuggestionService
) -> None:
    world.ingest(kb_id, "a", FIRE)
    run(world, service)
    assert questions(service, kb_id)
    world.ingest(kb_id, "a", [*FIRE, CAUSE])
    assert questions(service, kb_id) == []  # another text: nothing is known of it yet
    run(world, service)
    assert questions(service, kb_id)
    document = world.catalog.documents.find(kb_id, "a")
    assert document is not None
    world.catalog.documents.delete(kb_id, document.id)
    assert questions(service, kb_id) == []
    world.assert_clean()


def test_a_base_that_does_not_rest_is_not_looked_through(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    world.ingest(kb_id, "a", FIRE)
    assert service.step() is False
    world.clock.advance(4)
    world.ingest(kb_id, "b", ["Report 9", "On 4 June 2024 a flood came."])
    assert service.step() is False
    world.clock.advance(4)
    assert service.step() is False and reader.asked == []
    world.clock.advance(2)
    assert service.step() is True and len(reader.asked) == 1


def test_an_unknown_base_is_refused(service: SuggestionService) -> None:
    with pytest.raises(NotFound):
        service.listed("kb_x")


def test_a_document_is_asked_about_by_what_people_would_call_it(
    world: World, kb_id: str, service: SuggestionService, reader: ScriptedReader
) -> None:
    """ "What was the cause of Sheet1?" was suggested, and of a title that many reports have."""
    stated = ["Time: 2024-05-03 14:25", "Location: 7 Mill Lane", CAUSE]
    for name in (
        *("Sheet1.xlsx", "Minutes of the board.md", "Warehouse fire at Mill Lane report.txt"),
        *("Accident final report.txt", "Accident final report.md"),
    ):
        world.ingest(kb_id, name, [*stated, f"Remarks: {name}"])
    run(world, service)
    asked = [question for question in reader.asked if question.startswith("What was the cause")]
    assert asked == ["What was the cause of Warehouse fire at Mill Lane?"]
