"""Uploads: every name survives as it is, one bad file never sinks the others."""

import errno
import json
from pathlib import Path
from tempfile import SpooledTemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.multipart import UploadLimits, UploadParser, disposition_parameters
from kb_service.domain.errors import InvalidRequest
from kb_service.settings import Settings
from tests.api.conftest import BASE_URL, PDF_BYTES
from tests.api.service import ApiService

BOUNDARY = "b0undary"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def form_bytes(*parts: tuple[bytes, bytes]) -> bytes:
    """A multipart body of (Content-Disposition parameters, content)."""
    pieces = [
        b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"
        % (BOUNDARY.encode(), parameters, content)
        for parameters, content in parts
    ]
    return b"".join(pieces) + b"--%s--\r\n" % BOUNDARY.encode()


CUT_OFF = form_bytes((b'name="files"; filename="a"', b"x"))[:-20]


def upload(client: TestClient, *files: tuple[str, bytes], **fields: str) -> dict[str, object]:
    response = client.post(
        "/kb/reports/documents", files=[("files", file) for file in files], data=fields
    )
    assert response.status_code == 202, response.text
    return dict(response.json())


@pytest.mark.parametrize(
    "name",
    [
        'he said "hi".pdf',
        "<img src=x onerror=alert(1)>.pdf",
        "../../etc/passwd.pdf",
        "C:\\windows\\x.pdf",
        "\u202efdp.exe.pdf",
        "é" * 125 + ".pdf"[:5],
        "报告 2024（终稿）.pdf",
        "a;b=c, d.pdf",
        "😀.pdf",
    ],
)
def test_a_document_keeps_the_name_it_was_sent_with(
    client: TestClient, kb_id: str, name: str
) -> None:
    item = upload(client, (name, PDF_BYTES))["items"][0]  # type: ignore[index]  # JSON
    assert item["outcome"] == "created"
    assert item["document"]["name"] == name
    listed = client.get("/kb/reports/documents", params={"name": name}).json()["items"]
    assert [document["name"] for document in listed] == [name]


def test_one_bad_file_never_sinks_the_others_and_order_is_kept(
    client: TestClient, kb_id: str
) -> None:
    files = [
        ("empty.pdf", b""),
        ("good.pdf", PDF_BYTES),
        ("x" * 256 + ".pdf", PDF_BYTES),
        ("program.bin", b"\x7fELF" + bytes(range(256))),
        ("note.txt", "事故经过".encode()),
        ("good.pdf", PDF_BYTES),
    ]
    items = upload(client, *files)["items"]
    found = [
        (item["outcome"], (item["error"] or {}).get("code"))  # type: ignore[index]  # JSON
        for item in items  # type: ignore[attr-defined]  # JSON
    ]
    assert found == [
        ("rejected", "empty_document"),
        ("created", None),
        ("rejected", "invalid_document_name"),
        ("rejected", "unsupported_media_type"),
        ("created", None),
        ("unchanged", None),
    ]


def test_a_name_twice_in_one_request_makes_one_document(client: TestClient, kb_id: str) -> None:
    items = upload(client, ("a.txt", b"first"), ("a.txt", b"second"))["items"]
    first, second = items  # type: ignore[misc]  # JSON
    assert (first["outcome"], second["outcome"]) == ("created", "revised")
    assert first["document"]["id"] == second["document"]["id"]
    assert client.get("/kb/reports").json()["num_documents"] == 1


def test_all_rejected_is_422_with_the_same_items(client: TestClient, kb_id: str) -> None:
    response = client.post("/kb/reports/documents", files=[("files", ("a.pdf", b""))])
    assert response.status_code == 422
    body = response.json()
    assert body["error"]["code"] == "all_files_rejected"
    assert body["items"][0]["outcome"] == "rejected"
    assert body["items"][0]["error"]["code"] == "empty_document"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (b'name="files"; filename=""', "invalid_document_name"),
        (b'name="files"', "invalid_document_name"),
        (b'name="files"; filename="a\x9d\x01.pdf"', "invalid_document_name"),
        (b'name="files"; filename="a%0Ab.pdf"', "invalid_document_name"),
    ],
)
def test_a_file_without_a_usable_name_is_rejected_by_itself(
    client: TestClient, kb_id: str, parameters: bytes, code: str
) -> None:
    good = (b'name="files"; filename="good.pdf"', PDF_BYTES)
    content = form_bytes((parameters, PDF_BYTES), good)
    response = client.post("/kb/reports/documents", content=content, headers=MULTIPART)
    assert response.status_code == 202, response.text
    bad, fine = response.json()["items"]
    assert (bad["outcome"], bad["error"]["code"]) == ("rejected", code)
    assert fine["outcome"] == "created"


