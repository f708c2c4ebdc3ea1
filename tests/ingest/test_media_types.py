"""What a file is: content first, name second, and a clear refusal otherwise."""

import io
import zipfile

import pytest

from ingest import media_types as types
from kb_service.domain.errors import DocumentError


def package(*parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in parts:
            archive.writestr(part, "<xml/>")
    return stream.getvalue()


def stored(media_type: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", media_type)
    return stream.getvalue()


MAIL = b"Return-Path: <a@b.org>\r\nFrom: a@b.org\r\nTo: c@d.org\r\nSubject: Hi\r\n\r\nBody"


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("report.txt", b"%PDF-1.7\n", types.PDF),
        ("report.pdf", b"\n\n%PDF-1.4", types.PDF),
        ("noname", package("[Content_Types].xml", "word/document.xml"), types.DOCX),
        ("old.doc", package("[Content_Types].xml", "xl/workbook.xml"), types.XLSX),
        ("slides.pptx", package("[Content_Types].xml", "ppt/presentation.xml"), types.PPTX),
        ("page.txt", b"<!-- a --> <!DOCTYPE html><p>x", types.HTML),
        ("page.pdf", "\ufeff<html><body>".encode("utf-16-le"), types.HTML),
        ("letter.txt", MAIL, types.MAIL),
        ("letter.eml", b"Subject: x\n\ny", types.MAIL),
        ("memo.txt", b"From: Ann\nTo: Bob\nSubject: Fire drill\n\nAt noon.", types.PLAIN_TEXT),
        ("README", "事故报告".encode("gb18030"), types.PLAIN_TEXT),
        ("a\\b/../notes.MD", b"# Title", types.MARKDOWN),
        ("rows.csv", "a,b\n1,2".encode("utf-16"), types.CSV),
        ("rows.tsv", b"a\tb", types.TSV),
        ("a.txt", b"{\\rtf1 words}", types.RTF),
        ("a.bin", stored("application/vnd.oasis.opendocument.text"), types.ODT),
        ("a.zip", stored("application/epub+zip"), types.EPUB),
        ("a.ODS", package("content.xml"), types.ODS),
        ("a.xlsb", package("xl/workbook.bin"), types.XLSB),
        ("a.docm", package("word/document.xml"), types.DOCX),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", types.XLS),
        ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", types.MSG),
        ("a.jsonl", b'{"a": 1}', types.JSON),
        ("a.xml", b"<a/>", types.XML),
        ("a.txt", b"the valve was shut" + b"\0" * 9000, types.PLAIN_TEXT),
        ("a.html", b"<p>bro\0ke at nine, and two men were hurt</p>", types.HTML),
        ("a.txt", "臺北港三號碼頭起重機倒塌。".encode("utf-16-le"), types.PLAIN_TEXT),
        ("scan.pdf", b"\x89PNG\r\n\x1a\n\0\0", types.PNG),
        ("scan.txt", b"\xff\xd8\xff\xe0\0\0", types.JPEG),
        ("scan", b"MM\0*\0\0", types.TIFF),
        ("scan.png", b"RIFF\x10\0\0\0WEBPVP8 ", types.WEBP),
        ("BM.txt", b"BM stands for benchmark", types.PLAIN_TEXT),
    ],
)
def test_content_decides_before_the_name(name: str, head: bytes, expected: str) -> None:
    assert types.detect_media_type(name, head) == expected


@pytest.mark.parametrize(
    ("name", "head", "code", "words"),
    [
        ("scan.pdf", b"ID3\4\0\0", "unsupported_media_type", "scan.pdf is an MP3"),
        ("a.png", b"just words", "unsupported_media_type", "a.png is plain text"),
        ("all.7z", b"7z\xbc\xaf\x27\x1c" + bytes(9), "unsupported_media_type", "a 7z archive"),
        ("a.tar", b"\0" * 257 + b"ustar", "unsupported_media_type", "a tar archive"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "converter_missing", "old Office"),
        ("a.xyz", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unsupported_media_type", "old Office"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted_document", "password"),
        ("a.pdf", b"just words", "unsupported_media_type", "a.pdf is plain text"),
        ("a.xyz", b"just words", "unsupported_media_type", "a .xyz file"),
        ("a.txt", bytes(range(256)), "unsupported_media_type", "unknown binary data"),
        ("a.txt", b"", "empty_document", "0 bytes"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(name: str, head: bytes, code: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        types.detect_media_type(name, head)
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_refusal_lists_what_is_supported() -> None:
    with pytest.raises(DocumentError, match=r"\.pdf, \.docx, \.pptx, \.xlsx, .*\.html"):
        types.detect_media_type("a.exe", b"MZ\x90\0")
