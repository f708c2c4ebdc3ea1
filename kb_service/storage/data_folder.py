"""The data folder as a place: who may read it, whether it can be written, how much room is left.

Knows the file system and the names of what the service keeps there, not what is in it.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kb_service.domain.errors import StorageError

DATABASE_FILE = "kb.sqlite3"
RESERVE_FILE = "reserve"
STAGING_FOLDER = "tmp"
PROBE_PREFIX = "staged-probe-"
"""Named like a staged file, so that one left by a killed process is swept with these."""

_OURS = ("blobs", "fetched", "index", "index-work", "readings", RESERVE_FILE)
_OURS_BY_PLACE = (STAGING_FOLDER, "sync")
"""Names so common that they are ours only in a folder that holds nothing else."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PROBE_BYTES = 4096


def make_folder(folder: Path) -> None:
    """Make the data folder, for its owner only; one that exists stays. Raises StorageError."""
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.from_os_error(f"make the data folder {folder}", error) from error


def tighten(folder: Path) -> None:
    """Take the rights of group and others from all that is ours there, as far as the owner may.

    A folder that also holds other things keeps its own rights: it is not ours alone. What lies
    below the folder is walked through only where the folder itself stood open.
    """
    is_dedicated = not foreign_names(folder)
    stood_open = bool(_mode(folder) & _OTHERS)
    for path in _own_entries(folder, with_common_names=is_dedicated):
        if stood_open and path.is_dir():
            for parent, _, names in os.walk(path, topdown=False):
                for name in names:
                    _restrict(Path(parent, name))
                _restrict(Path(parent))
        _restrict(path)
    if is_dedicated:
        _restrict(folder)  # last: an interrupted walk is begun again by the next start


def open_to_others(folder: Path) -> list[Path]:
    """Return the folder and those of our entries in it that group or others have rights to."""
    entries = [folder, *_own_entries(folder, with_common_names=True)]
    return [path for path in entries if _mode(path) & _OTHERS]


def foreign_names(folder: Path) -> list[str]:
    """Return the names in the folder that are not the service's, sorted."""
    with suppress(OSError):
        return sorted(path.name for path in folder.iterdir() if not _is_ours(path.name))
    return []


def is_writable(folder: Path, *files: Path) -> bool:
    """True unless the folder, or one of the files that exist, may not be written by us."""
    return all(os.access(path, os.W_OK) for path in (folder, *files) if path.exists())


def free_bytes(folder: Path) -> int:
    """Return the room left for us on the file system of the folder. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def total_bytes(folder: Path) -> int:
    """Return the size of the file system of the folder. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize


def refusal_to_write(folder: Path) -> StorageError | None:
    """Return why a few bytes cannot be written there now; None when they can."""
    path = folder / STAGING_FOLDER / f"{PROBE_PREFIX}{secrets.token_hex(8)}"
    try:
        path.parent.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        try:
            path.write_bytes(os.urandom(_PROBE_BYTES))
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        return StorageError.from_os_error("write into the data folder", error)
    return None


def _own_entries(folder: Path, *, with_common_names: bool) -> Iterator[Path]:
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if _is_ours(path.name) and (with_common_names or path.name not in _OURS_BY_PLACE):
                yield path


def _is_ours(name: str) -> bool:
    return name in (*_OURS, *_OURS_BY_PLACE) or name.startswith(DATABASE_FILE)


def _mode(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return 0 if stat.S_ISLNK(found.st_mode) else stat.S_IMODE(found.st_mode)


def _restrict(path: Path) -> None:
    mode = _mode(path)
    if mode & _OTHERS:
        with suppress(OSError):
            if path.lstat().st_uid == os.geteuid():
                path.chmod(mode & ~_OTHERS)
