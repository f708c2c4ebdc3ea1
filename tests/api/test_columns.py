"""Columns of ledgers over HTTP: what they stand for, and what a person says instead."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kb_service.domain.facts import COLUMN_FIELDS
from tests.api.service import ApiService

Json = dict[str, Any]
ROWS = [
    f"Ref: C-{n}; Date: 2024-06-0{n} 10:00; Type: theft; Spot: by press {n}; Hurt people: {n}"
    for n in (1, 2, 3)
]


@pytest.fixture
def ledger(client: TestClient, service: ApiService, kb_id: str) -> str:
    answer = client.post("/kb/reports/documents", files=[("files", ("a.csv", b"x"))]).json()
    service.ingest(["\n".join(ROWS)])
    return str(answer["items"][0]["document"]["id"])


def columns(client: TestClient, document: str) -> dict[str, tuple[str, str]]:
    (table,) = client.get(f"/kb/reports/documents/{document}/columns").json()["items"]
    assert table["num_rows"] == 3
    return {column["name"]: (column["field"], column["by"]) for column in table["columns"]}


def places(client: TestClient) -> list[str]:
    items = client.get("/kb/reports/facts", params={"field": "place"}).json()["items"]
    return [fact["value"] for fact in items]


def put(client: TestClient, name: str, field: str | None) -> Json:
    answer = client.put("/kb/reports/columns", json={"name": name, "field": field})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_column_stands_for_what_a_person_says_and_facts_follow(
    client: TestClient, service: ApiService, ledger: str
) -> None:
    assert columns(client, ledger)["Spot"] == ("column", "")
    assert columns(client, ledger)["Type"] == ("kind", "name")
    assert places(client) == []
    assert put(client, "Spot", "place") == {"num_documents": 1}
    while service.services.facts.step():
        pass
    assert places(client) == ["by press 1", "by press 2", "by press 3"]
    assert columns(client, ledger)["Spot"] == ("place", "person")
    (said,) = client.get("/kb/reports/columns").json()["items"]
    assert (said["name"], said["field"]) == ("Spot", "place") and said["at"]
    put(client, "Spot", None)
    while service.services.facts.step():
        pass
    assert places(client) == []
    assert client.get("/kb/reports/columns").json()["items"] == []


def test_a_column_that_its_values_tell_says_so(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    answer = client.post("/kb/reports/documents", files=[("files", ("a.csv", b"x"))]).json()
    service.ingest(["\n".join(ROWS).replace("by press", "Hall")])
    document = str(answer["items"][0]["document"]["id"])
    assert columns(client, document)["Spot"] == ("place", "values")
    assert places(client) == ["Hall 1", "Hall 2", "Hall 3"]


def test_an_example_ends_with_a_part_of_its_value_never_within_a_number(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    answer = client.post("/kb/reports/documents", files=[("files", ("a.csv", b"x"))]).json()
    notes = [f"{'said at the gate, ' * n}rang {'again ' * 12}13812345678" for n in (0, 1, 2)]
    service.ingest(["\n".join(f"Type: theft; Note: {note}" for note in notes)])
    document = str(answer["items"][0]["document"]["id"])
    (table,) = client.get(f"/kb/reports/documents/{document}/columns").json()["items"]
    (note,) = [column for column in table["columns"] if column["name"] == "Note"]
    assert note["examples"] == ["said at the gate,", "said at the gate, said at the gate,"]


def test_what_is_said_of_a_column_holds_for_ledgers_that_come_later(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    assert put(client, "Spot", "place") == {"num_documents": 0}
    client.post("/kb/reports/documents", files=[("files", ("a.csv", b"x"))])
    service.ingest(["\n".join(ROWS)])
    assert places(client) == ["by press 1", "by press 2", "by press 3"]
    assert service.services.facts.step() is False


def test_a_column_may_keep_its_own_name(
    client: TestClient, service: ApiService, ledger: str
) -> None:
    put(client, "Type", "column")
    while service.services.facts.step():
        pass
    assert columns(client, ledger)["Type"] == ("column", "person")
    kinds = client.get("/kb/reports/facts", params={"field": "kind"}).json()["items"]
    assert [fact for fact in kinds if fact["record"]] == []
    own = client.get("/kb/reports/facts", params={"field": "Type"}).json()["items"]
    assert len(own) == 3


FORM = "登记号：JB-2024-3\n发生时间：2024年5月3日\n事件类型：火灾\n楼层：3层\n天气：多云"


def test_a_label_of_a_form_is_shown_and_changed_as_a_column_is(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    answer = client.post("/kb/reports/documents", files=[("files", ("a.txt", b"x"))]).json()
    service.ingest([FORM])
    document = str(answer["items"][0]["document"]["id"])
    (form,) = client.get(f"/kb/reports/documents/{document}/columns").json()["items"]
    shown = {one["name"]: (one["field"], one["by"], one["examples"]) for one in form["columns"]}
    assert form["num_rows"] == 1
    assert shown["楼层"] == ("column", "", ["3层"])
    assert shown["事件类型"] == ("kind", "name", ["火灾"])
    (floor,) = client.get("/kb/reports/facts", params={"field": "楼层"}).json()["items"]
    assert (floor["value"], floor["number"], floor["method"]) == ("3层", 3, "form")
    assert FORM[floor["span"]["start"] : floor["span"]["end"]] == "3层"
    assert put(client, "楼层", "place") == {"num_documents": 1}
    while service.services.facts.step():
        pass
    assert places(client) == ["3层"]
    assert client.get("/kb/reports/facts", params={"field": "楼层"}).json()["items"] == []


def test_what_no_column_stands_for_is_refused_with_what_is_accepted(
    client: TestClient, kb_id: str
) -> None:
    answer = client.put("/kb/reports/columns", json={"name": "Spot", "field": "weather"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "invalid_column")
    assert error["details"]["accepted"] == list(COLUMN_FIELDS)
    empty = client.put("/kb/reports/columns", json={"name": " ", "field": "place"})
    assert empty.json()["error"]["code"] == "invalid_column"
    unknown = client.get("/kb/reports/documents/doc_x/columns").json()["error"]["code"]
    assert unknown == "document_not_found"
