"""Word: the text as it reads with all changes accepted, wherever it stands in the package."""

from pathlib import Path

import pytest

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import DOCX
from ingest.word_numbering import written
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.ingest.word_samples import RELATIONSHIPS, cell, paragraph, run, table, word_file


def read(tmp_path: Path, body: str, **parts: str) -> ParsedDocument:
    path = tmp_path / "a.docx"
    path.write_bytes(word_file(body, **parts))
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, DOCX)
    assert isinstance(document, ParsedDocument)
    return document


def around(inner: str) -> str:
    return paragraph(run("The brake is ") + inner + run(" safe for use."))


ALTERNATIVES = (
    f"<mc:AlternateContent><mc:Choice>{run('not')}</mc:Choice>"
    f"<mc:Fallback>{run('not')}</mc:Fallback></mc:AlternateContent>"
)
FIELD = (
    "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>REF a</w:instrText></w:r>"
    f"<w:r><w:fldChar w:fldCharType='separate'/></w:r>{run('not')}"
)


@pytest.mark.parametrize(
    "wrapped",
    [
        f"<w:ins w:id='1'>{run('not')}</w:ins>",
        f"<w:moveTo w:id='1'>{run('not')}</w:moveTo>",
        f"<w:sdt><w:sdtPr/><w:sdtContent>{run('not')}</w:sdtContent></w:sdt>",
        f"<w:fldSimple w:instr='DOCPROPERTY x'>{run('not')}</w:fldSimple>",
        f"<w:hyperlink>{run('not')}</w:hyperlink>",
        f"<w:smartTag>{run('not')}</w:smartTag>",
        f"<w:bdo>{run('not')}</w:bdo>",
        f"<w:unknown><w:deep>{run('not')}</w:deep></w:unknown>",
        f"<w:del w:id='1'><w:r><w:delText>very</w:delText></w:r></w:del>{run('not')}",
        f"<w:moveFrom w:id='1'>{run('very')}</w:moveFrom>{run('not')}",
        f"{run('hidden', '<w:vanish/>')}{run('not')}",
        ALTERNATIVES,
        FIELD,
        "<m:oMath><m:r><m:t>not</m:t></m:r></m:oMath>",
    ],
)
def test_a_word_is_read_whatever_it_is_wrapped_in(tmp_path: Path, wrapped: str) -> None:
    assert read(tmp_path, around(wrapped)).text == "The brake is not safe for use."


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next(tmp_path: Path) -> None:
    body = paragraph(run("The rope was "), "<w:rPr><w:del w:id='1'/></w:rPr>")
    assert read(tmp_path, body + paragraph(run("replaced."))).text == "The rope was replaced."


def test_blocks_inside_controls_changes_and_unknown_elements_are_read(tmp_path: Path) -> None:
    inner = paragraph(run("Inside."))
    body = (
        f"<w:sdt><w:sdtContent>{inner}{table(cell(inner) + cell(inner))}</w:sdtContent></w:sdt>"
        f"<w:customXml>{inner}</w:customXml><w:ins>{inner}</w:ins><w:new>{inner}</w:new>"
    )
    assert read(tmp_path, body).text.count("Inside.") == 6


