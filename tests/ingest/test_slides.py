"""Presentations: every word that a slide, its layout, its notes and its comments show."""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.media_types import PPTX
from ingest.slide_lists import label
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError

BLANK, TITLE_ONLY, TITLE_AND_BODY = 6, 5, 1
ONE_INCH = Inches(1)
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(path: Path, limits: ParseLimits | None = None) -> ParsedDocument:
    *_, document = DocumentLoader(limits or ParseLimits()).load(path, path.name, PPTX)
    assert isinstance(document, ParsedDocument)
    return document


def saved(deck: Any, folder: Path) -> Path:  # noqa: ANN401 - python-pptx has no types
    path = folder / "a.pptx"
    deck.save(str(path))
    return path


def one_slide(folder: Path, fill: Callable[[Any], None], layout: int = BLANK) -> ParsedDocument:
    deck = Presentation()
    fill(deck.slides.add_slide(deck.slide_layouts[layout]))
    return read(saved(deck, folder))


def lines(document: ParsedDocument) -> list[str]:
    return document.text.split("\n\n")


def box(shapes: Any, words: str, top: float, left: float = 1) -> Any:  # noqa: ANN401
    shape = shapes.add_textbox(Inches(left), Inches(top), ONE_INCH, ONE_INCH)
    shape.text_frame.text = words
    return shape