def test_tags_are_kept(client: TestClient, kb_id: str) -> None:
    body = upload(client, ("a.txt", b"text"), tags='["fire", "二号楼"]')
    assert sorted(body["items"][0]["document"]["tags"]) == ["fire", "二号楼"]  # type: ignore[index]  # JSON


@pytest.mark.parametrize("tags", ["fire", '{"a": 1}', "[1]", '["\\ud800"]', "NaN"])
def test_tags_of_another_form_are_refused(client: TestClient, kb_id: str, tags: str) -> None:
    response = client.post(
        "/kb/reports/documents", files=[("files", ("a.txt", b"text"))], data={"tags": tags}
    )
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_tags"


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", MULTIPART, 422, "invalid_multipart"),
        (b"garbage", MULTIPART, 422, "invalid_multipart"),
        (form_bytes(), MULTIPART, 422, "no_files"),
        (form_bytes((b'name="tags"', b"[]")), MULTIPART, 422, "no_files"),
        (form_bytes((b'name="file"', b"x")), MULTIPART, 422, "unknown_field"),
        (form_bytes((b"", b"x")), MULTIPART, 422, "unknown_field"),
        (CUT_OFF, MULTIPART, 422, "invalid_multipart"),
        (b"x", {"content-type": "multipart/form-data"}, 422, "invalid_multipart"),
        (b"{}", {"content-type": "application/json"}, 415, "unsupported_content_type"),
        (b"x", {}, 415, "unsupported_content_type"),
    ],
)
def test_a_malformed_upload_is_refused_whole(
    client: TestClient, kb_id: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    response = client.post("/kb/reports/documents", content=content, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert client.get("/kb/reports").json()["num_documents"] == 0


def limited_client(tmp_path: object, **limits: int) -> TestClient:
    chosen = Settings(data_dir=tmp_path, ingest=limits)  # type: ignore[arg-type]  # pydantic converts
    client = TestClient(create_app(ApiService(chosen).services), base_url=BASE_URL)
    client.post("/kb", json={"name": "reports"})
    return client


def test_a_file_past_its_limit_is_rejected_beside_a_good_one(tmp_path: object) -> None:
    client = limited_client(tmp_path, max_file_bytes=100)
    files = [("files", ("big.txt", b"x" * 5_000_000)), ("files", ("small.txt", b"y" * 100))]
    items = client.post("/kb/reports/documents", files=files).json()["items"]
    assert [item["outcome"] for item in items] == ["rejected", "created"]
    assert items[0]["error"]["code"] == "payload_too_large"
    assert items[0]["error"]["details"]["max_bytes"] == 100


def test_too_many_files_or_bytes_refuse_the_request(tmp_path: object) -> None:
    client = limited_client(tmp_path, max_files_per_upload=2, max_upload_bytes=1000)
    many = client.post("/kb/reports/documents", files=[("files", ("a", b"x"))] * 3)
    assert (many.status_code, many.json()["error"]["code"]) == (413, "too_many_files")
    large = client.post("/kb/reports/documents", files=[("files", ("a", b"x" * 600))] * 2)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "payload_too_large")


def test_no_temporary_file_stays_behind(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    upload(client, ("a.txt", b"z" * 3_000_000))
    assert list((service.settings.data_dir / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (rb'form-data; name="files"; filename="a\"b.pdf"', 'a"b.pdf'),
        (rb'form-data; name="files"; filename="a\\b.pdf"', "a\\b.pdf"),
        (rb'form-data; name="files"; filename="a\b.pdf"', "a\\b.pdf"),
        (b'form-data; name="files"; filename="a%22b.pdf"', 'a"b.pdf'),
        (b'form-data; name="files"; filename="100%25.pdf"', "100%25.pdf"),
        (b"form-data; name=files; filename=plain.pdf", "plain.pdf"),
        (b"form-data; name=files; filename*=UTF-8''%e6%8a%a5.pdf; filename=\"x\"", "报.pdf"),
        (b"form-data; name=files; filename=\"x\"; filename*=utf-8'en'a%20b", "a b"),
        (b'form-data; name="files"; filename="a; filename=b.pdf"', "a; filename=b.pdf"),
    ],
)
def test_names_are_read_as_their_senders_meant_them(header: bytes, name: str) -> None:
    assert disposition_parameters(header)["filename"] == name


@settings(max_examples=50, deadline=None)
@given(contents=st.lists(st.binary(max_size=200), min_size=1, max_size=4), data=st.data())
def test_any_split_of_the_body_reads_the_same(
    contents: list[bytes], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts = [(b'name="files"; filename="%d"' % n, body) for n, body in enumerate(contents)]
    body = form_bytes(*parts, (b'name="tags"', json.dumps(["a"]).encode()))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    limits = UploadLimits(1000, 10_000, 10)
    folder = tmp_path_factory.getbasetemp()
    with UploadParser(MULTIPART["content-type"], limits, folder) as parser:
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
            parser.feed(body[start:end])
        form = parser.flush()
        assert [file.stream.read() for file in form.files] == contents
        assert form.tags == ("a",)


def test_an_upload_the_disk_has_no_room_for_is_answered_disk_full(
    client: TestClient, kb_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpooledTemporaryFile, "write", refuse)
    response = client.post("/kb/reports/documents", files=[("files", ("a.pdf", PDF_BYTES))])
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "disk_full"
    assert response.headers["retry-after"]


PART = b'--b0undary\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


def test_a_field_is_taken_once_so_that_fields_cannot_fill_the_memory(tmp_path: Path) -> None:
    limits = UploadLimits(1000, 1000, 2)
    with UploadParser(MULTIPART["content-type"], limits, tmp_path) as parser:
        parser.feed(PART % (b"tags", b"[]" + b" " * 60_000))
        with pytest.raises(InvalidRequest, match="expected once"):
            parser.feed(PART % (b"tags", b"[]"))


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(100)),
        b"X: " + b"y" * 10_000 + b"\r\n",
        b"y" * 10_000 + b": X\r\n",
        b'Content-Disposition: form-data; name="' + b"n" * 5000 + b'"\r\n',
    ],
    ids=["many", "long", "long-name", "long-field"],
)
def test_the_headers_of_a_part_are_bounded_in_number_and_length(
    client: TestClient, kb_id: str, headers: bytes
) -> None:
    body = form_bytes((b'name="files"; filename="a.txt"\r\n' + headers.rstrip(), b"x"))
    response = client.post("/kb/reports/documents", content=body, headers=MULTIPART)
    assert response.status_code == 422
    assert response.json()["error"]["code"] in {"invalid_multipart", "unknown_field"}
    assert len(response.content) < 1000


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="files"; filename="x\r\ny"',
        b'name="files"; filename="x',
        b'name="files"; filename="a"b.txt"',
        b'name="fi"les"; filename="a.txt"',
        b'name="files" filename="a.txt" x',
        b'name="files"; filename="a.txt\\"',
        b'name="files"; filename',
    ],
)
def test_half_a_name_is_refused_and_never_stored_as_another(
    client: TestClient, kb_id: str, disposition: bytes
) -> None:
    body = form_bytes((disposition, PDF_BYTES))
    response = client.post("/kb/reports/documents", content=body, headers=MULTIPART)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_multipart"
    assert client.get("/kb/reports/documents").json()["items"] == []


@pytest.mark.parametrize("name", ["x%0D%0Ay.pdf", "x%0Ay.pdf"])
def test_line_breaks_that_a_browser_writes_are_no_part_of_a_name(
    client: TestClient, kb_id: str, name: str
) -> None:
    body = form_bytes((b'name="files"; filename="%s"' % name.encode(), PDF_BYTES))
    response = client.post("/kb/reports/documents", content=body, headers=MULTIPART)
    assert response.json()["items"][0]["error"]["code"] == "invalid_document_name"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="files"; filename="a.txt";', "a.txt"),
        (b"form-data;name=files;filename=a.txt", "a.txt"),
        (b'form-data; name="files" ; filename="a;b.txt"', "a;b.txt"),
        (b'form-data; filename="a\\"b.txt"; name="files"', 'a"b.txt'),
        (b'form-data; name="files"; filename="_.txt"; filename*=UTF-8\'\'%E6%B3%B5.txt', "泵.txt"),
    ],
)
def test_the_ways_clients_write_a_name(disposition: bytes, name: str) -> None:
    assert disposition_parameters(disposition) == {"name": "files", "filename": name}
