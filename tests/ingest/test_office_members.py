"""Files inside Office documents and PDF files: documents of their own."""

import io
import zipfile
from pathlib import Path

import pypdfium2
import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX, PDF, PPTX, XLSX
from ingest.members import MemberFolder
from kb_service.domain.documents import ParsedDocument
from tests.ingest import pdf_samples
from tests.ingest.ole_samples import storage
from tests.ingest.word_samples import RELATIONSHIPS, paragraph, run, word_file

PLACES = {
    DOCX: ("word/document.xml", "word/embeddings/"),
    PPTX: ("ppt/slides/slide1.xml", "ppt/embeddings/"),
    XLSX: ("xl/worksheets/sheet1.xml", "xl/embeddings/"),
}
MAIN = {
    DOCX: "<w/>",
    PPTX: '<p:presentation xmlns:p="p"/>',
    XLSX: "<workbook/>",
}
PACKED = (
    b"\x30\0\0\0\x02\0note.txt\0C:\\note.txt\0\0\0\x03\0\x0e\0\0\0C:\\t\\note.txt\0"
    b"\x0b\0\0\0The rope it\0\0"
)


def read(path: Path, kind: str) -> tuple[ParsedDocument, dict[str, bytes]]:
    folder = MemberFolder(path.parent / "members", ParseLimits())
    *_, document = DocumentLoader(ParseLimits(), members=folder).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document, {member.path: member.file.read_bytes() for member in document.members}


def package(kind: str, name: str, data: bytes, relation: str = "package") -> bytes:
    source, folder = PLACES[kind]
    stream = io.BytesIO(word_file(paragraph(run("See inside."))) if kind == DOCX else b"")
    with zipfile.ZipFile(stream, "a" if kind == DOCX else "w") as file:
        if kind == PPTX:
            file.writestr("ppt/presentation.xml", MAIN[kind])
        if kind == XLSX:
            file.writestr("xl/workbook.xml", MAIN[kind])
        if kind != DOCX:
            file.writestr(source, "<x/>")
        parent, _, own = source.rpartition("/")
        target = f"/{folder}{name}"
        file.writestr(
            f"{parent}/_rels/{own}.rels",
            f'<Relationships><Relationship Id="r1" Type="{RELATIONSHIPS}/{relation}" '
            f'Target="{target}"/></Relationships>',
        )
        file.writestr(f"{folder}{name}", data)
    return stream.getvalue()


@pytest.mark.parametrize("kind", sorted(PLACES))
def test_an_embedded_file_is_a_member(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(package(kind, "figures.xlsx", b"PK\x03\x04 a workbook"))
    assert read(path, kind)[1] == {"figures.xlsx": b"PK\x03\x04 a workbook"}


@pytest.mark.parametrize(
    ("streams", "name", "content"),
    [
        ({"\x01Ole10Native": PACKED}, "note.txt", b"The rope it"),
        ({"Package": b"PK\x03\x04x"}, "o.bin", b"PK\x03\x04x"),
        ({"CONTENTS": b"%PDF-1.7 x"}, "o.pdf", b"%PDF-1.7 x"),
        ({"WordDocument": b"x"}, "o.doc", None),
        ({"Workbook": b"x"}, "o.xls", None),
    ],
)
def test_a_file_in_a_storage_is_a_member(
    tmp_path: Path, streams: dict[str, bytes], name: str, content: bytes | None
) -> None:
    path, whole = tmp_path / "a", storage(streams)
    path.write_bytes(package(DOCX, "o.bin", whole, "oleObject"))
    document, members = read(path, DOCX)
    assert members == {name: whole if content is None else content}
    assert not document.losses


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (storage({"VisioDocument": b"x"}), "unsupported_media_type"),
        (storage({"\x01Ole10Native": PACKED[:40]}), "corrupt_document"),
        (storage({"VisioDocument": b"x"})[:600], "corrupt_document"),
    ],
)
def test_an_object_that_no_one_can_take_out_is_named(
    tmp_path: Path, data: bytes, code: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(package(DOCX, "o.bin", data, "oleObject"))
    document, members = read(path, DOCX)
    assert not members
    assert [(loss.where, loss.what) for loss in document.losses] == [("o.bin", code)]
    assert document.text == "See inside."


def test_a_formula_and_the_data_of_a_chart_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = package(DOCX, "o.bin", storage({"Equation Native": b"x"}), "oleObject")
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as file:
        file.writestr("word/charts/chart1.xml", "<c/>")
        file.writestr("word/embeddings/data.xlsx", b"PK")
        file.writestr(
            "word/charts/_rels/chart1.xml.rels",
            f'<Relationships><Relationship Id="r1" Type="{RELATIONSHIPS}/package" '
            'Target="../embeddings/data.xlsx"/></Relationships>',
        )
    path.write_bytes(stream.getvalue())
    document, members = read(path, DOCX)
    assert (members, document.losses) == ({}, ())


def test_a_file_inside_a_pdf_is_a_member(tmp_path: Path) -> None:
    path = pdf_samples.many_pages(tmp_path / "plain.pdf", 1)
    with pypdfium2.PdfDocument(path) as document:
        for name in ("note.txt", "old/note.txt"):
            document.new_attachment(name).set_data(b"The rope broke.")
        document.save(tmp_path / "a.pdf")
    _, members = read(tmp_path / "a.pdf", PDF)
    assert members == dict.fromkeys(("note.txt", "old/note.txt"), b"The rope broke.")


def test_a_file_that_is_pinned_to_a_page_is_a_member(tmp_path: Path) -> None:
    path = pdf_samples.with_annotations(
        tmp_path / "a.pdf",
        "/Subtype /FileAttachment /FS << /Type /Filespec /F (n.txt) /EF << /F 90 0 R >> >>"
        " /Contents (See it)",
        more=b"90 0 obj << /Type /EmbeddedFile /Length 5 >> stream\nbroke\nendstream endobj\n",
    )
    document, members = read(path, PDF)
    assert members == {"n.txt": b"broke"}
    assert document.text.endswith("See it")
