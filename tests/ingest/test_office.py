"""Office files, pages, mail, tables and text: what a reader sees, offline."""

import io
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.draft import clean
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.documents import PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.ingest.format_samples import office_bytes

LONG_CHINESE = (
    "第一条 为了加强乳品质量安全监督管理，保证乳品质量安全，保障公众身体健康，制定本条例。"
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Any connection or name look-up fails the test."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a parser tried to use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield


def load(path: Path, media_type: str, limits: ParseLimits | None = None) -> ParsedDocument:
    *_, document = DocumentLoader(limits or ParseLimits()).load(path, path.name, media_type)
    assert isinstance(document, ParsedDocument)
    for page in document.pages:
        assert page.char_boxes == ()
    for heading in document.headings:
        assert heading.span.of(document.text).strip()
    return document


def load_text(tmp_path: Path, name: str, data: bytes, media_type: str) -> ParsedDocument:
    path = tmp_path / name
    path.write_bytes(data)
    return load(path, media_type)


def headings(document: ParsedDocument) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(document.text)) for heading in document.headings]


@pytest.mark.parametrize("media_type", [types.DOCX, types.PPTX, types.XLSX])
def test_a_stored_file_without_a_suffix_is_read(tmp_path: Path, media_type: str) -> None:
    # Stored bytes are named by their hash; openpyxl refused a path without ".xlsx".
    words = "The pump of line four stopped."
    document = load_text(tmp_path, "5f3a" * 16, office_bytes(media_type, words), media_type)
    assert words in document.text


def test_a_page_nested_too_deep_for_the_parser_is_refused_not_emptied(tmp_path: Path) -> None:
    page = b"<html><body>" + b"<div>" * 300 + b"deep words" + b"</div>" * 300
    with pytest.raises(DocumentError, match="deeper than 255 levels"):
        load_text(tmp_path, "a.html", page, types.HTML)


def test_word_gives_headings_paragraphs_and_table_rows(tmp_path: Path) -> None:
    from docx import Document

    file = Document()
    file.add_heading("事故调查报告", 1)
    file.add_paragraph(LONG_CHINESE)
    file.add_heading("原因分析", 2)
    table = file.add_table(rows=0, cols=3)
    for row in (("编号", "类别", "地点"), ("SG-1", "泄漏", "云岭市"), ("SG-2", "火灾", "石门县")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    file.core_properties.author = "Li"
    path = tmp_path / "a.docx"
    file.save(str(path))
    document = load(path, types.DOCX)
    assert headings(document) == [(1, "事故调查报告"), (2, "原因分析")]
    assert LONG_CHINESE in document.text
    assert document.text.endswith("编号: SG-2; 类别: 火灾; 地点: 石门县")
    assert document.title == "事故调查报告"
    assert document.metadata == {"author": "Li"}


def test_each_slide_is_a_page(tmp_path: Path) -> None:
    from pptx import Presentation

    file = Presentation()
    for title, body in (("Outage", "The cable broke."), ("Measures", "Replace the cable.")):
        slide = file.slides.add_slide(file.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
    file.slides.add_slide(file.slide_layouts[6])
    path = tmp_path / "a.pptx"
    file.save(str(path))
    document = load(path, types.PPTX)
    assert [page.span.of(document.text) for page in document.pages] == [
        "Outage\n\nThe cable broke.", "Measures\n\nReplace the cable.", "",
    ]  # fmt: skip
    assert (document.pages[2].kind, document.pages[2].reason) == (PageKind.EMPTY, "blank")
    assert headings(document) == [(1, "Outage"), (1, "Measures")]


def test_each_sheet_is_a_page_and_a_row_names_its_columns(tmp_path: Path) -> None:
    import datetime as dt

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Incidents"
    sheet.append(["No", "Date", "Share", "Loss", "Closed"])
    sheet.append(["SG-1", dt.date(2024, 8, 17), 0.25, 5, True])
    sheet["C2"].number_format = "0.00%"
    book.create_sheet("Empty")
    path = tmp_path / "a.xlsx"
    book.save(path)
    document = load(path, types.XLSX)
    row = "No: SG-1; Date: 2024-08-17; Share: 25.00%; Loss: 5; Closed: TRUE"
    assert document.text == f"Incidents\n\nNo; Date; Share; Loss; Closed\n\n{row}"
    assert [page.kind for page in document.pages] == [PageKind.TEXT, PageKind.EMPTY]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_rows_in_any_encoding_and_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    rows = [("编号", "地点", "损失"), ("SG-1", "云岭市三号机房", "560"), ("SG-2", "石门县", "85")]
    data = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    document = load_text(tmp_path, "a.csv", data, types.CSV)
    assert document.text.split("\n\n")[1] == "编号: SG-1; 地点: 云岭市三号机房; 损失: 560"


def test_a_web_page_without_what_nobody_sees(tmp_path: Path) -> None:
    page = """<html><head><title>Outage report</title><style>p {color: red}</style></head><body>
    <h1>Outage of 17 August</h1><script>alert("no")</script><!-- a comment -->
    <p>The cable broke at noon, and the pumps stopped.</p><p style="display: none">secret</p>
    <div hidden>hidden words</div><template>template words</template></body></html>"""
    document = load_text(tmp_path, "a.html", page.encode(), types.HTML)
    assert document.text == (
        "Outage of 17 August\n\nThe cable broke at noon, and the pumps stopped."
    )
    assert document.title == "Outage report"
    assert headings(document) == [(1, "Outage of 17 August")]


def test_a_mail_with_head_body_and_names_of_attachments(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"], message["From"] = "停机事件", "ann@example.org"
    message["To"], message["Date"] = "bob@example.org", "Sat, 17 Aug 2024 18:12:00 +0800"
    message.set_content("各位：\n\n三号机房停机。")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="report.pdf")
    document = load_text(tmp_path, "a.eml", message.as_bytes(), types.MAIL)
    assert document.title == "停机事件"
    assert document.text.startswith("Subject: 停机事件\nFrom: ann@example.org")
    assert "三号机房停机。" in document.text
    assert document.text.endswith("Attachments: report.pdf")
    assert document.metadata["sent_at"] == "2024-08-17T18:12:00+08:00"
    assert document.metadata["attachments"] == "report.pdf"


def test_markdown_headings_make_a_path(tmp_path: Path) -> None:
    table = "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n"
    text = f"# 条例\n\n## 第一章 总则\n\n{LONG_CHINESE}\n\n{table}"
    document = load_text(tmp_path, "a.md", text.encode(), types.MARKDOWN)
    assert headings(document) == [(1, "条例"), (2, "第一章 总则")]
    assert document.text.endswith("a: 1; b: 2; c: 3")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "gb18030", "utf-8-sig"])
