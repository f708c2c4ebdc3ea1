"""What the service accepts can be asked before anything is sent, and is what is then enforced."""

from starlette.testclient import TestClient

from tests.api.service import ApiService


def test_the_limits_are_those_in_force(client: TestClient, service: ApiService) -> None:
    service.settings.ingest.max_file_bytes = 10
    service.settings.retrieval.max_question_chars = 7
    limits = client.get("/limits").json()
    assert limits["max_file_bytes"] == 10
    assert limits["max_question_chars"] == 7
    assert {".pdf", ".docx", ".txt"} <= set(limits["accepted_suffixes"])
    assert limits["max_files_per_upload"] == service.settings.ingest.max_files_per_upload


def head_of(suffix: str) -> bytes:
    if suffix == ".pdf":
        return b"%PDF-1.4"
    return b"PK\x03\x04" if suffix in (".docx", ".pptx", ".xlsx") else b"the pump failed at noon"


def test_every_accepted_suffix_is_taken_in(client: TestClient, kb_id: str) -> None:
    for suffix in client.get("/limits").json()["accepted_suffixes"]:
        file = ("files", (f"report{suffix}", head_of(suffix)))
        assert client.post(f"/kb/{kb_id}/documents", files=[file]).status_code == 202, suffix
