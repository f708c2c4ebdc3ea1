"""The event stream of a base: nudges about jobs and documents while the client listens."""

import asyncio
import json

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.routes.events import version_of
from tests.api.asgi import Call, events_of
from tests.api.service import ApiService


def listen(app: FastAPI, kb_id: str, num_pieces: int, act: object, **headers: str) -> Call:
    """Listen until `num_pieces` came; `act` runs once the stream is open."""

    async def run() -> Call:
        call = Call("GET", f"/kb/{kb_id}/events", headers=headers, leaves_after=num_pieces)
        task = asyncio.ensure_future(call.run(app))
        await call.is_open.wait()
        await asyncio.to_thread(act)  # type: ignore[arg-type]  # a callable
        return await task

    return asyncio.run(run())


def events_in(call: Call) -> list[tuple[str, dict[str, object]]]:
    found = events_of(b"".join(call.pieces).decode())
    return [(name, json.loads(data)) for name, data in found]


def test_an_upload_nudges_about_its_job_and_document(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    def act() -> None:
        client.post("/kb/reports/documents", files=[("files", ("a.txt", b"text"))])

    call = listen(app, kb_id, 2, act)
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

    call = listen(app, kb_id, 2, act)
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
    call = listen(app, kb_id, 2, lambda: None, **{"last-event-id": "0"})
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
