"""A report as a Word document says what its page says, and nothing in it acts."""

import io
import zipfile

from docx import Document

from kb_service.services.report_docx import docx_of
from kb_service.services.report_page import digest_of
from tests.services.test_report_page import HOSTILE, data


def made(**given: object) -> bytes:
    found = data(**given)
    return docx_of(found | {"digest": digest_of(found)})


def test_question_answer_table_quotes_and_hashes_are_in_it() -> None:
    document = Document(io.BytesIO(made()))
    text = [paragraph.text for paragraph in document.paragraphs]
    assert text[0] == HOSTILE
    assert "状态：部分有依据（资料没有写明所问的项目）" in text
    assert {"两起火灾", HOSTILE} <= set(text)
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["资料", HOSTILE],
        ["a.txt [1]", ""],
    ]
    assert any("a" * 64 in line and "第 0 至 10 个字符" in line for line in text)
    assert any(digest_of(data()) in line for line in text)


def test_the_same_data_give_the_same_bytes_and_no_part_that_acts() -> None:
    assert made() == made()
    with zipfile.ZipFile(io.BytesIO(made())) as archive:
        assert sorted(archive.namelist()) == [
            "[Content_Types].xml",
            "_rels/.rels",
            "word/document.xml",
        ]
        body = archive.read("word/document.xml").decode()
    assert "<script" not in body and "hyperlink" not in body and "instrText" not in body


def test_what_xml_has_no_place_for_is_shown_as_lost() -> None:
    document = Document(io.BytesIO(made(answer="a\x00b\x0bc\ud800d\te")))
    assert "a\ufffdb\ufffdc\ufffdd\te" in [one.text for one in document.paragraphs]


def test_an_answer_without_table_or_source_is_a_document_too() -> None:
    document = Document(
        io.BytesIO(made(table=None, counted=None, query=None, citations=[], reason=None))
    )
    assert document.tables == [] and "出处（0）" in [p.text for p in document.paragraphs]
