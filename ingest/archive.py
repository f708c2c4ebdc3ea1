"""ArchiveLoader: a ZIP archive as the list of its files, which become documents of their own.

Knows ZIP and the encodings of its names; what a file holds is its own loader's. A file that cannot
be unpacked is named as a loss and sinks no other.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.members import MemberFolder
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.language.lexicon import CJK

MAX_ENTRIES = 20_000
_ENCRYPTED_BIT, _UTF8_BIT = 0x1, 0x800
_SYSTEM_OF_NAMES = "cp437"
"""In which names are written without a mark, by the format; most programs write in another one."""
_READS_ASIAN = re.compile(rf"[\x20-\x7e{CJK}\u3000-\u303f\uff00-\uffef·—“”‘’…×℃]*")
_ASIAN = ("gb18030", "big5hkscs", "cp932", "cp949")
MIN_GUESSED_BYTES = 24


class ArchiveLoader:
    """Loader for ZIP archives: one page that lists what is in it. `members`: for the files."""

    def __init__(self, limits: ParseLimits, members: MemberFolder | None = None) -> None:
        self._limits = limits
        self._members = members

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per file, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        try:
            with zipfile.ZipFile(path) as archive:
                yield from self._unpacked(archive, name, draft)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DocumentError(f"{name} is a damaged archive: {error}") from error
        draft.end_page()
        yield draft.finish()

    def _unpacked(
        self, archive: zipfile.ZipFile, name: str, draft: DraftDocument
    ) -> Iterator[Progress]:
        entries = [entry for entry in archive.infolist() if _is_file(entry)]
        if len(entries) > MAX_ENTRIES:
            raise DocumentError(
                f"{name} holds {len(entries)} files, at most {MAX_ENTRIES} are accepted",
                code="document_too_large",
                details={"num_files": len(entries), "max_files": MAX_ENTRIES},
            )
        listed = []
        for done, (entry, given) in enumerate(zip(entries, names_of(entries), strict=True), 1):
            path = self._members.path_of(given) if self._members else given
            listed.append(path)
            if self._members:
                _unpack(archive, entry, path, self._members)
            yield Progress(JobStage.LOAD, done, len(entries))
        draft.add("\n".join(listed))


def _is_file(entry: zipfile.ZipInfo) -> bool:
    return not entry.is_dir() and not stat.S_ISLNK(entry.external_attr >> 16)


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str, members: MemberFolder
) -> None:
    if entry.flag_bits & _ENCRYPTED_BIT:
        members.lose(path, "encrypted_document", "a password protects it")
        return
    try:
        with archive.open(entry) as stream:
            members.add(path, stream)  # type: ignore[arg-type]  # a BinaryIO but for its name
    except NotImplementedError as error:
        members.lose(path, "unsupported_compression", str(error))
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        members.lose(path, "corrupt_document", str(error))


def names_of(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the names of the files as they were meant, in whatever encoding they are written."""
    raw = [_raw_name(entry) for entry in entries]
    unknown = b"\n".join(name for name in raw if isinstance(name, bytes))
    encoding = _encoding_of(unknown)
    return [name if isinstance(name, str) else name.decode(encoding, "replace") for name in raw]


def _raw_name(entry: zipfile.ZipInfo) -> str | bytes:
    """Return a name, its bytes where the file does not say how they are meant."""
    if entry.flag_bits & _UTF8_BIT:
        return entry.filename
    data = entry.orig_filename.encode(_SYSTEM_OF_NAMES).partition(b"\0")[0]
    return data.decode("ascii") if data.isascii() else data


def _encoding_of(data: bytes) -> str:
    """All unmarked names of an archive are in one encoding: of few bytes a guess is not worth much,
    and most such archives come from Windows in China.
    """
    for encoding in ("utf-8", _ASIAN[0]) if len(data) < MIN_GUESSED_BYTES else ("utf-8",):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or _READS_ASIAN.fullmatch(text.replace("\n", "")):
            return encoding
    try:
        found = decode(data, "names").encoding
    except DocumentError:
        return _SYSTEM_OF_NAMES
    return found if found in _ASIAN else _SYSTEM_OF_NAMES
