"""Segments and Milvus through the same life: whatever happens to a base, both find the same."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexedChunk, IndexSource
from kb_service.language.asked import parse_question
from retrievers.index import Index
from retrievers.lexical import Hit
from retrievers.terms import question_weights
from tests.retrievers.engines import KINDS, Engine, engines
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

ABOUT = 1e-5
VOCABULARY = (
    "valve", "pump", "hall", "leak", "fire", "泄漏", "阀门", "三号机房", "起火", "SG-2024-001",
    "北京A12345", "bad", "cab", "ache",
)  # fmt: skip
BASES = (KB, "kb_second", "kb_third")


class ThreeBases:
    """Three bases, each with a life of its own and with chunk numbers that the others use too."""

    def __init__(self) -> None:
        self.of = {kb_id: MemorySource() for kb_id in BASES}

    def head(self, kb_id: str) -> int:
        return len(self.of[kb_id].log)

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        return [
            IndexChange(change.seq, self._public(kb_id, change.revision_id), change.is_added)
            for change in self.of[kb_id].changes(kb_id, after)
        ]

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        number, revision = divmod(revision_id, 100_000)
        found = self.of[BASES[number]].revision_chunks(revision, profile)
        return [self._renamed(BASES[number], chunk) for chunk in found]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        return (self._renamed(kb_id, c) for c in self.of[kb_id].live_chunks(kb_id, profile))

    def _public(self, kb_id: str, revision_id: int) -> int:
        return BASES.index(kb_id) * 100_000 + revision_id

    def _renamed(self, kb_id: str, chunk: IndexedChunk) -> IndexedChunk:
        revision = self._public(kb_id, chunk.revision_id)
        ours = (chunk.chunk_id, revision, chunk.document_id, chunk.title, chunk.text, chunk.vector)
        return IndexedChunk(*ours)


@pytest.fixture
def bases() -> ThreeBases:
    return ThreeBases()


@pytest.fixture
def both(bases: ThreeBases, tmp_path: Path, milvus_url: str) -> Iterator[list[Engine]]:
    with engines(KINDS, cast(IndexSource, bases), tmp_path, milvus_url) as made:
        yield made


def live_once(source: MemorySource, chance: random.Random) -> None:
    """Add, replace, embed or delete one document."""
    name = f"doc_{chance.randrange(8)}"
    what = chance.random()
    if what < 0.2:
        source.delete(name)
    elif what < 0.3:
        source.embed(name)
    else:
        texts = [
            " ".join(chance.choices(VOCABULARY, k=chance.randint(1, 30)))
            for _ in range(chance.randint(1, 4))
        ]
        title = " ".join(chance.choices(VOCABULARY, k=2))
        source.put(name, *texts, title=title, embed=chance.random() < 0.8)


def told(index: Index, asked: str, documents: list[str] | None) -> dict[str, Any]:
    """Everything that a question learns of an index."""
    weights = question_weights(parse_question(asked))
    lexical = index.search_lexical(weights, 5, documents)
    dense = index.search_dense(LetterEmbedder().embed_query(asked), 5, documents)
    names = [f"doc_{number}" for number in range(8)]
    return {
        "lexical": lexical,
        **{f"dense {language}": hits for language, hits in dense.items()},
        "english": index.are_in("en", lexical),
        "confidence": index.confidence(weights, lexical),
        "idf": index.idf(weights),
        "pins": (pins := index.pins(list(weights))),
        "spread": index.spread(pins),
        "all": index.chunks_with_all(asked.casefold().split()[:1], names),
        "counts": index.counts,
    }


def same(left: object, right: object) -> bool:
    """True when two answers are equal but for rounding, and the order of what that makes equal."""
    if isinstance(left, float):
        return bool(left == pytest.approx(right, rel=ABOUT))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if (
        isinstance(left, list)
        and isinstance(right, list)
        and isinstance(next(iter(left), 0), tuple)
    ):
        return same_hits(left, right)
    return bool(left == right)


def same_hits(left: list[Hit], right: list[Hit]) -> bool:
    """Scores agree place by place; a chunk may change places with one of its own score."""
    if len(left) != len(right):
        return False
    scores = dict(left)
    for (chunk_id, score), (_, expected) in zip(right, left, strict=True):
        # The last place is taken by one of all that have its score.
        known = scores.get(chunk_id, left[-1][1])
        if score != pytest.approx(expected, rel=ABOUT) or known != pytest.approx(score, rel=ABOUT):
            return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_the_same_life_is_told_the_same(bases: ThreeBases, both: list[Engine], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a life to repeat
    for step in range(12):
        kb_id = chance.choice(BASES)
        for _ in range(chance.randint(1, 5)):
            live_once(bases.of[kb_id], chance)
        if chance.random() < 0.2:
            for engine in both:
                engine.open()
        if step == 6:
            for engine in both:
                engine.opened[-1].refresh(kb_id)
                engine.opened[-1].rebuild(kb_id)
        asked = " ".join(chance.choices(VOCABULARY, k=3))
        documents = None if chance.random() < 0.6 else ["doc_1", "doc_2", "doc_7"]
        for base in (one for one in BASES if bases.head(one)):
            question = partial(told, asked=asked, documents=documents)
            segments, milvus = (engine.ask(question, base) for engine in both)
            assert same(segments, milvus), (seed, step, base, segments, milvus)


def test_what_a_comparison_of_hits_lets_pass() -> None:
    assert same_hits([(1, 2.0), (2, 1.0)], [(1, 2.0), (2, 1.0)])
    assert same_hits([(1, 2.0), (2, 2.0)], [(2, 2.0), (1, 2.0)])
    assert not same_hits([(1, 2.0), (2, 1.0)], [(2, 2.0), (1, 1.0)])
    assert not same_hits([(1, 2.0)], [(1, 2.1)])
    assert not same_hits([(1, 2.0)], [])
