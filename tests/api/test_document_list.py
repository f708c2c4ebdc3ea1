"""What the list of documents adds for a watcher: finding by part of a name, the newest job."""

import io

import pytest
from starlette.testclient import TestClient

from kb_service.services.documents import DocumentService
from kb_service.storage.revisions.publishing import RevisionPublisher
from tests.api.service import ApiService
from tests.storage.world import PROFILE, parsed_of, vectors_of

NAMES = ("Alpha 50%.txt", "beta.txt", "报告.txt")


@pytest.fixture
def listed(client: TestClient, kb_id: str) -> str:
    """The path of a list with three documents."""
    path = f"/kb/{kb_id}/documents"
    for name in NAMES:
        assert client.post(path, files=[("files", (name, b"some text"))]).status_code == 202
    return path


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("ALPHA", ["Alpha 50%.txt"]),
        ("%", ["Alpha 50%.txt"]),
        ("报", ["报告.txt"]),
        (".txt", [*NAMES]),
        ("_", []),
    ],
)
def test_documents_are_found_by_a_part_of_their_name_in_any_case(
    client: TestClient, listed: str, part: str, found: list[str]
) -> None:
    items = client.get(listed, params={"name_contains": part}).json()["items"]
    assert [item["name"] for item in items] == found


def test_a_document_carries_its_newest_job(client: TestClient, listed: str) -> None:
    files = [("files", ("beta.txt", b"other text"))]
    job = client.post(listed, files=files).json()["items"][0]["job"]
    items = {item["name"]: item for item in client.get(listed).json()["items"]}
    assert items["beta.txt"]["job"]["id"] == job["id"]
    assert client.get(f"{listed}/{items['beta.txt']['id']}").json()["job"]["id"] == job["id"]


def test_totals_count_the_whole_list_whatever_a_part_shows(client: TestClient, listed: str) -> None:
    first = client.get(listed, params={"limit": 1}).json()
    waiting = {"pending": 3, "processing": 0, "ready": 0, "partial": 0, "failed": 0}
    assert first["totals"] == waiting
    following = {"limit": 1, "cursor": first["next_cursor"]}
    assert client.get(listed, params=following).json()["totals"] is None
    found = client.get(listed, params={"name_contains": "beta"}).json()["totals"]
    assert found == waiting | {"pending": 1}


def test_a_document_tells_whether_its_vectors_are_made(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = f"/kb/{kb_id}/documents"
    sent = client.post(path, files=[("files", ("a.txt", b"text"))]).json()["items"][0]["document"]
    document = f"{path}/{sent['id']}"
    assert client.get(document).json()["vectors"] is None
    parsed, drafts = parsed_of(["first", "second"])
    claim = service.jobs.claim("worker-1")
    assert claim is not None
    RevisionPublisher(service.database, service.blobs).publish(claim, parsed, drafts)
    vectors = vectors_of(drafts)
    service.embeddings.add(PROFILE, dict([vectors.popitem()]))
    assert client.get(path).json()["items"][0]["vectors"] == "pending"
    service.embeddings.add(PROFILE, vectors)
    assert client.get(path).json()["items"][0]["vectors"] == "ready"
    assert client.get(document).json()["vectors"] == "ready"


def test_where_no_vectors_are_made_none_are_awaited(service: ApiService, kb_id: str) -> None:
    accepted = service.uploads.accept(kb_id, "a.txt", io.BytesIO(b"text"))
    service.ingest(["first"])
    documents = DocumentService(service.catalog, service.jobs, makes_vectors=False)
    assert accepted.document is not None
    assert documents.show(kb_id, accepted.document.id).vectors is None
