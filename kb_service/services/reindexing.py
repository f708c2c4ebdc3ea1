"""A base brought to the present embedding model: embed what it has not seen, rebuild, clear away.

Knows the order only; a crash in between leaves work for the next run and takes nothing away.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.ports import Embedder, Retriever
from kb_service.storage.catalog import Catalog
from kb_service.storage.chunks import SqlIndexSource
from kb_service.storage.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class Reindexed:
    """A base whose indexes are new, and how many texts had to be embedded for them."""

    base: KnowledgeBase
    num_embedded: int


class ReindexService:
    """Loads the embedding model with its first use."""

    def __init__(
        self,
        catalog: Catalog,
        source: SqlIndexSource,
        embeddings: Embeddings,
        embedder: Callable[[], Embedder],
        retriever: Callable[[], Retriever],
    ) -> None:
        self._catalog = catalog
        self._source = source
        self._embeddings = embeddings
        self._embedder = embedder
        self._retriever = retriever

    def reindex(self, kb: str) -> Reindexed:
        """Rebuild the indexes of a base (id or name). Raises NotFound, StorageError.

        Vectors of other models go when no base needs the present one's any more.
        """
        base = self._catalog.bases.get(kb)
        num_embedded = self.embed_missing(base.id)
        self._embeddings.announce(base.id)
        self._retriever().rebuild(base.id)
        self._embeddings.drop_other_profiles(self._embedder().profile)
        return Reindexed(base, num_embedded)

    def embed_missing(self, kb_id: str) -> int:
        """Store a vector for every searchable text that has none, a batch a transaction."""
        embedder, num_embedded = self._embedder(), 0
        while texts := self._source.unembedded_texts(kb_id, embedder.profile):
            vectors = embedder.embed_passages(list(texts.values()))
            keyed = dict(zip(texts.keys(), vectors, strict=True))
            num_embedded += self._embeddings.add(embedder.profile, keyed)
        return num_embedded
