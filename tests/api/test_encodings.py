"""The encoding of texts over HTTP: named with an upload, chosen later, offered to choose from."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.encodings import encoding_named
from kb_service.storage.jobs.queue import Claim
from tests.api.service import ApiService

Json = dict[str, Any]
PATH = "/kb/reports/documents"
WORDS = "機房冷卻水洩漏".encode("big5")


def send(
    client: TestClient, encoding: str | None, name: str = "a.txt", data: bytes = WORDS
) -> Json:
    fields = {} if encoding is None else {"encoding": encoding}
    answer = client.post(PATH, files=[("files", (name, data))], data=fields)
    assert answer.status_code == 202
    return dict(answer.json()["items"][0])


def claimed(service: ApiService) -> Claim:
    claim = service.jobs.claim("worker-1")
    assert claim is not None
    return claim


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.json", "a.html"])
def test_a_text_is_read_in_the_encoding_that_its_upload_names(
    client: TestClient, service: ApiService, kb_id: str, name: str
) -> None:
    assert send(client, "Big5", name)["document"]["encoding"] == "big5hkscs"
    assert claimed(service).encoding == "big5hkscs"


def test_a_file_that_says_its_encoding_itself_keeps_it(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    done = send(client, "big5", "a.xml", b"<?xml version='1.0'?><a>pump</a>")
    assert (done["outcome"], done["document"]["encoding"]) == ("created", "")
    assert claimed(service).encoding == ""


def test_the_same_bytes_in_another_encoding_are_read_again_and_no_new_version(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    send(client, None)
    service.ingest(("first",))
    done = send(client, "big5")
    assert (done["outcome"], done["job"]["status"]) == ("revised", "queued")
    assert len(done["document"]["versions"]) == 1
    service.ingest(("second",))
    for encoding in ("big5", None, ""):
        done = send(client, encoding)
        assert (done["outcome"], done["job"]) == ("unchanged", None)
        assert done["document"]["encoding"] == "big5hkscs"
    assert send(client, None, data=WORDS + b"!")["document"]["encoding"] == "big5hkscs"


def test_what_waits_to_be_read_is_read_in_the_encoding_named_last(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    send(client, "gb18030")
    assert send(client, "big5")["outcome"] == "revised"
    assert claimed(service).encoding == "big5hkscs"
    assert service.jobs.claim("worker-1") is None


@pytest.mark.parametrize("encoding", ["klingon", "hex", "idna", "ｂｉｇ５", "x" * 5000])
def test_what_is_no_encoding_takes_nothing_in(
    client: TestClient, kb_id: str, encoding: str
) -> None:
    files = [("files", ("a.txt", b"one"))]
    refused = client.post(PATH, files=files, data={"encoding": encoding})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unknown_encoding")
    assert len(refused.text) < 1000
    twice = client.post(PATH, files=files, data={"encoding": ["big5", "big5"]})
    assert (twice.status_code, twice.json()["error"]["code"]) == (422, "unknown_encoding")
    assert client.get(PATH).json()["items"] == []


def test_a_text_is_read_again_as_chosen(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = f"{PATH}/{send(client, None)['document']['id']}/read"
    service.ingest(("first",))
    done = client.post(path, json={"encoding": "big5"})
    assert (done.status_code, done.json()["job"]["status"]) == (202, "queued")
    assert claimed(service).encoding == "big5hkscs"
    assert client.post(path, json={"encoding": ""}).json()["document"]["encoding"] == ""
    refused = client.post(path, json={"encoding": "klingon"}).json()["error"]
    assert refused["code"] == "unknown_encoding"


def test_every_encoding_that_is_offered_is_one(client: TestClient) -> None:
    offered = client.get("/limits").json()["encodings"]
    assert {"utf-8", "gb18030", "big5", "shift_jis"} <= set(offered)
    assert all(map(encoding_named, offered))
    assert len({encoding_named(name) for name in offered}) == len(offered)
