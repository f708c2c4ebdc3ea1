"""Pictures of an xls file: those that its drawings keep, sheets apart unknown.

Knows the records of BIFF8 ([MS-XLS]) and of Office drawings ([MS-ODRAW]) that lead to a picture;
reads no picture.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from ingest.bitmaps import with_head

_STREAMS = ("Workbook", "Book")
_DRAWINGS, _CONTINUE = 0x00EB, 0x003C
_HEAD, _ENTRY_HEAD = 8, 36
_CONTAINER, _ENTRY = 0xF, 0xF007
_BLIPS = range(0xF01A, 0xF118)
_METAFILES = (0xF01A, 0xF01B, 0xF01C)
_DIB = 0xF01F
_ID_BYTES = 16  # of a picture; one that was changed has the ids of both


def xls_pictures(path: Path) -> list[bytes]:
    """Return the pictures of a file, [] where it is none of this format or its drawings are cut."""
    import olefile

    if not olefile.isOleFile(path):
        return []
    with olefile.OleFileIO(path) as file:
        name = next((name for name in _STREAMS if file.exists(name)), "")
        return list(pictures_of_stream(file.openstream(name).read())) if name else []


def pictures_of_stream(stream: bytes) -> Iterator[bytes]:
    """Yield the pictures that the records of a workbook hold."""
    drawings = bytearray()
    is_drawing = False
    place = 0
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        is_drawing = kind == _DRAWINGS or (is_drawing and kind == _CONTINUE)
        if is_drawing:
            drawings += stream[place + 4 : place + 4 + size]
        place += 4 + size
    yield from _blips(bytes(drawings))


def _blips(data: bytes) -> Iterator[bytes]:
    """Walk through records and what contains them; what is cut off is left out."""
    place = 0
    while place + _HEAD <= len(data):
        flags, kind, size = struct.unpack_from("<HHI", data, place)
        body = data[place + _HEAD : place + _HEAD + size]
        if kind == _ENTRY and len(body) > _ENTRY_HEAD:
            yield from _blips(body[_ENTRY_HEAD + body[33] :])  # a name may stand before it
        elif kind in _BLIPS:
            yield _picture(flags >> 4, kind, body)
        elif flags & 0xF == _CONTAINER:
            yield from _blips(body)
        place += _HEAD + size


def _picture(instance: int, kind: int, body: bytes) -> bytes:
    if kind in _METAFILES:
        return body  # a drawing, which nobody reads; it is named
    start = _ID_BYTES * (2 if instance & 1 else 1) + 1
    return with_head(body[start:]) if kind == _DIB else body[start:]
