"""Whole bases over HTTP: an archive is downloaded, and makes a base again."""

from pathlib import Path

from starlette.testclient import TestClient

from tests.api.service import ApiService


def test_an_exported_base_is_imported_under_another_name(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    client.post(f"/kb/{kb_id}/documents", files=[("files", ("a.txt", b"one"))])
    service.ingest(["one"])
    sent = client.post(f"/kb/{kb_id}/export", json={})
    assert sent.status_code == 200
    assert sent.headers["content-type"] == "application/zip"
    assert "reports.kb.zip" in sent.headers["content-disposition"]
    taken = client.post("/kb/import", content=sent.content)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "kb_name_taken")
    made = client.post("/kb/import?name=copy", content=sent.content)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["num_documents"]) == ("copy", 1)
    assert client.post("/kb/nowhere/export", json={}).status_code == 404
    assert list(Path(service.settings.data_dir / "tmp").iterdir()) == []


def test_a_bad_archive_is_the_callers_fault(client: TestClient, service: ApiService) -> None:
    for content in (b"", b"PK", b"PK\x05\x06" + bytes(18)):
        answer = client.post("/kb/import", content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "archive_damaged")
        assert "place" in answer.json()["error"]["details"]
    assert client.get("/kb").json()["items"] == []
    assert list(Path(service.settings.data_dir / "tmp").iterdir()) == []
