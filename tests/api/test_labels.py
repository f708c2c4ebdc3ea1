"""Labels: a base's own marks, managed in one place, carried by documents, and asked by."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from kb_service.domain.people import Right, Rights
from tests.api.service import ApiService

FILES = ("a.txt", "b.txt", "c.txt")


@pytest.fixture
def documents(client: TestClient, kb_id: str) -> dict[str, str]:
    """The ids of three documents by name."""
    files = [("files", (name, name.encode())) for name in FILES]
    items = client.post(f"/kb/{kb_id}/documents", files=files).json()["items"]
    return {item["document"]["name"]: item["document"]["id"] for item in items}


def put(client: TestClient, kb_id: str, **body: object) -> Any:  # noqa: ANN401  a response
    return client.post(f"/kb/{kb_id}/documents/labels", json=body)


def marks(client: TestClient, kb_id: str) -> dict[str, list[str]]:
    items = client.get(f"/kb/{kb_id}/documents").json()["items"]
    return {item["name"]: [mark["name"] for mark in item["labels"]] for item in items}


def listed(client: TestClient, kb_id: str) -> dict[str, tuple[str, int]]:
    items = client.get(f"/kb/{kb_id}/labels").json()["items"]
    return {item["name"]: (item["colour"], item["num_documents"]) for item in items}


def test_a_label_is_renamed_and_deleted_wherever_it_is_carried(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    made = client.post(f"/kb/{kb_id}/labels", json={"name": "Urgent", "colour": "red"})
    assert made.status_code == 201
    label = made.json()["id"]
    assert put(client, kb_id, documents=list(documents.values())[:2], add=["Urgent"]).json() == {
        "num_documents": 2
    }
    assert listed(client, kb_id) == {"Urgent": ("red", 2)}
    changed = client.patch(f"/kb/{kb_id}/labels/{label}", json={"name": "至急", "colour": "amber"})
    assert changed.json()["num_documents"] == 2
    assert marks(client, kb_id) == {"a.txt": ["至急"], "b.txt": ["至急"], "c.txt": []}
    assert client.delete(f"/kb/{kb_id}/labels/至急").status_code == 204
    assert marks(client, kb_id) == {name: [] for name in FILES}
    assert listed(client, kb_id) == {}


def test_many_documents_are_labelled_in_one_step_or_none_is(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    ids = list(documents.values())
    put(client, kb_id, documents=ids, add=["open", "north"])
    put(client, kb_id, documents=ids[:1], add=["closed"], remove=["open"])
    assert marks(client, kb_id) == {
        "a.txt": ["closed", "north"],
        "b.txt": ["north", "open"],
        "c.txt": ["north", "open"],
    }
    failed = put(client, kb_id, documents=[*ids, "doc_gone"], add=["late"], remove=["north"])
    assert (failed.status_code, failed.json()["error"]["code"]) == (404, "document_not_found")
    assert listed(client, kb_id)["north"] == ("grey", 3)
    assert put(client, kb_id, documents=ids, remove=["nowhere"]).status_code == 404


def test_a_list_is_narrowed_and_counted_by_labels(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    put(client, kb_id, documents=list(documents.values())[:2], add=["open"])
    put(client, kb_id, documents=[documents["b.txt"]], add=["north"])
    label = client.get(f"/kb/{kb_id}/labels").json()["items"][1]["id"]
    path = f"/kb/{kb_id}/documents"
    for named, names in (
        (["open"], ["a.txt", "b.txt"]),
        ([label], ["a.txt", "b.txt"]),
        (["OPEN", "north"], ["b.txt"]),
        ([label, "open", "north"], ["b.txt"]),
        (["nothing"], []),
    ):
        found = client.get(path, params={"label": named}).json()
        assert [item["name"] for item in found["items"]] == names, named
        assert sum(found["totals"].values()) == len(names)


def test_a_document_keeps_its_labels_through_new_revisions(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = f"/kb/{kb_id}/documents"
    for content, labels in ((b"one", ["open"]), (b"two", None), (b"three", ["north"])):
        data = {} if labels is None else {"labels": json.dumps(labels)}
        files = [("files", ("a.txt", content))]
        sent = client.post(path, files=files, data=data).json()["items"][0]
        service.ingest([content.decode()])
    assert [mark["name"] for mark in sent["document"]["labels"]] == ["north", "open"]
    document = f"{path}/{sent['document']['id']}"
    put_back = client.patch(document, json={"labels": ["open"]}).json()
    assert [mark["name"] for mark in put_back["labels"]] == ["open"]
    assert client.patch(document, json={"tags": ["x"]}).json()["labels"] == put_back["labels"]


def test_what_is_asked_and_searched_is_narrowed_by_labels(
    client: TestClient, service: ApiService, kb_id: str, documents: dict[str, str]
) -> None:
    put(client, kb_id, documents=[documents["a.txt"]], add=["open"])
    filters = {"labels": ["open"]}
    client.post(f"/kb/{kb_id}/search", json={"query": "pump", "filters": filters})
    assert service.retriever.queries[-1].filters.labels == ("open",)
    client.post(f"/kb/{kb_id}/ask", json={"question": "What?", "filters": filters})
    assert service.answering.requests[-1].filters.labels == ("open",)


def test_a_query_and_the_facts_are_narrowed_by_labels(
    client: TestClient, service: ApiService, kb_id: str, documents: dict[str, str]
) -> None:
    for number in (1, 2, 3):
        service.ingest([f"事故编号：SG-2024-00{number}\n2024年8月{number}日，仓库发生火灾。"])
    put(client, kb_id, documents=[documents["a.txt"], documents["c.txt"]], add=["open"])
    query = {"op": "count", "of": "documents", "filters": {"labels": ["open"]}}
    assert client.post(f"/kb/{kb_id}/query", json=query).json()["counted"]["matched"] == 2
    query["of"] = "incidents"
    assert client.post(f"/kb/{kb_id}/query", json=query).json()["counted"]["matched"] == 2
    query["filters"] = {"labels": ["OPEN"]}
    assert client.post(f"/kb/{kb_id}/query", json=query).json()["counted"]["matched"] == 2
    incidents = {"op": "list", "of": "incidents", "filters": query["filters"]}
    assert len(client.post(f"/kb/{kb_id}/query", json=incidents).json()["table"]["rows"]) == 2
    facts = client.get(f"/kb/{kb_id}/facts", params={"label": "Open"}).json()["items"]
    assert {fact["document_name"] for fact in facts} == {"a.txt", "c.txt"}
    csv = client.get(f"/kb/{kb_id}/facts.csv", params={"label": "open", "field": "number"}).text
    assert len(csv.splitlines()) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "open"}, "label_name_taken"),
        ({"name": "OPEN"}, "label_name_taken"),
        ({"name": "x" * 51}, "invalid_label"),
        ({"name": " "}, "invalid_label"),
        ({"name": "a\nb"}, "invalid_label"),
        ({"name": "a", "colour": "mauve"}, "invalid_label"),
        ({"name": "a", "description": "x" * 501}, "invalid_label"),
    ],
)
def test_a_label_that_is_not_accepted_is_not_made(
    client: TestClient, kb_id: str, body: dict[str, str], code: str
) -> None:
    assert client.post(f"/kb/{kb_id}/labels", json={"name": "open"}).status_code == 201
    refused = client.post(f"/kb/{kb_id}/labels", json=body).json()
    assert refused["error"]["code"] == code
    assert list(listed(client, kb_id)) == ["open"]


def test_a_label_that_is_not_there_is_made_by_who_manages_the_base_only(
    client: TestClient, service: ApiService, kb_id: str, documents: dict[str, str]
) -> None:
    service.keys.add("admin", "", Rights(is_admin=True))
    rights = Rights(by_base={kb_id: Right.WRITE})
    writer = {"x-api-key": service.keys.add("writer", "", rights).secret}
    manager = {
        "x-api-key": service.keys.add("head", "", Rights(by_base={kb_id: Right.MANAGE})).secret
    }
    path = f"/kb/{kb_id}/documents"
    files = [("files", ("new.txt", b"new"))]
    data = {"labels": '["open"]'}
    refused = client.post(path, files=files, data=data, headers=writer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "label_not_found")
    assert service.catalog.documents.find(kb_id, "new.txt") is None
    assert client.post(path, files=files, data=data, headers=manager).status_code == 202
    assert client.post(path, files=files, data=data, headers=writer).status_code == 202
    body = {"documents": [documents["a.txt"]], "add": ["Open"]}
    assert client.post(f"{path}/labels", json=body, headers=writer).status_code == 200
    assert service.catalog.labels.find(kb_id, "open").num_documents == 2


def test_labels_of_another_base_are_not_found(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    other = client.post("/kb", json={"name": "others"}).json()["id"]
    label = client.post(f"/kb/{other}/labels", json={"name": "open"}).json()["id"]
    assert client.patch(f"/kb/{kb_id}/labels/{label}", json={"name": "x"}).status_code == 404
    assert client.delete(f"/kb/{kb_id}/labels/{label}").status_code == 404
    remove = {"documents": [documents["a.txt"]], "remove": [label]}
    assert put(client, kb_id, **remove).status_code == 404


def test_labels_come_back_with_an_archive(
    client: TestClient, kb_id: str, documents: dict[str, str], tmp_path: Path
) -> None:
    client.post(f"/kb/{kb_id}/labels", json={"name": "open", "colour": "teal", "description": "d"})
    put(client, kb_id, documents=[documents["a.txt"]], add=["open"])
    archive = client.post(f"/kb/{kb_id}/export", json={}).content
    copy = client.post("/kb/import", params={"name": "copy"}, content=archive).json()["id"]
    assert listed(client, copy) == {"open": ("teal", 1)}
    assert marks(client, copy)["a.txt"] == ["open"]
    client.delete(f"/kb/{kb_id}/labels/open")
    assert listed(client, copy) == {"open": ("teal", 1)}


def test_tags_that_are_refused_change_no_label(
    client: TestClient, service: ApiService, kb_id: str, documents: dict[str, str]
) -> None:
    put(client, kb_id, documents=[documents["a.txt"]], add=["open"])
    path = f"/kb/{kb_id}/documents/{documents['a.txt']}"
    refused = client.patch(path, json={"labels": ["new"], "tags": [" "]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_tags")
    assert listed(client, kb_id) == {"open": ("grey", 1)}
    client.post(f"/kb/{kb_id}/labels", json={"name": "new"})
    before = service.jobs.events_since(kb_id, 0).version
    both = client.patch(path, json={"labels": ["new"], "tags": ["x"]}).json()
    assert ([mark["name"] for mark in both["labels"]], both["tags"]) == (["new"], ["x"])
    assert service.jobs.events_since(kb_id, 0).version == before + 1


def test_more_labels_than_a_base_has_are_refused_before_any_is_made(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    path, files = f"/kb/{kb_id}/documents", [("files", ("new.txt", b"new"))]
    for names, code in (
        ([f"l{number}" for number in range(201)], "invalid_label"),
        (["fine", "x" * 51], "invalid_label"),
    ):
        refused = client.post(path, files=files, data={"labels": json.dumps(names)}).json()
        assert refused["error"]["code"] == code
    client.post(f"/kb/{kb_id}/labels", json={"name": "one"})
    body = {"documents": [documents["a.txt"]], "add": [f"l{number}" for number in range(200)]}
    assert put(client, kb_id, **body).json()["error"]["code"] == "too_many_labels"
    assert list(listed(client, kb_id)) == ["one"]
    many = json.dumps(["one", " ONE", "two", "Two"] * 300)
    sent = client.post(path, files=files, data={"labels": many}).json()["items"][0]
    assert [mark["name"] for mark in sent["document"]["labels"]] == ["one", "two"]


def test_labels_are_read_once_however_many_are_named(
    client: TestClient, service: ApiService, kb_id: str, documents: dict[str, str]
) -> None:
    names = [f"l{number}" for number in range(20)]
    put(client, kb_id, documents=[documents["a.txt"]], add=names)
    statements: list[str] = []
    engine = service.database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    numbers = []
    for some in (names[:1], names):
        statements.clear()
        assert put(client, kb_id, documents=[documents["b.txt"]], add=some).status_code == 200
        numbers.append(len(statements))
        assert not [one for one in statements if "num_documents" in one and "labels" in one]
    assert numbers[0] == numbers[1]
