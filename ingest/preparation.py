"""What a process needs before it parses: modules imported, and state of the process set, once.

A library that reads its own tables or compiles its rules while it is imported does so here, before
any file was opened and outside of every limit. Loaders set no state of the process: what they need
of it is set here. Knows which modules read which media type.
"""

import csv
import importlib
import sys

from ingest.media_types import CSV, DOCX, HTML, MAIL, MARKDOWN, PDF, PLAIN_TEXT, PPTX, TSV, XLSX

PICTURE = "image/png"
"""Stands for the drawing of a page, which is no media type of a file."""

_EVERY = ("ingest.loaders", "ingest.parsed_file")
_TEXT = ("ingest.encodings", "charset_normalizer")
_HTML = (*_TEXT, "ingest.office", "lxml.html", "lxml.html.defs")
_MODULES: dict[str, tuple[str, ...]] = {
    PDF: ("ingest.pdf",),
    PICTURE: ("ingest.page_picture", "PIL.Image", "PIL.ImageChops", "PIL.PngImagePlugin"),
    DOCX: ("ingest.office", "lxml.etree"),
    PPTX: ("ingest.office", "lxml.etree"),
    HTML: _HTML,
    MARKDOWN: (*_HTML, "markdown_it", "markdown_it.renderer"),
    MAIL: (*_HTML, "ingest.mail"),
    XLSX: ("ingest.tables", "ingest.workbook", "lxml.etree"),
    CSV: (*_TEXT, "ingest.tables"),
    TSV: (*_TEXT, "ingest.tables"),
    PLAIN_TEXT: (*_TEXT, "ingest.plain_text"),
}
MEDIA_TYPES = tuple(name for name in _MODULES if name != PICTURE)


def prepare(media_type: str) -> None:
    """Make the process ready for a media type; cheap the second time. Raises what imports raise."""
    # A cell of a table may be as long as the file; the default of 128 KiB would refuse it.
    csv.field_size_limit(sys.maxsize)
    for name in (*_EVERY, *_MODULES.get(media_type, ())):
        importlib.import_module(name)
