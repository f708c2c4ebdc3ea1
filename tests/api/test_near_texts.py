"""A document shows which others have nearly its text."""

from starlette.testclient import TestClient

from tests.api.service import ApiService
from tests.storage.test_near_texts import REPORT


def test_a_document_and_the_list_show_what_is_nearly_the_same(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    ids = []
    for name in ("a.txt", "b.txt"):
        files = [("files", (name, f"{name} {REPORT}".encode()))]
        sent = client.post("/kb/reports/documents", files=files).json()["items"][0]["document"]
        assert sent["similar_to"] == []
        ids.append(sent["id"])
        service.ingest(REPORT)
    shown = client.get(f"/kb/reports/documents/{ids[0]}").json()
    assert shown["similar_to"] == [{"document_id": ids[1], "name": "b.txt", "share": 1.0}]
    listed = client.get("/kb/reports/documents").json()["items"]
    assert [one["similar_to"][0]["name"] for one in listed] == ["b.txt", "a.txt"]
