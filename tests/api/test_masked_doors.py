"""What a key that may not see personal data cannot do to have it shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.masked import ADMIN, DESK, Desk, filled, leaks
from tests.api.service import ApiService

DOCUMENTS = "/kb/reports/documents"


@pytest.fixture
def client(app: FastAPI, service: ApiService) -> Iterator[TestClient]:
    """An administrator."""
    with Desk(app, service, ADMIN) as made:
        yield made


@pytest.fixture
def desk(app: FastAPI, service: ApiService, client: TestClient) -> Iterator[Desk]:
    """Who may do everything in every base but see personal data."""
    with Desk(app, service, DESK) as made:
        yield made


@pytest.fixture
def document(client: TestClient, service: ApiService, kb_id: str, desk: Desk) -> str:
    """The id of a document full of personal data, in a base that masks all."""
    return filled(client, service, kb_id, desk.key_id)


def refused(answer: Any) -> bool:  # noqa: ANN401  a response
    assert answer.status_code == 403, answer.text
    return bool(answer.json()["error"]["code"] == "personal_data_masked")


def test_only_who_sees_it_says_in_which_encoding_documents_are_read(
    desk: Desk, client: TestClient, document: str
) -> None:
    path = f"{DOCUMENTS}/{document}"
    for encoding in ("cp037", "utf-16-le", "utf-8", ""):
        assert refused(desk.post(f"{path}/read", json={"encoding": encoding}))
    # A version that others sent in would be restored in it.
    sent = [("files", ("new.txt", b"x"))]
    assert refused(desk.post(DOCUMENTS, files=sent, data={"encoding": "cp037"}))
    assert [item["name"] for item in client.get(DOCUMENTS).json()["items"]] == [
        client.get(path).json()["name"]
    ]
    assert client.get(path).json()["encoding"] == ""
    assert desk.post(DOCUMENTS, files=sent).status_code == 202
    assert client.post(f"{path}/read", json={"encoding": "cp037"}).status_code == 202
    client.patch("/kb/reports", json={"masking": {"kinds": [], "roles": []}})
    assert desk.post(f"{path}/read", json={"encoding": "utf-8"}).status_code == 202


def test_only_who_sees_it_says_what_columns_stand_for(
    desk: Desk, client: TestClient, document: str
) -> None:
    for field in ("column", "kind", None):
        assert refused(desk.put("/kb/reports/columns", json={"name": "电话", "field": field}))
    assert client.get("/kb/reports/columns").json()["items"] == []
    put = client.put("/kb/reports/columns", json={"name": "电话", "field": "phone"})
    assert put.status_code == 200


def test_files_of_a_base_do_not_tell_a_name_that_is_personal(
    desk: Desk, client: TestClient, service: ApiService, kb_id: str, document: str
) -> None:
    client.patch("/kb/reports", json={"name": "张伟13812345678"})
    query = {"json": {"op": "count", "of": "records", "filters": {}}}
    for who, is_told in ((desk, False), (client, True)):
        table = who.get(f"/kb/{kb_id}/facts.csv")
        report = who.post(f"/kb/{kb_id}/query/report", **query)  # type: ignore[arg-type]  # JSON
        for answer in (table, report):
            assert answer.status_code == 200
            head = answer.headers["content-disposition"]
            assert bool(leaks(head)) is is_told
            assert (kb_id in head) is not is_told
