"""Labels as a key names them that may not see personal data: as they are shown to it, or by id."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kb_service.domain.people import Right, Rights
from tests.api.masked import ADMIN, DESK, Desk, filled
from tests.api.service import ApiService

BASE = "/kb/reports"
DOCUMENTS = f"{BASE}/documents"
WRITER = Rights(everywhere=Right.WRITE)


@pytest.fixture
def client(app: FastAPI, service: ApiService) -> Iterator[TestClient]:
    """An administrator."""
    with Desk(app, service, ADMIN) as made:
        yield made


@pytest.fixture(params=[DESK, WRITER], ids=["manager", "writer"])
def desk(
    app: FastAPI, service: ApiService, client: TestClient, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """Who may see no personal data."""
    with Desk(app, service, request.param) as made:
        yield made


@pytest.fixture
def document(client: TestClient, service: ApiService, kb_id: str, desk: Desk) -> str:
    """The id of a document full of personal data, in a base that masks all."""
    return filled(client, service, kb_id, desk.key_id)


def make(client: TestClient, name: str) -> str:
    return str(client.post(f"{BASE}/labels", json={"name": name}).json()["id"])


def labels(client: TestClient, document: str) -> list[str]:
    return [mark["name"] for mark in client.get(f"{DOCUMENTS}/{document}").json()["labels"]]


def told(answer: Any) -> tuple[int, str]:  # noqa: ANN401  a response
    return answer.status_code, answer.text.replace(answer.headers.get("x-request-id", "-"), "")


def test_no_write_tells_whether_a_label_is_called_by_hidden_words(
    desk: Desk, client: TestClient, document: str
) -> None:
    """Each was 404 or 409 by whether the label was there."""
    files = [("files", ("new.txt", b"new"))]

    def answers(name: str) -> list[tuple[int, str]]:
        put = {"documents": [document]}
        calls = [
            desk.post(f"{DOCUMENTS}/labels", json=put | {"add": [name]}),
            desk.post(f"{DOCUMENTS}/labels", json=put | {"remove": [name]}),
            desk.patch(f"{DOCUMENTS}/{document}", json={"labels": [name]}),
            desk.post(DOCUMENTS, files=files, data={"labels": json.dumps([name])}),
            desk.post(f"{BASE}/labels", json={"name": name}),
            desk.patch(f"{BASE}/labels/{name}", json={"colour": "teal"}),
            desk.patch(f"{BASE}/labels/{other}", json={"name": name}),
            desk.delete(f"{BASE}/labels/{name}"),
        ]
        return list(map(told, calls))

    other = make(client, "open")
    before = answers("张伟")
    assert {status for status, _ in before} == {403}
    label = make(client, "张伟")
    client.post(f"{DOCUMENTS}/labels", json={"documents": [document], "add": [label]})
    assert answers("张伟") == before
    listed = client.get(f"{BASE}/labels").json()["items"]
    assert {one["name"]: one["colour"] for one in listed} == {"open": "grey", "张伟": "grey"}
    assert labels(client, document) == ["张伟"]


def test_a_label_that_is_sent_back_masked_stays(
    desk: Desk, client: TestClient, document: str
) -> None:
    make(client, "张伟")
    make(client, "open")
    put = {"documents": [document], "add": ["张伟"]}
    client.post(f"{DOCUMENTS}/labels", json=put)
    shown = labels(desk, document)
    assert shown == ["张*"]
    kept = desk.patch(f"{DOCUMENTS}/{document}", json={"labels": [*shown, "OPEN"]})
    assert kept.status_code == 200
    assert labels(client, document) == ["open", "张伟"]
    for body, expected in (({"remove": shown}, ["open"]), ({"add": shown}, ["open", "张伟"])):
        done = desk.post(f"{DOCUMENTS}/labels", json={"documents": [document]} | body)
        assert done.status_code == 200
        assert labels(client, document) == expected
    files = [("files", ("new.txt", b"new"))]
    sent = desk.post(DOCUMENTS, files=files, data={"labels": json.dumps(shown)}).json()
    assert labels(client, sent["items"][0]["document"]["id"]) == ["张伟"]
    assert len(client.get(f"{BASE}/labels").json()["items"]) == 2


def test_labels_that_look_alike_are_told_apart_by_who_carries_them(
    desk: Desk, client: TestClient, document: str
) -> None:
    for name in ("13812345678", "13898765678"):
        make(client, name)
    (first, second) = client.get(f"{BASE}/labels").json()["items"]
    path = f"{DOCUMENTS}/{document}"
    look = "138****5678"
    put = {"documents": [document], "add": [second["id"]]}
    assert desk.post(f"{DOCUMENTS}/labels", json=put).status_code == 200
    assert labels(desk, document) == [look]
    desk.patch(path, json={"labels": [look]})
    assert labels(client, document) == [second["name"]]
    refused = desk.post(f"{DOCUMENTS}/labels", json={"documents": [document], "add": [look]})
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "invalid_label"
    desk.patch(path, json={"labels": [first["id"], second["id"]]})
    desk.patch(path, json={"labels": labels(desk, document)})
    assert labels(client, document) == [first["name"], second["name"]]


def test_labels_are_changed_and_deleted_as_they_are_shown(
    app: FastAPI, service: ApiService, client: TestClient, kb_id: str
) -> None:
    with Desk(app, service, DESK) as manager:
        filled(client, service, kb_id, manager.key_id)
        make(client, "张伟")
        changed = manager.patch(f"{BASE}/labels/张*", json={"name": "张*", "colour": "teal"})
        assert changed.status_code == 200
        (kept,) = client.get(f"{BASE}/labels").json()["items"]
        assert (kept["name"], kept["colour"]) == ("张伟", "teal")
        assert manager.patch(f"{BASE}/labels/张*", json={"name": "closed"}).status_code == 200
        assert manager.delete(f"{BASE}/labels/closed").status_code == 204
    assert client.get(f"{BASE}/labels").json()["items"] == []
