"""OpenDocument: every word of texts, sheets and slides."""

import io
import zipfile
from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import ODP, ODS, ODT
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError

NAMES = " ".join(
    f'xmlns:{name}="urn:{name}"'
    for name in (
        "office",
        "text",
        "table",
        "draw",
        "presentation",
        "svg",
        "style",
        "dc",
        "meta",
        "form",
        "xlink",
    )
)


def package(content: str, kind: str = "text", **parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        body = f"<office:body><office:{kind}>{content}</office:{kind}></office:body>"
        file.writestr("content.xml", f"<office:document {NAMES}>{body}</office:document>")
        for name, text in parts.items():
            file.writestr(name.replace("__", "/") + ".xml", f"<office:x {NAMES}>{text}</office:x>")
    return stream.getvalue()


def read(tmp_path: Path, data: bytes, kind: str = ODT, pages: int = 9) -> ParsedDocument:
    path = tmp_path / "a"
    path.write_bytes(data)
    *_, document = DocumentLoader(ParseLimits(max_pages=pages)).load(path, "a.odt", kind)
    assert isinstance(document, ParsedDocument)
    return document


def lines(document: ParsedDocument) -> list[str]:
    return document.text.split("\n\n")


@pytest.mark.parametrize(
    "inner",
    [
        "<text:span>not</text:span>", "<text:a>not</text:a>", "<text:meta>not</text:meta>",
        "<text:bookmark-start/>not<text:bookmark-end/>", "<text:date>not</text:date>",
        "<text:change-start/>not<text:change-end/>", "<unknown><deep>not</deep></unknown>",
    ],
)  # fmt: skip
def test_a_word_is_read_whatever_it_is_wrapped_in(tmp_path: Path, inner: str) -> None:
    content = f"<text:p>The brake is {inner} safe.</text:p>"
    assert read(tmp_path, package(content)).text == "The brake is not safe."


def test_deleted_words_are_left_out_and_spaces_and_breaks_are_kept(tmp_path: Path) -> None:
    content = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d</text:p>'
    )
    assert read(tmp_path, package(content)).text == "a  b\tc\nd"
    endless = '<text:p>a<text:s text:c="999999999999"/>b</text:p>'
    assert len(read(tmp_path, package(endless)).text) < 2000


def test_headings_lists_notes_boxes_and_headers_are_read_in_order(tmp_path: Path) -> None:
    content = (
        '<text:h text:outline-level="2">Cause</text:h>'
        "<text:list><text:list-item><text:p>first</text:p></text:list-item></text:list>"
        "<text:p>The rope<text:note><text:note-body><text:p>See annex.</text:p></text:note-body>"
        "</text:note> broke.<draw:frame><svg:desc>A burnt drum</svg:desc><draw:text-box>"
        "<text:p>boxed</text:p></draw:text-box></draw:frame></text:p>"
        "<text:p>鋼<text:ruby><text:ruby-base>纜</text:ruby-base><text:ruby-text>lan</text:ruby-text>"
        "</text:ruby></text:p>"
    )
    number = "<text:page-number>1</text:page-number>"
    head = f"<style:header><text:p>Internal {number}</text:p></style:header>"
    document = read(tmp_path, package(content, styles=head, meta="<dc:title>Report</dc:title>"))
    assert lines(document) == [
        "Internal", "Cause", "first", "The rope broke.", "See annex.", "A burnt drum", "boxed",
        "鋼纜(lan)",
    ]  # fmt: skip
    assert document.title == "Report"
    assert [(h.level, h.span.of(document.text)) for h in document.headings] == [(2, "Cause")]


