"""Packages with a part of every kind that stands beside the text, and ways to damage one."""

import io
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from ingest.media_types import DOCX, EPUB, ODS, ODT, PPTX, XLSX
from tests.ingest.test_embedded import picture
from tests.ingest.word_samples import NAMES, RELATIONSHIPS, paragraph, run

WORDS = "The brake is not safe."
DRAWN = f'xmlns:a="a" xmlns:c="c" xmlns:r="{RELATIONSHIPS}" xmlns:p="p" xmlns:xdr="xdr"'
CHART = f"<c:x {DRAWN}><c:title><a:p><a:r><a:t>Ropes by year</a:t></a:r></a:p></c:title></c:x>"
OPEN = 'xmlns:office="o" xmlns:text="t" xmlns:table="b" xmlns:draw="d" xmlns:xlink="l"'
Parts = dict[str, bytes]


def packed(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return stream.getvalue()


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def replaced(content: bytes) -> bytes:
    return np.random.default_rng(7).bytes(max(len(content), 64))


def malformed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"</nothing><x y=" + content[middle:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": truncated, "replaced": replaced, "malformed": malformed,
}  # fmt: skip


def relations(**targets: str) -> bytes:
    """`targets`: "kind target" by id."""
    rows = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONSHIPS}/{said.split()[0]}" '
        f'Target="{said.split()[1]}"/>'
        for key, said in targets.items()
    )
    return f"<Relationships>{rows}</Relationships>".encode()


def word() -> Parts:
    shown = f'<w:drawing><a:blip {DRAWN} r:embed="p1"/><c:chart {DRAWN} r:id="c1"/></w:drawing>'
    calls = '<w:r><w:footnoteReference w:id="1"/><w:commentReference w:id="1"/></w:r>'
    inner = paragraph(run("Beside."))
    aside = {
        "footnotes": f'<w:footnote w:id="1">{inner}</w:footnote>',
        "comments": f'<w:comment w:id="1">{inner}</w:comment>',
        "header1": inner, "footer1": inner, "numbering": inner,
        "styles": '<w:style w:styleId="a"><w:name w:val="Title"/></w:style>',
    }  # fmt: skip
    body = paragraph(run("See.") + f"<w:r>{shown}</w:r>{calls}") + paragraph(run(WORDS))
    return {
        "[Content_Types].xml": b"<Types/>",
        "word/document.xml": f"<w:document {NAMES}><w:body>{body}</w:body></w:document>".encode(),
        "word/_rels/document.xml.rels": relations(
            p1="image media/1.png", c1="chart charts/c.xml", x1="package embeddings/b.xlsx"
        ),
        "word/media/1.png": picture(), "word/charts/c.xml": CHART.encode(),
        "word/embeddings/b.xlsx": b"PK\x03\x04 a workbook", "word/theme/theme1.xml": b"<a/>",
        "docProps/core.xml": b"<cp><title>Brakes of line four</title></cp>",
        **{f"word/{k}.xml": f"<w:x {NAMES}>{v}</w:x>".encode() for k, v in aside.items()},
    }  # fmt: skip


def slides() -> Parts:
    said = f"<p:sp><p:txBody><a:p><a:r><a:t>{WORDS}</a:t></a:r></a:p></p:txBody></p:sp>"
    beside = said.replace(WORDS, "Beside.")
    shown = (
        '<p:pic><a:blip r:embed="p1"/></p:pic><p:graphicFrame><c:chart r:id="c1"/></p:graphicFrame>'
    )
    tree = f"<p:sld {DRAWN}><p:cSld><p:spTree>{{}}</p:spTree></p:cSld></p:sld>"
    return {
        "ppt/presentation.xml": f'<p:x {DRAWN}><p:sldId r:id="s1"/></p:x>'.encode(),
        "ppt/_rels/presentation.xml.rels": relations(s1="slide slides/slide1.xml"),
        "ppt/slides/slide1.xml": tree.format(said + shown).encode(),
        "ppt/slides/_rels/slide1.xml.rels": relations(
            p1="image ../media/1.png", c1="chart ../charts/c.xml",
            n1="notesSlide ../notesSlides/notesSlide1.xml", m1="comments ../comments/comment1.xml",
            l1="slideLayout ../slideLayouts/slideLayout1.xml",
        ),
        "ppt/slides/slide2.xml": tree.format(beside).encode(),
        "ppt/media/1.png": picture(), "ppt/charts/c.xml": CHART.encode(),
        "ppt/notesSlides/notesSlide1.xml": tree.format(beside).encode(),
        "ppt/slideLayouts/slideLayout1.xml": tree.format(beside).encode(),
        "ppt/comments/comment1.xml": f"<p:x {DRAWN}><p:text>Beside.</p:text></p:x>".encode(),
        "ppt/theme/theme1.xml": b"<a/>",
    }  # fmt: skip


def workbook() -> Parts:
    row = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{WORDS}</t></is></c></row>'
    sheet = "<worksheet><sheetData>{}</sheetData></worksheet>"
    shown = '<xdr:pic><a:blip r:embed="p1"/></xdr:pic><xdr:x><c:chart r:id="c1"/></xdr:x>'
    button = '<v:shape><v:textbox>Beside.</v:textbox><x:ClientData ObjectType="Button"/></v:shape>'
    return {
        "xl/workbook.xml": f'<workbook {DRAWN}><sheets><sheet name="A" r:id="s1"/>'
        '<sheet name="B" r:id="s2"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": relations(
            s1="worksheet worksheets/sheet1.xml", s2="worksheet worksheets/sheet2.xml"
        ),
        "xl/worksheets/sheet1.xml": sheet.format(row).encode(),
        "xl/worksheets/sheet2.xml": sheet.format(row.replace(WORDS, "Beside.")).encode(),
        "xl/worksheets/_rels/sheet1.xml.rels": relations(
            d1="drawing ../drawings/drawing1.xml", v1="vmlDrawing ../drawings/vml.vml",
            m1="comments ../comments1.xml",
        ),
        "xl/drawings/drawing1.xml": f"<xdr:x {DRAWN}>{shown}</xdr:x>".encode(),
        "xl/drawings/_rels/drawing1.xml.rels": relations(
            p1="image ../media/1.png", c1="chart ../charts/c.xml"
        ),
        "xl/drawings/vml.vml": f'<xml xmlns:v="v" xmlns:x="x">{button}</xml>'.encode(),
        "xl/comments1.xml": b"<comments><comment ref='A1'><text>Beside.</text>"
        b"</comment></comments>",
        "xl/charts/c.xml": CHART.encode(), "xl/media/1.png": picture(),
        "xl/styles.xml": b'<styleSheet><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": b"<sst><si><t>Beside.</t></si></sst>",
        "xl/theme/theme1.xml": b"<a/>",
    }  # fmt: skip


def open_document(kind: str) -> Parts:
    shown = '<draw:image xlink:href="Pictures/1.png"/><draw:object xlink:href="./Object 1"/>'
    said = f"<text:p>{WORDS}</text:p><draw:frame>{shown}</draw:frame>"
    cell = f"<table:table-row><table:table-cell>{said}</table:table-cell></table:table-row>"
    body = {
        ODT: f"<office:text>{said}</office:text>",
        ODS: f"<office:spreadsheet><table:table>{cell}</table:table></office:spreadsheet>",
    }.get(kind, f"<office:presentation><draw:page>{said}</draw:page></office:presentation>")
    inner = "<office:body><office:text><text:p>Beside.</text:p></office:text></office:body>"
    return {
        "mimetype": kind.encode(),
        "content.xml": f"<d {OPEN}><office:body>{body}</office:body></d>".encode(),
        "styles.xml": f"<d {OPEN}><text:header><text:p>Beside.</text:p></text:header></d>".encode(),
        "meta.xml": b"<d><title>Brakes of line four</title></d>",
        "Object 1/content.xml": f"<d {OPEN}>{inner}</d>".encode(),
        "Pictures/1.png": picture(),
    }


def book() -> Parts:
    page = "<html><body><p>{}</p></body></html>"
    return {
        "mimetype": EPUB.encode(),
        "META-INF/container.xml": b'<c><rootfile full-path="p.opf"/></c>',
        "p.opf": b"<package><manifest><item id='a' href='a.xhtml'/><item id='b' href='b.xhtml'/>"
        b"</manifest><spine><itemref idref='a'/><itemref idref='b'/></spine></package>",
        "a.xhtml": page.format(f"{WORDS}<img src='1.png'/>").encode(),
        "b.xhtml": page.format("Beside.").encode(),
        "1.png": picture(),
    }


PACKAGES: dict[str, Parts] = {
    DOCX: word(), PPTX: slides(), XLSX: workbook(), EPUB: book(), ODT: open_document(ODT),
    ODS: open_document(ODS),
}  # fmt: skip
MAIN = {
    DOCX: "word/document.xml", PPTX: "ppt/slides/slide1.xml", XLSX: "xl/worksheets/sheet1.xml",
    EPUB: "a.xhtml", ODT: "content.xml", ODS: "content.xml",
}  # fmt: skip
