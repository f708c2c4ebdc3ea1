"""Original bytes on their way out: a download with a safe name, streamed from an open file.

The file is open before the response starts, so that a delete in between cannot break it off.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from kb_service.domain.errors import NotFound

PIECE_BYTES = 64 * 1024
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()-]")


def content_disposition(name: str) -> str:
    """Return an attachment disposition: an ASCII name for old clients, the whole by RFC 5987."""
    plain = _NOT_PLAIN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def page_attachment(page: str, name: str) -> Response:
    """Return an HTML file as a download, which no browser shows as a page of this service."""
    headers = {
        "Content-Disposition": content_disposition(name),
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(page, headers=headers, media_type="text/html; charset=utf-8")


def docx_attachment(document: bytes, name: str) -> Response:
    """Return a Word document as a download."""
    headers = {
        "Content-Disposition": content_disposition(name),
        "X-Content-Type-Options": "nosniff",
    }
    return Response(document, headers=headers, media_type=DOCX)


def attachment(path: Path, name: str, media_type: str) -> StreamingResponse:
    """Return the file as a download. Raises NotFound (content_not_found) when it is gone."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"the content of {name!r} is gone", code="content_not_found") from error
    headers = {
        "Content-Disposition": content_disposition(name),
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_pieces(file), headers=headers, media_type=media_type)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece
