"""Database, blobs and indexes kept in step: bases deleted in all, leftovers swept, all checked.

Knows that the database decides and that index files are derived from it: a crash in between leaves
files that the next sweep removes, never a base without them. Knows no index format.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace

import structlog

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import StorageError
from kb_service.domain.ports import DerivedFiles, Retriever
from kb_service.services.lookup import every_kb
from kb_service.storage.catalog import Catalog
from kb_service.storage.verification import Verifier

log = structlog.get_logger("upkeep")


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


def verify(
    verifier: Verifier,
    catalog: Catalog,
    indexes: DerivedFiles,
    count_indexed: Callable[[str], int],
) -> dict[str, object]:
    """Check storage, then each base's index against it, then for indexes of no base.

    Returns the flaws by kind, and the counts. `count_indexed` returns how many chunks of a base
    its index finds.
    """
    stored = verifier.verify()
    orphans = (f"index of {kb_id}, which is no base" for kb_id in _orphans(catalog, indexes))
    report = replace(
        stored,
        orphaned=(*stored.orphaned, *orphans),
        mismatched=(*stored.mismatched, *_stale(catalog, count_indexed)),
    )
    return asdict(report) | {"is_clean": report.is_clean}


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
        if (found := count_indexed(base.id)) != base.num_chunks:
            yield f"index of {base.name!r} holds {found} chunks, the database {base.num_chunks}"


def _base_ids(catalog: Catalog) -> set[str]:
    return {base.id for base in every_kb(catalog)}
