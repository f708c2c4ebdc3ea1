"""A place kept in step with a knowledge base: list, plan, register, remove. The cron job's core.

Knows files by their path in the place, whatever that is. Only documents that an earlier sync of the
same place brought in can be removed by it; uploads stay. Ingest itself is the worker's.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from kb_service import __version__
from kb_service.domain.errors import Conflict, DocumentError, KbError, SourceError, StorageError
from kb_service.domain.hashing import sha256_of_stream
from kb_service.domain.ports import HEAD_BYTES
from kb_service.domain.sources import EVERYTHING, Selection, Source, SourceFile, SourceListing
from kb_service.domain.sync import SyncPlan, plan_sync
from kb_service.language.plurals import num_of
from kb_service.services.folders import NamedFiles, named_files
from kb_service.services.lookup import every_document, every_kb
from kb_service.services.remembered import Refusal, Remembered, SeenFile
from kb_service.services.uploads import UploadItem, UploadService
from kb_service.storage.catalog import Catalog

TRIED_AGAIN = StorageError.outages | {
    "parser_failed", "internal_error", "storage_failed",
    "model_unavailable", "model_missing", "model_corrupt",
}  # fmt: skip
"""How an ingest fails through no fault of its file, and unlike poison may do better next time."""

CHANGING, UNREADABLE = "file_changing", "unreadable_file"
_STAMP = "stamp "
"""In front of a stamp that stands for a content which is not fetched yet."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync saw and did; `uploads` pairs each name it took in with its outcome.

    `refused`: why the contents were refused that an earlier run refused already. `failure`: why the
    place broke off; what came before it was taken in, and nothing was removed.
    """

    plan: SyncPlan
    uploads: tuple[tuple[str, UploadItem], ...] = ()
    removed: tuple[str, ...] = ()
    refused: dict[str, Refusal] = field(default_factory=dict)
    failure: KbError | None = None


@dataclass(frozen=True, slots=True)
class SyncPreview:
    """A plan, and why files that are new or changed would be refused."""

    plan: SyncPlan
    refusals: dict[str, KbError]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is seen of a place: its files, what they hold, those known to be refused, the plan.

    `seen`: the SHA-256 of each; where it would have to be fetched, what stands for it.
    """

    named: NamedFiles
    seen: dict[str, str]
    refused: dict[str, Refusal]
    plan: SyncPlan


@dataclass(frozen=True, slots=True)
class _Marks:
    """What documents get as they are taken in; `labels`: ids."""

    tags: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(slots=True)
class _Taken:
    """What became of the files, as far as the place gave them."""

    uploads: list[tuple[str, UploadItem]] = field(default_factory=list)
    changing: list[str] = field(default_factory=list)
    failure: KbError | None = None