def cell(words: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{words}</text:p></table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def test_sheets_repeat_merged_cells_and_end_where_their_words_end(tmp_path: Path) -> None:
    down, twice = 'table:number-rows-spanned="2"', 'table:number-columns-repeated="2"'
    many, wide = 'table:number-rows-repeated="1048576"', 'table:number-columns-repeated="16384"'
    head = row(cell("Area"), cell("Item"), cell("State"))
    rows = (
        row(cell("Quay", down), cell("Rope"), cell("")),
        row("<table:covered-table-cell/>", cell("Brake"), cell("worn")),
        row(cell("x", twice)),
        row(f"<table:table-cell {wide}/>", attributes=many),
    )
    sheets = (
        f"<table:table table:name='Data'><table:table-header-rows>{head}</table:table-header-rows>"
        f"{''.join(rows)}</table:table><table:table table:name='Empty'/>"
    )
    document = read(tmp_path, package(sheets, "spreadsheet"), ODS)
    assert lines(document) == [
        "Data", "Area; Item; State", "Area: Quay; Item: Rope",
        "Area: Quay; Item: Brake; State: worn", "Area: x; Item: x",
    ]  # fmt: skip
    assert len(document.pages) == 2


def test_slides_are_pages_with_their_notes(tmp_path: Path) -> None:
    page = (
        "<draw:page><draw:g><draw:frame><draw:text-box><text:p>The crane</text:p></draw:text-box>"
        "</draw:frame></draw:g><presentation:notes><text:p>Not inspected.</text:p>"
        "</presentation:notes></draw:page>"
    )
    document = read(tmp_path, package(page + "<draw:page/>", "presentation"), ODP)
    assert lines(document) == ["The crane", "Not inspected."]
    assert len(document.pages) == 2


def test_locked_and_endless_files_are_refused_by_name(tmp_path: Path) -> None:
    data = package("<text:p>x</text:p>")
    with zipfile.ZipFile(tmp_path / "b", "w") as file:
        file.writestr("content.xml", "<x/>")
        file.writestr("META-INF/manifest.xml", "<manifest><encryption-data/></manifest>")
    with pytest.raises(DocumentError) as locked:
        read(tmp_path, (tmp_path / "b").read_bytes())
    assert locked.value.code == "encrypted_document"
    sheets = "<table:table/>" * 3
    with pytest.raises(DocumentError, match="has 3 sheets or slides, at most 2"):
        read(tmp_path, package(sheets, "spreadsheet"), ODS, pages=2)
    assert read(tmp_path, data).text == "x"


@pytest.mark.parametrize("content", [
    "<text:p>one</text:p>two<text:p>three</text:p>",
    "<text:section><text:p>one</text:p>two</text:section><text:p>three</text:p>",
    "<text:section>one<text:p>two</text:p></text:section><text:p>three</text:p>",
    "<text:list><text:list-item>one</text:list-item></text:list><text:p>two</text:p>three",
])  # fmt: skip
def test_words_outside_of_paragraphs_are_read(tmp_path: Path, content: str) -> None:
    assert lines(read(tmp_path, package(content))) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("<table:table-cell>rope</table:table-cell>", "rope"),
        ('<table:table-cell office:value-type="string" office:string-value="rope"/>', "rope"),
        ('<table:table-cell office:value-type="float" office:value="42.5"/>', "42.5"),
        ('<table:table-cell office:date-value="2026-03-05"/>', "2026-03-05"),
        ('<table:table-cell office:value="0.4"><text:p>40 %</text:p></table:table-cell>', "40 %"),
    ],
)
def test_a_cell_says_its_words_or_else_its_value(tmp_path: Path, cell: str, words: str) -> None:
    sheet = f'<table:table table:name="S"><table:table-row>{cell}</table:table-row></table:table>'
    assert lines(read(tmp_path, package(sheet, "spreadsheet"), ODS)) == ["S", words]


OBJECT = "<text:p>See<draw:frame><draw:object xlink:href='./Object 1'/></draw:frame></text:p>"


def test_an_object_says_what_the_file_holds_of_it(tmp_path: Path) -> None:
    cell = "<table:table-cell><text:p>Ropes</text:p></table:table-cell>"
    row = f"<table:table-row>{cell}</table:table-row>"
    inner = (
        f"<office:body><office:chart><text:p>Losses</text:p><table:table>{row}</table:table>"
        "<draw:frame><draw:object xlink:href='Object 1'/></draw:frame></office:chart></office:body>"
    )
    document = read(tmp_path, package(OBJECT, **{"Object 1__content": inner}))
    assert lines(document) == ["See", "Losses", "Ropes"]
    assert "words_missing" not in document.metadata


def test_an_object_that_is_dropped_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.open_document._SHOWN", frozenset())
    inner = "<office:body><office:chart><text:p>Losses</text:p></office:chart></office:body>"
    document = read(tmp_path, package(OBJECT, **{"Object 1__content": inner}))
    assert document.metadata["words_missing"] == "1 of 2: losses"


def test_values_of_a_form_are_read(tmp_path: Path) -> None:
    forms = (
        "<office:forms><form:form><form:text form:label='Place' form:current-value='Hall 3'/>"
        "<form:password form:current-value='secret'/></form:form></office:forms>"
    )
    assert lines(read(tmp_path, package(f"{forms}<text:p>Text.</text:p>"))) == [
        "Place: Hall 3",
        "Text.",
    ]


def test_a_note_behind_a_word_is_no_part_of_it(tmp_path: Path) -> None:
    note = "<text:note><text:note-body><text:p>See below.</text:p></text:note-body></text:note>"
    document = read(tmp_path, package(f"<text:p>rope{note}s broke</text:p>"))
    assert lines(document) == ["ropes broke", "See below."]
    assert "words_missing" not in document.metadata
