"""`as_of` over HTTP: what is accepted, what is refused with its range, who is asked."""

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService


def ingest(client: TestClient, service: ApiService, kb_id: str, text: str) -> None:
    client.post(f"/kb/{kb_id}/documents", files=[("files", ("a.txt", text.encode()))])
    service.ingest([text])


def test_a_search_as_of_a_change_asks_that_state(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    ingest(client, service, kb_id, "one")
    first = client.get(f"/kb/{kb_id}").json()["change"]
    ingest(client, service, kb_id, "two")
    for moment in (first, float(first), str(first)):
        sent = {"query": "one", "as_of": moment}
        assert client.post(f"/kb/{kb_id}/search", json=sent).status_code == 200
    assert [state[0] for state in service.retriever.states] == [kb_id] * 3
    service.retriever.states.clear()
    head = client.get(f"/kb/{kb_id}").json()["change"]
    assert client.post(f"/kb/{kb_id}/search", json={"query": "one"}).status_code == 200
    assert client.post(f"/kb/{kb_id}/search", json={"query": "a", "as_of": head}).is_success
    assert service.retriever.states == []


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (10**30, "as_of_in_future"),
        ("2999-01-01", "as_of_in_future"),
        ("1999-01-01T00:00Z", "as_of_before_base"),
        (-1, "as_of_before_base"),
        ("9999-12-31T23:59:59-23:59", "invalid_as_of"),
        ("Tuesday", "invalid_as_of"),
        (True, "invalid_request"),
        ({}, "invalid_request"),
        (1.5, "invalid_request"),
    ],
)
def test_other_moments_are_refused(
    client: TestClient, kb_id: str, moment: object, code: str
) -> None:
    answer = client.post(f"/kb/{kb_id}/search", json={"query": "one", "as_of": moment})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    if code.startswith("as_of"):
        assert answer.json()["error"]["details"].keys() == {"as_of", "first", "last"}
