"""File names as old systems send them: read, never refused for their bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.multipart import disposition_parameters
from api.sent_names import decoded_name, extended_name
from tests.api.conftest import PDF_BYTES

SENT = [
    ("事故报告.txt", "gbk"),
    ("泵.txt", "gbk"),
    ("Report泵.txt", "gbk"),
    ("二〇二四年第3季度 设备检修（终稿）.xlsx", "gbk"),
    ("朱镕基喆.txt", "gbk"),
    ("𠀀报告.txt", "gb18030"),
    ("王昞的检修报告.txt", "gbk"),
    ("報告書.txt", "big5"),
    ("事故調查報告（最終）.pdf", "big5"),
    ("功能說明許蓋.txt", "big5"),
    ("事故報告書.txt", "cp932"),
    ("ポンプの故障.txt", "cp932"),
    ("été.txt", "latin-1"),
    ("Größe Müller Übersicht.pdf", "cp1252"),
    ("naïve – café ‘x’.txt", "cp1252"),
    ("事故报告 été 🙂.txt", "utf-8"),
    ("plain.txt", "ascii"),
]


@pytest.mark.parametrize(("name", "codec"), SENT)
def test_a_name_is_read_in_the_code_page_it_was_sent_in(name: str, codec: str) -> None:
    raw = name.encode(codec)
    assert decoded_name(raw) == name
    header = b'form-data; name="files"; filename="' + raw + b'"'
    assert disposition_parameters(header) == {"name": "files", "filename": name}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("UTF-8''%E6%8A%A5.pdf", "报.pdf"),
        ("gbk'zh'%B1%A8.pdf", "报.pdf"),
        ("GB18030''%B1%A8.pdf", "报.pdf"),
        ("Big5''%B3%F8.pdf", "報.pdf"),
        ("iso-8859-1'en'%E9t%E9.pdf", "été.pdf"),
        ("utf-8''%B1%A8%B8%E6.pdf", "报告.pdf"),
        ("klingon''%E6%8A%A5.pdf", "报.pdf"),
        ("", ""),
    ],
)
def test_an_extended_name_is_read_in_the_charset_it_names(value: str, name: str) -> None:
    assert extended_name(value) == name


@given(st.binary(max_size=40))
def test_no_bytes_are_refused(raw: bytes) -> None:
    decoded_name(raw).encode("utf-8")


@pytest.mark.parametrize("name", ["事故报告.pdf", "检修人王昞.pdf"])
def test_a_file_with_a_name_of_an_old_system_comes_in(
    client: TestClient, kb_id: str, name: str
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="'
    body = head + name.encode("gbk") + b'"\r\n\r\n' + PDF_BYTES + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    sent = client.post(f"/kb/{kb_id}/documents", content=body, headers=headers)
    assert sent.status_code == 202
    assert sent.json()["items"][0]["document"]["name"] == name
