"""Documents over HTTP: status, stored text, original bytes, page pictures, deletes."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.attachments import content_disposition
from api.routes.pages import parse_boxes
from kb_service.domain.errors import DocumentError, InvalidRequest
from tests.api.conftest import PDF_BYTES
from tests.api.service import ApiService

NUM_WAITING = 50
"""More than the threads that serve all calls (40)."""
SENTENCES = ("The pump failed.", "泵失效。")
FIELDS = {
    "id", "name", "media_type", "size_bytes", "status", "error", "tags", "revision", "page_report",
    "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def document(client: TestClient, service: ApiService, kb_id: str) -> str:
    """The path of an ingested two-page PDF."""
    files = [("files", ("报告 a/b.pdf", PDF_BYTES))]
    item = client.post("/kb/reports/documents", files=files).json()["items"][0]
    service.ingest(SENTENCES)
    return f"/kb/{kb_id}/documents/{item['document']['id']}"


def test_a_document_is_pending_before_its_ingest_and_ready_after(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    files = [("files", ("a.txt", b"text"))]
    item = client.post("/kb/reports/documents", files=files).json()["items"][0]
    path = f"/kb/reports/documents/{item['document']['id']}"
    before = client.get(path).json()
    assert before.keys() >= FIELDS
    assert (before["status"], before["revision"]) == ("pending", None)
    assert before["page_report"] == {
        "text": 0, "ocr": 0, "both": 0, "empty": 0, "failed": 0, "pages": [], "losses": [],
    }  # fmt: skip
    service.ingest(SENTENCES)
    after = client.get(path).json()
    assert after["status"] == "ready"
    assert after["revision"].keys() >= {"id", "sha256", "num_pages", "num_chunks", "created_at"}
    assert after["page_report"]["text"] == 2
    assert after["page_report"]["pages"][1] == {
        "page_number": 2,
        "kind": "text",
        "num_chars": 4,
        "reason": None,
        "confidence": None,
    }
    assert client.get("/kb/reports").json()["num_chunks"] == 2
    assert client.get(f"/jobs/{item['job']['id']}").json()["status"] == "succeeded"


def test_the_stored_text_is_served_by_revision(client: TestClient, document: str) -> None:
    shown = client.get(f"{document}/text").json()
    assert shown["text"] == "The pump failed.\n泵失效。\n"
    assert shown["document_id"] == document.rpartition("/")[2]
    assert shown["unsure"] == []
    sha256 = client.get(document).json()["revision"]["sha256"]
    assert shown["revision"] == sha256
    assert client.get(f"{document}/text", params={"revision": sha256}).json() == shown
    missing = client.get(f"{document}/text", params={"revision": "0" * 64})
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "revision_not_found"


def test_the_original_bytes_are_a_safe_download(client: TestClient, document: str) -> None:
    response = client.get(f"{document}/content")
    assert response.content == PDF_BYTES
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"__ a_b.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20a%2Fb.pdf"
    )


@pytest.mark.parametrize("name", ['a".pdf', "a\r\nSet-Cookie: x", "\u202efdp.exe", "é" * 127])
def test_no_name_breaks_out_of_the_header(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def blobs_of(service: ApiService) -> list[Path]:
    return [path for path in (service.settings.data_dir / "blobs").rglob("*") if path.is_file()]


def test_bytes_that_were_lost_are_a_fault_of_the_storage(
    client: TestClient, service: ApiService, document: str
) -> None:
    for blob in blobs_of(service):
        blob.unlink()
    for path in ("content", "pages/1.png"):
        gone = client.get(f"{document}/{path}")
        assert (gone.status_code, gone.json()["error"]["code"]) == (503, "blob_missing")


@pytest.mark.parametrize("path", ["content", "pages/1.png"])
def test_not_one_byte_of_a_damaged_file_is_served(
    client: TestClient, service: ApiService, document: str, path: str
) -> None:
    for blob in blobs_of(service):
        blob.write_bytes(PDF_BYTES.replace(b"Catalog", b"Catalof"))
    refused = client.get(f"{document}/{path}")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (503, "blob_damaged")
    assert hashlib.sha256(PDF_BYTES).hexdigest() in error["message"]
    assert "报告 a/b.pdf" in error["message"]
    assert b"Catalof" not in refused.content


def test_a_stored_text_with_a_wrong_word_is_not_shown(
    client: TestClient, service: ApiService, document: str
) -> None:
    with service.database.write() as connection:
        connection.execute(text("UPDATE text_pieces SET text = replace(text, 'failed', 'worked')"))
    refused = client.get(f"{document}/text")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "text_damaged")
    assert "worked" not in refused.text


def test_a_page_picture_gets_its_boxes_and_scale(client: TestClient, document: str) -> None:
    query = {"boxes": "1,2,3,4;5,6,7.5,8;", "scale": "2"}
    response = client.get(f"{document}/pages/2.png", params=query)
    assert response.headers["content-type"] == "image/png"
    assert response.text == repr((True, 2, ((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.5, 8.0)), 2.0))
    tag = {"if-none-match": response.headers["etag"]}
    assert client.get(f"{document}/pages/2.png", params=query, headers=tag).status_code == 304
    assert client.get(f"{document}/pages/1.png", params=query, headers=tag).status_code == 200


@pytest.mark.parametrize("page", ["0", "3", "-1", str(10**30)])
def test_a_page_that_does_not_exist_names_the_range(
    client: TestClient, document: str, page: str
) -> None:
    response = client.get(f"{document}/pages/{page}.png")
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["details"]) == ("page_not_found", {"min": 1, "max": 2})


def test_a_format_without_pages_has_no_pictures(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    files = [("files", ("a.txt", b"text"))]
    item = client.post("/kb/reports/documents", files=files).json()["items"][0]
    service.ingest(SENTENCES)
    response = client.get(f"/kb/reports/documents/{item['document']['id']}/pages/1.png")
    assert (response.status_code, response.json()["error"]["code"]) == (
        404,
        "page_has_no_picture",
    )


def test_a_page_that_cannot_be_drawn_is_the_files_fault(
    client: TestClient, service: ApiService, document: str
) -> None:
    service.pictures.fails_with = DocumentError("broken page", code="corrupt_document")
    response = client.get(f"{document}/pages/1.png")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "corrupt_document")


def test_after_a_delete_nothing_of_the_document_is_served(
    client: TestClient, document: str
) -> None:
    assert client.delete(document).status_code == 204
    for path in ("", "/text", "/content", "/pages/1.png"):
        assert client.get(document + path).status_code == 404
    assert client.get("/kb/reports/documents").json()["items"] == []
    assert client.delete(document).status_code == 404


def test_a_document_is_not_found_through_another_base(client: TestClient, document: str) -> None:
    client.post("/kb", json={"name": "other"})
    document_id = document.rpartition("/")[2]
    assert client.get(f"/kb/other/documents/{document_id}").status_code == 404


def test_jobs_are_cancelled_and_retried(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    files = [("files", ("a.txt", b"text"))]
    job = client.post("/kb/reports/documents", files=files).json()["items"][0]["job"]
    cancelled = client.post(f"/jobs/{job['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    again = client.post(f"/jobs/{job['id']}/retry").json()
    assert (again["status"], again["error"]) == ("queued", None)
    service.ingest(SENTENCES)
    for action in ("cancel", "retry"):
        refused = client.post(f"/jobs/{job['id']}/{action}")
        assert refused.status_code == 409
    assert client.get(f"/jobs/{job['id']}").json()["finished_at"].endswith("Z")


def test_too_many_boxes_are_refused() -> None:
    assert len(parse_boxes("0,0,1,1;" * 1000)) == 1000
    with pytest.raises(InvalidRequest, match="at most 1000"):
        parse_boxes("0,0,1,1;" * 1001)


def test_pictures_waiting_for_their_turn_hold_no_other_call_up(
    client: TestClient, service: ApiService, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_draw = threading.Event()

    def draw_slowly(*_arguments: object) -> bytes:
        assert may_draw.wait(30)
        return b"png"

    monkeypatch.setattr(service.pictures, "render", draw_slowly)
    with ThreadPoolExecutor(NUM_WAITING + 1) as pool:
        url = f"{document}/pages/1.png"
        pictures = [pool.submit(client.get, url) for _ in range(NUM_WAITING)]
        time.sleep(0.5)  # let them all arrive
        others = pool.submit(lambda: [client.get(path) for path in ("/kb", "/healthz")])
        try:
            assert wait([others], timeout=10).done
        finally:
            may_draw.set()
        assert [response.status_code for response in others.result()] == [200, 200]
        assert {picture.result().status_code for picture in pictures} == {200}


def test_a_deleted_document_has_a_receipt_and_is_looked_for(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    sent = client.post(f"/kb/{kb_id}/documents", files=[("files", ("a.txt", b"words"))]).json()
    document_id = sent["items"][0]["document"]["id"]
    path = f"/kb/{kb_id}/deletions/{document_id}"
    missing = client.get(path)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "deletion_not_found")
    assert client.delete(f"/kb/{kb_id}/documents/{document_id}").status_code == 204
    erasure = client.get(path).json()
    assert erasure["is_complete"]
    assert erasure["receipt"]["files"] == [hashlib.sha256(b"words").hexdigest()]
    assert {place["name"] for place in erasure["places"]} >= {"rows", "files", "indexes"}
    other = client.post("/kb", json={"name": "other"}).json()["id"]
    assert client.get(f"/kb/{other}/deletions/{document_id}").status_code == 404
