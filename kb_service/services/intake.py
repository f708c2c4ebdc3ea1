"""Files of this machine taken into a base: named ones, or a folder that is followed.

Knows the order of the steps: create the base, take in, ingest. What enters is `uploads`', what a
folder changed is `sync`'s, ingesting is the worker's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.documents import Document
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.names import OnConflict
from kb_service.domain.sync import SyncPlan
from kb_service.services.bases import BaseService
from kb_service.services.documents import DocumentService
from kb_service.services.folders import given_name, scan, told_apart
from kb_service.services.ingest_run import IngestRun
from kb_service.services.sync import SyncReport, SyncService, accept_file, origin_of
from kb_service.services.uploads import UploadItem, UploadService

NamedItem = tuple[str, UploadItem]
"""The name of a file and what became of it."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of files that were named. `run`: None when nobody waited for their ingest.

    `num_skipped`: what was left out of their folders as hidden or clutter.
    """

    uploads: tuple[NamedItem, ...]
    num_skipped: int
    run: IngestRun | None


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a folder. `failed_before`: unchanged files that no earlier run could read."""

    sync: SyncReport
    run: IngestRun
    failed_before: tuple[Document, ...]


class IntakeService:
    """`run_jobs` brings ingest jobs to their end. Every method raises StorageError.

    `sync` registers what changed in a folder, for those who ingest it elsewhere.
    """

    def __init__(
        self,
        bases: BaseService,
        documents: DocumentService,
        uploads: UploadService,
        sync: SyncService,
        run_jobs: Callable[[Sequence[str]], IngestRun],
        data_dir: Path,
    ) -> None:
        self._bases = bases
        self._documents = documents
        self._uploads = uploads
        self.sync = sync
        self._run_jobs = run_jobs
        self._data_dir = data_dir

    def take_in(
        self,
        kb: str,
        paths: Iterable[Path],
        *,
        is_waiting: bool,
        on_conflict: OnConflict = OnConflict.REVISE,
    ) -> Intake:
        """Take files and folders into a base (id or name), which is made when it is absent.

        A file of a folder is called by its path in it, another one as it is given where that is a
        relative path. Raises InvalidRequest (no_such_path).
        """
        base = self._bases.ensure(kb)
        files, num_skipped = self._named(paths)
        uploads = tuple(
            (
                file.name,
                accept_file(
                    self._uploads,
                    base.id,
                    file.name,
                    file.path,
                    on_conflict=OnConflict.KEEP if file.is_twin else on_conflict,
                ),
            )
            for file in told_apart(files)
        )
        run = self.ingest(_job_ids(uploads)) if is_waiting else None
        return Intake(uploads, num_skipped, run)

    def plan(self, kb: str, folder: Path) -> SyncPlan:
        """Return what `follow` would do. Changes nothing."""
        try:
            kb_id = self._bases.show(kb).id
        except NotFound:
            kb_id = None
        return self.sync.plan(kb_id, folder)

    def follow(self, kb: str, folder: Path, *, prune: bool) -> Followed:
        """Make a base (id or name) follow a folder, and ingest what changed. Raises Conflict."""
        base = self._bases.ensure(kb)
        report = self.sync.run(base.id, folder, prune=prune)
        run = self.ingest(_job_ids(report.uploads))
        unchanged = set(report.plan.unchanged)
        failed = tuple(
            state.document
            for state in self._documents.every(base.id)
            if state.document.origin == origin_of(folder)
            and state.document.source_path in unchanged
            and state.document.error
        )
        return Followed(report, run, failed)

    def ingest(self, job_ids: Sequence[str]) -> IngestRun:
        """Bring these jobs to their end in this process."""
        return self._run_jobs(job_ids)

    def _named(self, paths: Iterable[Path]) -> tuple[list[tuple[str, Path]], int]:
        found: list[tuple[str, Path]] = []
        num_skipped = 0
        for path in paths:
            if path.is_dir():
                folder = scan(path, self._data_dir)
                found.extend(folder.files.items())
                num_skipped += folder.num_skipped
            elif path.is_file():
                found.append((given_name(path), path))
            else:
                raise InvalidRequest(f"{path} is neither a file nor a folder", code="no_such_path")
        return found, num_skipped


def _job_ids(uploads: Iterable[NamedItem]) -> list[str]:
    return [item.job.id for _, item in uploads if item.job]
