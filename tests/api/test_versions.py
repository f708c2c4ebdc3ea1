"""One name, several contents over HTTP: what an upload answers, and versions looked at again."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService

Json = dict[str, Any]
PATH = "/kb/reports/documents"


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def send(client: TestClient, on_conflict: str | None, *contents: str, name: str = "a.txt") -> Json:
    files = [("files", (name, content.encode())) for content in contents]
    data = {"on_conflict": on_conflict} if on_conflict else {}
    return dict(client.post(PATH, files=files, data=data).json())


def outcomes(answer: Json) -> list[tuple[str, str | None]]:
    return [
        (item["outcome"], item["document"] and item["document"]["name"]) for item in answer["items"]
    ]


def stored(client: TestClient) -> set[str]:
    """Return the hash of everything that can still be downloaded."""
    kept = set()
    for document in client.get(PATH).json()["items"]:
        for version in document["versions"]:
            query = {"revision": version["sha256"]}
            content = client.get(f"{PATH}/{document['id']}/content", params=query).content
            assert hashlib.sha256(content).hexdigest() == version["sha256"]
            kept.add(version["sha256"])
    return kept


@pytest.mark.parametrize(
    ("on_conflict", "other"),
    [
        (None, ("revised", "a.txt")),
        ("revise", ("revised", "a.txt")),
        ("keep", ("kept_both", "a (2).txt")),
        ("reject", ("rejected", None)),
    ],
)
def test_other_content_of_a_known_name_becomes_what_the_sender_says(
    client: TestClient, kb_id: str, on_conflict: str | None, other: tuple[str, str | None]
) -> None:
    assert outcomes(send(client, on_conflict, "one")) == [("created", "a.txt")]
    assert outcomes(send(client, on_conflict, "one")) == [("unchanged", "a.txt")]
    assert outcomes(send(client, on_conflict, "two")) == [other]
    assert stored(client) == {sha256("one")} | ({sha256("two")} if other[1] else set())


@pytest.mark.parametrize("on_conflict", [None, "keep", "reject"])
def test_a_name_twice_in_one_request_loses_nothing_silently(
    client: TestClient, kb_id: str, on_conflict: str | None
) -> None:
    answer = send(client, on_conflict, "one", "two", "one")
    kept = stored(client)
    for item, content in zip(answer["items"], ("one", "two", "one"), strict=True):
        assert (item["outcome"] == "rejected") == (sha256(content) not in kept)
    assert (len(kept) == 2) == (on_conflict != "reject")


@pytest.mark.parametrize("on_conflict", ["revise", "keep", "reject"])
def test_a_name_in_parallel_requests_loses_nothing_silently(
    client: TestClient, kb_id: str, on_conflict: str
) -> None:
    contents = [str(number) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda content: send(client, on_conflict, content), contents))
    outcome = {sha256(c): a["items"][0]["outcome"] for c, a in zip(contents, answers, strict=True)}
    taken = {content for content, what in outcome.items() if what != "rejected"}
    assert stored(client) == taken
    assert len(taken) == (1 if on_conflict == "reject" else 6)
    others = {"revise": "revised", "keep": "kept_both", "reject": "rejected"}[on_conflict]
    assert sorted(outcome.values()) == sorted(["created"] + [others] * 5)


def test_a_rejected_name_names_the_document_that_has_it(client: TestClient, kb_id: str) -> None:
    first = send(client, None, "one")["items"][0]["document"]
    answer = send(client, "reject", "two")
    assert answer["error"]["code"] == "all_files_rejected"
    assert answer["items"][0]["error"]["code"] == "name_taken"
    details = {"name": "a.txt", "document_id": first["id"]}
    assert answer["items"][0]["error"]["details"] == details


def test_after_content_that_cannot_be_read_both_contents_stay(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    job = send(client, None, "poison")["items"][0]["job"]
    client.post(f"/jobs/{job['id']}/cancel")
    assert outcomes(send(client, "keep", "two")) == [("kept_both", "a (2).txt")]
    assert outcomes(send(client, None, "three")) == [("revised", "a.txt")]
    assert stored(client) == {sha256(content) for content in ("poison", "two", "three")}


@pytest.mark.parametrize("value", ["", "Revise", "both", "revise "])
def test_an_unknown_word_for_a_conflict_takes_nothing_in(
    client: TestClient, kb_id: str, value: str
) -> None:
    files = [("files", ("a.txt", b"one"))]
    error = client.post(PATH, files=files, data={"on_conflict": value}).json()["error"]
    assert error["code"] == "invalid_on_conflict"
    assert error["details"]["accepted"] == ["revise", "keep", "reject"]
    twice = client.post(PATH, files=files, data={"on_conflict": ["keep", "keep"]})
    assert (twice.status_code, twice.json()["error"]["code"]) == (422, "invalid_on_conflict")
    assert client.get(PATH).json()["items"] == []


def two_versions(client: TestClient, service: ApiService) -> str:
    """Return the path of a document with an earlier version, an unread one and a current one."""
    document = send(client, None, "one")["items"][0]["document"]
    service.ingest(("The pump failed.", "It was old."))
    send(client, None, "unread", "two")
    service.ingest(("The valve failed.", "It was old."))
    return f"{PATH}/{document['id']}"


def test_versions_are_listed_opened_and_compared(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = two_versions(client, service)
    versions = client.get(path).json()["versions"]
    assert [(v["number"], v["sha256"], v["state"]) for v in versions] == [
        (3, sha256("two"), "searchable"),
        (2, sha256("unread"), "unread"),
        (1, sha256("one"), "kept"),
    ]
    assert versions[0].keys() == {"number", "sha256", "size_bytes", "state", "created_at"}
    opened = client.get(f"{path}/text", params={"revision": sha256("one")}).json()
    assert opened["text"] == "The pump failed.\nIt was old.\n"
    told = client.get(f"{path}/changes", params={"since": sha256("one")}).json()
    assert told == {
        "document_id": path.rpartition("/")[2],
        "since": sha256("one"),
        "revision": sha256("two"),
        "changes": [
            {
                "old": {"start": 0, "end": 16, "text": "The pump failed."},
                "new": {"start": 0, "end": 17, "text": "The valve failed."},
            }
        ],
    }
    unread = client.get(f"{path}/changes", params={"since": sha256("unread")})
    assert (unread.status_code, unread.json()["error"]["code"]) == (404, "revision_not_found")


def test_an_earlier_or_an_unread_version_is_restored(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = two_versions(client, service)
    for number, content in ((4, "one"), (5, "unread")):
        answer = client.post(f"{path}/restore", json={"revision": sha256(content)})
        assert (answer.status_code, answer.json()["outcome"]) == (202, "revised")
        service.ingest((f"words of {content}",))
        shown = client.get(path).json()
        assert shown["revision"]["sha256"] == sha256(content)
        newest = shown["versions"][0]
        assert (newest["number"], newest["state"]) == (number, "searchable")
        text = client.get(f"{path}/text").json()["text"]
        assert text == f"words of {content}\n"
    missing = client.post(f"{path}/restore", json={"revision": "0" * 64})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "revision_not_found")
