"""A small good file and a small bad one for every format that is read."""

import io
from pathlib import Path

from ingest import media_types as types
from tests.ingest import pdf_samples

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
    }
    files = {kind: _written(folder, kind, text.encode()) for kind, text in texts.items()}
    for kind in (types.DOCX, types.PPTX, types.XLSX):
        files[kind] = _written(folder, kind, office_bytes(kind, WORDS))
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
    }
    return {kind: _written(folder, kind, data, "bad") for kind, data in contents.items()}


def _written(folder: Path, kind: str, data: bytes, quality: str = "good") -> Path:
    path = folder / f"{quality}-{kind.replace('/', '-')}"
    path.write_bytes(data)
    return path


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
