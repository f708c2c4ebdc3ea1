"""Many documents tagged or deleted in one call: all of them, each once, and nobody else's."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from kb_service.services.uploads import MAX_TAGS

FILES = ("a.txt", "b.txt", "c.txt")


@pytest.fixture
def documents(client: TestClient, kb_id: str) -> dict[str, str]:
    """The ids of three documents by name; the first carries two tags."""
    sent = {}
    for name in FILES:
        tags = json.dumps(["old", "north"] if name == "a.txt" else [])
        files = [("files", (name, name.encode()))]
        answer = client.post(f"/kb/{kb_id}/documents", files=files, data={"tags": tags})
        sent[name] = answer.json()["items"][0]["document"]["id"]
    return sent


def put(client: TestClient, kb_id: str, **body: object) -> Any:  # noqa: ANN401  a response
    return client.post(f"/kb/{kb_id}/documents/tags", json=body)


def delete(client: TestClient, kb_id: str, ids: list[str]) -> Any:  # noqa: ANN401  a response
    return client.post(f"/kb/{kb_id}/documents/delete", json={"documents": ids})


def tags(client: TestClient, kb_id: str) -> dict[str, list[str]]:
    items = client.get(f"/kb/{kb_id}/documents").json()["items"]
    return {item["name"]: item["tags"] for item in items}


def test_many_are_tagged_in_one_step_or_none_is(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    a, b, _ = ids = list(documents.values())
    assert put(client, kb_id, documents=[a, b, a], add=["new", "old"], remove=["north"]).json() == {
        "num_documents": 2
    }
    after = {"a.txt": ["new", "old"], "b.txt": ["new", "old"], "c.txt": []}
    assert tags(client, kb_id) == after
    failed = put(client, kb_id, documents=[*ids, "doc_gone"], add=["late"], remove=["new"])
    assert (failed.status_code, failed.json()["error"]["code"]) == (404, "document_not_found")
    assert tags(client, kb_id) == after


def test_none_is_tagged_where_one_would_have_too_many(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    many = [f"tag {number}" for number in range(MAX_TAGS)]
    ids = [documents["c.txt"], documents["a.txt"]]
    failed = put(client, kb_id, documents=ids, add=many)
    assert (failed.status_code, failed.json()["error"]["code"]) == (422, "invalid_tags")
    assert f"{MAX_TAGS + 2} tags; at most {MAX_TAGS}" in failed.json()["error"]["message"]
    assert tags(client, kb_id) == {"a.txt": ["north", "old"], "b.txt": [], "c.txt": []}
    assert put(client, kb_id, documents=ids, add=many, remove=["old", "north"]).status_code == 200


def test_many_are_deleted_and_those_that_are_gone_are_no_error(
    client: TestClient, kb_id: str, documents: dict[str, str]
) -> None:
    other = client.post("/kb", json={"name": "others"}).json()["id"]
    files = [("files", ("d.txt", b"d"))]
    theirs = client.post(f"/kb/{other}/documents", files=files).json()["items"][0]["document"]["id"]
    a, b, c = documents.values()
    assert delete(client, kb_id, [a, "doc_gone", theirs, b, a]).json() == {"num_documents": 2}
    assert list(tags(client, kb_id)) == ["c.txt"]
    assert list(tags(client, other)) == ["d.txt"]
    assert delete(client, kb_id, [a, b]).json() == {"num_documents": 0}
    found = [client.get(f"/kb/{kb_id}/deletions/{key}") for key in (a, b, c, theirs)]
    assert [answer.status_code for answer in found] == [200, 200, 404, 404]
    assert delete(client, kb_id, [c] * 1001).status_code == 422
    assert delete(client, kb_id, []).status_code == 422
    assert delete(client, "kb_gone", [c]).status_code == 404


def test_more_than_one_step_deletes_all(client: TestClient, kb_id: str) -> None:
    files = [("files", (f"{number}.txt", str(number).encode())) for number in range(120)]
    items = client.post(f"/kb/{kb_id}/documents", files=files).json()["items"]
    ids = [item["document"]["id"] for item in items]
    assert delete(client, kb_id, ids[:110]).json() == {"num_documents": 110}
    assert client.get(f"/kb/{kb_id}").json()["num_documents"] == 10
