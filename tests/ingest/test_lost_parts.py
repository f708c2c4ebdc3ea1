"""One part that cannot be read is named, and the rest of its file is read."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pypdfium2
import pytest

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX, MAIL, ODT, PDF, XML
from ingest.members import MemberFolder
from ingest.open_document import MAX_DEPTH
from ingest.web_page import MAX_FRAMES, add_html
from kb_service.domain.documents import ParsedDocument
from tests.ingest import pdf_samples
from tests.ingest.ole_samples import storage
from tests.ingest.test_mail import HTML, PLAIN, multipart, part
from tests.ingest.test_office_members import package as with_member
from tests.ingest.test_open_document import OBJECT
from tests.ingest.test_open_document import package as open_document
from tests.ingest.test_word_signs import with_chunk
from tests.ingest.word_samples import paragraph, run, word_file

DECLARED = "<!DOCTYPE x [<!ENTITY a 'b'>]>"
OBJECT_PART = "Object 1/content.xml"


def read(path: Path, kind: str, data: bytes) -> tuple[ParsedDocument, dict[str, bytes]]:
    path.write_bytes(data)
    folder = MemberFolder(path.parent / "members", ParseLimits())
    *_, document = DocumentLoader(ParseLimits(), members=folder).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document, {member.path: member.file.read_bytes() for member in document.members}


def lost(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(loss.where, loss.what) for loss in document.losses]


def damaged(data: bytes, content: bytes) -> bytes:
    """The package with a part whose bytes are not those that its checksum is of."""
    assert data.count(content) == 1
    return data.replace(content, b"?" * len(content))


def with_parts(data: bytes, parts: Mapping[str, str]) -> bytes:
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return stream.getvalue()


def page(text: str) -> ParsedDocument:
    draft = DraftDocument("a.html", 10**6)
    add_html(draft, text)
    draft.end_page()
    return draft.finish()


def frame(inside: str) -> str:
    escaped = inside.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;")
    return f"<p>Before.</p><iframe srcdoc='{escaped}'></iframe>"


@pytest.mark.parametrize("inside", ["<!-- later -->", "<!DOCTYPE html>", "<?x?>"])
def test_a_frame_without_an_element_costs_nothing(inside: str) -> None:
    document = page(frame(inside) + "<p>End.</p>")
    assert (document.text, document.losses) == ("Before.\n\nEnd.", ())


def test_a_frame_that_is_nested_too_deep_is_named() -> None:
    document = page(frame("<b>" * 400 + "x") + "<p>End.</p>")
    assert document.text == "Before.\n\nEnd."
    assert lost(document) == [("iframe", "corrupt_document")]


def test_frames_in_frames_are_read_to_a_depth_and_named_below() -> None:
    text = "<p>Innermost.</p>"
    for _ in range(MAX_FRAMES):
        text = frame(text)
    assert page(text).text.split("\n\n") == ["Before."] * MAX_FRAMES + ["Innermost."]
    document = page(frame(text))
    assert document.text.split("\n\n") == ["Before."] * (MAX_FRAMES + 1)
    assert lost(document) == [("iframe", "too_deep")]


def test_a_frame_in_a_cell_is_read_in_its_row() -> None:
    cell = "<iframe srcdoc='not &lt;b&gt;safe&lt;/b&gt;'></iframe>"
    rows = f"<tr><th>Item</th><th>State</th></tr><tr><td>Brake</td><td>{cell}</td></tr>"
    assert page(f"<table>{rows}</table>").text.endswith("Item: Brake; State: not safe")


@pytest.mark.parametrize("content", [b"<!-- nothing yet -->", b"<!DOCTYPE html>"])
def test_a_page_without_an_element_that_word_takes_in_is_empty(
    tmp_path: Path, content: bytes
) -> None:
    document, _ = read(tmp_path / "a", DOCX, with_chunk("c.html", content))
    assert (document.text, document.losses) == ("Before.\n\nAfter.", ())


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 no package", word_file("", DECLARED), b"<b>" * 400 + b"x",
        b"\x01\x02\x03" * 40,
    ],
)  # fmt: skip
def test_a_file_that_word_takes_in_and_nobody_can_read_is_named(
    tmp_path: Path, content: bytes
) -> None:
    document, _ = read(tmp_path / "a", DOCX, with_chunk("c.x", content))
    assert document.text == "Before.\n\nAfter."
    assert lost(document) == [("word/c.x", "corrupt_document")]


def test_damaged_bytes_of_a_file_that_word_takes_in_are_named(tmp_path: Path) -> None:
    data = damaged(with_chunk("c.txt", b"The brake is not safe."), b"The brake is not safe.")
    document, _ = read(tmp_path / "a", DOCX, data)
    assert document.text == "Before.\n\nAfter."
    assert lost(document) == [("word/c.txt", "corrupt_document")]


def test_an_embedded_file_with_damaged_bytes_is_named(tmp_path: Path) -> None:
    data = damaged(with_member(DOCX, "figures.xlsx", b"PK\x03\x04 a workbook"), b" a workbook")
    document, members = read(tmp_path / "a", DOCX, data)
    assert (document.text, members) == ("See inside.", {})
    assert lost(document) == [("figures.xlsx", "corrupt_document")]


def test_a_packed_file_whose_name_is_no_text_is_taken_out_under_another(tmp_path: Path) -> None:
    called = b"\x01\x02\x03\x04\x05\x06\x81\x8d"
    wrapped = called + b"\0C:\\n\0\0\0\x03\0\0\0\0\0"
    data = storage({"\x01Ole10Native": b"\x30\0\0\0\x02\0" + wrapped + b"\x03\0\0\0abc"})
    document, members = read(tmp_path / "a", DOCX, with_member(DOCX, "o.bin", data, "oleObject"))
    assert (members, document.losses) == ({"o.bin": b"abc"}, ())


def test_relations_that_cannot_be_read_lose_no_other_file(tmp_path: Path) -> None:
    data = with_member(DOCX, "figures.xlsx", b"PK\x03\x04 a workbook")
    more = {"customXml/item.xml": "<x/>", "customXml/_rels/item.xml.rels": f"{DECLARED}<x/>"}
    document, members = read(tmp_path / "a", DOCX, with_parts(data, more))
    assert list(members) == ["figures.xlsx"]
    assert lost(document) == [("customXml/item.xml", "corrupt_document")]


def test_a_file_of_a_pdf_that_is_not_there_is_named(tmp_path: Path) -> None:
    plain = pdf_samples.many_pages(tmp_path / "plain.pdf", 1)
    with pypdfium2.PdfDocument(plain) as document:
        for name in ("a.txt", "b.txt"):
            document.new_attachment(name).set_data(b"It broke.")
        document.save(tmp_path / "whole.pdf")
    whole = (tmp_path / "whole.pdf").read_bytes()
    dangling = re.sub(
        rb"(?<=\(a\.txt\) )\d+ 0 R", lambda m: b"9" * (len(m[0]) - 4) + b" 0 R", whole
    )
    assert dangling != whole
    found, members = read(tmp_path / "a.pdf", PDF, dangling)
    assert found.text
    assert members == {"b.txt": b"It broke."}
    assert lost(found) == [("attachment 1", "corrupt_document")]


@pytest.mark.parametrize("is_declared", [True, False])
def test_an_object_of_a_text_that_cannot_be_read_is_named(
    tmp_path: Path, is_declared: bool
) -> None:
    inner = f"{DECLARED if is_declared else ''}<office:x>Losses</office:x>"
    data = with_parts(open_document(f"{OBJECT}<text:p>End.</text:p>"), {OBJECT_PART: inner})
    data = data if is_declared else damaged(data, b"Losses")
    document, _ = read(tmp_path / "a", ODT, data)
    assert document.text == "See\n\nEnd."
    assert lost(document) == [(OBJECT_PART, "corrupt_document")]


def test_objects_within_objects_are_read_to_a_depth_and_named_below(tmp_path: Path) -> None:
    inner = {
        f"Object {n}__content": f"<office:body><office:text><text:p>No. {n}.</text:p>"
        f"{OBJECT.replace('Object 1', f'Object {n + 1}')}</office:text></office:body>"
        for n in range(1, MAX_DEPTH + 3)
    }
    document, _ = read(tmp_path / "a", ODT, open_document(OBJECT, **inner))
    assert f"No. {MAX_DEPTH}." in document.text
    assert f"No. {MAX_DEPTH + 1}." not in document.text
    assert lost(document) == [(f"Object {MAX_DEPTH + 1}/content.xml", "too_deep")]


def test_what_is_drawn_over_a_chart_and_cannot_be_read_is_named(tmp_path: Path) -> None:
    text = "<a:p xmlns:a='a'><a:r><a:t>Ropes</a:t></a:r></a:p>"
    chart = "<w:r><c:chart xmlns:c='c' xmlns:r='x/relationships' r:id='rId9'/></w:r>"
    data = word_file(paragraph(run("See.") + chart), chart=text)
    rels = {"word/_rels/chart.xml.rels": f"{DECLARED}<Relationships/>"}
    document, _ = read(tmp_path / "a", DOCX, with_parts(data, rels))
    assert document.text == "See.\n\nRopes"
    assert lost(document) == [("word/chart.xml", "corrupt_document")]


def test_an_attached_message_that_cannot_be_read_costs_nothing_else(tmp_path: Path) -> None:
    secret = b"Subject: x\r\nContent-Type: application/pkcs7-mime\r\n\r\nabc"
    kept = part("a.txt", b"It broke.")
    attached = b"Content-Disposition: attachment; filename=fw.eml\r\nContent-Type: message/rfc822"
    inner = b'Content-Type: multipart/mixed; boundary="C"\r\n\r\n--C\r\n' + HTML + b"<p>See it.</p>"
    other = b"\r\n--C\r\n".join([inner, attached + b"\r\n\r\n" + secret, kept]) + b"\r\n--C--"
    data = multipart("alternative", PLAIN + b"See it.", other)
    document, members = read(tmp_path / "a", MAIL, data)
    assert "See it." in document.text
    assert members == {"a.txt": b"It broke."}
    assert lost(document) == [("fw.eml/application/pkcs7-mime", "encrypted_document")]


def test_a_field_of_a_delivery_report_that_is_no_text_is_named(tmp_path: Path) -> None:
    fields = b"Status: 5.1.1\r\nRemark: " + b"\x02\x81\x03\x8d" * 20 + b"\r\n"
    status = b"Content-Type: message/delivery-status\r\n\r\n" + fields
    document, _ = read(tmp_path / "a", MAIL, multipart("report", PLAIN + b"It failed.", status))
    assert document.text.endswith("It failed.\n\nStatus: 5.1.1")
    assert lost(document) == [("Remark", "corrupt_document")]


def test_a_name_of_an_xml_file_that_stands_for_a_control_character_is_read(tmp_path: Path) -> None:
    written = b"<!DOCTYPE r [<!ENTITY f 'in&#38;#12;to'>]><r>Cut &f; two.</r>"
    assert read(tmp_path / "a", XML, written)[0].text == "r: Cut in\nto two."
