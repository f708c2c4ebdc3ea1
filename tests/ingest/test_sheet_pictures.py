"""Pictures of workbooks, books and RTF files that stand in other places than behind a paragraph."""

import io
import struct
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from ingest import media_types as types
from ingest.legacy_workbook import pictures_of
from ingest.office_package import OfficePackage
from ingest.rich_text import RichText, rich_parts, rich_text
from ingest.workbook_pictures import SheetPictures
from ingest.xls_pictures import pictures_of_stream
from kb_service.domain.documents import PageKind
from tests.ingest.test_embedded import SAID, OneLine, load, picture, read

ROWS = "Item; State\n\nItem: Rope; State: worn"
OFFICE = "urn:schemas-microsoft-com:office:office"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook() -> bytes:
    """Two sheets with a picture each, the second of which has nothing else."""
    book = Workbook()
    book.active.title = "Data"
    book.active.append(["Item", "State"])
    book.active.append(["Rope", "worn"])
    book.active.add_image(SheetImage(io.BytesIO(picture())), "D2")
    book.create_sheet("Photo").add_image(SheetImage(io.BytesIO(picture(9))), "A1")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def changed(data: bytes, drop: str = "", **parts: bytes) -> bytes:
    """Return the package without the parts whose names hold `drop`, with others put in place."""
    target = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            if name not in parts and (not drop or drop not in name):
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return target.getvalue()


def relations(*pairs: tuple[str, str, str]) -> bytes:
    rows = "".join(
        f"<Relationship Id='{id_}' Type='{RELATION}/{kind}' Target='{target}'/>"
        for id_, kind, target in pairs
    )
    return f"<Relationships>{rows}</Relationships>".encode()


def test_a_picture_stands_behind_the_rows_of_its_sheet(tmp_path: Path) -> None:
    document = read(tmp_path, workbook(), types.XLSX)
    first, second = document.pages
    assert first.span.of(document.text) == f"Data\n\n{ROWS}\n\nPicture\n\n{SAID}"
    assert second.span.of(document.text) == f"Photo\n\nPicture\n\n{SAID}"
    assert (first.kind, second.kind) == (PageKind.BOTH, PageKind.BOTH)
    assert document.metadata["pictures_read"] == "2"
    assert document.unread == ()


def test_an_unread_picture_is_named_on_the_page_of_its_sheet(tmp_path: Path) -> None:
    document = load(tmp_path, workbook(), types.XLSX)
    assert document.unread_on == (1, 2)


@pytest.mark.parametrize("drop", ["xl/drawings", "xl/worksheets/_rels"])
def test_a_picture_that_no_sheet_shows_any_more_stands_on_the_last(
    tmp_path: Path, drop: str
) -> None:
    assert load(tmp_path, changed(workbook(), drop), types.XLSX).unread_on == (2, 2)


def test_a_picture_that_a_cell_shows_by_its_name_stands_on_the_sheet_of_the_cell(
    tmp_path: Path,
) -> None:
    cell = b"<worksheet><row><c t='str'><f>_xlfn.DISPIMG(&quot;ID_7&quot;,1)</f><v>x</v></c></row>"
    shown = b"<p:x xmlns:p='p' xmlns:r='r'><p:cNvPr name='ID_7'/><p:blip r:embed='a'/></p:x>"
    parts = {
        "xl/worksheets/sheet1.xml": cell + b"</worksheet>",
        "xl/cellimages.xml": shown.replace(b"'r'", f"'{RELATION}'".encode()),
        "xl/_rels/cellimages.xml.rels": relations(("a", "image", "media/own.png")),
        "xl/media/own.png": picture(77),
    }
    document = load(tmp_path, changed(workbook(), "xl/media/image", **parts), types.XLSX)
    assert document.unread_on == (1,)


def test_pictures_of_headers_and_backgrounds_are_those_of_their_sheet() -> None:
    package = changed(workbook(), **{
        "xl/worksheets/_rels/sheet1.xml.rels": relations(
            ("a", "vmlDrawing", "../drawings/head.vml"), ("b", "image", "../media/back.png")
        ),
        "xl/drawings/head.vml": f"<x xmlns:o='{OFFICE}'><imagedata o:relid='c'/></x>".encode(),
        "xl/drawings/_rels/head.vml.rels": relations(("c", "image", "../media/logo.png")),
        "xl/media/back.png": b"", "xl/media/logo.png": b"",
    })  # fmt: skip
    with ZipFile(io.BytesIO(package)) as file:
        pictures = SheetPictures(OfficePackage(file))
        assert list(pictures.of("xl/worksheets/sheet1.xml")) == [
            "xl/media/logo.png", "xl/media/back.png",
        ]  # fmt: skip


