"""Files taken into a base: named ones of this machine, or those of places that are followed.

Knows the order of the steps: create the base, take in, ingest. What enters is `uploads`', what
changed in a place is `sync`'s, ingesting is the worker's.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from kb_service.domain.documents import Document
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.names import OnConflict
from kb_service.domain.people import OPERATOR
from kb_service.domain.sources import Source
from kb_service.domain.sync import SyncOrder
from kb_service.services.bases import BaseService
from kb_service.services.documents import DocumentService
from kb_service.services.folders import given_name, scan, told_apart, unreadable
from kb_service.services.ingest_run import IngestRun
from kb_service.services.labels import LabelService
from kb_service.services.sync import SyncPreview, SyncReport, SyncService
from kb_service.services.uploads import UploadItem, UploadService

NamedItem = tuple[str, UploadItem]
"""The name of a file and what became of it."""

SourceOpener = Callable[[SyncOrder], Source]
"""Opens the place of an order. Raises InvalidRequest, ConfigurationError, SourceError."""


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
    """What became of a place. `failed_before`: unchanged files that no earlier run could read."""

    sync: SyncReport
    run: IngestRun
    failed_before: tuple[Document, ...]


class IntakeService:
    """`run_jobs` brings ingest jobs to their end. Every method raises StorageError.

    `sync` registers what changed in a place, for those who ingest it elsewhere; `open_source` opens
    the place of an order; `embed_waiting` gives the texts of a base that wait their vectors.
    """

    def __init__(
        self,
        bases: BaseService,
        documents: DocumentService,
        uploads: UploadService,
        labels: LabelService,
        sync: SyncService,
        run_jobs: Callable[[Sequence[str]], IngestRun],
        embed_waiting: Callable[[str], int],
        open_source: SourceOpener,
        data_dir: Path,
    ) -> None:
        self._bases = bases
        self._documents = documents
        self._uploads = uploads
        self._labels = labels
        self.sync = sync
        self._run_jobs = run_jobs
        self._embed_waiting = embed_waiting
        self._open = open_source
        self._data_dir = data_dir

    def take_in(
        self,
        kb: str,
        paths: Iterable[Path],
        *,
        is_waiting: bool,
        on_conflict: OnConflict = OnConflict.REVISE,
        encoding: str = "",
        labels: Sequence[str] = (),
    ) -> Intake:
        """Take files and folders into a base (id or name), which is made when it is absent.

        A file of a folder is called by its path in it, another one as it is given where that is a
        relative path. `encoding`: as of an upload. `labels`: by id or name, made where they are
        new. Who waits, waits for their vectors too. Raises InvalidRequest (no_such_path,
        unknown_encoding, invalid_label, too_many_labels).
        """
        self._uploads.known_encoding(encoding)
        files, num_skipped = self._named(paths)
        base = self._bases.ensure(kb)
        ids = self._label_ids(base.id, labels)
        uploads = tuple(
            (
                file.name,
                _accept_file(
                    self._uploads,
                    base.id,
                    file.name,
                    file.path,
                    OnConflict.KEEP if file.is_twin else on_conflict,
                    encoding,
                    ids,
                ),
            )
            for file in told_apart(files)
        )
        run = self._ingest_whole(base.id, _job_ids(uploads)) if is_waiting else None
        return Intake(uploads, num_skipped, run)

    def preview(self, order: SyncOrder) -> SyncPreview:
        """Return what `follow` would do, and what it would refuse. Changes nothing."""
        with closing(self._open(order)) as source:
            return self.sync.preview(self._known(order.kb), source, order.selection)

    def follow(self, order: SyncOrder) -> Followed:
        """Make a base follow a place, and ingest what changed.

        Labels are as of `take_in`. Raises Conflict, InvalidRequest, SourceError.
        """
        with closing(self._open(order)) as source:
            if self._known(order.kb) is None:
                source.listing()  # a place that is not there makes no base
            origin, base = source.origin, self._bases.ensure(order.kb)
            report = self.sync.run(
                base.id,
                source,
                prune=order.prune,
                selection=order.selection,
                tags=order.tags,
                labels=lambda: self._label_ids(base.id, order.labels),
            )
        run = self.ingest(_job_ids(report.uploads))
        unchanged = set(report.plan.unchanged)
        failed = tuple(
            state.document
            for state in self._documents.every(base.id)
            if state.document.origin == origin
            and state.document.source_path in unchanged
            and state.document.error
        )
        return Followed(report, run, failed)

    def _known(self, kb: str) -> str | None:
        try:
            return self._bases.show(kb).id
        except NotFound:
            return None

    def _label_ids(self, kb_id: str, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._labels.ids_of(kb_id, names, OPERATOR))

    def ingest(self, job_ids: Sequence[str]) -> IngestRun:
        """Bring these jobs to their end in this process."""
        return self._run_jobs(job_ids)

    def _ingest_whole(self, kb_id: str, job_ids: Sequence[str]) -> IngestRun:
        run = self.ingest(job_ids)
        began = monotonic()
        run.num_embedded = self._embed_waiting(kb_id)
        run.seconds += monotonic() - began
        return run

    def _named(self, paths: Iterable[Path]) -> tuple[list[tuple[str, Path]], int]:
        found: list[tuple[str, Path]] = []
        num_skipped = 0
        for path in paths:
            if path.is_dir():
                folder = scan(path, self._data_dir)
                found.extend((name, path / name) for name in folder.files)
                num_skipped += folder.num_skipped
            elif path.is_file():
                found.append((given_name(path), path))
            else:
                raise InvalidRequest(f"{path} is neither a file nor a folder", code="no_such_path")
        return found, num_skipped


def _job_ids(uploads: Iterable[NamedItem]) -> list[str]:
    return [item.job.id for _, item in uploads if item.job]


def _accept_file(
    uploads: UploadService,
    kb_id: str,
    name: str,
    path: Path,
    on_conflict: OnConflict,
    encoding: str,
    labels: Sequence[str],
) -> UploadItem:
    """Take a file of this machine in; one that cannot be opened is a rejected item."""
    try:
        stream = path.open("rb")
    except OSError as error:
        return UploadItem("rejected", error=unreadable(name, error))
    with stream:
        return uploads.accept(
            kb_id, name, stream, on_conflict=on_conflict, encoding=encoding, labels=labels
        )
