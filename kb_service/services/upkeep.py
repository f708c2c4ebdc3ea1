"""Database, blobs and indexes kept in step: bases deleted in all, leftovers swept, all checked.

Knows that the database decides and that index files are derived from it: a crash in between leaves
files that the next sweep removes, never a base without them. Knows no index format.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace

import structlog

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.ports import DerivedFiles, Retriever
from kb_service.services.lookup import every_kb
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database
from kb_service.storage.integrity import look_over
from kb_service.storage.verification import Verifier

log = structlog.get_logger("upkeep")

DAMAGED_TEXT = "the database is damaged; `kb verify` names what is hit"
"""What anybody may read: neither paths nor names."""

MAX_LOOKS = 3
"""A document may come or go between the two counts; an index that is wrong stays so."""


def delete_base(catalog: Catalog, drop_index: Callable[[str], None], kb_id: str) -> None:
    """Delete a base with everything in it, its index files last.

    Raises NotFound, StorageError. It is gone with the commit: files that stay are swept later.
    """
    catalog.delete_kb(kb_id)
    try:
        drop_index(kb_id)
    except StorageError as error:
        log.warning("index of a deleted base stays", kb_id=kb_id, error=error.message)


def sweep(verifier: Verifier, catalog: Catalog, indexes: DerivedFiles) -> None:
    """Remove what killed processes and deleted bases left behind."""
    verifier.sweep()
    indexes.sweep(lambda: _base_ids(catalog))


def opened(build: Callable[[], Verifier], unopened: Callable[[], Verifier]) -> Verifier:
    """Return the verifier of an opened database; of an unopened one when it is too damaged."""
    try:
        return build()
    except StorageError as error:
        if error.code != "database_damaged":
            raise
    return unopened()


def verify(
    verifier: Verifier,
    derived: Callable[[], tuple[Catalog, DerivedFiles]],
    count_indexed: Callable[[str], int],
) -> dict[str, object]:
    """Check storage, then each base's index against it, then for indexes of no base.

    Returns the flaws by kind, and the counts. `count_indexed` returns how many chunks of a base
    its index finds. Damage is a flaw like others. Raises StorageError for an outage.
    """
    report = verifier.verify()
    try:
        catalog, indexes = derived()
        orphans = [f"index of {kb_id}, which is no base" for kb_id in _orphans(catalog, indexes)]
        stale = list(_stale(catalog, count_indexed))
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


def database_text(database: Database) -> str:
    """Return what kind of database it is, after a look over it. Raises StorageError."""
    return f"{look_over(database)}; schema up to date"


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


def _orphans(catalog: Catalog, indexes: DerivedFiles) -> list[str]:
    return indexes.orphans(lambda: _base_ids(catalog))


def _stale(catalog: Catalog, count_indexed: Callable[[str], int]) -> Iterator[str]:
    for base in every_kb(catalog):
        if found := _difference(catalog, count_indexed, base.id):
            yield f"index of {base.name!r} holds {found[0]} chunks, the database {found[1]}"


def _difference(
    catalog: Catalog, count_indexed: Callable[[str], int], kb_id: str
) -> tuple[int, int] | None:
    pair = (0, 0)
    for _ in range(MAX_LOOKS):
        try:
            pair = (count_indexed(kb_id), catalog.get_kb(kb_id).num_chunks)
        except NotFound:  # deleted meanwhile
            return None
        if pair[0] == pair[1]:
            return None
    return pair


def _base_ids(catalog: Catalog) -> set[str]:
    return {base.id for base in every_kb(catalog)}
