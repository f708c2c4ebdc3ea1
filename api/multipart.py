"""Reading an upload: multipart parts go to temporary files on disk, each within its limit.

A feed/flush machine over bytes. Knows the form's fields (`files`, `tags`, `labels`,
`on_conflict`, `encoding`); knows nothing of what the files hold. A file past its limit is cut one
byte after it, so that whoever takes it in sees that it is too large, while the files beside it stay
whole.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import BinaryIO, cast

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import UnsupportedContentType
from api.sent_names import decoded_name, extended_name
from kb_service.domain.errors import InvalidRequest, PayloadTooLarge, StorageError
from kb_service.domain.names import OnConflict
from kb_service.services.ranges import shown

IN_MEMORY_BYTES = 1024 * 1024
MAX_FIELD_BYTES = 64 * 1024
FILES_FIELD = "files"
TAGS_FIELD = "tags"
LABELS_FIELD = "labels"
CONFLICT_FIELD = "on_conflict"
ENCODING_FIELD = "encoding"
FIELDS = (FILES_FIELD, TAGS_FIELD, LABELS_FIELD, CONFLICT_FIELD, ENCODING_FIELD)

_PARAMETER = re.compile(
    r';\s*([A-Za-z0-9_*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"\s*(?=;|$)|([^;"]*))', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bytes kept of one file, bytes kept of one request, number of files in one request."""

    max_file_bytes: int
    max_total_bytes: int
    max_files: int


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One `files` part: its name as sent and its bytes, rewound."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The whole form, files in the order sent."""

    files: tuple[UploadedFile, ...]
    tags: tuple[str, ...]
    on_conflict: OnConflict
    encoding: str
    labels: tuple[str, ...]


