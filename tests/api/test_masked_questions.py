"""What a key asks that may not see personal data tells it none, whatever the request holds."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kb_service.services.veils import Veil
from kb_service.storage.identity import encode_cursor
from tests.api.masked import ADMIN, DESK, Desk, filled
from tests.api.service import ApiService

Json = dict[str, Any]
CHAT = "/v1/chat/completions"


@pytest.fixture
def client(app: FastAPI, service: ApiService) -> Iterator[TestClient]:
    with Desk(app, service, ADMIN) as made:
        yield made


@pytest.fixture
def desk(app: FastAPI, service: ApiService, client: TestClient, kb_id: str) -> Iterator[Desk]:
    """Who may do everything in a base full of personal data but see it."""
    with Desk(app, service, DESK) as made:
        filled(client, service, kb_id, made.key_id)
        yield made


def message(**more: Any) -> Json:  # noqa: ANN401  JSON
    said = {"role": "user", "content": "谁用13812345678？", **more}
    return {"model": "kb:reports", "messages": [said]}


@pytest.mark.parametrize("own", [{}, {"kb_id": "zzz"}, {"id": "x", "masking": 1}, {"quote": "y"}])
def test_no_key_of_a_message_lets_its_words_through(
    desk: Desk, service: ApiService, own: Json
) -> None:
    before = len(service.answering.requests)
    answer = desk.post(CHAT, json=message(**own))
    assert answer.status_code in {200, 422}, answer.text
    asked = [one.question for one in service.answering.requests[before:]]
    assert asked == ["谁用138****5678？"] * (answer.status_code == 200)


def deep(levels: int) -> Any:  # noqa: ANN401  JSON
    value: Any = "a"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/kb/reports/ask", {"question": "a", "quote": "x"}),
        ("/kb/reports/ask", {"question": "a", "start": "q", "end": 1, "text": "b"}),
        ("/kb/reports/search", {"query": "a", "span": {}}),
        ("/kb/reports/query", {"op": "count", "span": 1}),
        ("/kb/reports/query", {"op": "count", "field": 1, "span": {"start": 0, "end": 1}}),
    ],
)
def test_an_odd_body_is_refused_like_any_other(
    desk: Desk, client: TestClient, path: str, body: Json
) -> None:
    told = [one.post(path, json=body) for one in (desk, client)]
    assert [answer.status_code for answer in told] == [422, 422], told[0].text
    codes = [answer.json()["error"]["code"] for answer in told]
    assert codes[0] == codes[1]


@pytest.mark.parametrize("levels", [101, 700])
def test_a_body_that_is_too_deep_is_said_to_be(desk: Desk, levels: int) -> None:
    for body in ({"question": deep(levels)}, {"question": "a", "filters": {"kind": deep(levels)}}):
        answer = desk.post("/kb/reports/ask", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["code"] == "invalid_json"


def test_no_part_of_a_hidden_name_is_asked_for(desk: Desk, client: TestClient) -> None:
    listed = "/kb/reports/documents"
    for part in ("138", "张", "txt"):
        refused = desk.get(listed, params={"name_contains": part})
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "personal_data_masked"
        assert len(client.get(listed, params={"name_contains": part}).json()["items"]) == 1
    assert len(desk.get(listed, params={"name_contains": ""}).json()["items"]) == 1


def test_a_hidden_tag_finds_nothing_and_another_what_has_it(desk: Desk, client: TestClient) -> None:
    listed = "/kb/reports/documents"
    document = client.get(listed).json()["items"][0]["id"]
    client.patch(f"{listed}/{document}", json={"tags": ["13812345678", "fire"]})
    found = [
        desk.get(listed, params={"tag": tag}).json()["items"] for tag in ("13812345678", "fire")
    ]
    assert [len(items) for items in found] == [0, 1]


@pytest.mark.parametrize("path", ["/kb", "/kb/reports/documents", "/kb/reports/watches"])
def test_a_cursor_that_is_made_up_tells_no_place_of_a_name(
    desk: Desk, client: TestClient, path: str
) -> None:
    made = encode_cursor("1381")
    refused = desk.get(path, params={"cursor": made})
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "invalid_cursor"
    assert client.get(path, params={"cursor": made}).status_code == 200


def test_lists_by_name_are_read_to_their_end(
    desk: Desk, client: TestClient, service: ApiService
) -> None:
    for name in ("a.txt", "b.txt"):
        client.post("/kb/reports/documents", files=[("files", (name, name.encode()))])
        service.ingest([name])
    for sort in ("name", "-size_bytes"):
        asked: Json = {"limit": 1, "sort": sort}
        seen: list[str] = []
        while True:
            part = desk.get("/kb/reports/documents", params=asked).json()
            seen += [item["name"] for item in part["items"]]
            if not part["next_cursor"]:
                break
            assert part["next_cursor"].startswith("sealed_")
            asked["cursor"] = part["next_cursor"]
        assert len(seen) == 3
        assert len(set(seen)) == 3


def test_words_of_a_query_string_are_hidden_off_the_event_loop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    words = Veil.words

    def noted(veil: Veil, text: str) -> str:
        threads.append(threading.current_thread().name)
        return words(veil, text)

    monkeypatch.setattr(Veil, "words", noted)
    assert desk.get("/kb/reports/documents", params={"name": "x"}).status_code == 200
    assert threads
    assert all("AnyIO worker" in name for name in threads), threads
