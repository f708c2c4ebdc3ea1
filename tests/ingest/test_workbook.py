"""Workbooks: every word that a sheet shows, as it shows it."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import XLSX
from kb_service.domain.documents import PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
READ_ALOUD = "<r><t>鋼</t></r><rPh><t>こう</t></rPh><r><t>纜</t></r>"


def read(tmp_path: Path, data: bytes, limits: ParseLimits | None = None) -> ParsedDocument:
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    *_, document = DocumentLoader(limits or ParseLimits()).load(path, path.name, XLSX)
    assert isinstance(document, ParsedDocument)
    return document


def saved(fill: Callable[[Any], None]) -> bytes:
    book = Workbook()
    book.active.title = "Data"
    fill(book.active)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def changed(data: bytes, part: str, change: Callable[[str], str], **more: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content.decode()) if name == part else content)
        for name, text in more.items():
            new.writestr(name.replace("__", "/") + ".xml", text)
    return stream.getvalue()


def lines(document: ParsedDocument) -> list[str]:
    return document.text.split("\n\n")[1:]


def rows(*values: tuple[object, ...]) -> Callable[[Any], None]:
    def fill(sheet: Any) -> None:  # noqa: ANN401 - openpyxl has no types
        for row in values:
            sheet.append(row)

    return fill


def test_cells_are_shown_as_the_sheet_shows_them(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        sheet.append(["No", "Loss", "Share", "Lasted", "On", "Closed"])
        sheet.append(
            [42, 12345.5, 1 / 3, dt.timedelta(hours=26, minutes=5), dt.date(2024, 8, 17), True]
        )
        for column, code in zip("ABCD", ("000000", '"¥"#,##0.00', "0.0%", "[h]:mm"), strict=True):
            sheet[f"{column}2"].number_format = code

    assert lines(read(tmp_path, saved(fill)))[1] == (
        "No: 000042; Loss: ¥12,345.50; Share: 33.3%; Lasted: 26:05; On: 2024-08-17; Closed: TRUE"
    )


def test_merged_cells_stand_in_every_place_and_two_header_rows_are_one_name(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        for row in (
            ["Accidents of 2026", None, None], ["Place", "People", None], [None, "Dead", "Hurt"],
            ["Quay", 0, 2], [None, 1, 3],
        ):  # fmt: skip
            sheet.append(row)
        for area in ("A1:C1", "A2:A3", "B2:C2", "A4:A5"):
            sheet.merge_cells(area)

    assert lines(read(tmp_path, saved(fill))) == [
        "Accidents of 2026", "Place; People", "Place; Dead; Hurt",
        "Place: Quay; People Dead: 0; People Hurt: 2",
        "Place: Quay; People Dead: 1; People Hurt: 3",
    ]  # fmt: skip


def test_a_table_may_begin_anywhere_and_another_may_follow_it(tmp_path: Path) -> None:
    fill = rows(
        (), (None, "Place", "Cause"), (None, "Quay", "rope"), (), (None, "Name", "Years"),
        (None, "Li", 12), (), (None, "Notes of the clerk"),
    )  # fmt: skip
    assert lines(read(tmp_path, saved(fill))) == [
        "Place; Cause", "Place: Quay; Cause: rope", "Name; Years", "Name: Li; Years: 12",
        "Notes of the clerk",
    ]  # fmt: skip


def test_rows_after_a_gap_keep_the_header_that_they_have(tmp_path: Path) -> None:
    fill = rows(("Place", "Cause"), ("Quay", "rope"), (), ("Hall", "fire"), ("Roof", "ice"))
    assert lines(read(tmp_path, saved(fill)))[2:] == [
        "Place: Hall; Cause: fire", "Place: Roof; Cause: ice",
    ]  # fmt: skip


def test_comments_and_the_words_of_headers_are_read(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        rows(("Item", "State"), ("Brake", "worn"))(sheet)
        sheet["B2"].comment = Comment("Checked again: it failed.", "Li")
        sheet.oddHeader.center.text = "Internal use only"

    found = lines(read(tmp_path, saved(fill)))
    assert found[2:] == ["Internal use only", "B2: Checked again: it failed."]


def test_a_thread_of_comments_is_read_once_in_any_language_of_the_program(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        sheet.append(["Brake"])
        sheet["A1"].comment = Comment("[线程批注] 您的版本 … 注释: Who was on call?", "tc={8D1F}")

    thread = (
        "<ThreadedComments><threadedComment ref='A1'><text>Who was on call?</text>"
        "</threadedComment></ThreadedComments>"
    )
    relation = (
        f'<Relationship Id="rId99" Type="{RELATIONSHIPS}/threadedComment" '
        'Target="/xl/threadedComments/threadedComment1.xml"/></Relationships>'
    )
    data = changed(
        saved(fill),
        "xl/worksheets/_rels/sheet1.xml.rels",
        lambda rels: rels.replace("</Relationships>", relation),
        xl__threadedComments__threadedComment1=thread,
    )
    document = read(tmp_path, data)
    assert lines(document) == ["Brake", "A1: Who was on call?"]
    assert "words_missing" not in document.metadata


def test_a_chart_and_a_box_of_the_sheet_are_read(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        rows(("Month", "Cases"), ("May", 7))(sheet)
        chart = BarChart()
        chart.title = "Cases by month"
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
        sheet.add_chart(chart)

    box = (
        '<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="2" name="x" descr="A burnt drum"/></xdr:nvSpPr>'
        '<xdr:txBody xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:r>'
        "<a:t>May counts are provisional</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    )
    data = changed(
        saved(fill),
        "xl/drawings/drawing1.xml",
        lambda text: re.sub(r"(</(?:\w+:)?wsDr>)", lambda end: box + end.group(1), text).replace(
            "<wsDr", '<wsDr xmlns:xdr="x"', 1
        ),
    )
    assert {"Cases by month", "May counts are provisional", "A burnt drum"} <= set(
        lines(read(tmp_path, data))
    )


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('<c r="A1"><f>SUM(B2:B3)</f></c>', "=SUM(B2:B3)"),
        ('<c r="A1"><f>SUM(B2:B3)</f><v>7</v></c>', "7"),
        ('<c r="A1" t="str"><f>A2</f><v>rope</v></c>', "rope"),
        ('<c r="A1" t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="A1" t="d"><v>2024-08-17</v></c>', "2024-08-17"),
        ('<c r="A1" t="inlineStr"><is><t>a_x000D__x4E2D_b</t></is></c>', "a 中b"),
        (f'<c r="A1" t="inlineStr"><is>{READ_ALOUD}</is></c>', "鋼纜"),
        ('<c t="inlineStr"><is><t>no place</t></is></c>', "no place"),
        ('<c t="inlineStr"><is><r><t>not </t></r><r><t>safe</t></r></is></c>', "not safe"),
        ('<c t="inlineStr"><is><r><t>not</t></r><r><t> safe</t></r></is></c>', "not safe"),
        ('<c t="inlineStr"><is><r><t>un</t></r><r><t>safe</t></r></is></c>', "unsafe"),
        (
            '<c t="inlineStr"><is><r><t>not</t></r><r><t> </t></r><r><t>safe</t></r></is></c>',
            "not safe",
        ),
        ('<c r="A1" t="s"><v>999</v></c>', ""),
        ('<c r="A1" s="999"><v>5</v></c>', "5"),
    ],
)
def test_a_cell_of_any_kind_is_read(tmp_path: Path, cell: str, words: str) -> None:
    data = changed(
        saved(rows(("x",))), SHEET, lambda text: re.sub(r"<c .*?</c>", lambda _: cell, text)
    )
    assert lines(read(tmp_path, data)) == ([words] if words else [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "<styleSheet><fills><fill/></fills>",
        lambda text: "",
        lambda text: text.replace("cellXfs", "nothing"),
    ],
)
def test_broken_styles_lose_no_word(tmp_path: Path, damage: Callable[[str], str]) -> None:
    data = changed(saved(rows(("Item", "State"), ("Brake", "worn"))), "xl/styles.xml", damage)
    assert lines(read(tmp_path, data)) == ["Item; State", "Item: Brake; State: worn"]


def test_strict_files_and_backslashes_and_lost_sheets_are_read(tmp_path: Path) -> None:
    plain = saved(rows(("Item", "State"), ("Brake", "worn")))
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            text = (
                old.read(name)
                .decode()
                .replace(
                    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                    "http://purl.oclc.org/ooxml/spreadsheetml/main",
                )
            )
            text = re.sub(r"<sheet [^>]*/>", "", text) if name == "xl/workbook.xml" else text
            new.writestr(name.replace("/", "\\"), text)
    document = read(tmp_path, stream.getvalue())
    assert document.text.startswith("sheet1\n\nItem; State")


def test_dates_count_from_the_epoch_of_the_workbook(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        sheet.append([44059])
        sheet["A1"].number_format = "yyyy-mm-dd"

    data = changed(
        saved(fill),
        "xl/workbook.xml",
        lambda text: text.replace("<workbookPr", '<workbookPr date1904="1"'),
    )
    assert lines(read(tmp_path, data)) == ["2024-08-17"]


def test_hidden_sheets_rows_and_columns_are_read(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        rows(("Item", "State"), ("Brake", "worn"))(sheet)
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True
        other = sheet.parent.create_sheet("Secret")
        other.append(["Rope", "broken"])
        other.sheet_state = "hidden"

    document = read(tmp_path, saved(fill))
    assert "Item: Brake; State: worn" in document.text
    assert document.text.endswith("Secret\n\nRope; broken")


def test_an_empty_sheet_is_a_page_and_too_many_are_refused(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401
        rows(("Item", "State"))(sheet)
        sheet.parent.create_sheet("Empty")

    assert [page.kind for page in read(tmp_path, saved(fill)).pages] == [
        PageKind.TEXT,
        PageKind.EMPTY,
    ]
    with pytest.raises(DocumentError, match="has 2 sheets, at most 1 are read"):
        read(tmp_path, saved(fill), ParseLimits(max_pages=1))


def with_part(kind: str, target: str, content: str) -> bytes:
    """A workbook whose sheet points at one more part."""
    data = saved(rows(("Item", "State"), ("Brake", "worn")))
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as package:
        package.writestr(
            "xl/worksheets/_rels/sheet1.xml.rels",
            f'<Relationships><Relationship Id="r1" Type="{RELATIONSHIPS}/{kind}" '
            f'Target="../{target}"/></Relationships>',
        )
        package.writestr(f"xl/{target}", content)
    return stream.getvalue()


def test_words_on_buttons_are_read_and_comments_are_not_said_twice(tmp_path: Path) -> None:
    shape = (
        "<v:shape><v:textbox><div><font>{}</font></div></v:textbox>"
        "<x:ClientData ObjectType='{}'/></v:shape>"
    )
    shapes = shape.format("Stop the crane", "Button") + shape.format("a comment", "Note")
    drawing = f"<xml xmlns:v='urn:v' xmlns:x='urn:x'>{shapes}</xml>"
    data = with_part("vmlDrawing", "drawings/vmlDrawing1.vml", drawing)
    assert lines(read(tmp_path, data))[2:] == ["Stop the crane"]


def test_replies_of_a_thread_are_told_apart_and_none_is_missed(tmp_path: Path) -> None:
    said = "".join(
        f"<threadedComment ref='A1'><text>{words}</text></threadedComment>"
        for words in ("Check it", "Done")
    )
    data = with_part(
        "threadedComment", "threadedComments/threadedComment1.xml",
        f"<ThreadedComments>{said}</ThreadedComments>",
    )  # fmt: skip
    document = read(tmp_path, data)
    assert lines(document)[2:] == ["A1: Check it", "A1: Done"]
    assert "words_missing" not in document.metadata


TITLED = (("Incidents of the harbour 2026",), ("No", "Kind"), ("H-1", "fire"))


@pytest.mark.parametrize(
    ("sheets", "title"),
    [
        ((TITLED,), "Incidents of the harbour 2026"),
        ((TITLED[1:],), ""),
        ((TITLED, TITLED[1:]), ""),
        ((TITLED, ()), "Incidents of the harbour 2026"),
        (((("Harbour police",), *TITLED),), "Harbour police Incidents of the harbour 2026"),
        (((("x" * 90,), *TITLED),), "x" * 90),
        ((((None, None), ("Name:", "Li")),), ""),
    ],
    ids=["titled", "untitled", "of several", "one empty", "two lines", "too long", "form"],
)
def test_a_workbook_is_called_by_its_title_row_and_never_by_the_name_of_a_sheet(
    tmp_path: Path, sheets: tuple[tuple[tuple[object, ...], ...], ...], title: str
) -> None:
    """Without one the name of its file serves: "What was the cause of Sheet1?" was suggested."""

    def fill(first: Any) -> None:  # noqa: ANN401 - openpyxl has no types
        book = first.parent
        for number, values in enumerate(sheets):
            sheet = first if number == 0 else book.create_sheet(f"Sheet{number + 1}")
            for row in values:
                sheet.append(row)

    assert read(tmp_path, saved(fill)).title == title


def test_the_title_among_the_properties_goes_before_a_row(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:  # noqa: ANN401 - openpyxl has no types
        sheet.parent.properties.title = "Ledger of the harbour"
        for row in TITLED:
            sheet.append(row)

    assert read(tmp_path, saved(fill)).title == "Ledger of the harbour"
