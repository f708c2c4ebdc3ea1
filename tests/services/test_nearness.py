"""How near found texts are to a question, told apart by their language."""

from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.queries import ScoredChunk
from kb_service.domain.spans import TextSpan
from kb_service.services.nearness import nearness_of


def found(number: int, document: str, text: str, **scores: float) -> ScoredChunk:
    draft = ChunkDraft(0, TextSpan(0, len(text)), text)
    chunk = Chunk(number, "kb", document, number, document, draft)
    return ScoredChunk(chunk, "ab" * 32, 1.0, {}, scores)


def test_the_nearest_text_of_each_document_in_another_language_counts() -> None:
    near = nearness_of(
        "en",
        [
            found(1, "own", "The valve leaked at noon.", dense=0.8),
            found(2, "other", "阀门在中午泄漏。", dense=0.7),
            found(3, "other", "三人受伤。", dense=0.75),
            found(4, "words", "The valve again.", lexical=9.0),
        ],
    )
    assert near.own == 0.8
    assert near.across == {"other": 0.75}
    assert near.farther("other", 0.8) == 0.8 - 0.75


def test_where_one_of_both_is_not_known_nothing_is_farther() -> None:
    near = nearness_of("en", [found(1, "other", "阀门泄漏。", dense=0.7)])
    assert near.farther("other", near.own) is None
    assert near.farther("own", 0.9) is None
