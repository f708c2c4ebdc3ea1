"""Files that somebody put into an Office document: they become documents of their own.

Knows embedded packages and the OLE storages that programs wrap other files in. Data behind a chart
is no file of its own: the chart says it.
"""

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ingest.encodings import decode
from ingest.members import MemberFolder
from ingest.office_package import OfficePackage
from kb_service.domain.errors import DocumentError

if TYPE_CHECKING:
    from olefile import OleFileIO

_EMBEDDED = "/embeddings/"
_KINDS = frozenset(("package", "oleObject"))
_CHARTS = "/charts/"
_STORAGE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OWN_FORMATS = {"WordDocument": ".doc", "Workbook": ".xls", "Book": ".xls",
                "PowerPoint Document": ".ppt"}  # fmt: skip
"""Streams by which a storage is itself a file of an old program."""
_PACKED, _WHOLE = "\x01Ole10Native", ("Package", "CONTENTS")
_SUFFIXES = {b"%PDF": ".pdf"}
_NO_FILE = frozenset(("Equation Native", "MathType"))
"""Formulas, which are drawings for whoever reads."""
MAX_NAME_BYTES = 1024


def keep_embedded(path: Path, members: MemberFolder) -> None:
    """Put the files inside a package where documents of their own come from."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        if not any(_EMBEDDED in name for name in package.names):
            return
        for part in _embedded_parts(package):
            name, found = PurePosixPath(part).name, None
            with package.losing(name):
                found = _taken_out(name, package.bytes_of(part) or b"")
            if found is not None:
                members.add(members.path_of(found[0]), found[1])
        for loss in package.losses:
            members.lose(members.path_of(loss.where), loss.what, loss.sample)


def _embedded_parts(package: OfficePackage) -> list[str]:
    """Return the parts that are files of others, each once."""
    found: dict[str, None] = {}
    for source in package.names:
        if source.endswith(".xml") and _CHARTS not in source:
            with package.losing(source):
                targets = package.targets(source).values()
                found |= dict.fromkeys(part for kind, part in targets if kind in _KINDS)
    return list(found)


def _taken_out(name: str, data: bytes) -> tuple[str, bytes] | None:
    """Return name and bytes of an embedded file, None for what is none. Raises UNREADABLE."""
    if not data.startswith(_STORAGE):
        return name, data
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as storage:
        return _stored(name, data, storage)


def _stored(name: str, data: bytes, storage: "OleFileIO") -> tuple[str, bytes] | None:
    streams = {entry[0] for entry in storage.listdir()}
    suffix = next((_OWN_FORMATS[stream] for stream in _OWN_FORMATS if stream in streams), "")
    if suffix:
        return PurePosixPath(name).stem + suffix, data
    if _PACKED in streams:
        called, content = _unpacked(storage.openstream(_PACKED).read())
        return called or name, content
    if whole := next((stream for stream in _WHOLE if stream in streams), ""):
        content = storage.openstream(whole).read()
        own = PurePosixPath(name).suffix
        suffix = next((s for head, s in _SUFFIXES.items() if content.startswith(head)), "")
        return str(PurePosixPath(name).with_suffix(suffix or own)), content
    if not streams & _NO_FILE:
        reason = f"an object of another program: {', '.join(sorted(streams))}"
        raise DocumentError(reason, code="unsupported_media_type")
    return None


def _unpacked(data: bytes) -> tuple[str, bytes]:
    """Return name and bytes of a file as a packager wraps it.

    Size and flags, its name, the path it came from, flags, the path it was copied to with its
    length, the file with its length. Raises ValueError where that is not so.
    """
    called, start = _text_at(data, 6)
    _, start = _text_at(data, start)
    start += 4
    start += 4 + int.from_bytes(data[start : start + 4], "little")
    size = int.from_bytes(data[start : start + 4], "little")
    content = data[start + 4 : start + 4 + size]
    if len(data) < start + 4 or len(content) != size:
        raise ValueError(f"{size} bytes are announced, {len(content)} are there")
    return _name_of(called), content


def _name_of(called: bytes) -> str:
    """Return the name of a packed file, "" where it is none: its content is good without."""
    try:
        return decode(called, "name").text if called else ""
    except DocumentError:
        return ""


def _text_at(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the bytes before the next zero, and where those behind it begin."""
    end = data.index(b"\0", start, start + MAX_NAME_BYTES)
    return data[start:end], end + 1