class UploadParser:
    """Takes the body piece by piece; `close` (or leaving the context) removes temporary files."""

    def __init__(self, content_type: str | None, limits: UploadLimits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._files: list[UploadedFile] = []
        self._open_files = ExitStack()
        self._fields: dict[str, bytes] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._part: _Part | None = None
        self._num_kept_bytes = 0
        self._is_ended = False
        callbacks = {
            "on_part_begin": self._begin_part,
            "on_part_data": self._take_data,
            "on_part_end": self._end_part,
            "on_header_field": self._take_header_name,
            "on_header_value": self._take_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open_part,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary_of(content_type), callbacks)  # type: ignore[arg-type]  # a TypedDict of the same callables
        except FormParserError as error:
            raise _malformed(error) from error

    def __enter__(self) -> "UploadParser":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body.

        Raises InvalidRequest, PayloadTooLarge, and StorageError (disk_full) when they cannot be
        kept.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _malformed(error) from error
        except OSError as error:
            raise StorageError.from_os_error("keep the upload", error) from error

    def flush(self) -> UploadForm:
        """Return the form; InvalidRequest when the body ended too early or holds no file."""
        if not self._is_ended:
            raise InvalidRequest(
                "the multipart body ends before its closing boundary", code="invalid_multipart"
            )
        if not self._files:
            raise InvalidRequest(
                f"no file was sent; expected 1 to {self._limits.max_files} parts named "
                f"{FILES_FIELD!r}",
                code="no_files",
                details={"field": FILES_FIELD, "min": 1, "max": self._limits.max_files},
            )
        sent = self._fields.get
        return UploadForm(
            tuple(self._files),
            strings_of(TAGS_FIELD, sent(TAGS_FIELD)),
            conflict_of(sent(CONFLICT_FIELD)),
            encoding_of(sent(ENCODING_FIELD)),
            strings_of(LABELS_FIELD, sent(LABELS_FIELD)),
        )

    def close(self) -> None:
        """Remove the temporary files; safe to call twice."""
        self._open_files.close()

    def _begin_part(self) -> None:
        self._headers = {}
        self._header_name = self._header_value = b""

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _open_part(self) -> None:
        parameters = disposition_parameters(self._headers.get(b"content-disposition", b""))
        field = parameters.get("name")
        if field == FILES_FIELD:
            self._part = _Part(FILES_FIELD, self._new_file(parameters.get("filename", "")))
        elif field in FIELDS:
            if field in self._fields:
                raise _REFUSED[field](self._fields[field])
            self._part = _Part(field)
        else:
            raise InvalidRequest(
                f"form field {shown(field)} is unknown; expected one of {', '.join(FIELDS)}",
                code="unknown_field",
                details={"field": shown(field), "accepted": [*FIELDS]},
            )

    def _new_file(self, name: str) -> BinaryIO:
        if len(self._files) == self._limits.max_files:
            raise PayloadTooLarge(
                f"more than {self._limits.max_files} files in one request",
                code="too_many_files",
                details={"max": self._limits.max_files},
            )
        stream = cast(BinaryIO, self._open_files.enter_context(self._temporary_file()))
        self._files.append(UploadedFile(name, stream))
        return stream

    def _temporary_file(self) -> SpooledTemporaryFile[bytes]:
        # On disk it has no name: nothing of it outlives the process.
        return SpooledTemporaryFile(max_size=IN_MEMORY_BYTES, dir=str(self._folder))

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part is None:
            return
        if part.stream is None:
            part.value += data[start:end]
            if len(part.value) > MAX_FIELD_BYTES:
                raise PayloadTooLarge(
                    f"field {part.field_name!r} has more than {MAX_FIELD_BYTES} bytes",
                    details={"size_bytes": len(part.value), "max_bytes": MAX_FIELD_BYTES},
                )
            return
        room = self._limits.max_file_bytes + 1 - part.num_bytes
        kept = data[start : min(end, start + room)] if room > 0 else b""
        part.stream.write(kept)
        part.num_bytes += len(kept)
        self._count(len(kept))

    def _count(self, num_bytes: int) -> None:
        self._num_kept_bytes += num_bytes
        if self._num_kept_bytes > self._limits.max_total_bytes:
            raise PayloadTooLarge(
                f"the files of one request have more than {self._limits.max_total_bytes} bytes; "
                "send them in several requests",
                details={
                    "size_bytes": self._num_kept_bytes,
                    "max_bytes": self._limits.max_total_bytes,
                },
            )

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.stream is None:
            self._fields[part.field_name] = bytes(part.value)
        else:
            part.stream.seek(0)

    def _end(self) -> None:
        self._is_ended = True


class _Part:
    """The part being read: a file (`stream`) or another field (`value`)."""

    def __init__(self, field_name: str, stream: BinaryIO | None = None) -> None:
        self.field_name = field_name
        self.stream = stream
        self.num_bytes = 0
        self.value = bytearray()


def boundary_of(content_type: str | None) -> bytes:
    """Return the boundary; UnsupportedContentType unless this is multipart/form-data."""
    kind, parameters = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise UnsupportedContentType(
            f"Content-Type is {shown(content_type)}; expected multipart/form-data",
            details={"content_type": shown(content_type), "accepted": ["multipart/form-data"]},
        )
    boundary = parameters.get(b"boundary", b"")
    if not boundary:
        raise InvalidRequest("Content-Type names no boundary", code="invalid_multipart")
    return boundary


def disposition_parameters(header: bytes) -> dict[str, str]:
    r"""Return the parameters of a part's Content-Disposition as the sender meant them.

    Clients write a quote inside a name as `%22` (WHATWG form encoding) or as `\"`, and a backslash
    as it is or doubled. Separators stay: a name is data. `filename*` (RFC 5987) wins when present.
    Bytes that are not UTF-8 are read as `sent_names` tells. Raises InvalidRequest for what cannot
    be read to its end: half of a name is another name.
    """
    text = decoded_name(header)
    found: dict[str, str] = {}
    position = len(text.partition(";")[0])
    while position < len(text.rstrip("; \t")):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise InvalidRequest(
                f"the header of a part is {shown(text)}; expected quotes around a name to end, and "
                "quotes inside it as %22",
                code="invalid_multipart",
            )
        position = match.end()
        name = match.group(1).lower()
        quoted = match.group(2)
        value = match.group(3).strip() if quoted is None else _unquoted(quoted)
        if name.endswith("*"):
            found[name[:-1]] = extended_name(value)
        else:
            found.setdefault(name, value)
    return found


def _unquoted(text: str) -> str:
    text = re.sub(r'\\(["\\])', r"\1", text)
    for written, meant in {"%22": '"', "%0D": "\r", "%0A": "\n"}.items():
        text = text.replace(written, meant)
    return text


def strings_of(name: str, field: bytes | None) -> tuple[str, ...]:
    """Return the tags or labels of a field; InvalidRequest unless it is a JSON list of strings."""
    if field is None:
        return ()
    try:
        value = orjson.loads(field)
    except orjson.JSONDecodeError as error:
        raise _invalid_strings(name, field) from error
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _invalid_strings(name, field)
    return tuple(value)


def _invalid_strings(name: str, field: bytes) -> InvalidRequest:
    return InvalidRequest(
        f'field {name!r} is {shown(field)}; expected once, a JSON list like ["a", "b"]',
        code="invalid_tags" if name == TAGS_FIELD else "invalid_label",
        details={"field": name, "value": shown(field)},
    )


def conflict_of(field: bytes | None) -> OnConflict:
    """Return what the `on_conflict` field says; InvalidRequest unless it is one of the words."""
    try:
        return OnConflict.REVISE if field is None else OnConflict(field.decode())
    except ValueError as error:
        raise _invalid_conflict(field or b"") from error


def _invalid_conflict(field: bytes) -> InvalidRequest:
    words = ", ".join(OnConflict)
    return InvalidRequest(
        f"field {CONFLICT_FIELD!r} is {shown(field)}; expected once, one of {words}",
        code="invalid_on_conflict",
        details={"field": CONFLICT_FIELD, "value": shown(field), "accepted": [*OnConflict]},
    )


def encoding_of(field: bytes | None) -> str:
    """Return what the `encoding` field names, "" for nothing; InvalidRequest for what is no name.

    Whether there is such an encoding is not known here.
    """
    try:
        return (field or b"").decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise _invalid_encoding(field or b"") from error


def _invalid_encoding(field: bytes) -> InvalidRequest:
    return InvalidRequest(
        f"field {ENCODING_FIELD!r} is {shown(field)}; expected once, a name like big5",
        code="unknown_encoding",
        details={"field": ENCODING_FIELD, "value": shown(field)},
    )


_REFUSED: dict[str, Callable[[bytes], InvalidRequest]] = {
    TAGS_FIELD: partial(_invalid_strings, TAGS_FIELD),
    LABELS_FIELD: partial(_invalid_strings, LABELS_FIELD),
    CONFLICT_FIELD: _invalid_conflict,
    ENCODING_FIELD: _invalid_encoding,
}


def _malformed(error: FormParserError) -> InvalidRequest:
    return InvalidRequest(f"the body is not multipart/form-data: {error}", code="invalid_multipart")
