"""Dumb readings of files: every text there is, in the order of the file, to compare with.

Knows nothing of our loaders and of their counts; uses other parsers where there are any. What no
reader of the file sees (deleted, hidden, numbers of pages) is left out; numbers that a workbook
shows by a format are not compared. Needs pypdf, striprtf, xlrd and olefile beside the project.
"""

import csv
import email
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from lxml import etree

from ingest import media_types as types


def _names(said: str) -> frozenset[str]:
    return frozenset(said.split())


VOID = _names("area base br col embed hr img input link meta param source track wbr command keygen")
UNSEEN = _names("script style title template noscript iframe noframes")
INLINE = _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q s samp"
    " small span strike strong sub sup time tt u var wbr img"
)
ENDS = _names(
    "p tab br cr tc si v comment text pt noBreakHyphen ptab sym object pict drawing oMath"
)
NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a file; `once`: what need be said once only, however often it stands there."""

    text: str
    once: str = ""


class _Page(HTMLParser):
    """The text of a page without what it does not show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag not in INLINE:
            self.pieces.append(" ")
        is_hidden = tag in UNSEEN or "hidden" in own or HIDDEN.search(own.get("style") or "")
        if tag not in VOID and (is_hidden or self._hidden):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.pieces.append(" ")
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def of_html(text: str) -> str:
    """Return what a page shows."""
    page = _Page()
    page.feed(text)
    page.close()
    return "".join(page.pieces)