class SyncService:
    """Makes a knowledge base follow a place. `data_dir`: where it remembers what it saw."""

    def __init__(self, catalog: Catalog, uploads: UploadService, data_dir: Path) -> None:
        self._catalog = catalog
        self._uploads = uploads
        self._lock_folder = data_dir / "tmp"
        self._refused = Remembered(data_dir / "sync", Refusal)
        self._seen = Remembered(data_dir / "sync" / "seen", SeenFile)
        self._rules = f"{__version__}, {uploads.max_file_bytes} bytes"

    def plan(
        self, kb_id: str | None, source: Source, selection: Selection = EVERYTHING
    ) -> SyncPlan:
        """Compare the place with what its earlier syncs brought in; None: with nothing."""
        return self._look(kb_id, source, selection).plan

    def preview(
        self, kb_id: str | None, source: Source, selection: Selection = EVERYTHING
    ) -> SyncPreview:
        """Return the plan, and which new files would be refused for name, size or kind."""
        sight = self._look(kb_id, source, selection)
        refusals: dict[str, KbError] = {n: _name_taken(n) for n in self._new_twins(sight)}
        for name in (*sight.plan.added, *sight.plan.changed):
            error = self._would_refuse(source, name, sight.named.files[name])
            if error is not None:
                refusals[name] = error
        return SyncPreview(_without(sight.plan, refusals), refusals)

    def run(
        self,
        kb_id: str,
        source: Source,
        *,
        prune: bool,
        selection: Selection = EVERYTHING,
        tags: tuple[str, ...] = (),
        labels: Callable[[], tuple[str, ...]] = tuple,
    ) -> SyncReport:
        """Register added and changed files; with `prune` delete what is gone from the place.

        `tags`, `labels`: of what is taken in; ids, asked for once the place has been listed, since
        new labels are made by it.

        Raises Conflict: sync_running while another sync of the same base runs, folder_empty when
        a prune would delete several documents because the place has no file left; and what listing
        the place raises. What breaks off later is in the report.
        """
        with self._exclusive(kb_id):
            sight = self._look(kb_id, source, selection)
            if prune:
                _require_files(sight.plan, source)
            taken = self._take_in(kb_id, sight, source, _Marks(tags, labels()))
            may_prune = prune and taken.failure is None
            removed = self._prune(kb_id, sight.plan, source.origin) if may_prune else ()
            self._remember(kb_id, source, sight, taken)
        plan = replace(sight.plan, changing=(*sight.plan.changing, *taken.changing))
        return SyncReport(plan, tuple(taken.uploads), removed, sight.refused, taken.failure)

    def _look(self, kb_id: str | None, source: Source, selection: Selection) -> _Sight:
        origin = source.origin
        known = {} if kb_id is None else self._catalog.documents.known_hashes(kb_id, origin=origin)
        # What the patterns leave out is not looked at, and so cannot be gone either.
        known = {name: sha256 for name, sha256 in known.items() if selection.accepts(name)}
        found, num_excluded = _selected(source.listing(), selection)
        named = named_files(found, known)
        remembered = {} if kb_id is None else self._seen.of(kb_id, origin)
        seen = {
            name: _content_of(source, file, remembered.get(name))
            for name, file in (named.files | named.twins).items()
        }
        refused = {} if kb_id is None else self._still_refused(kb_id, origin, seen)
        followed = {name: seen[name] for name in named.files}
        unfinished = set() if kb_id is None else self._unfinished(kb_id, origin)
        plan = plan_sync(followed, known, refused, unfinished, named.changing)
        plan = replace(plan, num_skipped=named.num_skipped, num_excluded=num_excluded)
        return _Sight(named, seen, refused, plan)

    def _still_refused(
        self, kb_id: str, origin: str, seen: Mapping[str, str]
    ) -> dict[str, Refusal]:
        return {
            name: refusal
            for name, refusal in self._refused.of(kb_id, origin).items()
            if seen.get(name) == refusal.sha256 and refusal.rules == self._rules
        }

    def _would_refuse(self, source: Source, name: str, file: SourceFile) -> KbError | None:
        try:
            with source.fetch(file, max_bytes=HEAD_BYTES) as fetched:
                head = fetched.stream.read(HEAD_BYTES)
                return self._uploads.refusal_of(fetched.name or name, file.size_bytes, head)
        except DocumentError as error:
            return error

    def _take_in(self, kb_id: str, sight: _Sight, source: Source, marks: _Marks) -> _Taken:
        taken = _Taken()
        try:
            for name in (*sight.plan.added, *sight.plan.changed, *sight.plan.again):
                item = self._accept(kb_id, name, sight.named.files[name], source, marks)
                if item is None:
                    taken.changing.append(name)
                else:
                    taken.uploads.append((name, item))
        except SourceError as error:
            taken.failure = error
        for name in self._new_twins(sight):
            taken.uploads.append((name, UploadItem("rejected", error=_name_taken(name))))
        return taken

    def _accept(
        self, kb_id: str, name: str, file: SourceFile, source: Source, marks: _Marks
    ) -> UploadItem | None:
        """Take a file in, None when somebody is writing it."""
        if file.size_bytes > self._uploads.max_file_bytes:
            error = self._uploads.refusal_of(name, file.size_bytes, b"")
            return UploadItem("rejected", error=error)
        try:
            with source.fetch(file) as fetched:
                called, path = (fetched.name, name) if fetched.name else (name, None)
                return self._uploads.accept(
                    kb_id,
                    called,
                    fetched.stream,
                    marks.tags,
                    origin=source.origin,
                    path=path,
                    labels=marks.labels,
                )
        except DocumentError as error:
            return None if error.code == CHANGING else UploadItem("rejected", error=error)

    def _new_twins(self, sight: _Sight) -> list[str]:
        return sorted(sight.named.twins.keys() - sight.refused.keys())

    def _unfinished(self, kb_id: str, origin: str) -> set[str]:
        return {
            document.source_path
            for document in every_document(self._catalog, kb_id)
            if document.origin == origin
            and document.error
            and document.error["code"] in TRIED_AGAIN
        }

    def _remember(self, kb_id: str, source: Source, sight: _Sight, taken: _Taken) -> None:
        """Keep what was refused for its content; what could not be read is tried again."""
        refusals: Mapping[str, Refusal] = sight.refused | {
            name: Refusal(sight.seen[name], self._rules, item.error.code, item.error.message)
            for name, item in taken.uploads
            if item.error and item.error.code != UNREADABLE
        }
        self._refused.keep(kb_id, source.origin, refusals)
        if source.are_stamps_sure:
            self._seen.keep(kb_id, source.origin, _seen_files(sight, taken))
        kept = {base.id for base in every_kb(self._catalog)}
        self._refused.forget_all_but(kept)
        self._seen.forget_all_but(kept)

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


