"""Every route says what it needs, and holds everybody to it: each call, played by each role."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from api import app as application
from api.app import create_app
from api.needs import NEEDS, calls_of
from api.security import is_open
from kb_service.domain.people import Right, Rights
from tests.api.conftest import BASE_URL, PDF_BYTES
from tests.api.service import ApiService

ROLES = ("nobody", "stranger", "read", "write", "manage", "admin")
JSON_BODIES: dict[str, dict[str, Any]] = {
    "POST /kb": {"name": "another"},
    "PATCH /kb/{kb}": {"description": "other words"},
    "POST /kb/{kb}/export": {},
    "PATCH /kb/{kb}/documents/{document}": {"tags": ["a"]},
    "POST /kb/{kb}/documents/labels": {"documents": ["doc_gone"]},
    "POST /kb/{kb}/documents/tags": {"documents": ["doc_gone"]},
    "POST /kb/{kb}/documents/delete": {"documents": ["doc_gone"]},
    "POST /kb/{kb}/labels": {"name": "open"},
    "PATCH /kb/{kb}/labels/{label}": {"name": "closed"},
    "POST /kb/{kb}/documents/{document}/read": {"encoding": "big5"},
    "POST /kb/{kb}/documents/{document}/restore": {"revision": "0" * 64},
    "PUT /kb/{kb}/columns": {"name": "Ort", "field": None},
    "POST /kb/{kb}/ask": {"question": "What failed?"},
    "POST /kb/{kb}/search": {"query": "pump"},
    "POST /kb/{kb}/query": {"operation": "count"},
    "POST /kb/{kb}/query/report": {"operation": "count"},
    "PATCH /kb/{kb}/facts/{fact}": {"value": None},
    "POST /kb/{kb}/watches": {"name": "pumps", "question": "What failed?"},
    "PATCH /kb/{kb}/watches/{watch}": {"is_paused": True},
    "POST /keys": {"name": "new", "rights": {}},
    "PATCH /keys/{key}": {"person": "Mary"},
    "POST /answers/{answer}/feedback": {"rating": "up"},
    "PATCH /conversations/{conversation}": {"title": "other"},
    "POST /v1/chat/completions": {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Hello"}],
    },
    "POST /v1/embeddings": {"model": "counting", "input": "Hello"},
}
MULTIPART = {"POST /kb/{kb}/documents"}
IN_BASES = [call for call, need in NEEDS.items() if need.of in ("base", "job")]


class Desk:
    """A service with a key for each role in the base `reports`, and a base of others."""

    def __init__(self, service: ApiService) -> None:
        self.app = create_app(service.services)
        self.app.state.closing.set()  # streams of events end at once
        self.client = TestClient(self.app, base_url=BASE_URL, raise_server_exceptions=False)
        make = service.keys.add
        bases = service.catalog.bases
        self.kb, other = bases.create("reports").id, bases.create("others").id
        self.keys = {
            "admin": make("admin", "", Rights(is_admin=True)).secret,
            "stranger": make("stranger", "", Rights(by_base={other: Right.MANAGE})).secret,
        }
        for right in Right:
            self.keys[right] = make(right, "", Rights(by_base={self.kb: right})).secret
        admin = {"x-api-key": self.keys["admin"]}
        files = {"files": ("a.pdf", PDF_BYTES, "application/pdf")}
        sent = self.client.post("/kb/reports/documents", files=files, headers=admin).json()
        item = sent["items"][0]
        self.names = {
            "kb": self.kb,
            "document": item["document"]["id"],
            "job": item["job"]["id"],
            "page_number": "1",
            "number": "0",
            "record": "0",
            "key": "stranger",
            "model": "tiny",
        }

    def call(self, call: str, role: str, **names: str) -> Any:  # noqa: ANN401  a response
        method, path = call.split(" ")
        path = path.format_map(_Named({**self.names, **names}))
        headers = {} if role == "nobody" else {"x-api-key": self.keys[role]}
        if path.endswith("/changes"):
            path += "?since=" + "0" * 64
        if call in MULTIPART:
            files = {"files": ("b.pdf", PDF_BYTES, "application/pdf")}
            return self.client.request(method, path, headers=headers, files=files)
        return self.client.request(method, path, headers=headers, json=JSON_BODIES.get(call))


class _Named(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"no-such-{name}"


@pytest.fixture
def desk(service: ApiService) -> Iterator[Desk]:
    made = Desk(service)
    with made.client:
        yield made


def test_every_call_of_the_application_says_what_it_needs_and_nothing_else_does(
    app: FastAPI,
) -> None:
    assert calls_of(app.routes) == NEEDS.keys()


def test_a_route_that_does_not_say_so_stops_the_service(
    service: ApiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.add_api_route("/kb/{kb}/secrets", lambda: None, methods=["GET"])
    monkeypatch.setattr(application, "ROUTERS", (*application.ROUTERS, router))
    with pytest.raises(RuntimeError, match="secrets"):
        create_app(service.services)


def test_what_needs_nothing_is_what_the_gate_lets_through() -> None:
    for call, need in NEEDS.items():
        path = call.split(" ")[1]
        assert is_open(path + "/" if path == "/static" else path) == (need.of == "nothing"), call


def test_reading_changes_nothing_and_what_changes_something_needs_more() -> None:
    asking = ("/ask", "/search", "/query", "/query/report")
    for call in IN_BASES:
        method, path = call.split(" ")
        is_reading = method == "GET" or path.endswith(asking)
        assert (NEEDS[call].right is Right.READ) == is_reading, call


def needed(call: str, role: str) -> tuple[int, str] | None:
    """Return status and code of the refusal that a role gets; None: it is let in."""
    need = NEEDS[call]
    if role == "nobody":
        return None if need.of == "nothing" else (401, "api_key_missing")
    if role == "admin" or need.of in ("nothing", "key"):
        return None
    if need.of == "admin":
        return 403, "right_missing"
    if role == "stranger":
        return 404, "kb_not_found" if need.of == "base" else "job_not_found"
    assert need.right is not None
    return None if Right(role).includes(need.right) else (403, "right_missing")


@pytest.mark.parametrize("call", [call for call in NEEDS if call != "GET /static"])
def test_each_role_gets_what_its_rights_say(desk: Desk, call: str) -> None:
    for role in ROLES:
        response = desk.call(call, role)
        error = error_of(response)
        refusal = needed(call, role)
        if refusal is not None:
            assert (response.status_code, error.get("code")) == refusal, role
            continue
        assert response.status_code not in (401, 403, 500), response.text
        assert error.get("code") not in ("kb_not_found", "job_not_found"), role
        if call == "DELETE /kb/{kb}":
            break


def error_of(response: Any) -> dict[str, Any]:  # noqa: ANN401  a response
    """Return the error of a response, empty when it is none."""
    is_json = response.headers.get("content-type", "").startswith("application/json")
    is_error = response.status_code >= 400 and is_json and response.content
    return response.json()["error"] if is_error else {}


@pytest.mark.parametrize("call", IN_BASES)
def test_a_base_without_a_right_answers_as_one_that_is_not_there(desk: Desk, call: str) -> None:
    hidden = desk.call(call, "stranger")
    absent = desk.call(call, "stranger", kb="kb_absent", job="job_absent")
    assert told(hidden, desk.names) == told(absent, {"kb": "kb_absent", "job": "job_absent"})


@pytest.mark.parametrize("call", [call for call in IN_BASES if call.startswith("GET")])
def test_so_does_its_head(desk: Desk, call: str) -> None:
    head = call.replace("GET", "HEAD", 1)
    hidden = desk.call(head, "stranger")
    absent = desk.call(head, "stranger", kb="kb_absent", job="job_absent")
    assert hidden.status_code == absent.status_code == 404
    hidden_names = {name: value for name, value in hidden.headers.items() if "length" not in name}
    absent_names = {name: value for name, value in absent.headers.items() if "length" not in name}
    assert hidden_names.keys() == absent_names.keys()
    assert "etag" not in hidden_names


def told(response: Any, names: dict[str, str]) -> tuple[object, ...]:  # noqa: ANN401  a response
    """Return all that a response tells, its own id and the name that was sent left out."""
    headers = dict(response.headers)
    request_id = headers.pop("x-request-id")
    text = response.text.replace(request_id, "")
    size = int(headers.pop("content-length")) - len(names["kb" if "base" in text else "job"])
    for name in ("kb", "job"):
        text = text.replace(names[name], "")
    return response.status_code, headers, size, text
