"""RTF, books, JSON, XML, and the binary files of Office."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.legacy_workbook import shown
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from ingest.rich_text import rich_text
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError


def read(path: Path, kind: str) -> ParsedDocument:
    *_, document = DocumentLoader(ParseLimits()).load(path, path.name, kind)
    assert isinstance(document, ParsedDocument)
    return document


def text_of(tmp_path: Path, data: bytes, kind: str) -> str:
    (tmp_path / "a").write_bytes(data)
    return read(tmp_path / "a", kind).text


@pytest.mark.parametrize(
    ("rtf", "words"),
    [
        (rb"See{\*\do{\dptxbx{\dptxbxtext Box}}}\par", "See\n\nBox"),
        (rb"{\shp{\*\shpinst{\shptxt B}}{\shprslt{\*\do{\dptxbxtext B}}}}See\par", "See\n\nB"),
        (rb"a {\upr{?}{\*\ud{\u20013?}}} b", "a 中 b"),
        (rb"a {\*\ud{\u20013?}} b", "a 中 b"),
        (rb"The \b not\b0  safe", "The not safe"),
        (rb"{\fonttbl{\f0 Arial;}}{\info{\author Li}}{\*\unknown x}words", "words"),
        (rb"caf\'e9 \u20013?\u25991\'3f", "café 中文"),
        (rb"{\uc2\u20013\'d6\'d0}x", "中x"),
        (rb"\uc0\u20013 x", "中x"),
        (rb"\u-10179?\u-8704?", "\U0001f600"),
        (rb"{\fonttbl{\f0\fcharset134 SimSun;}{\f1\fcharset0 Arial;}}\f0\'d6\'d0 {\f1\'e9}\'ce\'c4",
         "中 é文"),
        (rb"\ansicpg936 \'d6\'d0", "中"),
        (rb"a\par b\line c\tab d\emdash e\~f\_g\{h\}", "a\n\nb\nc\td—e\xa0f-g{h}"),
        (rb"{\v hidden}{\deleted gone}seen", "seen"),
        (rb"A rope{\footnote See B.} broke.\par Next", "A rope broke.\n\nSee B.\n\nNext"),
        (rb"{\*\annotation Ask Li.}Done", "Done\n\nAsk Li."),
        (rb"{\header Internal}Text", "Text\n\nInternal"),
        (rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt the link}}", "the link"),
        (rb"{\shp{\*\shpinst{\sp{\sn x}{\sv y}}{\shptxt boxed}}}Text", "Text\n\nboxed"),
        (rb"\trowd a\cell b\cell\row", "a\tb"),
        (rb"{\pict 89504e47}x{\mmathPr\mbrkBin0}y", "xy"),
        (b"one\r\ntwo", "onetwo"),
        (rb"}}unbalanced{{", "unbalanced"),
        (rb"{\pict\bin5 }}{\{}before", "before"),
    ],
)  # fmt: skip
def test_rtf_is_read_as_it_is_shown(rtf: bytes, words: str) -> None:
    said = rich_text(rb"{\rtf1\ansi " + rtf + b"}")
    assert [part.strip() for part in said.split("\n\n") if part.strip()] == words.split("\n\n")


def book(spine: str = '<itemref idref="b"/><itemref idref="a"/>', **more: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("mimetype", types.EPUB)
        container = '<container><rootfiles><rootfile full-path="x/p.opf"/></rootfiles></container>'
        file.writestr("META-INF/container.xml", container)
        items = '<item id="a" href="a.xhtml"/><item id="b" href="B%20b.xhtml"/>'
        file.writestr(
            "x/p.opf",
            "<package><metadata><title>The cranes</title><creator>Li</creator></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        file.writestr("x/a.xhtml", "<html><body><h1>Two</h1><p>It broke.</p></body></html>")
        file.writestr("x/B b.xhtml", "<html><body><h1>One</h1><p>The rope.</p></body></html>")
        for name, content in more.items():
            file.writestr(name.replace("__", "/") + ".xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "spine", ['<itemref idref="b"/><itemref idref="a"/>', '<itemref idref="b"/>']
)
def test_a_book_is_read_in_the_order_of_its_spine_and_no_chapter_is_lost(
    tmp_path: Path, spine: str
) -> None:
    (tmp_path / "a").write_bytes(book(spine))
    document = read(tmp_path / "a", types.EPUB)
    assert document.text == "One\n\nThe rope.\n\nTwo\n\nIt broke."
    assert (document.title, document.metadata, len(document.pages)) == (
        "The cranes",
        {"author": "Li"},
        2,
    )


def test_a_locked_chapter_is_encrypted_and_a_locked_font_is_not(tmp_path: Path) -> None:
    lock = '<encryption><CipherReference URI="{}"/></encryption>'
    font = book(**{"META-INF__encryption": lock.format("x/font.otf")})
    assert text_of(tmp_path, font, types.EPUB).startswith("One")
    with pytest.raises(DocumentError) as locked:
        text_of(tmp_path, book(**{"META-INF__encryption": lock.format("x/a.xhtml")}), types.EPUB)
    assert locked.value.code == "encrypted_document"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('{"no": 0042.50, "at": null}', '{"no": 0042.50, "at": null}'),
        ('{"no": 42.50, "ok": true, "at": null}', "no: 42.50; ok: true; at: null"),
        ('[{"a": 1}, {"a": 2, "b": {"c": [1, 2]}}]', "a: 1\n\na: 2; b.c: 1, 2"),
        ('{"a": [{"b": 1}, {"b": 2}]}', "a.1.b: 1; a.2.b: 2"),
        ('{"a": 1}\n\n{"a": 2}\n', "a: 1\n\na: 2"),
        ('"only words"', "only words"),
        ("[1, 2]", "1\n\n2"),
        ('{"a": 1, "a": 2}', "a: 1; a: 2"),
        ("[[1, 2], [3]]", "1, 2\n\n3"),
        (r'{"a": "cut \ud83d, nul\u0000"}', "a: cut \ufffd, nul"),
        ('{"a": 1}\n{"a":', '{"a": 1}\n{"a":'),
        ("{}", ""),
        ('{"a": [], "b": {"c": {}}, "d": [{}]}', "a: []; b.c: {}; d.1: {}"),
        ('{"a":' * 900 + "1" + "}" * 900, ".".join("a" * 900) + ": 1"),
        ("not json", "not json"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_json_is_said_with_the_names_that_lead_to_each_value(
    tmp_path: Path, written: str, words: str
) -> None:
    assert text_of(tmp_path, written.encode(), types.JSON) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<a><b>rope</b><c>broke</c></a>", "b: rope\n\nc: broke"),
        ('<a><b id="7">rope</b></a>', "b id: 7\n\nb: rope"),
        ("<a><p>The <i>rope</i> broke.</p></a>", "The rope broke."),
        ("<a>before<b>rope</b>after</a>", "beforeropeafter"),
        ("<?xml version='1.0' encoding='gbk'?><a><b>钢缆</b></a>", "b: 钢缆"),
        ("<a><b>rope", "b: rope"),
        ("<a>The rope<!-- new? --> broke.</a>", "The rope broke."),
        ("<a>One<!-- old --> did not<b><c>break</c></b></a>", "a: One\n\ndid not\n\nc: break"),
        ("<a>One<?page 2?> did not<b><c>break</c></b></a>", "a: One\n\ndid not\n\nc: break"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a><b>y&x;z</b></a>", "y&x;z"),
    ],
)
def test_xml_is_said_with_the_names_of_its_elements(
    tmp_path: Path, written: str, words: str
) -> None:
    encoding = "gbk" if "gbk" in written else "utf-8"
    assert text_of(tmp_path, written.encode(encoding), types.XML) == words


@pytest.mark.parametrize(
    "kind", [types.XLS, types.XLSB, types.MSG, types.ODT, types.EPUB, types.XML]
)
def test_a_damaged_file_is_corrupt_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DocumentError) as refused:
        text_of(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing", kind)
    assert refused.value.code == "corrupt_document"


@pytest.mark.parametrize("deep", [b"<a>" * 300 + b"x" + b"</a>" * 300, b"<a>" + b"x" * 11_000_000])
def test_xml_that_its_parser_would_cut_is_refused_not_emptied(tmp_path: Path, deep: bytes) -> None:
    with pytest.raises(DocumentError, match="nested deeper or has longer texts"):
        text_of(tmp_path, deep, types.XML)


def sample(shared_dir: Path, name: str) -> Path:
    path = shared_dir / "data/formats/unstructured" / name
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return path


def test_a_binary_workbook_is_read_sheet_by_sheet(shared_dir: Path) -> None:
    document = read(sample(shared_dir, "tests-example.xls"), types.XLS)
    assert len(document.pages) == 3
    assert "TF; Bagpipes are awesome.; true" in document.text


def test_an_outlook_message_is_read_as_the_mail_it_was(shared_dir: Path) -> None:
    document = read(sample(shared_dir, "fake-email-attachment.msg"), types.MSG)
    assert document.title == "Fake email with attachment"
    assert document.text.startswith("Subject: Fake email with attachment\nFrom: Mallori Harrell")
    assert "Little to no content" in document.text
    assert document.text.endswith("Attachments: fake-attachment.txt")


def test_values_of_binary_workbooks_are_said_as_text() -> None:
    import datetime as dt

    day = dt.datetime.fromisoformat("2024-08-17")
    values = (42.0, 2.5, True, day, day.replace(hour=9), "x")
    assert [shown(value) for value in values] == [
        "42", "2.5", "TRUE", "2024-08-17", "2024-08-17 09:00:00", "x",
    ]  # fmt: skip


ENTITIES = (
    '<!DOCTYPE r [<!ENTITY m "February"><!ENTITY d "10 &m; <b>1998</b>">'
    '<!ENTITY a "&b;"><!ENTITY b "&a;&a;">]>'
)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<r><p>It fell on &d; &amp; broke.</p></r>", "It fell on 10 February 1998 & broke."),
        ("<r>&m;<x>1</x>&m;</r>", "February1February"),
        ("<r><p>A&nbsp;rope &unknown; broke</p><q>&m;</q></r>", "A rope &unknown; broke February"),
        ("<r><s>&lt;not&gt;</s></r>", "<not>"),
    ],
)
def test_names_in_xml_say_what_they_stand_for(tmp_path: Path, written: str, words: str) -> None:
    said = text_of(tmp_path, f"{ENTITIES}{written}".encode(), types.XML)
    assert re.sub(r"\b[a-z]: ", "", " ".join(said.split())) == words


def test_names_that_stand_for_each_other_come_to_an_end(tmp_path: Path) -> None:
    said = text_of(tmp_path, f"{ENTITIES}<r><s>&a;</s></r>".encode(), types.XML)
    assert len(said) < 1000
