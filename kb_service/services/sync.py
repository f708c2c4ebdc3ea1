"""A folder kept in step with a knowledge base: scan, plan, register, remove. The cron job's core.

Knows files by their path relative to the folder. Only documents that an earlier sync of the same
folder brought in can be removed by it; uploads stay. Ingest itself is the worker's.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from kb_service import __version__
from kb_service.domain.errors import Conflict, DocumentError, StorageError
from kb_service.domain.names import OnConflict
from kb_service.domain.sync import SyncPlan, plan_sync
from kb_service.services.folders import (
    UNREADABLE,
    NamedFiles,
    hash_or_unreadable,
    named_files,
    scan,
)
from kb_service.services.lookup import every_document, every_kb
from kb_service.services.refused_files import Refusal, RefusedFiles
from kb_service.services.uploads import UploadItem, UploadService
from kb_service.storage.catalog import Catalog

TRIED_AGAIN = StorageError.outages | {
    "parser_failed", "internal_error", "storage_failed",
    "model_unavailable", "model_missing", "model_corrupt",
}  # fmt: skip
"""How an ingest fails through no fault of its file, and unlike poison may do better next time."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync saw and did; `uploads` pairs each name it took in with its outcome.

    `refused`: why the contents were refused that an earlier run refused already.
    """

    plan: SyncPlan
    uploads: tuple[tuple[str, UploadItem], ...] = ()
    removed: tuple[str, ...] = ()
    refused: dict[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is seen of a folder: its files, their hashes, those known to be refused, the plan."""

    named: NamedFiles
    seen: dict[str, str]
    refused: dict[str, Refusal]
    plan: SyncPlan


class SyncService:
    """Makes a knowledge base follow a folder. `data_dir`: the service's own files, never read."""

    def __init__(self, catalog: Catalog, uploads: UploadService, data_dir: Path) -> None:
        self._catalog = catalog
        self._uploads = uploads
        self._data_dir = data_dir
        self._lock_folder = data_dir / "tmp"
        self._refused = RefusedFiles(data_dir / "sync")
        self._rules = f"{__version__}, {uploads.max_file_bytes} bytes"

    def plan(self, kb_id: str | None, folder: Path) -> SyncPlan:
        """Compare the folder with what its earlier syncs brought in; None: with nothing."""
        return self._look(kb_id, folder).plan

    def run(self, kb_id: str, folder: Path, *, prune: bool) -> SyncReport:
        """Register added and changed files; with `prune` delete what is gone from the folder.

        Raises Conflict: sync_running while another sync of the same base runs, folder_empty when
        a prune would delete several documents because the folder has no file left.
        """
        with self._exclusive(kb_id):
            sight = self._look(kb_id, folder)
            if prune:
                _require_files(sight.plan, folder)
            uploads = tuple(self._take_in(kb_id, sight, origin_of(folder)))
            removed = self._prune(kb_id, sight.plan, origin_of(folder)) if prune else ()
            self._remember(kb_id, origin_of(folder), sight, uploads)
        return SyncReport(sight.plan, uploads, removed, sight.refused)

    def _look(self, kb_id: str | None, folder: Path) -> _Sight:
        origin = origin_of(folder)
        known = {} if kb_id is None else self._catalog.documents.known_hashes(kb_id, origin=origin)
        named = named_files(scan(folder, self._data_dir), known)
        paths = named.files | named.twins
        seen = {name: hash_or_unreadable(path) for name, path in paths.items()}
        before = {} if kb_id is None else self._refused.of(kb_id, origin)
        refused = {
            name: refusal
            for name, refusal in before.items()
            if seen.get(name) == refusal.sha256 and refusal.rules == self._rules
        }
        followed = {name: seen[name] for name in named.files}
        unfinished = set() if kb_id is None else self._unfinished(kb_id, origin)
        plan = plan_sync(followed, known, refused, named.num_skipped, unfinished)
        return _Sight(named, seen, refused, plan)

    def _take_in(self, kb_id: str, sight: _Sight, origin: str) -> Iterator[tuple[str, UploadItem]]:
        for name in (*sight.plan.added, *sight.plan.changed, *sight.plan.again):
            path = sight.named.files[name]
            yield name, accept_file(self._uploads, kb_id, name, path, origin)
        for name in sight.named.twins.keys() - sight.refused.keys():
            yield name, UploadItem("rejected", error=_name_taken(name))

    def _unfinished(self, kb_id: str, origin: str) -> set[str]:
        return {
            document.source_path
            for document in every_document(self._catalog, kb_id)
            if document.origin == origin
            and document.error
            and document.error["code"] in TRIED_AGAIN
        }

    def _remember(
        self,
        kb_id: str,
        origin: str,
        sight: _Sight,
        uploads: tuple[tuple[str, UploadItem], ...],
    ) -> None:
        """Keep what was refused for its content; what could not be read is tried again."""
        refusals: Mapping[str, Refusal] = sight.refused | {
            name: Refusal(sight.seen[name], self._rules, item.error.code, item.error.message)
            for name, item in uploads
            if item.error and sight.seen.get(name, UNREADABLE) != UNREADABLE
        }
        self._refused.keep(kb_id, origin, refusals)
        self._refused.forget_all_but({base.id for base in every_kb(self._catalog)})

    def _prune(self, kb_id: str, plan: SyncPlan, origin: str) -> tuple[str, ...]:
        for name in plan.removed:
            document = self._catalog.documents.find_synced(kb_id, origin, name)
            if document is not None:
                self._catalog.documents.delete(kb_id, document.id)
        return plan.removed

    @contextmanager
    def _exclusive(self, kb_id: str) -> Iterator[None]:
        with self._lock_file(kb_id) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(
                    f"another sync of knowledge base {kb_id} is running", code="sync_running"
                ) from error
            yield

    def _lock_file(self, kb_id: str) -> TextIO:
        try:
            self._lock_folder.mkdir(parents=True, exist_ok=True)
            return (self._lock_folder / f"sync-{kb_id}.lock").open("w")
        except OSError as error:
            raise StorageError.from_os_error("note that a sync is running", error) from error


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
    uploads: UploadService,
    kb_id: str,
    name: str,
    path: Path,
    origin: str | None = None,
    on_conflict: OnConflict = OnConflict.REVISE,
) -> UploadItem:
    """Take a file of this machine in; one that cannot be opened is a rejected item."""
    try:
        stream = path.open("rb")
    except OSError as error:
        reason = f"{name!r} cannot be read: {error.strerror or error}"
        return UploadItem("rejected", error=DocumentError(reason, code="unreadable_file"))
    with stream:
        return uploads.accept(kb_id, name, stream, origin=origin, on_conflict=on_conflict)


def origin_of(folder: Path) -> str:
    """Return the name under which documents of this folder are remembered."""
    return f"sync:{folder.resolve()}"


def _name_taken(name: str) -> DocumentError:
    return DocumentError(
        f"another file of the folder has the name {name!r} in another Unicode form; rename one",
        code="name_taken",
    )
