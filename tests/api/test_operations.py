"""The page, health, readiness, metrics, and what the log says of a request."""

import pytest
import structlog
from starlette.testclient import TestClient

from kb_service.domain.errors import ConfigurationError, KbError, StorageError
from tests.api.service import ApiService

SECRET = "who-broke-the-pump"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/static/index.html", "text/html"),
        ("/static/js/api.js", "text/javascript"),
        ("/static/favicon.svg", "image/svg+xml"),
        ("/static/css/base.css", "text/css"),
    ],
)
def test_the_page_is_served_with_its_type_and_revalidated(
    client: TestClient, path: str, media_type: str
) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)
    assert response.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": response.headers["etag"]}
    if path != "/":
        assert client.get(path, headers=tag).status_code == 304


def test_the_service_is_ready_when_nothing_is_missing(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "reasons": {},
        "codes": {},
        "generator": {
            "kind": "extractive",
            "name": "scripted",
            "notice_en": "a script answers",
            "notice_zh": "",
        },
        "storage": {"code": None, "message": ""},
        "paused": {"bases": 0, "service": 0},
    }


def test_readiness_names_what_is_missing(client: TestClient, service: ApiService) -> None:
    def fail(*_: object) -> None:
        raise StorageError("the disk is full", code="disk_full")

    service.waiting["generator"] = KbError("loading", code="loading")
    service.catalog.bases.list = fail  # type: ignore[method-assign,assignment]  # the fault
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not_ready",
        "reasons": {"generator": "loading", "database": "the disk is full"},
        "codes": {"generator": "loading", "database": "disk_full"},
        "generator": None,
        "storage": {"code": None, "message": ""},
        "paused": {},
    }


def test_readiness_says_when_a_model_was_replaced(client: TestClient, service: ApiService) -> None:
    missing = ConfigurationError("weights are missing; words find alone", code="model_missing")
    service.replaced["embedder"] = missing
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["reasons"] == {"embedder": missing.message}
    assert response.json()["codes"] == {"embedder": "model_missing"}
    assert response.json()["generator"]["name"] == "scripted"
    embedder = service.embedder.profile.name
    assert embedder not in [model["id"] for model in client.get("/v1/models").json()["data"]]
    service.waiting["generator"] = KbError("loading", code="loading")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["reasons"].keys() == {"embedder", "generator"}


@pytest.mark.parametrize("code", ["disk_full", "storage_read_only", "disk_low", "database_locked"])
def test_readiness_says_when_nothing_can_be_stored(
    client: TestClient, service: ApiService, code: str
) -> None:
    service.storage.worry = StorageError("nothing can be stored", code=code)
    response = client.get("/readyz")
    assert response.status_code == 200, "questions are answered"
    assert response.json()["status"] == "degraded"
    assert response.json()["reasons"] == {"storage": "nothing can be stored"}
    assert response.json()["storage"] == {"code": code, "message": "nothing can be stored"}


def test_metrics_count_requests_answers_jobs_and_pages(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    client.post("/kb/reports/ask", json={"question": "When?"})
    client.post("/kb/reports/documents", files=[("files", ("a.txt", b"text"))])
    service.ingest(["one", "two"])
    client.post("/kb/reports/documents", files=[("files", ("b.txt", b"text"))])
    client.get("/nothing")
    text = client.get("/metrics").text
    for line in (
        'kb_answers_total{status="answered"} 1.0',
        'kb_requests_total{method="POST",route="/kb/{kb}/ask",status="200"} 1.0',
        'kb_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'kb_request_seconds_count{method="POST",route="/kb"} 1.0',
        'kb_jobs{status="succeeded"} 1.0',
        'kb_jobs{status="queued"} 1.0',
        'kb_jobs{status="dead"} 0.0',
        'kb_ingest_pages{kind="text"} 2.0',
        'kb_chunks{vector="made"} 2.0',
        'kb_chunks{vector="waiting"} 0.0',
    ):
        assert line in text


def test_invented_methods_do_not_grow_the_metrics(client: TestClient) -> None:
    for number in range(3):
        client.request(f"BREW{number}", "/kb")
    assert "BREW" not in client.get("/metrics").text


def test_a_request_is_one_log_line_without_questions_or_names(
    client: TestClient, kb_id: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        client.post("/kb/reports/ask", json={"question": SECRET})
        client.get(f"/kb/{SECRET}?cursor={SECRET}")
        files = [("files", (f"{SECRET}.txt", SECRET.encode()))]
        client.post("/kb/reports/documents", files=files)
    assert [line["event"] for line in lines] == ["request"] * 3
    assert {"method", "route", "status", "seconds"} <= lines[0].keys()
    assert SECRET not in repr(lines)


def test_the_schema_is_served_and_the_docs_page_is_not(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["info"]["title"] == "kb-service"
    assert client.get("/docs").status_code == 404
