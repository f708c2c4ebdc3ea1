"""After a change of the embedding model every text gets its vector, and open indexes hear of it."""

import io

from kb_service.domain.ports import EmbeddingProfile
from kb_service.services.reindexing import ReindexService
from kb_service.services.vectors import VectorService
from kb_service.storage.chunks import SqlIndexSource
from tests.services.conftest import Desk
from tests.services.fakes import HashEmbedder


class OtherEmbedder(HashEmbedder):
    profile = EmbeddingProfile("other", 4, "1" * 64)


def reindexing(desk: Desk, embedder: HashEmbedder) -> ReindexService:
    vectors = VectorService(desk.embeddings, lambda: embedder, desk.index.refresh)
    return ReindexService(desk.catalog, vectors, lambda: desk.index)


def test_a_new_model_embeds_every_text_once_and_the_change_is_announced(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one\n\ntwo"), desk.upload("b.txt", "three"))
    desk.embed()
    source, other = SqlIndexSource(desk.database), OtherEmbedder()
    head = source.head(desk.base.id)
    service = reindexing(desk, other)
    assert service.reindex(desk.base.name).num_embedded == 3
    assert [change.is_added for change in source.changes(desk.base.id, head)] == [True, True]
    assert all(chunk.vector for chunk in source.live_chunks(desk.base.id, other.profile))
    assert desk.index.rebuilt == [desk.base.id]
    assert service.reindex(desk.base.id).num_embedded == 0


def test_vectors_of_the_old_model_go_with_the_reindex_of_the_last_base(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one"))
    source, other = SqlIndexSource(desk.database), OtherEmbedder()
    second = desk.catalog.bases.create("second").id
    first, old = desk.base.id, desk.embedder.profile
    desk.run(desk.uploads.accept(second, "b.txt", io.BytesIO(b"two")))
    desk.embed()
    service = reindexing(desk, other)
    service.reindex(first)
    assert [bool(chunk.vector) for chunk in source.live_chunks(first, old)] == [True]
    service.reindex(second)
    assert [bool(chunk.vector) for chunk in source.live_chunks(first, old)] == [False]
    assert [bool(chunk.vector) for chunk in source.live_chunks(first, other.profile)] == [True]
