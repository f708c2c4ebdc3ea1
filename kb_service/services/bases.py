"""Knowledge bases: create, find, list, change, delete.

Knows that the database decides and that index files follow. Knows no index format.
"""

from collections.abc import Callable, Iterator

import structlog

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.masking import Masking
from kb_service.domain.people import Principal, Right
from kb_service.services.lookup import every_kb
from kb_service.storage.bases import no_kb
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Listing

log = structlog.get_logger("bases")


class BaseService:
    """`drop_index` removes the index files of a base. Every method raises StorageError."""

    def __init__(self, catalog: Catalog, drop_index: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._drop_index = drop_index

    def create(self, name: str, description: str = "") -> KnowledgeBase:
        """Create a base. Raises Conflict (kb_name_taken), InvalidRequest."""
        return self._catalog.bases.create(name, description)

    def show(self, key: str) -> KnowledgeBase:
        """Return the base with that id or exact name. Raises NotFound (kb_not_found)."""
        return self._catalog.bases.get(key)

    def ensure(self, key: str) -> KnowledgeBase:
        """Return the base with that id or name; create it when there is none."""
        try:
            return self.show(key)
        except NotFound:
            return self.create(key)

    def show_to(self, who: Principal, key: str, right: Right) -> KnowledgeBase:
        """Return the base for who has that right in it.

        Raises NotFound (kb_not_found), in the same words for a base that is not there and for one
        in which this one has no right; RightMissing for one in which it has a lesser one.
        """
        base = self.show(key)
        if not who.sees(base.id):
            raise no_kb(key)
        who.require(base.id, right)
        return base

    def list(self, who: Principal, cursor: str | None, limit: int) -> Listing[KnowledgeBase]:
        """Return a part of the bases that are there for this one, by name. Raises
        InvalidRequest."""
        return self._catalog.bases.list(cursor, limit, who.bases)

    def every(self) -> Iterator[KnowledgeBase]:
        """Yield all bases by name."""
        return every_kb(self._catalog)

    def change(
        self,
        kb_id: str,
        name: str | None,
        description: str | None,
        masking: Masking | None = None,
    ) -> KnowledgeBase:
        """Change what is not None. Raises NotFound, Conflict (kb_name_taken), InvalidRequest."""
        return self._catalog.bases.update(kb_id, name, description, masking)

    def delete(self, key: str) -> KnowledgeBase:
        """Delete a base with everything in it, its index files last; return what is gone.

        Raises NotFound. It is gone with the commit: files that stay are swept later.
        """
        base = self.show(key)
        self._catalog.bases.delete(base.id)
        try:
            self._drop_index(base.id)
        except StorageError as error:
            log.warning("index of a deleted base stays", kb_id=base.id, error=error.message)
        return base
