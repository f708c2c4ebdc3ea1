"""Standing questions over HTTP: kept, shown with what changed, refused with what is accepted."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kb_service.services.across import AcrossDocuments
from kb_service.services.watching import WatchService, asker_of
from kb_service.storage.records.store import RecordStore
from kb_service.storage.watches.store import Watches
from tests.api.service import ApiService

Json = dict[str, Any]
FIRES = {"op": "count", "filters": {"kind": ["fire"]}, "language": "zh"}


def asked_now(service: ApiService, kb_id: str) -> None:
    """Ask as the worker does."""
    across = AcrossDocuments(RecordStore(service.database), service.catalog.revisions)
    ask = asker_of(across, lambda: pytest.fail("no question in words"))
    watches = Watches(service.database)
    WatchService(watches, ask, service.settings, lambda: 0.0).ask_all(kb_id)


def test_a_change_is_shown_with_both_answers_and_their_citations(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    kept = client.post("/kb/reports/watches", json={"name": "fires", "query": FIRES})
    assert kept.status_code == 201 and kept.json()["answer"] is None
    assert kept.json()["schedule"] == "after changes" and kept.json()["language"] == "zh"
    asked_now(service, kb_id)
    sentences = ["Report N-1", "On 3 May 2024 a fire broke out at Mill Lane 7."]
    files = [("files", ("a.txt", "\n".join(sentences).encode()))]
    client.post("/kb/reports/documents", files=files)
    service.ingest(sentences)
    asked_now(service, kb_id)
    (change,) = client.get("/kb/reports/watches/fires/changes").json()["items"]
    assert change["old"]["citations"] == [] and change["old"]["change"] < change["new"]["change"]
    assert change["new"]["citations"][0]["document_name"] == "a.txt"
    assert change["new"]["table"]["rows"][0]["cells"][0]["value"] == "a.txt"
    assert change["told_at"] is None
    shown = client.get(f"/kb/reports/watches/{kept.json()['id']}").json()
    assert shown["answer"] == change["new"]
    assert client.get("/kb/reports/watches").json()["items"] == [shown]


def test_a_question_goes_with_its_answers(client: TestClient, kb_id: str) -> None:
    client.post("/kb/reports/watches", json={"name": "who", "question": "Who was it?"})
    assert client.delete("/kb/reports/watches/who").status_code == 204
    gone = client.get("/kb/reports/watches/who/changes")
    assert gone.json()["error"]["code"] == "watch_not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "taken", "question": "x"}, 409, "watch_name_taken"),
        ({"name": "x"}, 422, "invalid_watch"),
        ({"name": "x", "question": "x", "query": FIRES}, 422, "invalid_watch"),
        ({"name": "x", "question": "x", "schedule": "often"}, 422, "invalid_schedule"),
        ({"name": " ", "question": "x"}, 422, "invalid_watch_name"),
        ({"name": "x", "query": {"op": "sum"}}, 422, "invalid_query"),
        ({"name": "x", "question": "x", "webhook": "http://a/"}, 422, "webhook_not_allowed"),
    ],
)
def test_what_cannot_stand_is_refused(
    client: TestClient, kb_id: str, body: Json, status: int, code: str
) -> None:
    client.post("/kb/reports/watches", json={"name": "taken", "question": "Who was it?"})
    answer = client.post("/kb/reports/watches", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_paused_question_is_not_asked_until_it_goes_on(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    client.post("/kb/reports/watches", json={"name": "fires", "query": FIRES})
    paused = client.patch("/kb/reports/watches/fires", json={"is_paused": True}).json()
    assert paused["is_paused"] and paused["schedule"] == "after changes"
    asked_now(service, kb_id)
    assert client.get("/kb/reports/watches/fires").json()["answer"] is None
    changed = {"is_paused": False, "schedule": "daily at 07:00"}
    assert client.patch("/kb/reports/watches/fires", json=changed).json()["schedule"] == (
        "daily at 07:00"
    )
    asked_now(service, kb_id)
    shown = client.get("/kb/reports/watches/fires").json()
    assert shown["answer"] is not None and shown["num_changes"] == 0
    refused = client.patch("/kb/reports/watches/fires", json={"schedule": "often"})
    assert refused.json()["error"]["code"] == "invalid_schedule"
    gone = client.patch("/kb/reports/watches/other", json={"is_paused": True})
    assert gone.json()["error"]["code"] == "watch_not_found"
