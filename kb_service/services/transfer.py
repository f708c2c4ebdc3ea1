"""Whole bases in and out: one archive, checked before anything of it is kept. Knows no format."""

from pathlib import Path

from kb_service.domain.archives import Archived
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database


class TransferService:
    """Every method raises StorageError. `max_file_bytes`: of one original file."""

    def __init__(
        self, catalog: Catalog, database: Database, blobs: BlobStore, max_file_bytes: int
    ) -> None:
        self._catalog = catalog
        self._database = database
        self._blobs = blobs
        self._max_file_bytes = max_file_bytes

    def export(self, kb: str, path: Path, *, with_talks: bool = False) -> Archived:
        """Write a base (id or name) into a new file. Raises NotFound, Conflict (file_exists)."""
        kb_id = self._catalog.bases.get(kb).id
        return export_base(self._database, self._blobs, kb_id, path, with_talks=with_talks)

    def bring_back(self, path: Path, name: str | None = None) -> Archived:
        """Make a base of an archive, under a name or its own.

        Raises Conflict (kb_name_taken), InvalidRequest, PayloadTooLarge; nothing is kept then.
        """
        return import_base(self._database, self._blobs, path, name, self._max_file_bytes)
