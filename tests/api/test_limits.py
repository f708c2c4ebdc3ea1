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


HEADS = {
    b"%PDF-1.4": (".pdf",),
    b"{\\rtf1 words}": (".rtf",),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (".xls", ".msg"),
    b"PK\x03\x04": (
        ".docx", ".docm", ".pptx", ".pptm", ".ppsx", ".xlsx", ".xlsm", ".xlsb", ".odt", ".ods",
        ".odp", ".epub", ".dotx", ".dotm", ".xltx", ".xltm", ".ppsm", ".potx", ".potm", ".ott",
        ".ots", ".otp",
    ),
    b"PK\x05\x06": (".zip",),
    b"\x89PNG\r\n\x1a\n": (".png",),
    b"\xff\xd8\xff\xe0": (".jpg", ".jpeg", ".jfif"),
    b"GIF89a": (".gif",),
    b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n": (".mht", ".mhtml"),
    b"BM\x00\x00\x00\x00": (".bmp",),
    b"II*\x00": (".tif", ".tiff"),
    b"RIFF\x00\x00\x00\x00WEBP": (".webp",),
}  # fmt: skip


def head_of(suffix: str) -> bytes:
    return next(
        (head for head, ends in HEADS.items() if suffix in ends), b"the pump failed at noon"
    )


def test_every_accepted_suffix_is_taken_in(client: TestClient, kb_id: str) -> None:
    for suffix in client.get("/limits").json()["accepted_suffixes"]:
        file = ("files", (f"report{suffix}", head_of(suffix)))
        assert client.post(f"/kb/{kb_id}/documents", files=[file]).status_code == 202, suffix