def rewritten(
    path: Path, changes: Mapping[str, Callable[[str], str]], more: Mapping[str, str] | None = None
) -> Path:
    """Change parts of a package by name, and add others."""
    changed = path.with_name("changed.pptx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            if part in changes:
                data = changes[part](data.decode()).encode()
            new.writestr(part, data)
        for part, content in (more or {}).items():
            new.writestr(part, content)
    return changed


def related(kind: str, target: str) -> Callable[[str], str]:
    entry = f'<Relationship Id="rId99" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/>'
    return lambda rels: rels.replace("</Relationships>", f"{entry}</Relationships>")


def test_the_title_comes_first_and_boxes_follow_as_they_lie(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        box(slide.shapes, "lower", 5)
        box(slide.shapes, "upper right", 3, 4)
        box(slide.shapes, "upper left", 3, 1)
        slide.shapes.title.text = "The crane"

    document = one_slide(tmp_path, fill, TITLE_ONLY)
    assert lines(document) == ["The crane", "upper left", "upper right", "lower"]
    assert [heading.span.of(document.text) for heading in document.headings] == ["The crane"]


def test_boxes_inside_groups_inside_groups_are_read(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        outer = slide.shapes.add_group_shape()
        box(outer.shapes, "outer words", 1)
        box(outer.shapes.add_group_shape().shapes, "inner words", 2)

    assert lines(one_slide(tmp_path, fill)) == ["outer words", "inner words"]


def test_a_cell_keeps_all_its_paragraphs_and_merged_cells_stand_in_every_place(
    tmp_path: Path,
) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        table = slide.shapes.add_table(4, 3, ONE_INCH, ONE_INCH, ONE_INCH, ONE_INCH).table
        rows = (
            ("Area", "Item", "State"), ("Quay", "Rope\nof crane 7", "broke"),
            ("", "Brake", "worn"), ("All quays closed", "", "today"),
        )  # fmt: skip
        for row, words in enumerate(rows):
            for column, text in enumerate(words):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        table.cell(3, 0).merge(table.cell(3, 1))

    assert lines(one_slide(tmp_path, fill)) == [
        "Area; Item; State",
        "Area: Quay; Item: Rope of crane 7; State: broke",
        "Area: Quay; Item: Brake; State: worn",
        "Area: All quays closed; Item: All quays closed; State: today",
    ]


def test_a_chart_names_its_series_and_categories(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        data = CategoryChartData(number_format="0%")
        data.categories = ["2023", "2024"]
        data.add_series("Leaks", (0.25, 0.5))
        data.add_series("Fires", (0.125, None))
        frame = slide.shapes.add_chart(
            XL_CHART_TYPE.COLUMN_CLUSTERED, ONE_INCH, ONE_INCH, ONE_INCH, ONE_INCH, data
        )
        frame.chart.has_title = True
        frame.chart.chart_title.text_frame.text = "Share of incidents"

    assert lines(one_slide(tmp_path, fill)) == [
        "Share of incidents",
        "Leaks; Fires",
        "2023; Leaks: 25%; Fires: 13%",
        "2024; Leaks: 50%",
    ]


def test_speaker_notes_follow_the_slide_without_its_number(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        slide.shapes.title.text = "The crane"
        slide.notes_slide.notes_text_frame.text = "It was not inspected."

    assert lines(one_slide(tmp_path, fill, TITLE_ONLY)) == ["The crane", "It was not inspected."]


def test_words_that_stand_for_a_picture_are_read(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        shape = box(slide.shapes, "", 1)
        shape._element.nvSpPr.cNvPr.set("descr", "A burnt cable drum")

    assert lines(one_slide(tmp_path, fill)) == ["A burnt cable drum"]


def test_a_comment_old_or_threaded_is_read(tmp_path: Path) -> None:
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[BLANK])
    rels = "ppt/slides/_rels/slide1.xml.rels"
    for kind, content in (
        ("old", f"<p:cmLst {P}><p:cm><p:text>Who was on call?</p:text></p:cm></p:cmLst>"),
        ("new", f"<c {A}><txBody><a:p><a:r><a:t>Who was on call?</a:t></a:r></a:p></txBody></c>"),
    ):
        path = rewritten(
            saved(deck, tmp_path),
            {rels: related("comments", f"../comments/{kind}.xml")},
            {f"ppt/comments/{kind}.xml": content},
        )
        assert lines(read(path)) == ["Who was on call?"]


def test_a_diagram_is_read_from_its_data(tmp_path: Path) -> None:
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[BLANK])
    frame = (
        f'<p:graphicFrame xmlns:r="{RELATIONSHIPS}"><a:graphic {A}><a:graphicData>'
        '<d:relIds xmlns:d="d" r:dm="rId99" r:lo="rId98"/></a:graphicData></a:graphic>'
        "</p:graphicFrame></p:spTree>"
    )
    words = "".join(f"<pt><t><a:p><a:r><a:t>{w}</a:t></a:r></a:p></t></pt>" for w in ("Stop", "Go"))
    path = rewritten(
        saved(deck, tmp_path),
        {
            "ppt/slides/slide1.xml": lambda slide: slide.replace("</p:spTree>", frame),
            "ppt/slides/_rels/slide1.xml.rels": related("diagramData", "../diagrams/data1.xml"),
        },
        {"ppt/diagrams/data1.xml": f"<dataModel {A}>{words}</dataModel>"},
    )
    assert lines(read(path)) == ["Stop", "Go"]


def test_what_a_layout_says_is_read_once_and_its_prompts_never(tmp_path: Path) -> None:
    deck = Presentation()
    for title in ("One", "Two"):
        deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY]).shapes.title.text = title
    sp = (
        '<p:sp><p:nvSpPr><p:cNvPr id="9" name="x"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:p {A}><a:r><a:t>Internal use only</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    path = rewritten(
        saved(deck, tmp_path),
        {
            "ppt/slideLayouts/slideLayout6.xml": lambda layout: layout.replace(
                "</p:spTree>", f"{sp}</p:spTree>"
            )
        },
    )
    assert lines(read(path)) == ["One", "Internal use only", "Two"]


@pytest.mark.parametrize("first", ["Choice", "Fallback"])
def test_of_alternatives_the_one_with_words_is_read_once(tmp_path: Path, first: str) -> None:
    second = {"Choice": "Fallback", "Fallback": "Choice"}[first]
    named = '<p:nvSpPr><p:cNvPr id="7" name="x" descr="A formula"/></p:nvSpPr>'
    words = f"<p:txBody><a:p {A}><a:r><a:t>E = mc2</a:t></a:r></a:p></p:txBody>"
    body = f"<p:sp>{named}{words}</p:sp>"
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    alternatives = (
        f'<mc:AlternateContent xmlns:mc="{mc}"><mc:{first}><p:sp/></mc:{first}>'
        f"<mc:{second}>{body}</mc:{second}></mc:AlternateContent></p:spTree>"
    )
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[BLANK])
    path = rewritten(
        saved(deck, tmp_path),
        {"ppt/slides/slide1.xml": lambda slide: slide.replace("</p:spTree>", alternatives)},
    )
    assert lines(read(path)) == ["A formula", "E = mc2"]


def test_automatic_numbers_stand_before_their_paragraphs(tmp_path: Path) -> None:
    def paragraph(words: str, depth: int, scheme: str = "arabicPeriod") -> str:
        number = f'<a:buAutoNum type="{scheme}"/>' if scheme else ""
        run = f"<a:r><a:t>{words}</a:t></a:r>"
        return f'<a:p {A}><a:pPr lvl="{depth}">{number}</a:pPr>{run}</a:p>'

    body = "".join((
        paragraph("Stop", 0), paragraph("the crane", 1, "alphaLcParenR"),
        paragraph("the belt", 1, "alphaLcParenR"), paragraph("Call", 0), paragraph("then", 0, ""),
        paragraph("Wait", 0),
    ))  # fmt: skip

    def fill(slide: Any) -> None:  # noqa: ANN401
        box(slide.shapes, "here", 1)

    deck = Presentation()
    fill(deck.slides.add_slide(deck.slide_layouts[BLANK]))
    path = rewritten(
        saved(deck, tmp_path),
        {"ppt/slides/slide1.xml": lambda s: re.sub(r"<a:p>.*?</a:p>", lambda _: body, s)},
    )
    assert lines(read(path)) == [
        "1. Stop",
        "a) the crane",
        "b) the belt",
        "2. Call",
        "then",
        "1. Wait",
    ]


@pytest.mark.parametrize(
    ("scheme", "shown"),
    [
        ("arabicPlain", "4"), ("arabicParenBoth", "(4)"), ("romanUcPeriod", "IV."),
        ("alphaUcParenR", "D)"), ("ea1ChsPeriod", "四."), ("circleNumWdBlackPlain", "④"),
        ("arabicDbPeriod", "4."), ("unknown", "4"),
    ],
)  # fmt: skip
def test_a_scheme_writes_its_number(scheme: str, shown: str) -> None:
    assert label(4, scheme) == shown


def test_slides_come_in_the_order_of_the_presentation_and_lost_ones_last(tmp_path: Path) -> None:
    deck = Presentation()
    for title in ("One", "Two", "Three"):
        deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY]).shapes.title.text = title
    listed = re.compile(r"(<p:sldId [^>]*/>)(<p:sldId [^>]*/>)(<p:sldId [^>]*/>)")
    path = rewritten(
        saved(deck, tmp_path), {"ppt/presentation.xml": lambda text: listed.sub(r"\3\2", text)}
    )
    document = read(path)
    assert lines(document) == ["Three", "Two", "One"]
    assert len(document.pages) == 3


