"""The whole service, models and all, over a disk that is full and a folder that is sealed."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kb_service.bootstrap import open_services
from kb_service.operations import Services
from kb_service.settings import Settings
from kb_service.storage import opening
from tests.api.asgi import events_of
from tests.disks import fill, sealed, small_disk

BASE_URL = "http://127.0.0.1:8000"
QUESTION = "Where did the pump leak?"
REPORT = b"The pump in hall 3 leaked at 14:20. The valve was closed by Mr Forman."


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Services, TestClient]]:
    services = open_services(Settings(data_dir=folder))
    services.readiness.warm_up()
    with TestClient(create_app(services), base_url=BASE_URL) as client:
        yield services, client
    services.close()


def with_a_report(services: Services) -> str:
    base = services.bases.create("r")
    item = services.uploads.accept(base.id, "pump.txt", io.BytesIO(REPORT))
    assert item.job is not None
    services.intake.ingest([item.job.id])
    assert item.document is not None
    return item.document.id


def ask(client: TestClient, **values: object) -> dict[str, Any]:
    """Ask, streamed; the answer must come whole and equal to its stream."""
    body = {"question": QUESTION, "stream": True, **values}
    events = events_of(client.post("/kb/r/ask", json=body).text)
    name, data = events[-1]
    assert name == "done", events[-1]
    answer: dict[str, Any] = json.loads(data)
    words = [json.loads(data)["text"] for name, data in events if name == "token"]
    assert "".join(words) == answer["answer"]
    assert "hall 3" in answer["answer"]
    return answer


def refused(response: Any, code: str) -> None:  # noqa: ANN401  a client's response
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["error"]["code"] == code


def check_reading(client: TestClient, code: str) -> None:
    hits = client.post("/kb/r/search", json={"query": "pump"}).json()["items"]
    assert "hall 3" in hits[0]["text"]
    answer = ask(client)
    assert (answer["stored"], answer["not_stored"]["code"]) == (False, code)
    later = ask(client, conversation_id=answer["conversation_id"])
    assert later["conversation_id"] == answer["conversation_id"]
    shown = client.get(f"/conversations/{answer['conversation_id']}").json()
    assert [m["answer_id"] for m in shown["messages"]] == [None, answer["id"], None, later["id"]]
    assert client.get(f"/answers/{later['id']}").json()["stored"] is False
    refused(client.post(f"/answers/{later['id']}/feedback", json={"rating": "up"}), code)
    refused(client.post("/kb", json={"name": "more"}), code)
    refused(client.post("/kb/r/documents", files=[("files", ("a.txt", b"text"))]), code)
    assert client.get("/metrics").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["storage"]["code"]) == ("degraded", code)


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LOOK_EVERY_S", 0.0)


def test_a_full_disk_answers_and_is_cleared_by_deleting(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 16) as folder, serving(folder) as (services, client):
        document = with_a_report(services)
        services.starting.prepare(with_demo=False)
        fill(folder)
        check_reading(client, "disk_full")
        assert client.delete(f"/kb/r/documents/{document}").status_code == 204
        assert client.post("/kb/r/search", json={"query": "pump"}).json()["items"] == []
        assert client.delete("/kb/r").status_code == 204


def test_a_sealed_folder_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder) as (services, _):
        document = with_a_report(services)
    with sealed(folder), serving(folder) as (_, client):
        check_reading(client, "storage_read_only")
        refused(client.delete(f"/kb/r/documents/{document}"), "storage_read_only")
        refused(client.delete("/kb/r"), "storage_read_only")
