"""A base brought to the present embedding model: embed what it has not seen, rebuild the indexes.

Knows the order only; a crash in between leaves work for the next run and takes nothing away.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.ports import Retriever
from kb_service.services.vectors import VectorService
from kb_service.storage.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Reindexed:
    """A base whose indexes are new, and how many texts had to be embedded for them."""

    base: KnowledgeBase
    num_embedded: int


class ReindexService:
    """Loads the embedding model with its first use."""

    def __init__(
        self, catalog: Catalog, vectors: VectorService, retriever: Callable[[], Retriever]
    ) -> None:
        self._catalog = catalog
        self._vectors = vectors
        self._retriever = retriever

    def reindex(self, kb: str) -> Reindexed:
        """Rebuild the indexes of a base (id or name). Raises NotFound, StorageError.

        Vectors of other models go when no base needs the present one's any more.
        """
        base = self._catalog.bases.get(kb)
        num_embedded = self._vectors.catch_up(base.id)
        self._retriever().rebuild(base.id)
        return Reindexed(base, num_embedded)
