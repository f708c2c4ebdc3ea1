"""An archive that somebody sends: its members, each compared with its checksum before it is used.

Nothing is unpacked under a name of the archive's choice. Knows members and lines; no table.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.storage.archives.exporting import FORMAT, MANIFEST_FILE
from kb_service.storage.blobs import BLOCK_BYTES

MAX_MANIFEST_BYTES = 64 * 1024 * 1024
MAX_LINE_BYTES = 256 * 1024 * 1024
MAX_GROWTH = 100
"""Times its own size that an archive may say to hold; rows of text pack by far less."""

_FREE_BYTES = 64 * 1024 * 1024
_MEMBER = re.compile(r"rows/[a-z_]+\.jsonl|files/[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, KeyError, TypeError, AttributeError, RecursionError,
)  # fmt: skip


class ArchiveReader:
    """One archive. Every method raises InvalidRequest: archive_damaged, archive_too_new."""

    def __init__(self, archive: zipfile.ZipFile, size_bytes: int) -> None:
        self._archive = archive
        with refusing(MANIFEST_FILE):
            info = archive.getinfo(MANIFEST_FILE)
            if info.file_size > MAX_MANIFEST_BYTES:
                raise ValueError(f"{info.file_size} bytes")
            manifest: Any = json.loads(archive.read(info))
            if int(manifest["format"]) > FORMAT:
                raise InvalidRequest(
                    f"the archive has format {manifest['format']}, this version reads up to"
                    f" {FORMAT}: import it with a newer version",
                    code="archive_too_new",
                )
            if manifest["format"] != FORMAT or not isinstance(manifest["name"], str):
                raise ValueError(f"format {manifest['format']!r}")
            self.name: str = manifest["name"]
            self.members = {
                str(name): (str(told["sha256"]), int(told["size_bytes"]))
                for name, told in manifest["members"].items()
            }
            self._check_members(size_bytes)

    def _check_members(self, size_bytes: int) -> None:
        listed = sorted(info.filename for info in self._archive.infolist())
        if listed != sorted({*self.members, MANIFEST_FILE}):
            raise ValueError("its members are not those that the manifest names")
        for name, (sha256, _) in self.members.items():
            if not _MEMBER.fullmatch(name) or not _SHA256.fullmatch(sha256):
                raise ValueError(f"no member is called {name[:100]!r}")
            if name.startswith("files/") and name != f"files/{sha256}":
                raise ValueError(f"{name} is said to have the SHA-256 {sha256}")
        total = sum(size for _, size in self.members.values())
        if total > MAX_GROWTH * size_bytes + _FREE_BYTES:
            raise ValueError(f"it says to hold {total} bytes in {size_bytes}")

    @property
    def files(self) -> list[str]:
        """The hashes of the original files."""
        return sorted(name.partition("/")[2] for name in self.members if name.startswith("files/"))

    def check(self) -> None:
        """Read every member and compare it with its checksum."""
        for name, (expected, size) in sorted(self.members.items()):
            with refusing(name), self._archive.open(name) as stream:
                digest, num_bytes = hashlib.sha256(), 0
                while block := stream.read(BLOCK_BYTES):
                    num_bytes += len(block)
                    if num_bytes > size:
                        break
                    digest.update(block)
                if num_bytes != size or digest.hexdigest() != expected:
                    found = f"{digest.hexdigest()} of {num_bytes} bytes"
                    raise ValueError(f"expected SHA-256 {expected} of {size} bytes, found {found}")

    def lines(self, name: str) -> Iterator[tuple[str, Any]]:
        """Yield the values of a member of JSON lines, each with its place for a message."""
        with refusing(name), self._archive.open(name) as stream:
            number = 0
            while line := stream.readline(MAX_LINE_BYTES):
                number += 1
                place = f"{name} line {number}"
                with refusing(place):
                    value = json.loads(line)
                yield place, value

    @contextmanager
    def file(self, sha256: str) -> Iterator[IO[bytes]]:
        """Open an original file."""
        with refusing(f"files/{sha256}"), self._archive.open(f"files/{sha256}") as stream:
            yield stream


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveReader]:
    """Open an archive. Raises InvalidRequest, StorageError when the disk refuses."""
    try:
        size_bytes = path.stat().st_size
        with refusing(path.name):
            archive = zipfile.ZipFile(path)
    except OSError as error:
        raise StorageError.from_os_error(f"read {path}", error) from error
    with archive:
        yield ArchiveReader(archive, size_bytes)


@contextmanager
def refusing(place: str) -> Iterator[None]:
    """Name the place in an archive that cannot be read, or is not what it should be."""
    try:
        yield
    except _UNREADABLE as error:
        reason = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise InvalidRequest(
            f"the archive is damaged at {place}: {reason}",
            code="archive_damaged",
            details={"place": place},
        ) from error
