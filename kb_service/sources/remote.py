"""A folder of another machine through fsspec: what it lists, and files fetched one at a time.

Knows listings of file systems and how they fail; the libraries that speak S3 or WebDAV are opened
elsewhere. Nothing is written there.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from kb_service.domain.errors import DocumentError, SourceError
from kb_service.domain.sources import Fetched, SourceFile, SourceListing
from kb_service.domain.sync import is_clutter, is_hidden_folder

PIECE_BYTES = 1 << 20
_ABSENT_OR_CLOSED: tuple[type[Exception], ...] = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
)
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file system of fsspec. `failures`: what it raises when the other side is the cause.

    `secrets`: what no message may hold.
    """

    filesystem: Any
    failures: tuple[type[Exception], ...]
    secrets: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Found:
    files: dict[str, SourceFile] = field(default_factory=dict)
    clutter: dict[str, SourceFile] = field(default_factory=dict)
    num_hidden: int = 0


class RemoteFolder:
    """Source over `root` of a file system, whose etags, times and sizes tell what changed.

    `origin`: under which its documents are remembered. `staging`: for copies of single files.
    """

    are_stamps_sure = True

    def __init__(self, opened: Opened, root: str, origin: str, staging: Path) -> None:
        self._opened = opened
        self._root = root.strip("/")
        self._origin = origin
        self._staging = staging

    @property
    def origin(self) -> str:
        """The name under which documents of this folder are remembered."""
        return self._origin

    def listing(self) -> SourceListing:
        """Return what the folder holds, at any depth. Raises SourceError when any part fails."""
        found = _Found()
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            for entry in self._entries(folder):
                path = str(entry["name"]).strip("/")
                if path == folder.strip("/"):
                    continue  # the mark of the folder itself
                if entry["type"] != "directory":
                    self._sort_in(found, path, entry)
                elif is_hidden_folder(path.rpartition("/")[2]):
                    found.num_hidden += 1
                else:
                    waiting.append(path)
        return SourceListing(found.files, found.clutter, found.num_hidden)

    @contextmanager
    def fetch(self, file: SourceFile, max_bytes: int | None = None) -> Iterator[Fetched]:
        """Fetch a file whole before anything is done with it."""
        self._staging.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._staging) as copy:
            num_bytes = self._copy(file, copy, max_bytes)
            if max_bytes is None and num_bytes != file.size_bytes:
                raise DocumentError(f"{file.path!r} is being written", code="file_changing")
            copy.seek(0)
            yield Fetched(copy)

    def close(self) -> None:
        """Release connections."""
        self._opened.close()

    def _sort_in(self, found: _Found, path: str, entry: Entry) -> None:
        relative = path.removeprefix(f"{self._root}/") if self._root else path
        name = relative.rpartition("/")[2]
        if name.startswith("."):
            found.num_hidden += 1
            return
        place = found.clutter if is_clutter(name) else found.files
        place[relative] = SourceFile(relative, int(entry.get("size") or 0), _stamp_of(entry))

    def _entries(self, folder: str) -> list[Entry]:
        try:
            return list(self._opened.filesystem.ls(folder, detail=True))
        except _ABSENT_OR_CLOSED + self._opened.failures as error:
            self._fail(f"{folder or '/'} cannot be listed", error)

    def _copy(self, file: SourceFile, copy: BinaryIO, max_bytes: int | None) -> int:
        path = f"{self._root}/{file.path}".strip("/")
        try:
            with self._opened.filesystem.open(path, "rb") as stream:
                return _copied(stream, copy, max_bytes)
        except _ABSENT_OR_CLOSED as error:
            reason = f"{file.path!r} cannot be read: {self._told(error)}"
            raise DocumentError(reason, code="unreadable_file") from error
        except self._opened.failures as error:
            self._fail(f"{file.path!r} cannot be fetched", error)

    def _fail(self, what: str, error: Exception) -> NoReturn:
        place = self._origin.removeprefix("sync:")
        # Without the cause: its traceback may hold what the message must not.
        raise SourceError(f"{place}: {what}: {self._told(error)}") from None

    def _told(self, error: Exception) -> str:
        return told(error, self._opened.secrets)


def told(error: Exception, hidden: tuple[str, ...]) -> str:
    """Return what an error says, without secrets."""
    text = f"{type(error).__name__}: {error}"
    for secret in hidden:
        text = text.replace(secret, "***") if secret else text
    return text[:500]


def _copied(stream: BinaryIO, copy: BinaryIO, max_bytes: int | None) -> int:
    num_bytes = 0
    while max_bytes is None or num_bytes < max_bytes:
        piece = stream.read(PIECE_BYTES if max_bytes is None else max_bytes - num_bytes)
        if not piece:
            break
        num_bytes += copy.write(piece)
    return num_bytes


def _stamp_of(entry: Entry) -> str:
    """Return etag, time and size; without the first two, a stamp that no other one equals."""
    tag = entry.get("ETag") or entry.get("etag") or ""
    changed = entry.get("LastModified") or entry.get("modified") or entry.get("mtime") or ""
    if not (tag or changed):
        return secrets.token_hex(16)
    return f"{tag} {changed} {entry.get('size')}"
