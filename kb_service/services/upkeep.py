"""Database, blobs and indexes kept in step: all checked, leftovers swept, backed up, rebuilt.

Knows that the database decides and that index files are derived from it: a crash in between leaves
files that the next sweep removes, never a base without them. Knows no index format.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import structlog

from kb_service.domain.backups import Backup
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.ports import DerivedFiles, Retriever
from kb_service.services.lookup import every_kb
from kb_service.settings import Settings
from kb_service.storage.backup import back_up, restore_for
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.checks.damage import look_over
from kb_service.storage.checks.verifier import Verifier
from kb_service.storage.database import Database

log = structlog.get_logger("upkeep")

MAX_LOOKS = 3
"""A document may come or go between the two counts; an index that is wrong stays so."""


class UpkeepService:
    """Opens the database when it is first needed: a damaged one is checked all the same.

    `count_indexed` returns how many chunks of a base its index finds.
    """

    def __init__(
        self,
        settings: Settings,
        database: Callable[[], Database],
        blobs: BlobStore,
        indexes: DerivedFiles,
        count_indexed: Callable[[str], int],
    ) -> None:
        self._url = settings.effective_database_url
        self._data_dir = settings.data_dir
        self._database = database
        self._blobs = blobs
        self._indexes = indexes
        self._count_indexed = count_indexed

    def verify(self) -> dict[str, object]:
        """Check storage, then each base's index against it, then for indexes of no base.

        Returns the flaws by kind, and the counts. Damage is a flaw like others. Raises
        StorageError for an outage.
        """
        report = self._verifier().verify()
        try:
            orphans = [f"index of {kb_id}, which is no base" for kb_id in self._orphans()]
            stale = list(self._stale())
        except StorageError as error:
            if error.is_outage:
                raise
            unseen = f"the indexes could not be compared: {error.message}"
            report = replace(report, damaged=(*report.damaged, unseen))
        else:
            report = replace(
                report,
                orphaned=(*report.orphaned, *orphans),
                mismatched=(*report.mismatched, *stale),
            )
        return asdict(report) | {"is_clean": report.is_clean}

    def sweep(self) -> None:
        """Remove what killed processes and deleted bases left behind. Raises StorageError."""
        Verifier(self._database(), self._blobs).sweep()
        self._indexes.sweep(self._base_ids)

    def back_up(self, folder: Path) -> Backup:
        """Write database and original files into a new folder. Raises StorageError."""
        return back_up(self._database(), self._blobs, folder)

    def restore(self, folder: Path) -> Backup:
        """Bring a backup back into a data folder without a database. Raises KbError."""
        return restore_for(self._url, folder, self._data_dir, self._blobs)

    def database_text(self) -> str:
        """Return what kind of database it is, after a look over it. Raises StorageError."""
        return f"{look_over(self._database())}; schema up to date"

    def _verifier(self) -> Verifier:
        try:
            return Verifier(self._database(), self._blobs)
        except StorageError as error:
            if error.code != "database_damaged":
                raise
        return Verifier.unopened(self._url, self._blobs)

    def _catalog(self) -> Catalog:
        return Catalog(self._database(), self._blobs)

    def _base_ids(self) -> set[str]:
        return {base.id for base in every_kb(self._catalog())}

    def _orphans(self) -> list[str]:
        return self._indexes.orphans(self._base_ids)

    def _stale(self) -> Iterator[str]:
        for base in every_kb(self._catalog()):
            if found := self._difference(base.id):
                yield f"index of {base.name!r} holds {found[0]} chunks, the database {found[1]}"

    def _difference(self, kb_id: str) -> tuple[int, int] | None:
        pair = (0, 0)
        for _ in range(MAX_LOOKS):
            try:
                pair = (self._count_indexed(kb_id), self._catalog().bases.get(kb_id).num_chunks)
            except NotFound:  # deleted meanwhile
                return None
            if pair[0] == pair[1]:
                return None
        return pair


def look_for_damage(database: Database) -> None:
    """Look over the database at a start; `is_damaged` says from then on what was found."""
    try:
        look_over(database)
    except StorageError as error:
        log.error("database not whole", code=error.code, error=error.message)


def refresh(bases: Iterable[KnowledgeBase], retriever: Retriever) -> None:
    """Publish the indexes that are worth it; a disk that refuses stops no search."""
    for base in bases:
        try:
            retriever.refresh(base.id)
        except StorageError as error:
            log.warning("index not published", kb_id=base.id, error=error.message)


def follow(retriever: Retriever, kb_ids: Sequence[str] = ()) -> None:
    """Bring open indexes, and these bases', up to date; a question does what fails here."""
    try:
        retriever.follow(kb_ids)
    except StorageError as error:
        log.debug("indexes not followed", error=error.message)
