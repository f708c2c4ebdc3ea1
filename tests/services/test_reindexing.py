"""After a change of the embedding model every text gets its vector, and open indexes hear of it."""

from kb_service.domain.ports import EmbeddingProfile
from kb_service.services.reindexing import embed_missing
from kb_service.storage.index_source import SqlIndexSource
from tests.services.conftest import Desk
from tests.services.fakes import HashEmbedder


class OtherEmbedder(HashEmbedder):
    profile = EmbeddingProfile("other", 4, "1" * 64)


def test_a_new_model_embeds_every_text_once_and_the_change_is_announced(desk: Desk) -> None:
    desk.run(desk.upload("a.txt", "one\n\ntwo"), desk.upload("b.txt", "three"))
    source = SqlIndexSource(desk.catalog._database)
    publisher = desk.publisher
    other = OtherEmbedder()
    head = source.head(desk.base.id)
    assert embed_missing(source, publisher, other, desk.base.id) == 3
    publisher.announce_vectors(desk.base.id)
    assert [change.is_added for change in source.changes(desk.base.id, head)] == [True, True]
    assert all(chunk.vector for chunk in source.live_chunks(desk.base.id, other.profile))
    assert embed_missing(source, publisher, other, desk.base.id) == 0
