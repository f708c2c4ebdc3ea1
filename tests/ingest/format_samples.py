"""A small good file and a small bad one for every format that is read and can be written here."""

import io
import zipfile
from pathlib import Path

from ingest import media_types as types
from tests.ingest import pdf_samples, picture_samples

WORDS = "The pump of line four stopped at noon."
PAGE = f"<html><head><title>Outage</title></head><body><h1>Report</h1><p>{WORDS}</p></body></html>"
MAIL = f"Message-ID: <1@x>\nFrom: a@example.org\nTo: b@example.org\nSubject: Outage\n\n{WORDS}\n"


def good_files(folder: Path) -> dict[str, Path]:
    """Write one readable file for each media type."""
    texts = {
        types.CSV: f"no,what\n1,{WORDS}\n",
        types.TSV: f"no\twhat\n1\t{WORDS}\n",
        types.PLAIN_TEXT: WORDS,
        types.MARKDOWN: f"# Report\n\n{WORDS}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        types.HTML: PAGE,
        types.MAIL: MAIL,
        types.WEB_ARCHIVE: f"MIME-Version: 1.0\nContent-Type: text/html\n\n{PAGE}",
        types.CALENDAR: f"BEGIN:VEVENT\nSUMMARY:{WORDS}\nEND:VEVENT\n",
        types.CARD: f"BEGIN:VCARD\nNOTE:{WORDS}\nEND:VCARD\n",
        types.RTF: rf"{{\rtf1\ansi {WORDS}}}",
        types.JSON: f'{{"what": "{WORDS}"}}',
        types.XML: f"<a><what>{WORDS}</what></a>",
    }
    files = {kind: _written(folder, kind, text.encode()) for kind, text in texts.items()}
    for kind in (types.DOCX, types.PPTX, types.XLSX):
        files[kind] = _written(folder, kind, office_bytes(kind, WORDS))
    for kind in (types.ODT, types.ODS, types.ODP, types.EPUB):
        files[kind] = _written(folder, kind, package_bytes(kind, WORDS))
    files[types.ZIP] = _written(folder, types.ZIP, archive_bytes())
    for kind in types.PICTURES:
        files[kind] = _written(folder, kind, picture_bytes(kind))
    files[types.PDF] = pdf_samples.rotated(folder / "good-pdf", 0)
    return files


def bad_files(folder: Path) -> dict[str, Path]:
    """Write one file for each media type that cannot be read, or holds nothing."""
    binary = bytes(range(256)) * 4
    packages = {
        kind: office_bytes(kind, WORDS)[:-200] for kind in (types.DOCX, types.PPTX, types.XLSX)
    }
    contents = {
        **packages,
        types.PDF: b"%PDF-1.4\n" + binary,
        types.CSV: b'"' + b"a" * 200_000,
        types.TSV: b"\t" * 50_000,
        types.PLAIN_TEXT: binary,
        types.MARKDOWN: b"\x81\x20" * 500,
        types.HTML: b"<html><body>" + b"<div>" * 400 + b"deep",
        types.MAIL: b"no head at all\n\n\n",
        types.WEB_ARCHIVE: b"MIME-Version: 1.0\nContent-Type: text/css\n\np {}",
        types.CALENDAR: binary,
        types.CARD: binary,
        types.RTF: b"{\\rtf1" + b"{" * 5000,
        types.JSON: b"[" * 50_000,
        types.XML: b"\0\1 no xml",
        types.ZIP: archive_bytes()[:-30],
        **{kind: picture_bytes(kind)[:-60] for kind in types.PICTURES},
        **{
            kind: package_bytes(kind, WORDS)[:-60]
            for kind in (types.ODT, types.ODS, types.ODP, types.EPUB)
        },
    }
    return {kind: _written(folder, kind, data, "bad") for kind, data in contents.items()}


def archive_bytes() -> bytes:
    """An archive of one text that is called as the sentence says."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(f"{WORDS}.txt", WORDS)
    return stream.getvalue()


def picture_bytes(kind: str) -> bytes:
    """Return a small picture that shows the words."""
    stream = io.BytesIO()
    picture_samples.drawn([WORDS]).save(stream, kind.removeprefix("image/"))
    return stream.getvalue()


def _written(folder: Path, kind: str, data: bytes, quality: str = "good") -> Path:
    path = folder / f"{quality}-{kind.replace('/', '-')}"
    path.write_bytes(data)
    return path


def package_bytes(kind: str, words: str) -> bytes:
    """Return a small OpenDocument file or book that holds the words."""
    names = 'xmlns:office="o" xmlns:text="t" xmlns:table="b" xmlns:draw="d"'
    inner = f"<text:p>{words}</text:p>"
    content = {
        types.ODT: f"<office:text>{inner}</office:text>",
        types.ODS: "<office:spreadsheet><table:table><table:table-row><table:table-cell>"
        f"{inner}</table:table-cell></table:table-row></table:table></office:spreadsheet>",
        types.ODP: f"<office:presentation><draw:page>{inner}</draw:page></office:presentation>",
        types.EPUB: "",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("mimetype", kind)
        file.writestr("content.xml", f"<d {names}><office:body>{content[kind]}</office:body></d>")
        file.writestr(
            "p.opf",
            "<package><manifest><item id='a' href='a.xhtml'/></manifest>"
            "<spine><itemref idref='a'/></spine></package>",
        )
        file.writestr("a.xhtml", f"<html><body><p>{words}</p></body></html>")
    return stream.getvalue()


def office_bytes(media_type: str, words: str) -> bytes:
    """Return a small Office file that holds the words."""
    from docx import Document
    from openpyxl import Workbook
    from pptx import Presentation

    stream = io.BytesIO()
    if media_type == types.DOCX:
        word = Document()
        word.add_paragraph(words)
        word.save(stream)
    elif media_type == types.PPTX:
        slides = Presentation()
        slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = words
        slides.save(stream)
    else:
        book = Workbook()
        book.active.append([words])
        book.save(stream)
    return stream.getvalue()