def test_a_dead_relationship_and_a_missing_layout_lose_nothing(tmp_path: Path) -> None:
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY]).shapes.title.text = "The crane"
    path = rewritten(
        saved(deck, tmp_path),
        {
            "ppt/slides/_rels/slide1.xml.rels": lambda rels: rels.replace(
                "slideLayout6.xml", "gone.xml"
            ).replace(
                "</Relationships>", '<Relationship Id="x" Type="y" Target="NULL"/></Relationships>'
            )
        },
    )
    assert lines(read(path)) == ["The crane"]


def test_a_strict_presentation_is_read(tmp_path: Path) -> None:
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY]).shapes.title.text = "The crane"

    def strict(part: str) -> str:
        for name in ("presentationml", "drawingml"):
            usual = f"http://schemas.openxmlformats.org/{name}/2006/main"
            part = part.replace(usual, f"http://purl.oclc.org/ooxml/{name}/main")
        return part.replace(
            RELATIONSHIPS, "http://purl.oclc.org/ooxml/officeDocument/relationships"
        )

    with zipfile.ZipFile(saved(deck, tmp_path)) as package:
        parts = [name for name in package.namelist() if name.endswith((".xml", ".rels"))]
    assert lines(read(rewritten(tmp_path / "a.pptx", dict.fromkeys(parts, strict)))) == [
        "The crane"
    ]


def test_too_many_slides_are_refused_with_their_number(tmp_path: Path) -> None:
    deck = Presentation()
    for _ in range(3):
        deck.slides.add_slide(deck.slide_layouts[BLANK])
    with pytest.raises(DocumentError, match="has 3 slides, at most 2 are read"):
        read(saved(deck, tmp_path), ParseLimits(max_pages=2))


def test_a_slide_of_a_picture_alone_says_that_it_was_not_read(tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "a.png"
    Image.new("RGB", (400, 100)).save(picture)
    document = one_slide(tmp_path, lambda slide: slide.shapes.add_picture(str(picture), 0, 0))
    assert [page.reason for page in document.pages] == ["no_text_layer"]


def test_what_somebody_drew_over_a_chart_is_read(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:  # noqa: ANN401
        data = CategoryChartData()
        data.categories = ["Rope"]
        data.add_series("2024", (3,))
        slide.shapes.add_chart(
            XL_CHART_TYPE.COLUMN_CLUSTERED, ONE_INCH, ONE_INCH, ONE_INCH, ONE_INCH, data
        )

    deck = Presentation()
    fill(deck.slides.add_slide(deck.slide_layouts[BLANK]))
    path = saved(deck, tmp_path)
    with zipfile.ZipFile(path) as package:
        (chart,) = (name for name in package.namelist() if name.startswith("ppt/charts/chart"))
    rels = chart.replace("charts/", "charts/_rels/") + ".rels"
    shapes = (
        f"<c:userShapes xmlns:c='c' {A}><a:p><a:r><a:t>not audited</a:t></a:r></a:p></c:userShapes>"
    )
    changed = rewritten(
        path,
        {rels: related("chartUserShapes", "../drawings/drawing1.xml")},
        {"ppt/drawings/drawing1.xml": shapes},
    )
    assert lines(read(changed))[-1] == "not audited"


def test_a_group_that_says_nothing_of_itself_loses_no_words(tmp_path: Path) -> None:
    path = saved_group(tmp_path)
    changed = rewritten(
        path,
        {
            "ppt/slides/slide1.xml": lambda text: re.sub(
                r"(<p:grpSp>)<p:nvGrpSpPr>.*?</p:nvGrpSpPr>", r"\1", text, flags=re.DOTALL
            )
        },
    )
    assert lines(read(changed)) == ["inner words"]


def saved_group(folder: Path) -> Path:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[BLANK])
    box(slide.shapes.add_group_shape().shapes, "inner words", 2)
    return saved(deck, folder)