@pytest.mark.parametrize(("num_sheets", "found"), [(2, [1, 2]), (3, [0, 0, 3])])
def test_pictures_of_a_binary_workbook_are_those_of_its_sheets_where_these_are_known(
    tmp_path: Path, num_sheets: int, found: list[int]
) -> None:
    path = tmp_path / "a.xlsb"
    with ZipFile(path, "w") as package:
        for number in (1, 2):
            package.writestr(f"xl/worksheets/sheet{number}.bin", b"x")
            package.writestr(
                f"xl/worksheets/_rels/sheet{number}.bin.rels",
                relations(("a", "image", f"../media/{number}.png")),
            )
        for name in ("1", "2", "left"):
            package.writestr(f"xl/media/{name}.png", picture())
    assert [len(pictures) for pictures in pictures_of(path, num_sheets)[0]] == found


def test_a_file_that_is_no_workbook_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    assert pictures_of(path, 2) == ([[], []], [])


def record(kind: int, body: bytes, instance: int = 0, version: int = 0) -> bytes:
    """A record of an Office drawing."""
    return struct.pack("<HHI", instance << 4 | version, kind, len(body)) + body


def entry(blip: bytes, name: bytes = b"") -> bytes:
    return record(0xF007, bytes(33) + bytes([len(name)]) + bytes(2) + name + blip)


def stream(*blips: bytes, cut: int = 8000) -> bytes:
    """A workbook whose drawings are cut into records as Excel cuts them."""
    drawings = record(0xF000, record(0xF001, b"".join(blips), version=15), version=15)
    pieces = [drawings[n : n + cut] for n in range(0, len(drawings), cut)]
    kinds = [0xEB, *[0x3C] * (len(pieces) - 1)]
    records = [struct.pack("<HH", k, len(p)) + p for k, p in zip(kinds, pieces, strict=True)]
    other = struct.pack("<HH", 0x3C, 3) + b"xyz"
    begin = struct.pack("<HH", 0x809, 4) + bytes(4)
    return b"".join([begin, other, *records, struct.pack("<HH", 0xA, 0), other])


@pytest.mark.parametrize("cut", [8000, 100])
def test_the_pictures_of_an_xls_are_found_in_its_drawings(cut: int) -> None:
    png, jpeg = picture(), picture(3, kind="JPEG")
    blips = (
        entry(record(0xF01E, bytes(17) + png, 0x6E0)),
        entry(record(0xF01D, bytes(33) + jpeg, 0x46B), name=b"a"),
        entry(record(0xF01F, bytes(17) + bitmap(), 0x7A8)),
        entry(record(0xF01A, b"metafile", 0x3D4)),
        entry(b""),
    )
    first, second, third, drawing = pictures_of_stream(stream(*blips, cut=cut))
    assert (first, second, drawing) == (png, jpeg, b"metafile")
    with Image.open(io.BytesIO(third)) as shown:
        assert shown.size == (400, 100)


@pytest.mark.parametrize("size", [3, 30, 60, 200])
def test_drawings_that_are_cut_off_cost_no_more_than_themselves(size: int) -> None:
    whole = stream(entry(record(0xF01E, bytes(17) + picture(), 0x6E0)))
    assert len(list(pictures_of_stream(whole[:size]))) <= 1


