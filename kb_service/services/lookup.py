"""Finding bases and documents the way people name them: by id or by exact name."""

from collections.abc import Iterator

from kb_service.domain.documents import Document, KnowledgeBase
from kb_service.domain.errors import NotFound
from kb_service.storage.catalog import Catalog


def ensure_kb(catalog: Catalog, key: str) -> KnowledgeBase:
    """Return the base with that id or name; create it when there is none."""
    try:
        return catalog.get_kb(key)
    except NotFound:
        return catalog.create_kb(key)


def every_kb(catalog: Catalog) -> Iterator[KnowledgeBase]:
    """Yield all knowledge bases."""
    cursor: str | None = None
    while True:
        listing = catalog.list_kbs(cursor)
        yield from listing.items
        cursor = listing.next_cursor
        if cursor is None:
            return


def every_document(catalog: Catalog, kb_id: str) -> Iterator[Document]:
    """Yield all documents of a base."""
    cursor: str | None = None
    while True:
        listing = catalog.list_documents(kb_id, cursor)
        yield from listing.items
        cursor = listing.next_cursor
        if cursor is None:
            return


def find_document(catalog: Catalog, kb_id: str, key: str) -> Document:
    """Return the document with that exact name, else with that id. Raises NotFound."""
    return catalog.find_document(kb_id, key) or catalog.get_document(kb_id, key)
