"""The index folder as a whole: what a deleted base or a killed process left there, and its removal.

Knows which folder belongs to which base and that a claimed one is in use. Knows no embedding
profile, so that nothing here waits for a model.
"""

import logging
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from kb_service.domain.errors import StorageError
from retrievers.folders import exclusive, sweep
from retrievers.places import WorkPlaces, default_places
from retrievers.snapshots import BUILD_PREFIX, CURRENT_FILE, base_folder

logger = logging.getLogger(__name__)

_CLAIMED_PREFIXES = (BUILD_PREFIX, "live")
"""Folders that processes work in; `live`: where the working copies were before they moved out."""

_BASE_PREFIX = "kb_"
"""What the id of a base begins with; folders of other names are not ours to remove."""

Bases = Callable[[], Collection[str]]
"""Reads the ids of all bases. Asked after the folders were listed: a base is older than its own."""


class IndexFiles:
    """The files of every base's indexes."""

    def __init__(self, index_root: Path, places: Sequence[Path] | None = None) -> None:
        """`places`: the folders that working copies lie in."""
        self._root = index_root
        self._places = WorkPlaces(default_places(index_root) if places is None else places)

    def drop(self, kb_id: str) -> None:
        """Remove the index files of a deleted base; none is no error.

        Raises StorageError when the disk refuses.
        """
        folder = base_folder(self._root, kb_id)
        try:
            if folder.is_dir():
                with exclusive(folder):
                    _remove(folder)
        except OSError as error:
            raise StorageError.from_os_error(f"remove the index {folder}", error) from error

    def traces(self, kb_id: str, document_ids: Collection[str]) -> tuple[int, list[str]]:
        """Return how many index folders were looked at, and which hold one of the documents.

        They are the snapshots of the base and the working copies of running processes, which do not
        say of which base they are.
        """
        folder = base_folder(self._root, kb_id)
        places = [(f"index {path.name}", path) for path in sorted(folder.glob("gen-*"))]
        places += [
            (f"working copy {path} of a running process", path) for path in self._places.taken()
        ]
        return len(places), [name for name, path in places if _is_holding(path, document_ids)]

    def orphans(self, bases: Bases) -> list[str]:
        """Return the ids that have index files and are no base's."""
        found = [path.name for path in self._root.glob(f"{_BASE_PREFIX}*") if path.is_dir()]
        existing = bases() if found else ()
        return sorted(name for name in found if name not in existing)

    def sweep(self, bases: Bases) -> int:
        """Remove what deleted bases and killed processes left; return how many bases.

        Folders of living processes stay. What the disk refuses to remove is logged.
        """
        self._places.sweep()
        for folder in self._root.glob(f"{_BASE_PREFIX}*"):
            for prefix in _CLAIMED_PREFIXES:
                sweep(folder, prefix)
            _discard_drafts(folder)
        num_removed = 0
        for kb_id in self.orphans(bases):
            try:
                self.drop(kb_id)
                num_removed += 1
            except StorageError as error:
                logger.warning("the index of a deleted base stays: %s", error)
        return num_removed


def _is_holding(folder: Path, document_ids: Collection[str]) -> bool:
    from retrievers.traces import holds_any

    try:
        return holds_any(folder, document_ids)
    except (OSError, ValueError) as error:
        if not folder.exists():
            return False  # it went while it was looked at
        raise StorageError(f"cannot look into the index {folder}: {error}") from error


def _discard_drafts(folder: Path) -> None:
    """Remove pointers that were never put in place."""
    drafts = f"{CURRENT_FILE}.*.tmp"
    if not any(folder.glob(drafts)):
        return
    try:
        with exclusive(folder):  # nobody is writing one
            for path in folder.glob(drafts):
                path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("drafts stay in %s: %s", folder, error.strerror or error)


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith(tuple(f"{prefix}-" for prefix in _CLAIMED_PREFIXES)):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for prefix in _CLAIMED_PREFIXES:
        sweep(folder, prefix)
    if not any(folder.iterdir()):
        folder.rmdir()