def test_plain_text_stays_as_written_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "事故报告 Report of 2024\n\n一、事故概况\n“8·17”泄漏，造成５人受伤…\n第二行 \tcell"
    document = load_text(tmp_path, "a.txt", text.encode(encoding), types.PLAIN_TEXT)
    assert "“8·17”泄漏，造成５人受伤…\n第二行 \tcell" in document.text
    assert headings(document) == [(3, "一、事故概况")]


def test_control_characters_and_lone_surrogates_do_not_survive(tmp_path: Path) -> None:
    words = "words " * 20
    data = f"{words}a\x01b\x07c\u2028d\x0ce\r\nf".encode()
    document = load_text(tmp_path, "a.txt", data, types.PLAIN_TEXT)
    assert document.text == f"{words}abc\nd\ne\nf"
    assert clean("a\0\ud800b") == "a\ufffdb"


def test_white_space_alone_is_a_blank_page(tmp_path: Path) -> None:
    document = load_text(tmp_path, "a.txt", b" \n\n \t\n", types.PLAIN_TEXT)
    assert [(page.kind, page.reason) for page in document.pages] == [(PageKind.EMPTY, "blank")]


@pytest.mark.parametrize("media_type", [types.DOCX, types.PPTX, types.XLSX])
def test_a_damaged_package_is_a_corrupt_document(tmp_path: Path, media_type: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_text(tmp_path, "a.docx", b"PK\x03\x04 broken", media_type)
    assert caught.value.code == "corrupt_document"


def test_a_package_that_unpacks_to_too_much_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 3_000_000)
    path = tmp_path / "bomb.docx"
    path.write_bytes(stream.getvalue())
    with pytest.raises(DocumentError, match="unpacks to 3000000 bytes") as caught:
        load(path, types.DOCX, ParseLimits(max_decompressed_bytes=1_000_000))
    assert caught.value.code == "document_too_large"
    with pytest.raises(DocumentError, match="at most 1000 are accepted"):
        load(path, types.DOCX, ParseLimits(max_file_bytes=1000))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (
            (
                "Hotline, July 2026;;;\nday;time;what;done\n3 July;13:15;burst, stall flooded;yes\n"
                "7 July;08:30;no water, unpaid, cut off;yes\n"
            ),
            "day: 3 July; time: 13:15; what: burst, stall flooded; done: yes",
        ),
        (
            (
                "沣源热线|||\n日期|时刻|什么事|了没\n7月3号|13:15|水管爆了;摊位全淹,停水|了\n"
                "7月7号|08:30|厕所没水;欠费|了\n"
            ),
            "日期: 7月3号; 时刻: 13:15; 什么事: 水管爆了;摊位全淹,停水; 了没: 了",
        ),
        (
            "no\tsaid\n1\ta, b, c\n2\td, e, f\n",
            "no: 1; said: a, b, c",
        ),
    ],
)
def test_a_title_above_or_marks_within_cells_do_not_hide_what_parts_them(
    tmp_path: Path, text: str, row: str
) -> None:
    document = load_text(tmp_path, "a.csv", text.encode(), types.CSV)
    assert row in document.text.split("\n\n")
