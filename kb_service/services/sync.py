"""A folder kept in step with a knowledge base: scan, plan, register, remove. The cron job's core.

Knows files by their path relative to the folder. Only documents that an earlier sync of the same
folder brought in can be removed by it; uploads stay. Ingest itself is the worker's.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.errors import Conflict, DocumentError, InvalidRequest, StorageError
from kb_service.domain.sync import SyncPlan, plan_sync
from kb_service.services.uploads import UploadItem, UploadService
from kb_service.storage.catalog import Catalog

UNREADABLE = ""
"""Stands for the hash of a file that cannot be read: it differs from every hash."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync saw and did; `uploads` pairs each added or changed name with its outcome."""

    plan: SyncPlan
    uploads: tuple[tuple[str, UploadItem], ...] = ()
    removed: tuple[str, ...] = ()


class SyncService:
    """Makes a knowledge base follow a folder. `data_dir`: the service's own files, never read."""

    def __init__(self, catalog: Catalog, uploads: UploadService, data_dir: Path) -> None:
        self._catalog = catalog
        self._uploads = uploads
        self._data_dir = data_dir
        self._lock_folder = data_dir / "tmp"

    def plan(self, kb_id: str, folder: Path) -> SyncPlan:
        """Compare the folder with what its earlier syncs brought in."""
        known = self._catalog.known_hashes(kb_id, origin=origin_of(folder))
        return plan_sync(folder_hashes(folder, self._data_dir), known)

    def run(self, kb_id: str, folder: Path, *, prune: bool) -> SyncReport:
        """Register added and changed files; with `prune` delete what is gone from the folder.

        Raises Conflict: sync_running while another sync of the same base runs, folder_empty when
        a prune would delete several documents because the folder has no file left.
        """
        with self._exclusive(kb_id):
            plan = self.plan(kb_id, folder)
            if prune:
                _require_files(plan, folder)
            files, origin = scan(folder, self._data_dir), origin_of(folder)
            uploads = tuple(
                (name, accept_file(self._uploads, kb_id, name, files[name], origin))
                for name in (*plan.added, *plan.changed)
                if name in files
            )
            removed = self._prune(kb_id, plan) if prune else ()
        return SyncReport(plan, uploads, removed)

    def _prune(self, kb_id: str, plan: SyncPlan) -> tuple[str, ...]:
        for name in plan.removed:
            document = self._catalog.find_document(kb_id, name)
            if document is not None:
                self._catalog.delete_document(kb_id, document.id)
        return plan.removed

    @contextmanager
    def _exclusive(self, kb_id: str) -> Iterator[None]:
        self._lock_folder.mkdir(parents=True, exist_ok=True)
        with (self._lock_folder / f"sync-{kb_id}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(
                    f"another sync of knowledge base {kb_id} is running", code="sync_running"
                ) from error
            yield


def _require_files(plan: SyncPlan, folder: Path) -> None:
    """A share that is not mounted looks like a folder whose files were all deleted."""
    is_empty = not (plan.added or plan.changed or plan.unchanged)
    if is_empty and len(plan.removed) > 1:
        raise Conflict(
            f"{folder} has no files, and --prune would delete all {len(plan.removed)} documents"
            " that came from it; is it mounted? `kb delete` deletes documents that are to go",
            code="folder_empty",
            details={"folder": str(folder), "num_documents": len(plan.removed)},
        )


def accept_file(
    uploads: UploadService, kb_id: str, name: str, path: Path, origin: str | None = None
) -> UploadItem:
    """Take a file of this machine in; one that cannot be opened is a rejected item."""
    try:
        stream = path.open("rb")
    except OSError as error:
        reason = f"{name!r} cannot be read: {error.strerror or error}"
        return UploadItem("rejected", error=DocumentError(reason, code="unreadable_file"))
    with stream:
        return uploads.accept(kb_id, name, stream, origin=origin)


def scan(folder: Path, data_dir: Path) -> dict[str, Path]:
    """Return the files of a folder by relative POSIX path, without hidden ones and links.

    The service's own data folder inside it is left out: each run would take in what the one before
    stored.

    Raises InvalidRequest (not_a_folder), and StorageError (unreadable_folder) for a folder in it
    that cannot be listed: its files would seem to be gone, and a prune would delete them.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder", code="not_a_folder")
    found: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder, onerror=_refuse_unreadable):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and Path(parent, name).resolve() != data_dir.resolve()
        )
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found[path.relative_to(folder).as_posix()] = path
    return found


def _refuse_unreadable(error: OSError) -> None:
    raise StorageError(
        f"folder {str(error.filename)!r} cannot be listed: {error.strerror or error}",
        code="unreadable_folder",
    ) from error


def folder_hashes(folder: Path, data_dir: Path) -> dict[str, str]:
    """Return the SHA-256 of every file by name; UNREADABLE for one that cannot be read."""
    return {name: _hash_or_unreadable(path) for name, path in scan(folder, data_dir).items()}


def _hash_or_unreadable(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:  # told when the file is taken in
        return UNREADABLE


def origin_of(folder: Path) -> str:
    """Return the name under which documents of this folder are remembered."""
    return f"sync:{folder.resolve()}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
