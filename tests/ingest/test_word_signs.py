"""Word: what stands there for a sign, a choice, another file or a note that nothing calls for."""

import io
import zipfile
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX
from ingest.word import MAX_DEPTH
from kb_service.domain.documents import ParsedDocument
from tests.ingest.word_samples import RELATIONSHIPS, cell, paragraph, run, table, word_file

CHOICES = "<w:listEntry w:val='no'/><w:listEntry w:val='yes'/>"


def read(tmp_path: Path, data: bytes) -> ParsedDocument:
    path = tmp_path / "a.docx"
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, DOCX)
    assert isinstance(document, ParsedDocument)
    assert "words_missing" not in document.metadata
    return document


def lines(tmp_path: Path, body: str, **parts: str) -> list[str]:
    return read(tmp_path, word_file(body, **parts)).text.split("\n\n")


def form_field(inside: str) -> str:
    return (
        f"<w:r><w:fldChar w:fldCharType='begin'><w:ffData>{inside}</w:ffData></w:fldChar></w:r>"
        "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
    )


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>", "\u2611"),
        ("<w:checkBox><w:default w:val='1'/></w:checkBox>", "\u2611"),
        ("<w:checkBox><w:default w:val='1'/><w:checked w:val='0'/></w:checkBox>", "\u2610"),
        (f"<w:ddList><w:result w:val='1'/>{CHOICES}</w:ddList>", "yes"),
        (f"<w:ddList>{CHOICES}</w:ddList>", "no"),
    ],
)  # fmt: skip
def test_boxes_and_choices_of_a_form_say_their_state(
    tmp_path: Path, inside: str, shown: str
) -> None:
    body = paragraph(form_field(inside) + run(" injured"))
    assert lines(tmp_path, body) == [f"{shown} injured"]


@pytest.mark.parametrize(
    "shape",
    [
        '<v:shape><v:textpath string="DRAFT"/></v:shape>',
        '<v:shape alt="DRAFT"/>',
        '<v:rect alt="DRAFT"/>',
    ],
)
def test_words_of_an_old_drawing_are_read_also_in_a_header(tmp_path: Path, shape: str) -> None:
    drawn = paragraph(f"<w:r><w:pict>{shape}</w:pict></w:r>")
    assert lines(tmp_path, drawn) == ["DRAFT"]
    assert lines(tmp_path, paragraph(run("Text.")), header1=drawn) == ["DRAFT", "Text."]


def test_the_name_of_a_pictures_file_is_no_description(tmp_path: Path) -> None:
    body = paragraph("<w:r><w:pict><v:shape alt='p.png'/></w:pict></w:r>" + run("Text."))
    assert lines(tmp_path, body) == ["Text."]


def test_title_and_description_of_a_table_stand_before_it(tmp_path: Path) -> None:
    captions = '<w:tblPr><w:tblCaption w:val="Pumps"/><w:tblDescription w:val="By hall"/></w:tblPr>'
    rows = table(cell(paragraph(run("a"))) + cell(paragraph(run("b"))))
    found = lines(tmp_path, rows.replace("<w:tblPr/>", captions))
    assert found[:2] == ["Pumps", "By hall"]


@pytest.mark.parametrize(
    "alternatives",
    [
        "<mc:Choice><w:drawing/></mc:Choice><mc:Fallback><w:t>not</w:t></mc:Fallback>",
        "<mc:Choice/><mc:Choice><w:t>not</w:t></mc:Choice><mc:Fallback><w:t>no</w:t></mc:Fallback>",
        "<mc:Choice><w:t>not</w:t></mc:Choice><mc:Fallback><w:t>no</w:t></mc:Fallback>",
    ],
)
def test_the_first_alternative_that_shows_something_is_read(
    tmp_path: Path, alternatives: str
) -> None:
    body = paragraph(f"<w:r><mc:AlternateContent>{alternatives}</mc:AlternateContent></w:r>")
    assert lines(tmp_path, body) == ["not"]


@pytest.mark.parametrize("kind", ["footnote", "endnote", "comment"])
def test_a_note_that_nothing_calls_for_is_read_last(tmp_path: Path, kind: str) -> None:
    note = f'<w:{kind} w:id="4">{paragraph(run("Left over."))}</w:{kind}>'
    found = lines(tmp_path, paragraph(run("Text.")), **{f"{kind}s": note})
    assert found == ["Text.", "Left over."]


def with_chunk(name: str, content: bytes) -> bytes:
    body = (
        paragraph(run("Before."))
        + f'<w:altChunk xmlns:r="{RELATIONSHIPS}" r:id="rId1"/>'
        + paragraph(run("After."))
    )
    stream = io.BytesIO(word_file(body))
    with zipfile.ZipFile(stream, "a") as package:
        package.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships><Relationship Id="rId1" Type="{RELATIONSHIPS}/aFChunk" '
            f'Target="{name}"/></Relationships>',
        )
        package.writestr(f"word/{name}", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.html", b"<html><body><p>The brake is <b>not</b> safe.</p></body></html>"),
        ("c.txt", b"The brake is not safe."),
        ("c.rtf", rb"{\rtf1 The brake is {\b not} safe.\par}"),
        ("c.docx", word_file(paragraph(run("The brake is not safe.")))),
        (
            "c.mht",
            b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>The brake is not safe.</p>",
        ),
    ],
)
def test_a_file_that_is_taken_in_is_read_in_its_place(
    tmp_path: Path, name: str, content: bytes
) -> None:
    document = read(tmp_path, with_chunk(name, content))
    assert document.text.split("\n\n") == ["Before.", "The brake is not safe.", "After."]


def test_documents_that_take_each_other_in_have_an_end(tmp_path: Path) -> None:
    data = word_file(paragraph(run("Innermost.")))
    for _ in range(MAX_DEPTH):
        data = with_chunk("c.docx", data)
    assert "Innermost." in read(tmp_path, data).text
    document = read(tmp_path, with_chunk("c.docx", data))
    assert document.text.split("\n\n") == ["Before."] * (MAX_DEPTH + 1) + ["After."] * (
        MAX_DEPTH + 1
    )
    assert [(loss.where, loss.what) for loss in document.losses] == [("word/c.docx", "too_deep")]
    assert f"more than {MAX_DEPTH} documents" in document.losses[0].sample
