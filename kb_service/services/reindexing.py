"""A base brought to the present embedding model: embed what it has not seen, rebuild, clear away.

Knows the order only; a crash in between leaves work for the next run and takes nothing away.
"""

from kb_service.domain.ports import Embedder, Retriever
from kb_service.storage.index_source import SqlIndexSource
from kb_service.storage.publishing import RevisionPublisher


def reindex(
    source: SqlIndexSource,
    publisher: RevisionPublisher,
    embedder: Embedder,
    retriever: Retriever,
    kb_id: str,
) -> int:
    """Rebuild the indexes of a base; return how many texts had to be embedded.

    Vectors of other models go when no base needs the present one's any more.
    """
    num_embedded = embed_missing(source, publisher, embedder, kb_id)
    publisher.announce_vectors(kb_id)
    retriever.rebuild(kb_id)
    publisher.drop_other_profiles(embedder.profile)
    return num_embedded


def embed_missing(
    source: SqlIndexSource, publisher: RevisionPublisher, embedder: Embedder, kb_id: str
) -> int:
    """Store a vector for every searchable text of the base that has none, a batch a transaction."""
    num_embedded = 0
    while texts := source.unembedded_texts(kb_id, embedder.profile):
        vectors = embedder.embed_passages(list(texts.values()))
        keyed = dict(zip(texts.keys(), vectors, strict=True))
        num_embedded += publisher.add_embeddings(embedder.profile, keyed)
    return num_embedded