def decoded(data: bytes, declared: str = "") -> str:
    """Return a text by its mark, as UTF-8, by its declaration, else as Windows writes it here."""
    found = re.search(rb"""(?:charset|encoding)\s*=\s*["']?([\w-]+)""", data[:2000])
    said = declared or (found.group(1).decode() if found else "")
    marks = {b"\xff\xfe\0\0": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = next((name for mark, name in marks.items() if data.startswith(mark)), "")
    wide = {b"\0": "utf-16-be", b"": ""}.get(data[:1], "utf-16-le" if data[1:2] == b"\0" else "")
    for name in (marked, "utf-8-sig", said, wide, "cp1252"):
        try:
            return data.decode(name) if name and (name != "utf-8-sig" or not wide) else _none()
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def _none() -> str:
    raise LookupError("no such encoding")


def _markdown(data: bytes) -> Reading:
    text = re.sub(r"<!--.*?-->", " ", decoded(data), flags=re.DOTALL)
    text = re.sub(r"^ *\[[^\]]+\]:[ \t]*\n?.*$|^ *(?:```|~~~).*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\](?:\([^)]*\)|\[[^\]]*\])", "] ", text)
    text = unescape(text)
    return Reading(re.sub(r"</?[a-z][^<>]*>", " ", text, flags=re.IGNORECASE))


def _csv(data: bytes, between: str = ",") -> Reading:
    rows = csv.reader(io.StringIO(decoded(data)), delimiter=between)
    return Reading(" ".join(cell for row in rows for cell in row))


def _tsv(data: bytes) -> Reading:
    return _csv(data, "\t")


def _json(data: bytes) -> Reading:
    text = decoded(data)
    try:
        return Reading(" ".join(_leaves(json.loads(text))))
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        return Reading(" ".join(leaf for line in lines for leaf in _leaves(json.loads(line))))


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value


def _xml(data: bytes) -> Reading:
    root = etree.fromstring(data)
    return Reading(" ".join(str(text) for text in root.itertext(etree.Element)))


def _mail(data: bytes) -> Reading:
    if b"\0" in data[:200]:
        data = decoded(data).encode()
    message = email.message_from_bytes(data)
    return Reading(" ".join(_bodies(message)))


def _bodies(part: Message) -> Iterator[str]:
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = [each for each in payload if isinstance(each, Message)]
        if part.get_content_type() == "multipart/alternative":
            plain = [each for each in inner if each.get_content_type() == "text/plain"]
            inner = plain[:1] or inner[-1:]
        for each in inner:
            yield from _bodies(each)
    elif part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
        body = part.get_payload(decode=True)
        text = decoded(body if isinstance(body, bytes) else b"", part.get_content_charset() or "")
        yield of_html(text) if part.get_content_subtype() == "html" else text


def _outlook(data: bytes) -> Reading:
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as file:
        names = ["__substg1.0_1000001F", "__substg1.0_0037001F"]
        texts = [file.openstream(name).read() for name in names if file.exists(name)]
    return Reading(" ".join(text.decode("utf-16-le") for text in texts))


def _pdf(data: bytes) -> Reading:
    from pypdf import PdfReader

    return Reading("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


def _rtf(data: bytes) -> Reading:
    from striprtf.striprtf import rtf_to_text

    return Reading(rtf_to_text(data.decode("latin-1"), errors="replace"))


def _xls(data: bytes) -> Reading:
    import xlrd

    sheets = xlrd.open_workbook(file_contents=data).sheets()
    cells = (cell for sheet in sheets for row in sheet.get_rows() for cell in row)
    return Reading(" ".join(cell.value for cell in cells if cell.ctype == xlrd.XL_CELL_TEXT))


class _Package:
    """The XML parts of a zipped file."""

    def __init__(self, data: bytes) -> None:
        self._file = zipfile.ZipFile(io.BytesIO(data))

    def parts(self, pattern: str) -> Iterator[etree._Element]:
        """Yield the roots of the parts whose names match."""
        parser = etree.XMLParser(recover=True, resolve_entities=False, huge_tree=True)
        for name in sorted(self._file.namelist()):
            if re.fullmatch(pattern, name.replace("\\", "/").lstrip("/")):
                root = etree.fromstring(self._file.read(name), parser)
                if root is not None:
                    yield root

    def texts(self, pattern: str) -> Iterator[bytes]:
        """Yield the bytes of the parts whose names match."""
        for name in sorted(self._file.namelist()):
            if re.fullmatch(pattern, name):
                yield self._file.read(name)


def _local(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _walk(node: etree._Element, said: frozenset[str], skipped: frozenset[str]) -> Iterator[str]:
    """Yield the texts of the elements that are `said`, a space where a line or cell ends."""
    tag = _local(node)
    if tag in skipped or not tag or _is_unseen(node, tag):
        return
    if tag in said and not (tag == "v" and NUMBER.fullmatch(node.text or "")):
        yield node.text or ""
    for inner in node:
        yield from _walk(inner, said, skipped)
    if tag in ENDS:
        yield " "


def _is_unseen(node: etree._Element, tag: str) -> bool:
    """A run that is hidden, a field that numbers pages."""
    if tag == "fld":
        return str(node.get("type", "")).startswith(("slidenum", "datetime"))
    return tag == "r" and any(_local(inner) == "vanish" for inner in node.iter())


def _said(roots: Iterator[etree._Element], *names: str) -> str:
    skipped = frozenset(("Fallback", "del", "moveFrom", "extLst", "rPh"))
    return " ".join("".join(_walk(root, frozenset(names), skipped)) for root in roots)


def _word(data: bytes) -> Reading:
    package = _Package(data)
    own = _said(package.parts(r"word/(document|footnotes|endnotes|comments)\.xml"), "t")
    around = _said(package.parts(r"word/((header|footer)\d*|charts/chart\d*)\.xml"), "t", "v")
    return Reading(own, around)


def _slides(data: bytes) -> Reading:
    package = _Package(data)
    own = _said(package.parts(r"ppt/slides/slide\d+\.xml"), "t")
    beside = r"ppt/(notesSlides/notesSlide\d+|comments/.*|diagrams/data\d+|charts/chart\d+)\.xml"
    return Reading(own, _said(package.parts(beside), "t", "text"))


def _workbook(data: bytes) -> Reading:
    package = _Package(data)
    strings = [
        _said(iter([node]), "t")
        for root in package.parts(r"xl/sharedStrings\.xml")
        for node in root
        if _local(node) == "si"
    ]
    cells = [c for root in package.parts(r"xl/worksheets/sheet\d+\.xml") for c in root.iter()]
    places = [
        next((v.text or "" for v in cell if _local(v) == "v"), "")
        for cell in cells
        if _local(cell) == "c" and cell.get("t") == "s"
    ]
    shared = [strings[int(place)] for place in places if place.strip().isdecimal()]
    inline = _said(package.parts(r"xl/worksheets/sheet\d+\.xml"), "t")
    beside = _said(package.parts(r"xl/(drawings/drawing|charts/chart|comments)\d*\.xml"), "t")
    return Reading(" ".join([*shared, inline]), beside)


def _open_document(data: bytes) -> Reading:
    pieces = []
    for root in _Package(data).parts(r"content\.xml"):
        for name in (
            "tracked-changes",
            "page-number",
            "page-count",
            "forms",
            "scripts",
            "note-citation",
        ):
            for node in [each for each in root.iter() if _local(each) == name]:
                node.text = None
                node[:] = []
        for node in root.iter():
            inner = _local(node) not in ("span", "a", "page-number", "bookmark", "soft-page-break")
            is_text = _local(node) in ("p", "h", "span", "a", "title", "desc")
            pieces += [" " if inner else "", (node.text or "") if is_text else ""]
            parent = node.getparent()
            pieces.append((node.tail or "") if parent is not None else "")
    return Reading("".join(pieces))


def _book(data: bytes) -> Reading:
    pages = _Package(data).texts(r".*\.(xhtml|html|htm)")
    return Reading(" ".join(of_html(decoded(page)) for page in pages))


READERS: dict[str, Callable[[bytes], Reading]] = {
    types.CSV: _csv, types.DOCX: _word, types.MAIL: _mail, types.EPUB: _book, types.JSON: _json,
    types.HTML: lambda data: Reading(of_html(decoded(data))), types.MARKDOWN: _markdown,
    types.MSG: _outlook, types.ODP: _open_document, types.ODS: _open_document, types.PDF: _pdf,
    types.ODT: _open_document, types.PPTX: _slides, types.RTF: _rtf, types.XLSX: _workbook,
    types.PLAIN_TEXT: lambda data: Reading(decoded(data)), types.TSV: _tsv,
    types.XLS: _xls, types.XML: _xml,
}  # fmt: skip


def plain_reading(path: Path, media_type: str) -> Reading:
    """Return all that a file says. Raises what its parser raises; KeyError for another format."""
    return READERS[media_type](path.read_bytes())
