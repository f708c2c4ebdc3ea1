"""Walking lists to their end. Knows cursors; searches no contents."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

from kb_service.domain.documents import Document, KnowledgeBase
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Listing

Item = TypeVar("Item")


def every_kb(catalog: Catalog) -> Iterator[KnowledgeBase]:
    """Yield all knowledge bases."""
    return chain.from_iterable(every_part(catalog.bases.list))


def every_document(catalog: Catalog, kb_id: str) -> Iterator[Document]:
    """Yield all documents of a base."""
    return chain.from_iterable(every_part(lambda cursor: catalog.documents.list(kb_id, cursor)))


def every_part(list_after: Callable[[str | None], Listing[Item]]) -> Iterator[tuple[Item, ...]]:
    """Yield the parts of a list, one after the other."""
    cursor: str | None = None
    while True:
        listing = list_after(cursor)
        yield tuple(listing.items)
        cursor = listing.next_cursor
        if cursor is None:
            return
