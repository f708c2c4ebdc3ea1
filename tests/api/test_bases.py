"""Knowledge bases over HTTP, named by id or by exact name."""

from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService

FIELDS = {
    "masking",
    "id", "name", "description", "num_documents", "num_chunks", "change", "created_at",
    "updated_at",
}  # fmt: skip


def test_a_base_is_created_shown_renamed_and_deleted(client: TestClient) -> None:
    created = client.post("/kb", json={"name": "停机", "description": "reports"})
    assert created.status_code == 201
    base = created.json()
    assert set(base) == FIELDS
    assert base["num_documents"] == base["num_chunks"] == 0
    assert client.get(f"/kb/{base['id']}").json() == client.get("/kb/停机").json() == base
    changed = client.patch("/kb/停机", json={"name": "outages"}).json()
    assert (changed["id"], changed["name"], changed["description"]) == (
        base["id"],
        "outages",
        "reports",
    )
    assert client.delete("/kb/outages").status_code == 204
    assert client.get(f"/kb/{base['id']}").status_code == 404


def test_times_are_iso_8601_utc_with_z(client: TestClient, kb_id: str) -> None:
    text = client.get(f"/kb/{kb_id}").json()["created_at"]
    assert text.endswith("Z")
    assert datetime.fromisoformat(text).utcoffset() == timedelta(0)


def test_a_taken_name_is_a_conflict(client: TestClient, kb_id: str) -> None:
    again = client.post("/kb", json={"name": "reports"})
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "kb_name_taken"
    client.post("/kb", json={"name": "other"})
    assert client.patch("/kb/other", json={"name": "reports"}).status_code == 409


def test_a_base_named_like_an_id_does_not_hide_the_base_with_that_id(
    client: TestClient, kb_id: str
) -> None:
    impostor = client.post("/kb", json={"name": kb_id}).json()
    assert client.get(f"/kb/{kb_id}").json()["name"] == "reports"
    assert client.get(f"/kb/{impostor['id']}").json()["name"] == kb_id


@pytest.mark.parametrize(
    "name",
    ["2024/Q1 reports", "a%2Fb", "100%", "<script>", 'he said "hi"', "报告？#1", "..", "a;b=c"],
)
def test_any_name_can_be_addressed(client: TestClient, name: str) -> None:
    from urllib.parse import quote

    base = client.post("/kb", json={"name": name}).json()
    path = quote(name, safe="").replace(".", "%2E")
    assert client.get(f"/kb/{path}").json() == base
    listed = client.get(f"/kb/{path}/documents").json()
    assert (listed["items"], listed["next_cursor"]) == ([], None)


def test_a_list_is_read_part_by_part(client: TestClient) -> None:
    names = [f"base {number}" for number in range(5)]
    for name in names:
        client.post("/kb", json={"name": name})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        part = client.get("/kb", params=query).json()
        assert len(part["items"]) <= 2
        seen += [base["name"] for base in part["items"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break
    assert seen == names


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "clear\x1b[2J"])
def test_a_name_out_of_range_is_refused(client: TestClient, name: str) -> None:
    refused = client.post("/kb", json={"name": name})
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "invalid_kb_name"


def test_deleting_a_base_drops_its_indexes(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    client.delete("/kb/reports")
    assert service.retriever.dropped == [kb_id]


def test_search_passes_query_and_filters_on(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    body = {
        "query": "泵",
        "top_k": 3,
        "filters": {"tags": ["a"], "date_from": "2024-05-01", "date_to": "2024-05-02T08:00+08:00"},
    }
    answered = client.post("/kb/reports/search", json=body)
    assert answered.json() == {"items": [], "timings": {"total_s": 0.0}, "rerank": None}
    query = service.retriever.queries[0]
    assert (query.kb_id, query.question.text, query.top_k) == (kb_id, "泵", 3)
    assert query.filters.tags == ("a",)
    assert str(query.filters.date_from) == "2024-05-01 00:00:00+00:00"
    assert str(query.filters.date_to) == "2024-05-02 00:00:00+00:00"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2024-05-01", "2024-05-01", "2024-05-01 23:59:59.999999+00:00"),
        ("2024-05-01T10:00", "20240501", "2024-05-01 23:59:59.999999+00:00"),
        ("2024-05-01", "2024-W18-3", "2024-05-01 23:59:59.999999+00:00"),
        ("0001-01-01", "9999-12-31", "9999-12-31 23:59:59.999999+00:00"),
        ("2024-05-01", "2024-05-01T12:30", "2024-05-01 12:30:00+00:00"),
        ("2024-05-01T12:30Z", "2024-05-01T12:30Z", "2024-05-01 12:30:00+00:00"),
        ("2024-05-01", "2024-05-02T00:00+14:00", "2024-05-01 10:00:00+00:00"),
    ],
)
def test_the_last_date_includes_its_whole_day_and_a_time_is_its_moment(
    client: TestClient, service: ApiService, kb_id: str, first: str, last: str, expected: str
) -> None:
    filters = {"date_from": first, "date_to": last}
    assert client.post("/kb/reports/search", json={"query": "x", "filters": filters}).is_success
    assert client.post("/kb/reports/ask", json={"question": "x", "filters": filters}).is_success
    (query,), (request,) = service.retriever.queries, service.answering.requests
    assert str(query.filters.date_to) == expected
    assert request.filters == query.filters


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "x", "filters": {"date_to": "2024-02-30"}}, "invalid_request"),
        (
            {"query": "x", "filters": {"date_from": "2024-05-01T10:00", "date_to": "2024-04-30"}},
            "invalid_request",
        ),
        ({"query": ""}, "query_empty"),
        ({"query": "x" * 50_000}, "query_too_long"),
        ({"query": "x", "top_k": 0}, "top_k_out_of_range"),
        ({"query": "x", "top_k": 10**12}, "top_k_out_of_range"),
        ({"query": "x", "top_k": 10**30}, "top_k_out_of_range"),
        ({"query": "x", "top_k": 2.5}, "invalid_request"),
        ({"query": "x", "filters": {"date_from": 7}}, "invalid_request"),
        (
            {"query": "x", "filters": {"date_from": "2025-01-02", "date_to": "2025-01-01"}},
            "invalid_request",
        ),
        ({"query": "x", "filters": {"date_from": "yesterday"}}, "invalid_request"),
        ({"query": "x", "filters": {"date_from": "0001-01-01T00:00+14:00"}}, "invalid_request"),
        ({"query": "x", "filters": {"colour": []}}, "invalid_request"),
        ({"query": "x", "filters": {"tags": ["a"] * 1001}}, "invalid_request"),
    ],
)
def test_a_search_out_of_range_is_refused(
    client: TestClient, kb_id: str, body: dict[str, object], code: str
) -> None:
    refused = client.post("/kb/reports/search", json=body)
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == code
