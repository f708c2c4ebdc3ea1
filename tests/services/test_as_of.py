"""Search and ask as of a change or a day: words and ranks of then, never seen by the present."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from kb_service.bootstrap import compose
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.people import OPERATOR
from kb_service.domain.queries import Filters
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.as_of import Moment, read_moment
from kb_service.services.asking import AskRequest
from kb_service.services.purging import PAUSE, STEP, PurgeService
from kb_service.services.searching import SearchRequest
from kb_service.settings import Settings
from kb_service.storage.history import History

NOW = datetime(2026, 5, 8, 12, 30, tzinfo=UTC)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[ServiceParts]:
    settings = Settings(data_dir=tmp_path / "data")
    made = build_parts(settings, build_models(settings))
    yield made
    made.close()


@pytest.fixture
def services(parts: ServiceParts) -> Services:
    return compose(parts)


@pytest.fixture
def put(services: Services, tmp_path: Path) -> Callable[[str, str], int]:
    """Make a text the newest content of a document; return the number of the last change."""

    def make(name: str, text: str) -> int:
        folder = tmp_path / "files"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        services.intake.take_in("reports", [folder / name], is_waiting=True)
        return services.bases.show("reports").change

    return make


def found(
    services: Services, words: str, as_of: Moment | None = None, **filters: object
) -> list[str]:
    request = SearchRequest("reports", words, filters=Filters(**filters), as_of=as_of)  # type: ignore[arg-type]
    return [item.chunk.draft.text for item in services.searching.search(request).items]


def test_an_earlier_version_is_found_only_as_of_its_time(
    services: Services, put: Callable[[str, str], int]
) -> None:
    first = put("pump.txt", "The pump leaked oil in hall three.")
    second = put("pump.txt", "The pump was repaired by Meyer.")
    assert found(services, "leaked oil pump") == ["The pump was repaired by Meyer."]
    assert found(services, "leaked oil pump", first) == ["The pump leaked oil in hall three."]
    assert found(services, "repaired pump", str(first)) == ["The pump leaked oil in hall three."]
    assert found(services, "repaired pump", second) == ["The pump was repaired by Meyer."]
    assert found(services, "pump", 0) == []
    document_id = services.documents.find("reports", "pump.txt").document.id
    assert found(services, "pump", first, document_ids=(document_id,))
    services.documents.delete(services.bases.show("reports").id, document_id)
    assert found(services, "pump", first) == found(services, "pump", second) == []


def test_an_answer_is_given_from_the_base_as_it_was(
    services: Services, put: Callable[[str, str], int]
) -> None:
    first = put("pump.txt", "The pump in hall three was repaired by Meyer on 2 May 2026.")
    put("pump.txt", "The pump in hall three was repaired by Schmidt on 3 May 2026.")
    question = "Who repaired the pump in hall three?"
    then = services.answering().ask(AskRequest("reports", question, as_of=first))
    now = services.answering().ask(AskRequest("reports", question))
    assert "Meyer" in then.answer
    assert "Schmidt" in now.answer
    assert (then.as_of, now.as_of) == (first, None)
    cited = then.citations[0]
    _, text = services.documents.text(then.kb_id, cited.document_id, cited.sha256)
    assert cited.source.of(text) == cited.cited_text
    assert services.history.answer(OPERATOR, then.id).answer == then
    empty = services.answering().ask(AskRequest("reports", question, as_of=0))
    assert empty.reason == "knowledge_base_empty"
    services.documents.delete(then.kb_id, cited.document_id)
    assert services.history.answer(OPERATOR, then.id).answer.answer == ""


def test_moments_that_are_none_are_refused(
    services: Services, put: Callable[[str, str], int]
) -> None:
    change = put("pump.txt", "The pump leaked.")
    later = datetime.now(UTC) + timedelta(days=1)
    for moment, code in (
        (change + 1, "as_of_in_future"),
        (later.isoformat(), "as_of_in_future"),
        ("2001-01-01", "as_of_before_base"),
        ("yesterday", "invalid_as_of"),
        ("", "invalid_as_of"),
    ):
        with pytest.raises(InvalidRequest) as error:
            found(services, "pump", moment)
        assert error.value.code == code
        with pytest.raises(InvalidRequest):
            services.answering().stream(AskRequest("reports", "pump?", as_of=moment))
    assert found(services, "pump", datetime.now(UTC).date().isoformat()) == ["The pump leaked."]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (7, 7),
        ("7", 7),
        ("2026-05-08", NOW),
        ("2026-05-07", datetime(2026, 5, 7, 23, 59, 59, 999999, UTC)),
        ("20260507", datetime(2026, 5, 7, 23, 59, 59, 999999, UTC)),
        ("2026-W19-4", datetime(2026, 5, 7, 23, 59, 59, 999999, UTC)),
        ("2026-05-07T10:00", datetime(2026, 5, 7, 10, tzinfo=UTC)),
        ("2026-05-07T10:00:00z", datetime(2026, 5, 7, 10, tzinfo=UTC)),
        ("2026-05-07T10:00+02:00", datetime(2026, 5, 7, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_change_a_day_or_a_time(asked: Moment, expected: int | datetime) -> None:
    assert read_moment(asked, NOW) == expected


def test_a_plain_search_costs_the_same_however_many_versions_there_are(
    services: Services, parts: ServiceParts, put: Callable[[str, str], int]
) -> None:
    statements: list[str] = []
    engine = parts.storage().database.engine

    def cost() -> list[str]:
        found(services, "pump")
        statements.clear()
        found(services, "pump")
        return list(statements)

    put("pump.txt", "The pump leaked.")
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    before = cost()
    for number in range(5):
        put("pump.txt", f"The pump leaked {number} times.")
    assert cost() == before
    assert not any("past_chunks" in statement or "intervals" in statement for statement in before)


def test_a_worker_forgets_old_versions_in_steps(
    parts: ServiceParts, put: Callable[[str, str], int]
) -> None:
    for number in range(STEP + 3):
        put("pump.txt", f"The pump leaked {number} times.")
    now = [datetime.now(UTC)]
    purge = PurgeService(History(parts.storage().database), 30, lambda: now[0])
    assert not purge.step()
    now[0] += timedelta(days=31)
    assert [purge.step() for _ in range(4)] == [True, True, False, False]
    now[0] += PAUSE
    assert not purge.step()
