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

from kb_service.domain.errors import Conflict, InvalidRequest
from kb_service.domain.sync import SyncPlan, plan_sync
from kb_service.services.uploads import UploadItem, UploadService
from kb_service.storage.catalog import Catalog

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync saw and did; `uploads` pairs each added or changed name with its outcome."""

    plan: SyncPlan
    uploads: tuple[tuple[str, UploadItem], ...] = ()
    removed: tuple[str, ...] = ()


class SyncService:
    """Makes a knowledge base follow a folder."""

    def __init__(self, catalog: Catalog, uploads: UploadService, lock_folder: Path) -> None:
        self._catalog = catalog
        self._uploads = uploads
        self._lock_folder = lock_folder

    def plan(self, kb_id: str, folder: Path) -> SyncPlan:
        """Compare the folder with what its earlier syncs brought in."""
        seen = {name: file_sha256(path) for name, path in scan(folder).items()}
        return plan_sync(seen, self._catalog.known_hashes(kb_id, origin=origin_of(folder)))

    def run(self, kb_id: str, folder: Path, *, prune: bool) -> SyncReport:
        """Register added and changed files; with `prune` delete what is gone from the folder.

        Raises Conflict (sync_running) while another sync of the same base runs.
        """
        with self._exclusive(kb_id):
            plan = self.plan(kb_id, folder)
            files = scan(folder)
            uploads = tuple(
                (name, self._upload(kb_id, folder, name, files[name]))
                for name in (*plan.added, *plan.changed)
                if name in files
            )
            removed = self._prune(kb_id, plan) if prune else ()
        return SyncReport(plan, uploads, removed)

    def _upload(self, kb_id: str, folder: Path, name: str, path: Path) -> UploadItem:
        with path.open("rb") as stream:
            return self._uploads.accept(kb_id, name, stream, origin=origin_of(folder))

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


def scan(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by relative POSIX path, without hidden ones and links."""
    if not folder.is_dir():
        raise InvalidRequest(f"{folder} is not a folder", code="not_a_folder")
    found: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found[path.relative_to(folder).as_posix()] = path
    return found


def origin_of(folder: Path) -> str:
    """Return the name under which documents of this folder are remembered."""
    return f"sync:{folder.resolve()}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
