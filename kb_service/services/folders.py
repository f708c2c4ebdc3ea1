"""What a folder holds: its files by relative path, without hidden ones, links and clutter.

Reads names and bytes; knows no knowledge base.
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kb_service.domain.errors import DocumentError, InvalidRequest, StorageError
from kb_service.domain.names import composed, forms_of
from kb_service.domain.sources import Fetched, SourceFile, SourceListing
from kb_service.domain.sync import is_clutter, is_hidden_folder

YOUNG_S = 60.0
"""A file that was changed so long ago is not being written."""


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """Files by the name of their document; `twins`: paths whose name another file has already.

    `changing`: names of files that somebody is writing; they are in neither.
    """

    files: dict[str, SourceFile]
    twins: dict[str, SourceFile]
    changing: frozenset[str]
    num_skipped: int


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file and its name; `is_twin`: another file before it has that name, too."""

    name: str
    path: Path
    is_twin: bool


def given_name(path: Path) -> str:
    """Return the name of a file that was named by itself: its path, where that leads downwards."""
    given = Path(os.path.normpath(path))
    is_below = not given.is_absolute() and given.parts[0] != os.pardir
    return given.as_posix() if is_below else path.name


def told_apart(found: Iterable[tuple[str, Path]]) -> list[NamedFile]:
    """Return different files under different names, each file once.

    Those that would share one are called by their path from the folder that holds them all.
    """
    sharing: dict[str, set[Path]] = {}
    for name, path in found:
        sharing.setdefault(composed(name), set()).add(path.resolve())
    files: dict[Path, NamedFile] = {}
    taken: set[str] = set()
    for name, paths in sharing.items():
        above = os.path.commonpath([path.parent for path in paths])
        for path in sorted(paths):
            own = name if len(paths) == 1 else composed(path.relative_to(above).as_posix())
            files.setdefault(path, NamedFile(own, path, own in taken))
            taken.add(own)
    return list(files.values())


def scan(folder: Path, data_dir: Path) -> SourceListing:
    """Return what a folder holds, at any depth.

    The service's own data folder inside it is left out: each run would take in what the one before
    stored.

    Raises InvalidRequest (not_a_folder), and StorageError (unreadable_folder) for a folder in it
    that cannot be listed: its files would seem to be gone, and a prune would delete them.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder", code="not_a_folder")
    files: dict[str, SourceFile] = {}
    clutter: dict[str, SourceFile] = {}
    num_hidden = 0
    for parent, folders, names in os.walk(folder, onerror=_refuse_unreadable):
        visible = sorted(name for name in folders if not is_hidden_folder(name))
        num_hidden += len(folders) - len(visible)
        folders[:] = [n for n in visible if Path(parent, n).resolve() != data_dir.resolve()]
        for name in sorted(names):
            path = Path(parent) / name
            if name.startswith("."):
                num_hidden += 1
            elif path.is_file() and not path.is_symlink():
                place = clutter if is_clutter(name) else files
                relative = path.relative_to(folder).as_posix()
                place[relative] = _look(relative, path)
    return SourceListing(files, clutter, num_hidden)


def named_files(found: SourceListing, known: Collection[str]) -> NamedFiles:
    """Return the files under the names of the documents that they are, or would become.

    A document that is known keeps its name, whatever Unicode form that has, and is followed even
    if its name is one of clutter.
    """
    kept = {path: file for path, file in found.clutter.items() if path in known}
    listed = {**found.files, **kept}
    files = {path: file for path, file in listed.items() if path in known}
    twins: dict[str, SourceFile] = {}
    for path in sorted(listed.keys() - files.keys()):
        key = next((form for form in forms_of(path) if form in known), composed(path))
        (twins if key in files else files)[path if key in files else key] = listed[path]
    changing = {name for name, file in (files | twins).items() if file.path in found.changing}
    return NamedFiles(
        {name: file for name, file in files.items() if name not in changing},
        {name: file for name, file in twins.items() if name not in changing},
        frozenset(changing),
        found.num_skipped - len(kept),
    )


class LocalFolder:
    """Source over a folder of this machine, whose hashes decide: times can be set.

    `settle_s`: what was changed in the last minute is looked at twice, so long apart, and is left
    for the next time when it has changed meanwhile. 0: not.
    """

    are_stamps_sure = False

    def __init__(self, folder: Path, data_dir: Path, settle_s: float = 0.0) -> None:
        self._folder = folder
        self._data_dir = data_dir
        self._settle_s = settle_s

    @property
    def origin(self) -> str:
        """The name under which documents of this folder are remembered."""
        return f"sync:{self._folder.resolve()}"

    def listing(self) -> SourceListing:
        """Return what the folder holds. Raises InvalidRequest, StorageError."""
        found = scan(self._folder, self._data_dir)
        return replace(found, changing=self._changing(found) if self._settle_s else frozenset())

    @contextmanager
    def fetch(self, file: SourceFile, max_bytes: int | None = None) -> Iterator[Fetched]:
        """Open a file that is as it was listed."""
        path = self._folder / file.path
        try:
            stream = path.open("rb")
        except OSError as error:
            raise unreadable(file.path, error) from error
        with stream:
            if _look(file.path, path) != file:
                raise DocumentError(f"{file.path!r} is being written", code="file_changing")
            yield Fetched(stream)

    def close(self) -> None:
        """Nothing was opened."""

    def _changing(self, found: SourceListing) -> frozenset[str]:
        since = time.time_ns() - int(YOUNG_S * 1e9)
        young = [file for file in found.files.values() if int(file.stamp or 0) > since]
        if not young:
            return frozenset()
        time.sleep(self._settle_s)
        return frozenset(f.path for f in young if _look(f.path, self._folder / f.path) != f)


def _look(relative: str, path: Path) -> SourceFile:
    try:
        seen = path.stat()
    except OSError:  # told when the file is opened
        return SourceFile(relative, 0)
    return SourceFile(relative, seen.st_size, str(seen.st_mtime_ns))


def unreadable(name: str, error: OSError) -> DocumentError:
    """Return the error of a file that cannot be opened."""
    reason = f"{name!r} cannot be read: {error.strerror or error}"
    return DocumentError(reason, code="unreadable_file")


def _refuse_unreadable(error: OSError) -> None:
    raise StorageError(
        f"folder {str(error.filename)!r} cannot be listed: {error.strerror or error}",
        code="unreadable_folder",
    ) from error
