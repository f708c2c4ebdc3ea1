"""The event stream of a base: nudges about jobs and documents, and marks of the rest, while the
client listens."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.routes import events
from api.routes.events import version_of
from kb_service.domain.answers import Channel
from kb_service.domain.errors import KbError
from kb_service.domain.people import OPERATOR, Principal, Right, Rights
from kb_service.domain.suggestions import Suggestion
from kb_service.domain.watches import Asked
from kb_service.services.news import NewsService
from kb_service.storage.suggestions import Suggestions
from tests.api.asgi import Call, events_of
from tests.api.service import ApiService, sample_answer, sample_audit

FIRST_PIECES = 2


def listen(app: FastAPI, kb_id: str, num_pieces: int, act: object, **headers: str) -> Call:
    """Listen until `num_pieces` came; `act` runs once a comment and the first marks have come."""

    async def run() -> Call:
        path, first = f"/kb/{kb_id}/events", {"opens_after": FIRST_PIECES}
        call = Call("GET", path, headers=headers, leaves_after=num_pieces, **first)
        task = asyncio.ensure_future(call.run(app))
        await call.is_open.wait()
        await asyncio.to_thread(act)  # type: ignore[arg-type]  # a callable
        return await task

    return asyncio.run(run())


def events_in(call: Call) -> list[tuple[str, dict[str, object]]]:
    """What came of jobs and documents, and errors."""
    found = events_of(b"".join(call.pieces).decode())
    return [(name, json.loads(data)) for name, data in found if name != "state"]


def test_an_upload_nudges_about_its_job_and_document(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    def act() -> None:
        client.post("/kb/reports/documents", files=[("files", ("a.txt", b"text"))])

    call = listen(app, kb_id, 3, act)
    assert call.status == 200
    (first, job), (second, document) = events_in(call)
    assert (first, second) == ("job", "document")
    assert job["status"] == "queued"
    assert document == {"id": job["document_id"], "kb_id": kb_id}


def test_a_delete_nudges_too(app: FastAPI, client: TestClient, kb_id: str) -> None:
    files = [("files", ("a.txt", b"text"))]
    item = client.post("/kb/reports/documents", files=files).json()["items"][0]

    def act() -> None:
        client.delete(f"/kb/reports/documents/{item['document']['id']}")

    call = listen(app, kb_id, 3, act)
    assert events_in(call) == [("document", {"id": None, "kb_id": kb_id})]


def test_a_deleted_base_ends_the_stream_with_an_error(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    call = listen(app, kb_id, 99, lambda: client.delete("/kb/reports"))
    assert [name for name, _ in events_in(call)][-1] == "error"


def test_a_listener_goes_on_after_the_last_event_it_saw(
    app: FastAPI, client: TestClient, service: ApiService, kb_id: str
) -> None:
    client.post("/kb/reports/documents", files=[("files", ("a.txt", b"text"))])
    call = listen(app, kb_id, 3, lambda: None, **{"last-event-id": "0"})
    assert [name for name, _ in events_in(call)] == ["job", "document"]
    jobs = service.services.jobs
    newest = jobs.first_version(kb_id, None)
    for odd in ("", "x", "-1", "9" * 40, "٣"):
        assert version_of(odd) is None
    assert [jobs.first_version(kb_id, seen) for seen in (0, 10**18)] == [0, newest]


def test_a_server_that_stops_ends_the_stream(app: FastAPI, client: TestClient, kb_id: str) -> None:
    call = listen(app, kb_id, 99, app.state.closing.set)
    assert call.status == 200
    assert events_in(call) == []


def marks_of(news: NewsService, kb_id: str, who: Principal = OPERATOR) -> dict[str, str]:
    return dict(news.marks(who, kb_id))


def _asks(service: ApiService, kb_id: str, channel: Channel, owner: str = "") -> None:
    answer = replace(sample_answer(kb_id), id=service.answers.new_answer_id(), channel=channel)
    answer = replace(answer, conversation_id=f"conv_{channel}{owner}", owner=owner, citations=())
    service.answers.save_turn(replace(answer, passages=()), sample_audit())


def _suggests(service: ApiService, kb_id: str) -> None:
    found = [Suggestion("Who failed?", "en", ())]
    Suggestions(service.database).put(kb_id, service.catalog.bases.get(kb_id).change, found)


def _watches(service: ApiService, kb_id: str) -> None:
    service.services.watching.add(kb_id, "daily", Asked("What failed?"))


def _degrades(service: ApiService, kb_id: str) -> None:
    service.replaced = {"embedder": KbError("away", code="model_missing")}


def _uploads_elsewhere(service: ApiService, kb_id: str) -> None:
    other = service.catalog.bases.create("elsewhere")
    service.uploads.accept(other.id, "a.txt", io.BytesIO(b"text"))


Act = Callable[[ApiService, str], object]


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        (lambda service, kb_id: service.catalog.bases.update(kb_id, "other name"), {"bases"}),
        (_uploads_elsewhere, {"bases"}),
        (lambda service, kb_id: _asks(service, kb_id, Channel.PAGE), {"conversations"}),
        (lambda service, kb_id: _asks(service, kb_id, Channel.API), set()),
        (lambda service, kb_id: _asks(service, kb_id, Channel.PAGE, "key_1"), set()),
        (_suggests, {"suggestions"}),
        (_watches, {"watches"}),
        (_degrades, {"service"}),
        (lambda service, kb_id: None, set()),
        # Told with the list of documents, which is read anyway.
        (
            lambda service, kb_id: service.uploads.accept(kb_id, "a.txt", io.BytesIO(b"text")),
            set(),
        ),
    ],
)
def test_a_mark_is_another_where_what_it_is_of_is_another(
    service: ApiService, kb_id: str, app: FastAPI, act: Act, changed: set[str]
) -> None:
    before = marks_of(app.state.news, kb_id)
    act(service, kb_id)
    after = marks_of(app.state.news, kb_id)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == changed


def test_marks_are_of_who_listens_and_letters_alone(
    service: ApiService, kb_id: str, app: FastAPI
) -> None:
    rights = Rights(by_base={kb_id: Right.READ})
    service.keys.add("first", "", Rights(is_admin=True))
    key = service.keys.add("reader", "", rights).key
    other = service.catalog.bases.create("unseen")
    before = marks_of(app.state.news, kb_id, key.principal)
    service.catalog.bases.update(other.id, "still unseen")
    assert marks_of(app.state.news, kb_id, key.principal) == before
    service.keys.change(key.id, Rights(by_base={kb_id: Right.WRITE}))
    after = marks_of(app.state.news, kb_id, key.principal)
    assert {name for name in before if before[name] != after[name]} == {"rights"}
    assert all(mark.isalpha() and mark.isascii() for mark in after.values())


def test_another_process_gives_other_marks(service: ApiService, kb_id: str, app: FastAPI) -> None:
    """So that nobody can guess from a mark what is behind it."""
    one, other = app.state.news, create_app(service.services).state.news
    assert not set(marks_of(one, kb_id).values()) & set(marks_of(other, kb_id).values())


def test_a_listener_is_told_the_marks_first_and_when_one_is_another(
    app: FastAPI, service: ApiService, kb_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MARK_S", 0.0)
    call = listen(app, kb_id, 3, lambda: service.catalog.bases.update(kb_id, "other name"))
    found = events_of(b"".join(call.pieces).decode())
    assert {name for name, _ in found} == {"state"}
    told: list[Any] = [json.loads(data) for _, data in found]
    assert [one["kb_id"] for one in told] == [kb_id, kb_id]
    first, second = (one["marks"] for one in told)
    assert {name for name in first if first[name] != second[name]} == {"bases"}
