"""After a change of the embedding model: embed what it has not seen, a batch a transaction."""

from kb_service.domain.ports import Embedder
from kb_service.storage.index_source import SqlIndexSource
from kb_service.storage.publishing import RevisionPublisher


def embed_missing(
    source: SqlIndexSource, publisher: RevisionPublisher, embedder: Embedder, kb_id: str
) -> int:
    """Store a vector for every searchable text of the base that has none; return how many."""
    num_embedded = 0
    while texts := source.unembedded_texts(kb_id, embedder.profile):
        vectors = embedder.embed_passages(list(texts.values()))
        keyed = dict(zip(texts.keys(), vectors, strict=True))
        num_embedded += publisher.add_embeddings(embedder.profile, keyed)
    return num_embedded
