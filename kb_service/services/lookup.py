"""Finding bases and documents the way people name them, and walking lists to their end.

Knows ids, exact names and cursors; searches no contents.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from kb_service.domain.documents import Document, KnowledgeBase
from kb_service.domain.errors import NotFound
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Listing

Item = TypeVar("Item")


def ensure_kb(catalog: Catalog, key: str) -> KnowledgeBase:
    """Return the base with that id or name; create it when there is none."""
    try:
        return catalog.get_kb(key)
    except NotFound:
        return catalog.create_kb(key)


def every_kb(catalog: Catalog) -> Iterator[KnowledgeBase]:
    """Yield all knowledge bases."""
    return _every(catalog.list_kbs)


def every_document(catalog: Catalog, kb_id: str) -> Iterator[Document]:
    """Yield all documents of a base."""
    return _every(lambda cursor: catalog.list_documents(kb_id, cursor))


def _every(list_after: Callable[[str | None], Listing[Item]]) -> Iterator[Item]:
    cursor: str | None = None
    while True:
        listing = list_after(cursor)
        yield from listing.items
        cursor = listing.next_cursor
        if cursor is None:
            return


def find_document(catalog: Catalog, kb_id: str, key: str) -> Document:
    """Return the document with that exact name, else with that id. Raises NotFound."""
    return catalog.find_document(kb_id, key) or catalog.get_document(kb_id, key)
