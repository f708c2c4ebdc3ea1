"""What a folder holds: its files by relative path, without hidden ones, links and clutter.

Reads names and bytes; knows no knowledge base.
"""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.domain.hashing import sha256_of_file
from kb_service.domain.names import composed, forms_of
from kb_service.domain.sync import is_clutter, is_hidden_folder

UNREADABLE = ""
"""Stands for the hash of a file that cannot be read: it differs from every hash."""


@dataclass(frozen=True, slots=True)
class FolderScan:
    """Files by relative POSIX path; `clutter`: those that programs leave behind.

    `num_hidden`: files and folders whose name begins with a dot, and folders of systems.
    """

    files: dict[str, Path] = field(default_factory=dict)
    clutter: dict[str, Path] = field(default_factory=dict)
    num_hidden: int = 0

    @property
    def num_skipped(self) -> int:
        """How many are left out."""
        return len(self.clutter) + self.num_hidden


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """Files by the name of their document; `twins`: paths whose name another file has already."""

    files: dict[str, Path]
    twins: dict[str, Path]
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


def scan(folder: Path, data_dir: Path) -> FolderScan:
    """Return what a folder holds, at any depth.

    The service's own data folder inside it is left out: each run would take in what the one before
    stored.

    Raises InvalidRequest (not_a_folder), and StorageError (unreadable_folder) for a folder in it
    that cannot be listed: its files would seem to be gone, and a prune would delete them.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder", code="not_a_folder")
    files: dict[str, Path] = {}
    clutter: dict[str, Path] = {}
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
                place[path.relative_to(folder).as_posix()] = path
    return FolderScan(files, clutter, num_hidden)


def named_files(found: FolderScan, known: Collection[str]) -> NamedFiles:
    """Return the files under the names of the documents that they are, or would become.

    A document that is known keeps its name, whatever Unicode form that has, and is followed even
    if its name is one of clutter.
    """
    kept = {name: path for name, path in found.clutter.items() if name in known}
    paths = found.files | kept
    files = {name: path for name, path in paths.items() if name in known}
    twins: dict[str, Path] = {}
    for name in sorted(paths.keys() - files.keys()):
        key = next((form for form in forms_of(name) if form in known), composed(name))
        (twins if key in files else files)[name if key in files else key] = paths[name]
    return NamedFiles(files, twins, found.num_skipped - len(kept))


def hash_or_unreadable(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes, UNREADABLE when it cannot be read."""
    try:
        return sha256_of_file(path)
    except OSError:  # told when the file is taken in
        return UNREADABLE


def _refuse_unreadable(error: OSError) -> None:
    raise StorageError(
        f"folder {str(error.filename)!r} cannot be listed: {error.strerror or error}",
        code="unreadable_folder",
    ) from error
