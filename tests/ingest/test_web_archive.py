"""Web pages saved in one file, calendars and cards, and names under which people keep files."""

from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import detect_media_type
from kb_service.domain.documents import WORDS_MISSING, ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.ingest import format_samples
from tests.ingest.test_embedded import picture

BASE64 = b"Content-Transfer-Encoding: base64\r\n"
PAGE = b"<html><head><title>Outage</title></head><body><p>Not safe.</p>%s<p>End.</p></body></html>"


def read(path: Path, kind: str, data: bytes) -> ParsedDocument:
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document


def part(kind: str, content: bytes, *fields: str, base64: bool = False) -> bytes:
    from base64 import encodebytes

    head = "".join(f"{field}\r\n" for field in (f"Content-Type: {kind}", *fields)).encode()
    body = encodebytes(content) if base64 else content
    return head + (BASE64 if base64 else b"") + b"\r\n" + body


def saved(*parts: bytes) -> bytes:
    head = (
        b"From: <Saved by a browser>\r\nSnapshot-Content-Location: https://example.org/a/b.html\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="B"\r\n\r\n'
    )
    return head + b"".join(b"--B\r\n" + one + b"\r\n" for one in parts) + b"--B--\r\n"


def page(shown: bytes = b"", charset: str = "utf-8") -> bytes:
    location = "Content-Location: https://example.org/a/b.html"
    return part(f"text/html; charset={charset}", PAGE % shown, location)


def test_a_saved_page_says_its_words_and_not_its_styles(tmp_path: Path) -> None:
    style = part("text/css", b"p { color: red }", "Content-Location: cid:css-1@x")
    script = part("text/javascript", b"run()", "Content-Location: https://example.org/x.js")
    document = read(tmp_path / "a.mhtml", types.WEB_ARCHIVE, saved(page(), style, script))
    assert document.text == "Not safe.\n\nEnd."
    assert document.title == "Outage"
    assert document.metadata == {"address": "https://example.org/a/b.html"}
    assert document.losses == ()


@pytest.mark.parametrize(
    ("shown", "field"),
    [
        (b"<img src='c.png'>", "Content-Location: https://example.org/a/c.png"),
        (b"<img src='/c.png#x'>", "Content-Location: https://example.org/c.png"),
        (b"<img src='cid:1@x'>", "Content-ID: <1@x>"),
        (b"<img src='https://example.org/c.png'>", "Content-Location: https://example.org/c.png"),
        (b"", "Content-Location: https://example.org/background.png"),
    ],
)
def test_a_picture_of_a_saved_page_goes_to_ocr_once(
    tmp_path: Path, shown: bytes, field: str
) -> None:
    data = saved(page(shown), part("image/png", picture(), field, base64=True))
    document = read(tmp_path / "a.mht", types.WEB_ARCHIVE, data)
    assert len(document.unread) == 1
    assert document.losses == ()


def test_pages_in_frames_follow_and_a_damaged_part_is_named(tmp_path: Path) -> None:
    frame = part("text/html", b"<p>In a frame.</p>", "Content-ID: <f@x>")
    deep = part("text/html", b"<b>" * 400, "Content-ID: <g@x>")
    bad = part("image/png", b"a", "Content-Location: c.png", "Content-Transfer-Encoding: base64")
    document = read(tmp_path / "a", types.WEB_ARCHIVE, saved(page(), frame, deep, bad))
    assert document.text == "Not safe.\n\nEnd.\n\nIn a frame."
    lost = [(loss.where, loss.what) for loss in document.losses]
    assert lost[:2] == [("text/html", "corrupt_document"), ("c.png", "corrupt_document")]


def test_a_saved_page_in_its_own_encoding_is_read_and_counted(tmp_path: Path) -> None:
    words = "起重机不安全".encode("gb18030")
    data = saved(part("text/html; charset=gb2312", PAGE % words))
    document = read(tmp_path / "a.mht", types.WEB_ARCHIVE, data)
    assert "起重机不安全" in document.text
    assert WORDS_MISSING not in document.metadata


def test_a_saved_file_without_a_page_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path / "a.mht", types.WEB_ARCHIVE, saved(part("text/css", b"p {}")))
    assert caught.value.code == "corrupt_document"


def test_a_saved_page_is_told_by_its_head_whatever_it_is_called() -> None:
    for name in ("a.mht", "a.mhtml", "a.eml", "a.txt"):
        assert detect_media_type(name, saved(page())) == types.WEB_ARCHIVE
    assert detect_media_type("a.mht", b"<html><p>x") == types.HTML
    with pytest.raises(DocumentError):
        detect_media_type("a.mht", b"no head at all")


def test_lines_of_a_calendar_are_whole_and_its_signs_what_they_mean(tmp_path: Path) -> None:
    data = b"BEGIN:VEVENT\r\nSUMMARY:The brake is not sa\r\n fe\\, stop\\nNow\r\nEND:VEVENT\r\n"
    document = read(tmp_path / "a.ics", types.CALENDAR, data)
    assert "The brake is not safe, stop\nNow" in document.text
    assert document.metadata == {}


TEXTS = ("a.log", "a.yaml", "a.yml", "a.ini", "a.conf", "a.cfg", "a.toml", "a.properties")


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_programs_are_read_as_they_are(tmp_path: Path, name: str) -> None:
    data = b"[brake]\n# not safe\nstate = off\n"
    assert detect_media_type(name, data) == types.PLAIN_TEXT
    assert read(tmp_path / name, types.PLAIN_TEXT, data).text == data.decode().strip()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.htm", types.HTML), ("a.xhtml", types.HTML), ("a.xht", types.HTML),
     ("a.shtml", types.HTML), ("a.docm", types.DOCX), ("a.dotx", types.DOCX),
     ("a.xltx", types.XLSX), ("a.xltm", types.XLSX), ("a.ppsx", types.PPTX),
     ("a.potx", types.PPTX), ("a.jfif", types.JPEG), ("a.bmp", types.BMP), ("a.gif", types.GIF)],
)  # fmt: skip
def test_files_are_read_under_the_names_that_people_keep_them_by(
    tmp_path: Path, name: str, kind: str
) -> None:
    good = format_samples.good_files(tmp_path)[kind]
    data = good.read_bytes()
    assert detect_media_type(name, data) == kind
    document = read(tmp_path / name, kind, data)
    assert document.unread if kind in types.PICTURES else format_samples.WORDS in document.text


def test_a_picture_that_nobody_can_read_here_is_refused_by_name() -> None:
    with pytest.raises(DocumentError, match="HEIC") as caught:
        detect_media_type("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0")
    assert caught.value.code == "unsupported_media_type"
