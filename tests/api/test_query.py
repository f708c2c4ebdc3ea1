"""Typed queries over HTTP: the table, what stands behind it, and why a query is refused."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService

Json = dict[str, Any]
FIRE = [
    "Report N-1",
    "On 3 May 2024 at 14:20 a fire broke out at Mill Lane 7.",
    "Three people were hurt.",
]
LATER = ["Report N-2", "On 9 June 2024 a fire broke out at Oak Road 2.", "Nobody was hurt."]


@pytest.fixture
def sent(client: TestClient, service: ApiService, kb_id: str) -> TestClient:
    for name, sentences in (("a.txt", FIRE), ("b.txt", LATER)):
        files = [("files", (name, "\n".join(sentences).encode()))]
        client.post("/kb/reports/documents", files=files)
        service.ingest(sentences)
    return client


def query(client: TestClient, **asked: object) -> Json:
    return dict(client.post("/kb/reports/query", json=asked).json())


def test_a_count_is_answered_with_its_table_and_the_words_behind_it(sent: TestClient) -> None:
    told = query(sent, op="count", filters={"kind": ["火灾"], "time_to": "2024-05-31"})
    assert told["answer"].startswith("\u2264") or "1 incident" in told["answer"]
    assert told["counted"]["matched"] == 1 and told["counted"]["of"] == 2
    (row,) = told["table"]["rows"]
    assert row["cells"][0]["value"] == "a.txt"
    numbers = {number for cell in row["cells"] for number in cell["citations"]}
    assert numbers == {citation["number"] for citation in told["citations"]}
    for citation in told["citations"]:
        document = citation["document_id"]
        text = sent.get(f"/kb/reports/documents/{document}/text").json()["text"]
        source = citation["source"]
        assert text[source["start"] : source["end"]] == citation["cited_text"]
        assert source["pages"]
    assert told["query"]["filters"] == {"kind": ["fire"], "time_to": "2024-06-01T00:00:00"}


def test_numbers_are_added_and_filtered(sent: TestClient) -> None:
    total = query(sent, op="sum", field="injured", language="zh")
    assert "受伤人数合计 3人" in total["answer"]
    some = query(sent, op="list", filters={"fields": {"injured": {"min": 1}}})
    assert some["counted"]["matched"] == 1
    by_month = query(sent, op="trend", by="month")
    assert by_month["chart"] == {"kind": "line", "x": ["2024-05", "2024-06"], "y": [1.0, 1.0]}


def test_a_search_finds_only_where_a_record_states_what_is_asked(sent: TestClient) -> None:
    body = {"query": "fire", "filters": {"place": ["Mill Lane"]}}
    assert sent.post("/kb/reports/search", json=body).status_code == 200


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"op": "guess"}, "'guess'; count, list"),
        ({"op": "sum"}, "field is missing"),
        ({"op": "trend", "by": "place"}, "'place'; trend accepts day"),
        ({"op": "count", "language": "xx"}, "'xx'; "),
        ({"op": "compare", "groups": [{}]}, "1 filters; compare accepts 2"),
        ({"op": "count", "limit": 0}, "limit"),
        ({"op": "count", "sql": "select"}, "sql"),
        (
            {"op": "count", "filters": {"fields": {"injured": {}}}},
            "min, max, any_of or none_of",
        ),
    ],
)
def test_a_query_that_cannot_be_is_refused_with_what_is_accepted(
    sent: TestClient, asked: Json, told: str
) -> None:
    answer = sent.post("/kb/reports/query", json=asked)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert told in error["message"] or told in str(error["details"])


def test_a_query_and_an_answer_come_as_a_file_to_hand_over(
    sent: TestClient, service: ApiService
) -> None:
    asked = {"op": "count", "filters": {"kind": ["fire"]}}
    got = sent.post("/kb/reports/query/report", json=asked)
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]
    assert "Mill Lane 7" in got.text
    assert service.services.reports.check(got.text).holds
    assert sent.get("/answers/ans_none/report").json()["error"]["code"] == "answer_not_found"
