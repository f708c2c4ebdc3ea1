"""A report as a Word document: the same data as its page, as paragraphs and a table. Pure.

Writes WordprocessingML (ECMA-376) by itself: a few parts of plain XML, the same bytes for the same
data. It holds no macro, no link and no picture, so that nothing of a document acts in it.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from kb_service.services.report_lines import (
    columns_of,
    counted_of,
    file_of,
    foot_of,
    heading_of_sources,
    query_of,
    source_of,
    status_of,
    title_of,
)

Json = Mapping[str, Any]
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NEVER = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""
_UNPRINTABLE = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for."""
_TITLE, _HEADING, _SMALL = 32, 26, 16
"""Half points."""

_CONTENT_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_DOCUMENT_TYPE}"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)


def docx_of(data: Json) -> bytes:
    """Return the Word document of a report's data (`report_page`)."""
    body = "".join(_parts(data))
    document = (
        f'{_HEAD}<w:document xmlns:w="{_WORD}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" '
        'w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>'
    )
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", _CONTENT_TYPES),
            ("_rels/.rels", _RELATIONS),
            ("word/document.xml", document),
        ):
            archive.writestr(ZipInfo(name, _NEVER), text.encode(), ZIP_DEFLATED)
    return written.getvalue()


def _parts(data: Json) -> Iterator[str]:
    yield _paragraph(title_of(data), size=_TITLE, bold=True)
    if asked := query_of(data):
        yield _paragraph(asked, size=_SMALL)
    yield _paragraph(status_of(data))
    for line in str(data["answer"]).split("\n"):
        yield _paragraph(line)
    if data["table"]:
        yield _table(columns_of(data), data["table"]["rows"])
    if told := counted_of(data):
        yield _paragraph(told)
    yield _paragraph(heading_of_sources(data), size=_HEADING, bold=True)
    for item in data["citations"]:
        yield _paragraph(f"[{item['number']}] {source_of(item, data)}", bold=True)
        yield _paragraph(str(item["quote"]), indent=True)
        yield _paragraph(file_of(item, data), size=_SMALL, indent=True)
    yield from (_paragraph(line, size=_SMALL) for line in foot_of(data))


def _table(names: Sequence[str], rows: Sequence[Any]) -> str:
    heads = "".join(_cell(name, bold=True) for name in names)
    body = "".join(f"<w:tr>{''.join(_cell(_words(cell)) for cell in row)}</w:tr>" for row in rows)
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:color="999999"/>'
        for side in ("top", "bottom", "insideH")
    )
    columns = "<w:gridCol/>" * len(names)
    return (
        f"<w:tbl><w:tblPr><w:tblBorders>{sides}</w:tblBorders></w:tblPr>"
        f"<w:tblGrid>{columns}</w:tblGrid>"
        f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{heads}</w:tr>{body}</w:tbl>{_paragraph('')}"
    )


def _words(cell: Sequence[Any]) -> str:
    value, numbers = cell
    marks = "".join(f" [{number}]" for number in numbers)
    return f"{'' if value is None else value}{marks}"


def _cell(text: str, *, bold: bool = False) -> str:
    return f"<w:tc><w:tcPr/>{_paragraph(text, bold=bold)}</w:tc>"


def _paragraph(text: str, *, size: int = 0, bold: bool = False, indent: bool = False) -> str:
    spaced = '<w:pPr><w:ind w:left="400"/></w:pPr>' if indent else ""
    looks = ("<w:b/>" if bold else "") + (f'<w:sz w:val="{size}"/>' if size else "")
    lines = _UNPRINTABLE.sub("\ufffd", text).split("\n")
    runs = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in lines)
    return f"<w:p>{spaced}<w:r><w:rPr>{looks}</w:rPr>{runs}</w:r></w:p>"