def sheet_of_open_document(data: bytes) -> bytes:
    image = "<draw:image xlink:href='Pictures/a.png'/><svg:desc>A drum</svg:desc>"
    box = "<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>"
    content = (
        "<office:document-content xmlns:office='o' xmlns:text='t' xmlns:draw='d' xmlns:xlink='x'"
        " xmlns:table='a' xmlns:svg='s'><office:body><office:spreadsheet><table:table"
        f" table:name='Data'><table:shapes><draw:frame>{image}</draw:frame>{box}</table:shapes>"
        "<table:table-row><table:table-cell><text:p>Rope</text:p></table:table-cell></table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with ZipFile(target, "w") as package:
        package.writestr("content.xml", content)
        package.writestr("Pictures/a.png", data)
    return target.getvalue()


def test_what_floats_over_a_sheet_of_an_open_document_is_read(tmp_path: Path) -> None:
    document = read(tmp_path, sheet_of_open_document(picture()), types.ODS)
    assert document.text.split("\n\n") == ["Data", "Rope", SAID, "A drum", "boxed"]
    assert "words_missing" not in document.metadata


@pytest.mark.parametrize(
    "mark",
    ["<img src='a.png'/>", "<svg><image xlink:href='a.png'/></svg>",
     "<object data='a.png' type='image/png'></object>",
     "<table><tr><td>a</td><td><img src='./a.png'/></td></tr></table>"],
)  # fmt: skip
def test_a_chapter_shows_pictures_in_several_ways(tmp_path: Path, mark: str) -> None:
    opf = b"<package><manifest><item id='a' href='a.xhtml'/></manifest><spine/></package>"
    target = io.BytesIO()
    with ZipFile(target, "w") as package:
        package.writestr("x/b.opf", opf)
        package.writestr("x/a.xhtml", f"<html><body>{mark}</body></html>")
        package.writestr("x/a.png", picture())
    assert read(tmp_path, target.getvalue(), types.EPUB).text.endswith(SAID)


def test_a_chapter_that_is_only_an_unread_picture_is_not_blank(tmp_path: Path) -> None:
    opf = b"<package><manifest><item id='a' href='a.xhtml'/></manifest><spine/></package>"
    target = io.BytesIO()
    with ZipFile(target, "w") as package:
        package.writestr("b.opf", opf)
        package.writestr("a.xhtml", "<html><img src='a.png'/><img src='http://x/b.png'/></html>")
        package.writestr("a.png", picture())
    document = load(tmp_path, target.getvalue(), types.EPUB)
    assert [page.reason for page in document.pages] == ["no_text_layer"]
    assert len(document.unread) == 1


def bitmap() -> bytes:
    """A picture as Windows holds it in memory: no head of a file."""
    head = struct.pack("<IiiHHIIiiII", 40, 400, 100, 1, 24, 0, 0, 0, 0, 0, 0)
    return head + bytes(400 * 3 * 100)


@pytest.mark.parametrize(
    ("group", "size"),
    [
        (rb"{\pict\jpegblip " + picture(kind="JPEG").hex().encode() + b"}", (400, 100)),
        (rb"{\pict\pngblip\bin%d " % len(picture()) + picture() + b"}", (400, 100)),
        (rb"{\pict\dibitmap0\picw9 " + bitmap().hex().encode() + b"}", (400, 100)),
        (rb"{\*\shppict{\pict{\*\picprop{\sp{\sn x}{\sv 1}}}\pngblip "
         + picture().hex("\n", 64).encode() + b"}}", (400, 100)),
        (rb"{\shp{\*\shpinst{\sp{\sn pib}{\sv {\pict\pngblip " + picture().hex().encode()
         + b"}}}}}", (400, 100)),
    ],
)  # fmt: skip
def test_pictures_of_rtf_are_read_in_every_form(
    tmp_path: Path, group: bytes, size: tuple[int, int]
) -> None:
    reader = OneLine()
    document = read(tmp_path, rb"{\rtf1 Before.\par " + group + rb"\par After.}", types.RTF, reader)
    assert document.text.split("\n\n") == ["Before.", SAID, "After."]
    assert reader.sizes == [size]


@pytest.mark.parametrize(
    ("said", "words"),
    [("A burnt drum", ["Before.", "A burnt drum", "After."]), ("a1.png", ["Before.", "After."]),
     (r"D\u233?p\'f4t", ["Before.", "Dépôt", "After."])],
)  # fmt: skip
def test_what_is_said_of_a_picture_of_rtf_is_read(said: str, words: list[str]) -> None:
    shown = rb"{\pict{\*\picprop{\sp{\sn wzDescription}{\sv " + said.encode() + rb"}}}\pngblip 00}"
    text = rich_text(rb"{\rtf1\ansi Before.\par " + shown + rb"\par After.}")
    assert text.split() == " ".join(words).split()


def test_a_damaged_picture_of_rtf_is_a_loss_and_costs_no_word(tmp_path: Path) -> None:
    document = load(tmp_path, rb"{\rtf1 Before.{\pict\wmetafile8 0102zz3}\par After.}", types.RTF)
    assert document.text == "Before.\n\nAfter."
    assert [loss.what for loss in document.losses] == ["unreadable_picture"]


def test_pictures_of_headers_and_of_nothing_are_told_last_or_not_at_all() -> None:
    parts = list(
        rich_parts(RichText(rb"{\rtf1{\header{\pict\pngblip 0102}Head}{\pict\pngblip}Body}"))
    )
    assert [part for part in parts if isinstance(part, bytes)] == [b"\x01\x02"]
    assert "".join(p for p in parts if isinstance(p, str)).split() == ["Body", "Head"]