def test_notes_comments_and_boxes_stand_behind_their_paragraph(tmp_path: Path) -> None:
    body = paragraph(
        run("The rope broke.")
        + "<w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:commentReference w:id='0'/></w:r>"
        + f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{paragraph(run('Warning.'))}"
        "</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    ) + paragraph(run("The end."))
    parts = {
        "footnotes": f"<w:footnote w:id='2'>{paragraph(run('Note TC-8842.'))}</w:footnote>",
        "comments": f"<w:comment w:id='0'>{paragraph(run('Check the date.'))}</w:comment>",
    }
    assert read(tmp_path, body, **parts).text.split("\n\n") == [
        "The rope broke.", "Warning.", "Note TC-8842.", "Check the date.", "The end.",
    ]  # fmt: skip


def test_headers_are_read_once_and_first_and_footers_last(tmp_path: Path) -> None:
    header = paragraph(f"<w:sdt><w:sdtContent>{run('Case HB-77')}</w:sdtContent></w:sdt>")
    parts = {"header1": header, "header2": header, "footer1": paragraph(run("Port office"))}
    text = read(tmp_path, paragraph(run("Body.")), **parts).text
    assert text == "Case HB-77\n\nBody.\n\nPort office"


def counting(depth: int, number_format: str, text: str) -> str:
    return (
        f"<w:lvl w:ilvl='{depth}'><w:start w:val='1'/><w:numFmt w:val='{number_format}'/>"
        f"<w:lvlText w:val='{text}'/></w:lvl>"
    )


NUMBERS = (
    "<w:abstractNum w:abstractNumId='5'>"
    + counting(0, "decimal", "%1.")
    + counting(1, "decimal", "%1.%2")
    + counting(2, "chineseCounting", "（%3）")
    + counting(3, "bullet", "·")
    + "</w:abstractNum><w:num w:numId='7'><w:abstractNumId w:val='5'/></w:num>"
    "<w:num w:numId='8'><w:abstractNumId w:val='5'/><w:lvlOverride w:ilvl='0'>"
    "<w:startOverride w:val='1'/></w:lvlOverride></w:num>"
)


def test_automatic_numbers_are_part_of_the_text(tmp_path: Path) -> None:
    def item(words: str, depth: int, number: int = 7) -> str:
        place = f"<w:numPr><w:ilvl w:val='{depth}'/><w:numId w:val='{number}'/></w:numPr>"
        return paragraph(run(words), place)

    body = (
        item("Scope", 0) + item("Brakes", 0) + item("Daily", 1) + item("Yearly", 1)
        + item("先停机", 2) + item("dot", 3) + item("Ropes", 0)
        + item("New", 1) + item("Other", 0, 8)
    )  # fmt: skip
    assert read(tmp_path, body, numbering=NUMBERS).text.split("\n\n") == [
        "1. Scope", "2. Brakes", "2.1 Daily", "2.2 Yearly", "（一） 先停机", "• dot",
        "3. Ropes", "3.1 New", "1. Other",
    ]  # fmt: skip


def test_numbers_come_from_styles_too_and_a_circle_of_styles_ends(tmp_path: Path) -> None:
    styles = (
        "<w:style w:styleId='A'><w:basedOn w:val='B'/></w:style>"
        "<w:style w:styleId='B'><w:basedOn w:val='A'/><w:pPr>"
        "<w:numPr><w:numId w:val='7'/></w:numPr><w:outlineLvl w:val='1'/></w:pPr></w:style>"
        "<w:style w:styleId='C'><w:basedOn w:val='C'/></w:style>"
    )
    body = paragraph(run("Item"), "<w:pStyle w:val='A'/>") + paragraph(
        run("plain"), "<w:pStyle w:val='C'/>"
    )
    document = read(tmp_path, body, numbering=NUMBERS, styles=styles)
    assert document.text == "1. Item\n\nplain"
    assert [heading.level for heading in document.headings] == [2]


@pytest.mark.parametrize(
    ("number_format", "shown"),
    [("upperLetter", "AB"), ("lowerRoman", "xxviii"), ("upperRoman", "XXVIII"), ("decimal", "28"),
     ("chineseCountingThousand", "二十八"), ("decimalZero", "28"), ("none", ""), ("odd", "28")],
)  # fmt: skip
def test_numbers_are_written_in_the_format_of_their_list(number_format: str, shown: str) -> None:
    expected = "BB" if number_format == "upperLetter" else shown
    assert written(28, number_format) == expected


def test_pages_follow_the_breaks_that_word_recorded_before_all_others(tmp_path: Path) -> None:
    rendered = "<w:r><w:lastRenderedPageBreak/></w:r>"
    broken = "<w:r><w:br w:type='page'/></w:r>"
    body = (
        paragraph(run("one") + broken)
        + f"<w:sdt><w:sdtContent>{paragraph(rendered + run('two'))}</w:sdtContent></w:sdt>"
        + table(cell(paragraph(run("a"))) + cell(paragraph(run("b"))),
                cell(paragraph(rendered + run("three"))) + cell(paragraph(run("c"))))
    )  # fmt: skip
    document = read(tmp_path, body)
    pages = [page.span.of(document.text) for page in document.pages]
    assert pages == ["one", "two\n\na; b", "a: three; b: c"]


@pytest.mark.parametrize(
    ("before", "properties"),
    [
        ("<w:r><w:br w:type='page'/></w:r>", ""),
        ("", "<w:pageBreakBefore/>"),
    ],
)
def test_without_recorded_pages_breaks_by_hand_count(
    tmp_path: Path, before: str, properties: str
) -> None:
    document = read(tmp_path, paragraph(run("one")) + paragraph(before + run("two"), properties))
    assert [page.span.of(document.text) for page in document.pages] == ["one", "two"]


def test_cells_over_several_rows_and_columns_stand_in_each(tmp_path: Path) -> None:
    def text(words: str) -> str:
        return paragraph(run(words)) if words else paragraph("")

    body = table(
        cell(text("Faults of May"), "<w:gridSpan w:val='3'/>"),
        cell(text("Place")) + cell(text("Item")) + cell(text("State")),
        cell(text("Quay three"), "<w:vMerge w:val='restart'/>") + cell(text("Rope"))
        + cell(text("broken") + text("at nine")),
        cell(text(""), "<w:vMerge/>")
        + f"<w:sdt><w:sdtContent>{cell(text('Brake'))}</w:sdtContent></w:sdt>"
        + cell(f"<w:ins>{text('worn')}</w:ins>"),
    )  # fmt: skip
    assert read(tmp_path, body).text.split("\n\n") == [
        "Faults of May",
        "Place; Item; State",
        "Place: Quay three; Item: Rope; State: broken at nine",
        "Place: Quay three; Item: Brake; State: worn",
    ]


def test_signs_that_are_no_text_runs_are_characters(tmp_path: Path) -> None:
    body = paragraph(
        run("AB") + "<w:r><w:noBreakHyphen/></w:r>" + run("77 is ")
        + "<w:r><w:sym w:font='Symbol' w:char='F0B1'/></w:r>" + run("5 mm")
        + "<w:r><w:tab/></w:r>" + run("x") + "<w:r><w:softHyphen/></w:r>" + run("y")
    )  # fmt: skip
    assert read(tmp_path, body).text == "AB-77 is ±5 mm\txy"


def test_a_document_with_entities_is_refused_and_not_read_without_them(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(word_file(paragraph(run("&e;")), doctype='<!DOCTYPE w [<!ENTITY e "not">]>'))
    with pytest.raises(DocumentError, match="declares entities"):
        list(DocumentLoader(ParseLimits()).load(path, path.name, DOCX))


def test_a_chart_of_the_text_is_read_behind_its_paragraph(tmp_path: Path) -> None:
    drawing = (
        "<w:r><w:drawing><wp:inline><wp:docPr id='1' name='x' descr='Leaks by year'/>"
        f"<c:chart xmlns:c='c' xmlns:r='{RELATIONSHIPS}' r:id='rId9'/>"
        "</wp:inline></w:drawing></w:r>"
    )
    points = "<pt idx='0'><v>2023</v></pt><pt idx='1'><v>2024</v></pt>"
    chart = (
        "<ser><tx><strRef><strCache><pt idx='0'><v>Leaks</v></pt></strCache></strRef></tx>"
        f"<cat>{points}</cat><val><pt idx='0'><v>4</v></pt><pt idx='1'><v>2.50</v></pt></val></ser>"
    )
    body = paragraph(run("See below.") + drawing) + paragraph(run("The end."))
    assert read(tmp_path, body, chart=chart).text.split("\n\n") == [
        "See below. Leaks by year", "Leaks", "2023; Leaks: 4", "2024; Leaks: 2.5", "The end.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [("A burnt drum", " A burnt drum"), ("drum.PNG", ""), ("see drum.png", " see drum.png")],
)
def test_the_name_of_a_pictures_file_does_not_stand_for_it(
    tmp_path: Path, words: str, said: str
) -> None:
    picture = f"<w:r><w:drawing><wp:docPr id='1' name='x' descr='{words}'/></w:drawing></w:r>"
    assert read(tmp_path, paragraph(run("See:") + picture)).text == f"See:{said}"


def test_a_document_that_its_parser_would_cut_is_refused_not_emptied(tmp_path: Path) -> None:
    wrapped = "<w:x>" * 300 + run("not") + "</w:x>" * 300
    with pytest.raises(DocumentError, match="nested deeper"):
        read(tmp_path, around(wrapped))
