"""HEAD and OPTIONS: what uptime probes and OpenAI clients ask of any route."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import ROUTERS
from tests.api.asgi import Call
from tests.api.service import ApiService

GETS = [
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "GET" in route.methods
]
PAGES = ["/", "/static/js/api.js", "/static/absent.js", "/openapi.json", "/nothing"]


@pytest.mark.parametrize("path", [*GETS, *PAGES])
def test_head_answers_as_get_does_and_has_no_body(
    app: FastAPI, client: TestClient, kb_id: str, path: str
) -> None:
    path = path.replace("{kb}", kb_id)
    head = asyncio.run(Call("HEAD", path, leaves_after_s=5).run(app))
    assert head.pieces == []
    if not path.endswith("/events"):
        assert head.status == client.get(path).status_code


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_uptime_probes_get_200(client: TestClient, path: str) -> None:
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")


def test_head_of_a_download_says_its_length_and_sends_none_of_it(
    app: FastAPI, client: TestClient, service: ApiService, kb_id: str
) -> None:
    files = [("files", ("a.txt", b"text" * 100_000))]
    item = client.post(f"/kb/{kb_id}/documents", files=files).json()["items"][0]
    response = client.head(f"/kb/{kb_id}/documents/{item['document']['id']}/content")
    assert response.headers["content-length"] == "400000"
    assert response.content == b""


def test_head_of_an_endless_stream_ends(app: FastAPI, client: TestClient, kb_id: str) -> None:
    call = asyncio.run(Call("HEAD", f"/kb/{kb_id}/events").run(app, timeout_s=10))
    assert (call.status, call.pieces) == (200, [])


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/kb", "GET, HEAD, OPTIONS, POST"),
        ("/kb/x/ask", "OPTIONS, POST"),
        ("/kb/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_and_a_wrong_method_name_what_is_allowed(
    client: TestClient, path: str, allowed: str
) -> None:
    asked = client.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    wrong = client.request("PUT", path)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, allowed)
    assert client.options("/nothing").status_code == 404


def test_metrics_count_a_head_as_a_head(client: TestClient) -> None:
    client.head("/healthz")
    text = client.get("/metrics").text
    assert 'method="HEAD"' in text
    assert 'route="/healthz"' in text
