"""Every failure has one shape, a stable code and the request id, and none of them is a 5xx."""

import re

import pytest
from starlette.testclient import TestClient

from api.errors import STATUS_OF, safe_json, status_of
from api.json_route import MAX_BODY_BYTES
from kb_service.domain.errors import (
    Busy,
    ConfigurationError,
    GenerationError,
    KbError,
    NotFound,
    StorageError,
)
from kb_service.services.ranges import shown
from kb_service.storage.database import open_database
from tests.api.conftest import PDF_BYTES
from tests.api.service import ApiService

JSON = {"content-type": "application/json"}
HUGE = str(10**30)


def error_of(response: object, status: int) -> dict[str, object]:
    """Check the shape that every error has and return its inside."""
    assert response.status_code == status, response.text  # type: ignore[attr-defined]  # a client response
    body = response.json()  # type: ignore[attr-defined]  # a client response
    error = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert re.fullmatch(r"[a-z][a-z0-9_]*", error["code"])
    assert error["message"]
    assert error["request_id"] == response.headers["x-request-id"]  # type: ignore[attr-defined]  # a client response
    return dict(error)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing/here", "route_not_found"),
        ("GET", "/kb/", "route_not_found"),
        ("GET", "/static/absent.js", "route_not_found"),
        ("GET", "/static/%00", "route_not_found"),
        ("GET", "/static/..%2f..%2fpyproject.toml", "route_not_found"),
        ("GET", "/static/" + "a" * 3000, "route_not_found"),
        ("GET", "/v1", "route_not_found"),
        ("GET", "/kb/kb_absent", "kb_not_found"),
        ("DELETE", "/kb/kb_absent", "kb_not_found"),
        ("GET", "/kb/%F0%9F%92%A9%E2%80%AE", "kb_not_found"),
        ("GET", "/kb/%FF%FE", "kb_not_found"),
        ("GET", "/kb/reports/documents/doc_absent", "document_not_found"),
        ("GET", "/kb/reports/documents/doc_absent/text", "document_not_found"),
        ("GET", "/kb/reports/documents/doc_absent/content", "document_not_found"),
        ("GET", "/kb/reports/documents/doc_absent/pages/1.png", "document_not_found"),
        ("GET", f"/kb/reports/documents/doc_absent/pages/{HUGE}.png", "document_not_found"),
        ("DELETE", "/kb/reports/documents/doc_absent", "document_not_found"),
        ("GET", "/jobs/job_absent", "job_not_found"),
        ("POST", "/jobs/job_absent/retry", "job_not_found"),
        ("POST", "/jobs/job_absent/cancel", "job_not_found"),
        ("GET", "/answers/ans_absent", "answer_not_found"),
        ("GET", "/conversations/conv_absent", "conversation_not_found"),
        ("DELETE", "/conversations/conv_absent", "conversation_not_found"),
        ("GET", "/kb/kb_absent/events", "kb_not_found"),
        ("GET", "/conversations?kb=absent", "kb_not_found"),
    ],
)
def test_what_does_not_exist_is_a_typed_404(
    client: TestClient, kb_id: str, method: str, path: str, code: str
) -> None:
    assert error_of(client.request(method, path), 404)["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/kb/a%00b", "unstorable_text"),
        ("GET", "/jobs/a%00b", "unstorable_text"),
        ("GET", "/kb?limit=0", "limit_out_of_range"),
        ("GET", f"/kb?limit={HUGE}", "limit_out_of_range"),
        ("GET", "/kb?limit=ten", "invalid_request"),
        ("GET", "/kb?limit=" + "9" * 5000, "invalid_request"),
        ("GET", "/kb?cursor=nonsense", "invalid_cursor"),
        ("GET", "/kb?cursor=%FF", "invalid_cursor"),
        ("GET", "/conversations?cursor=WyJhIiwiYiJd", "invalid_cursor"),
        ("GET", "/kb/reports/documents/doc_1/pages/one.png", "invalid_request"),
        ("GET", "/kb/reports/documents/doc_1/pages/1.png?boxes=1,2,3", "invalid_boxes"),
        ("GET", "/kb/reports/documents/doc_1/pages/1.png?boxes=nan,0,1,1", "invalid_boxes"),
        ("GET", "/kb/reports/documents/doc_1/pages/1.png?boxes=5,0,1,1", "invalid_boxes"),
        ("GET", "/kb/reports/documents/doc_1/pages/1.png?scale=99", "scale_out_of_range"),
        ("GET", "/kb/reports/documents/doc_1/pages/1.png?scale=nan", "scale_out_of_range"),
    ],
)
def test_malformed_addresses_are_a_typed_422(
    client: TestClient, kb_id: str, method: str, path: str, code: str
) -> None:
    assert error_of(client.request(method, path), 422)["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'{"name": 1e999}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_says_where(client: TestClient, body: bytes) -> None:
    error = error_of(client.post("/kb", content=body, headers=JSON), 422)
    assert error["code"] == "invalid_json"
    assert isinstance(error["details"], dict)
    assert set(error["details"]) == {"line", "column", "problem"}


def test_a_value_nested_deeper_than_python_can_show_is_malformed(client: TestClient) -> None:
    body = b'{"name": ' + b"[" * 1000 + b"]" * 1000 + b"}"
    error = error_of(client.post("/kb", content=body, headers=JSON), 422)
    assert error["code"] == "invalid_request"
    assert "body.name is [[[[" in str(error["message"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("null", "body"),
        ("[]", "body"),
        ("{}", "body.name"),
        ('{"name": 7}', "body.name"),
        ('{"name": true}', "body.name"),
        ('{"name": "a", "colour": 1}', "body.colour"),
        (f'{{"name": "a", "{"k" * 500}": 1}}', "body." + "k" * 200 + "…"),
    ],
)
def test_validation_names_field_value_and_problem(
    client: TestClient, body: str, field: str
) -> None:
    error = error_of(client.post("/kb", content=body, headers=JSON), 422)
    assert error["code"] == "invalid_request"
    assert isinstance(error["details"], dict)
    first = error["details"]["fields"][0]
    assert first["field"] == field
    assert first["problem"]
    assert set(first) == {"field", "value", "problem", "accepted"}


def test_an_empty_body_is_a_missing_field(client: TestClient) -> None:
    assert error_of(client.post("/kb"), 422)["code"] == "invalid_request"


def test_a_refused_value_is_repeated_in_short(client: TestClient) -> None:
    response = client.post("/kb/x/ask", json={"question": ["q" * 50_000]})
    assert len(response.content) < 2000


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_a_typed_415(client: TestClient, content_type: str) -> None:
    response = client.post("/kb", content=b"{}", headers={"content-type": content_type})
    assert error_of(response, 415)["code"] == "unsupported_content_type"


def test_a_body_past_the_limit_is_a_typed_413(client: TestClient) -> None:
    body = b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}'
    error = error_of(client.post("/kb", content=body, headers=JSON), 413)
    assert error["code"] == "payload_too_large"
    assert isinstance(error["details"], dict)
    assert error["details"]["max_bytes"] == MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/kb", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/kb/reports", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/", "GET, HEAD, OPTIONS"),
        ("GET", "/kb/reports/ask", "OPTIONS, POST"),
        ("BREW", "/kb", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_a_typed_405_that_names_the_right_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert response.headers["allow"] == allowed


def test_an_unexpected_exception_is_a_typed_500_without_its_words(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.fails_with = RuntimeError("the password is swordfish")
    service.retriever.retrieve = lambda query: 1 / 0  # type: ignore[method-assign,assignment,return-value]  # the fault
    error = error_of(client.post(f"/kb/{kb_id}/search", json={"query": "pump"}), 500)
    assert error["code"] == "internal_error"
    assert "division" not in str(error["message"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("full"), 503),
        (StorageError("disk", code="disk_full"), 503),
        (ConfigurationError("no model", code="model_unavailable"), 503),
        (GenerationError("long", code="prompt_too_long"), 422),
        (GenerationError("broken"), 500),
    ],
)
def test_service_errors_keep_their_code(
    client: TestClient, service: ApiService, kb_id: str, error: KbError, status: int
) -> None:
    def fail(query: object) -> None:
        raise error

    service.retriever.retrieve = fail  # type: ignore[method-assign,assignment]  # the fault
    response = client.post(f"/kb/{kb_id}/search", json={"query": "pump"})
    assert error_of(response, status)["code"] == error.code
    assert ("retry-after" in response.headers) == (status == 503)


def test_every_error_class_has_a_status() -> None:
    classes = [KbError]
    for known in classes:
        classes.extend(known.__subclasses__())
    assert all(400 <= status_of(known("x")) <= 503 for known in classes)
    assert STATUS_OF[-1][0] is KbError
    assert status_of(NotFound("x")) == 404


def test_a_message_with_a_lone_surrogate_still_reaches_the_client() -> None:
    assert safe_json({"message": "a\ud800b"}) == b'{"message": "a?b"}'
    assert shown("\ud800") == r"'\ud800'"
    assert "\u202e" not in shown("\u202eabc", quoted=False)


def test_an_inbound_request_id_is_kept_when_it_is_sane(client: TestClient) -> None:
    kept = client.get("/healthz", headers={"x-request-id": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    odd = client.get("/healthz", headers={"x-request-id": "a b\tc" * 40})
    assert re.fullmatch(r"[0-9a-f]{32}", odd.headers["x-request-id"])


def test_the_service_stays_up_after_bad_input(client: TestClient, kb_id: str) -> None:
    client.post("/kb", content=b"\x00" * 100, headers=JSON)
    client.post(f"/kb/{kb_id}/documents", files=[("files", ("a.pdf", PDF_BYTES))])
    assert client.get("/healthz").json() == {"status": "ok"}


def test_what_another_process_holds_up_is_told_in_time_with_when_to_come_back(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.database.write_wait_s = 0.1
    other = open_database(service.settings.effective_database_url)
    with other.write():
        refused = [
            client.post("/kb", json={"name": "more"}),
            client.delete(f"/kb/{kb_id}"),
            client.post("/kb/reports/documents", files=[("files", ("a.txt", b"text"))]),
        ]
        assert client.get("/kb").status_code == 200
    other.close()
    for response in refused:
        assert response.status_code == 503
        assert response.headers["retry-after"]
        error = response.json()["error"]
        assert error["code"] == "database_locked"
        assert error["message"].startswith("another process is writing to the database")
        assert error["details"] == {"waited_s": 0.1}
