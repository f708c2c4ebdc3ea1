"""The same bytes under one name over HTTP, in every way that they can come: one version, read."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from kb_service.domain.errors import DocumentError
from tests.api.service import ApiService
from tests.api.test_versions import PATH, outcomes, send, stored

WAYS = ["revise", "keep", "reject"]


def documents(client: TestClient) -> dict[str, tuple[str, int]]:
    """Return the status of each document by its name, and how many versions it has."""
    listed = client.get(PATH).json()["items"]
    return {item["name"]: (item["status"], len(item["versions"])) for item in listed}


def fail(service: ApiService) -> None:
    claim = service.jobs.claim("worker-1")
    assert claim is not None
    error = DocumentError(f"{claim.document_name} is cut off", code="corrupt_document")
    service.jobs.fail(claim, error, retry=False)


@pytest.mark.parametrize("on_conflict", WAYS)
def test_the_same_bytes_in_one_request_are_one_document(
    client: TestClient, service: ApiService, kb_id: str, on_conflict: str
) -> None:
    answer = send(client, on_conflict, "one", "one", "one")
    assert [what for what, _ in outcomes(answer)] == ["created", "unchanged", "unchanged"]
    assert len({item["job"]["id"] for item in answer["items"]}) == 1
    service.ingest(("one",))
    assert service.jobs.claim("worker-1") is None
    assert documents(client) == {"a.txt": ("ready", 1)}


@pytest.mark.parametrize("on_conflict", WAYS)
def test_the_same_bytes_in_parallel_requests_are_one_document(
    client: TestClient, service: ApiService, kb_id: str, on_conflict: str
) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(client, on_conflict, "one"), range(6)))
    found = sorted(outcomes(answer)[0][0] for answer in answers)
    assert found == ["created"] + ["unchanged"] * 5
    service.ingest(("one",))
    assert service.jobs.claim("worker-1") is None
    assert documents(client) == {"a.txt": ("ready", 1)}


@pytest.mark.parametrize("on_conflict", WAYS)
def test_the_same_bytes_after_a_failure_are_read_again(
    client: TestClient, service: ApiService, kb_id: str, on_conflict: str
) -> None:
    send(client, None, "one")
    fail(service)
    assert documents(client) == {"a.txt": ("failed", 1)}
    answer = send(client, on_conflict, "one")
    assert (outcomes(answer), answer["items"][0]["job"]["status"]) == (
        [("revised", "a.txt")],
        "queued",
    )
    service.ingest(("one",))
    assert documents(client) == {"a.txt": ("ready", 1)}


def test_what_was_good_stays_where_newer_content_fails_and_comes_again(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    send(client, None, "one")
    service.ingest(("one",))
    send(client, None, "broken")
    fail(service)
    assert documents(client) == {"a.txt": ("ready", 2)}
    assert outcomes(send(client, None, "broken")) == [("revised", "a.txt")]
    fail(service)
    # Back to what is found all the while: nothing has to be read.
    answer = send(client, None, "one")
    assert (outcomes(answer), answer["items"][0]["job"]) == ([("unchanged", "a.txt")], None)
    assert documents(client) == {"a.txt": ("ready", 3)}
    assert stored(client) == {hashlib.sha256(it.encode()).hexdigest() for it in ("one", "broken")}


@pytest.mark.parametrize("on_conflict", WAYS)
def test_other_bytes_after_a_failure_become_what_the_sender_says(
    client: TestClient, service: ApiService, kb_id: str, on_conflict: str
) -> None:
    send(client, None, "broken")
    fail(service)
    other = {"revise": ("revised", "a.txt"), "keep": ("kept_both", "a (2).txt")}
    assert outcomes(send(client, on_conflict, "two")) == [
        other.get(on_conflict, ("rejected", None))
    ]
    kept = ("broken", "two") if on_conflict in other else ("broken",)
    assert stored(client) == {hashlib.sha256(content.encode()).hexdigest() for content in kept}
