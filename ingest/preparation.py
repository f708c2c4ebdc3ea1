"""What a process needs before it parses: modules imported, and state of the process set, once.

A library that reads its own tables or compiles its rules while it is imported does so here, before
any file was opened and outside of every limit. Loaders set no state of the process: what they need
of it is set here. Knows which modules read which media type.
"""

import csv
import importlib
import sys

from ingest import media_types as types

DRAWING = "page/drawing"
"""Stands for the drawing of a page, which is no media type of a file."""

_EVERY = ("ingest.loaders", "ingest.parsed_file")
_TEXT = ("ingest.encodings", "charset_normalizer")
_PICTURES = ("ingest.picture_file", "PIL.ImageOps")
_INSIDE = (
    "ingest.embedded", "PIL.Image", "PIL.PngImagePlugin", "PIL.JpegImagePlugin",
    "PIL.GifImagePlugin", "PIL.BmpImagePlugin",
)  # fmt: skip
_HTML = (*_TEXT, *_INSIDE, "ingest.office", "lxml.html", "lxml.html.defs")
_MODULES: dict[str, tuple[str, ...]] = {
    types.PDF: ("ingest.pdf",),
    DRAWING: ("ingest.page_picture", "PIL.Image", "PIL.ImageChops", "PIL.PngImagePlugin"),
    types.DOCX: (*_INSIDE, "ingest.office", "ingest.office_members", "olefile", "lxml.etree"),
    types.PPTX: (*_INSIDE, "ingest.office", "ingest.office_members", "olefile", "lxml.etree"),
    types.HTML: _HTML,
    types.MARKDOWN: (*_HTML, "markdown_it", "markdown_it.renderer"),
    types.MAIL: (*_HTML, "ingest.mail"),
    types.XLSX: (
        *_INSIDE,
        "ingest.tables",
        "ingest.workbook",
        "ingest.office_members",
        "olefile",
        "lxml.etree",
    ),
    types.CSV: (*_TEXT, "ingest.tables"),
    types.TSV: (*_TEXT, "ingest.tables"),
    types.XLS: (*_INSIDE, "ingest.legacy_workbook", "python_calamine", "olefile"),
    types.XLSB: (*_INSIDE, "ingest.legacy_workbook", "python_calamine", "lxml.etree"),
    types.ODT: (*_HTML, "ingest.open_document"),
    types.ODS: (*_HTML, "ingest.open_document"),
    types.ODP: (*_HTML, "ingest.open_document"),
    types.EPUB: (*_HTML, "ingest.book"),
    types.MSG: (*_HTML, "ingest.mail", "ingest.outlook", "oxmsg"),
    types.ZIP: (*_TEXT, "ingest.archive"),
    types.RTF: (*_TEXT, *_INSIDE, "ingest.plain_text", "ingest.rich_text"),
    types.JSON: (*_TEXT, "ingest.plain_text", "ingest.records"),
    types.XML: (*_TEXT, "ingest.plain_text", "ingest.records", "lxml.etree"),
    types.PLAIN_TEXT: (*_TEXT, "ingest.plain_text"),
    types.WEB_ARCHIVE: (*_HTML, "ingest.mail", "ingest.web_archive"),
    types.CALENDAR: (*_TEXT, "ingest.plain_text"),
    types.CARD: (*_TEXT, "ingest.plain_text"),
    types.GIF: (*_PICTURES, "PIL.GifImagePlugin"),
    types.BMP: (*_PICTURES, "PIL.BmpImagePlugin"),
    types.PNG: (*_PICTURES, "PIL.PngImagePlugin"),
    types.JPEG: (*_PICTURES, "PIL.JpegImagePlugin"),
    types.TIFF: (*_PICTURES, "PIL.TiffImagePlugin"),
    types.WEBP: (*_PICTURES, "PIL.WebPImagePlugin"),
}
COMMON = (types.PLAIN_TEXT, types.MARKDOWN, types.PDF, types.DOCX, types.XLSX)
"""What most files are, the quickest to make ready first."""

MEDIA_TYPES = tuple(name for name in _MODULES if name != DRAWING)


def prepare(media_type: str) -> None:
    """Make the process ready for a media type; cheap the second time. Raises what imports raise."""
    # A cell of a table may be as long as the file; the default of 128 KiB would refuse it.
    csv.field_size_limit(sys.maxsize)
    for name in (*_EVERY, *_MODULES.get(media_type, ())):
        importlib.import_module(name)
    if "ingest.form_tables" in sys.modules:
        importlib.import_module("kb_service.language.stated.labels").warm_up()