def _selected(found: SourceListing, selection: Selection) -> tuple[SourceListing, int]:
    files = {path: file for path, file in found.files.items() if selection.accepts(path)}
    clutter = {path: file for path, file in found.clutter.items() if selection.accepts(path)}
    return replace(found, files=files, clutter=clutter), len(found.files) - len(files)


def _content_of(source: Source, file: SourceFile, remembered: SeenFile | None) -> str:
    """Return the hash of a file, or of one that would have to be fetched, what stands for it."""
    if source.are_stamps_sure:
        if remembered is not None and remembered.stamp == file.stamp:
            return remembered.sha256
        return f"{_STAMP}{file.stamp}"
    try:
        with source.fetch(file) as fetched:
            return sha256_of_stream(fetched.stream)
    except (DocumentError, OSError):  # told when the file is taken in
        return UNREADABLE


def _seen_files(sight: _Sight, taken: _Taken) -> dict[str, SeenFile]:
    """Return what the files hold, where that is known by now."""
    known = {n: sha256 for n, sha256 in sight.seen.items() if not sha256.startswith(_STAMP)}
    known |= {
        name: item.document.versions[0].sha256 for name, item in taken.uploads if item.document
    }
    files = sight.named.files
    return {n: SeenFile(files[n].stamp, sha256) for n, sha256 in known.items() if n in files}


def _without(plan: SyncPlan, refusals: Mapping[str, KbError]) -> SyncPlan:
    return replace(
        plan,
        added=tuple(name for name in plan.added if name not in refusals),
        changed=tuple(name for name in plan.changed if name not in refusals),
    )


def _require_files(plan: SyncPlan, source: Source) -> None:
    """A share that is not mounted looks like a folder whose files were all deleted."""
    is_empty = not (plan.added or plan.changed or plan.unchanged or plan.changing)
    if is_empty and len(plan.removed) > 1:
        place = source.origin.removeprefix("sync:")
        number = num_of(len(plan.removed), "document")
        raise Conflict(
            f"{place} has no files, and --prune would delete all that came from it, {number}; is"
            " it mounted? `kb delete` deletes documents that are to go",
            code="folder_empty",
            details={"folder": place, "num_documents": len(plan.removed)},
        )


def _name_taken(name: str) -> DocumentError:
    return DocumentError(
        f"another file of the folder has the name {name!r} in another Unicode form; rename one",
        code="name_taken",
    )
