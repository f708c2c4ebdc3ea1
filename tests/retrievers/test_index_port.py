"""One suite for every implementation of the index port: segments of this machine, and Milvus."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb_service.domain.errors import KbError
from kb_service.language.asked import parse_question
from kb_service.language.scripts import LANGUAGES
from retrievers import bm25
from retrievers.index import Index
from retrievers.lexical import Hit
from retrievers.snapshots import IndexCounts
from retrievers.terms import passage_terms, question_weights, title_terms
from tests.retrievers.engines import KINDS, Engine
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

ABOUT = 1e-5
"""Relative difference that two sums of 32-bit numbers may have."""


@pytest.fixture(params=KINDS)
def engine(
    request: pytest.FixtureRequest, source: MemorySource, tmp_path: Path
) -> Iterator[Engine]:
    """One implementation over an empty source."""
    url = request.getfixturevalue("milvus_url") if request.param == "milvus" else ""
    made = Engine(request.param, source, tmp_path, url)
    yield made
    made.close()


def words(text: str, limit: int = 10, *documents: str) -> Callable[[Index], list[Hit]]:
    """Search a question's terms."""
    weights = question_weights(parse_question(text))
    return lambda index: index.search_lexical(weights, limit, documents or None)


def near(text: str, limit: int = 10, *documents: str) -> Callable[[Index], dict[str, list[Hit]]]:
    """Search what is near a text."""
    vector = LetterEmbedder().embed_query(text)
    return lambda index: index.search_dense(vector, limit, documents or None)


def ids(hits: list[Hit]) -> list[int]:
    return [chunk_id for chunk_id, _ in hits]


def reference(source: MemorySource, text: str) -> list[Hit]:
    """BM25 of a question over every live chunk, straight from the formula."""
    chunks = [chunk for owned in source.live.values() for chunk in owned]
    fields = [[passage_terms(c.text) for c in chunks], [title_terms(c.title) for c in chunks]]
    averages = [sum(map(len, texts)) / len(chunks) for texts in fields]
    scored: dict[int, float] = {}
    for texts, average, boost in zip(fields, averages, (1.0, bm25.TITLE_BOOST), strict=True):
        for term, weight in question_weights(parse_question(text)).items():
            num = sum(term in terms for terms in texts)
            idf = math.log(1 + (len(chunks) - num + 0.5) / (num + 0.5))
            for chunk, terms in zip(chunks, texts, strict=True):
                often, damp = terms.count(term), 1.2 * (0.25 + 0.75 * len(terms) / average)
                gained = weight * boost * idf * 2.2 * often / (often + damp)
                scored[chunk.chunk_id] = scored.get(chunk.chunk_id, 0.0) + gained
    found = [hit for hit in scored.items() if hit[1] > 0]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def put_reports(source: MemorySource) -> None:
    source.put("a", "the valve of the pump leaked", "a cabbage headed back", title="Hall 3")
    source.put(
        "b", "三号机房泄漏，阀门老化", "泄漏于凌晨发生，阀门阀门阀门", title="泄漏报告 SG-2024-001"
    )
    source.put("c", "the valve was replaced and the other valve was not", title="valve log")


@pytest.mark.parametrize("asked", ["which valve leaked", "泄漏的阀门", "SG-2024-001", "valve 阀门"])
def test_words_score_by_the_formula(engine: Engine, source: MemorySource, asked: str) -> None:
    put_reports(source)
    found, expected = engine.ask(words(asked)), reference(source, asked)
    assert ids(found) == ids(expected)
    assert [score for _, score in found] == pytest.approx([s for _, s in expected], rel=ABOUT)


def test_the_nearest_of_each_language_come_best_first(engine: Engine, source: MemorySource) -> None:
    source.put("a", "bad cabbage", "a decade faded", "mono", title="food")
    source.put("b", "三号机房 bade", title="泄漏")
    found = engine.ask(near("bad cabbage"))
    assert set(found) == set(LANGUAGES)
    assert ids(found["en"])[0] == 1
    assert ids(found["zh"]) == [4]
    scores = [score for _, score in found["en"]]
    assert scores == sorted(scores, reverse=True)


def test_scores_of_vectors_are_inner_products(engine: Engine, source: MemorySource) -> None:
    source.put("a", "abc", "aab", "dddd")
    [(first, best), (second, less)] = engine.ask(near("abc"))["en"]
    assert (first, second) == (1, 2)
    assert best == pytest.approx(1.0, rel=ABOUT)
    assert less == pytest.approx(3 / math.sqrt(15), rel=ABOUT)


def test_nothing_is_near_a_question_without_a_vector(engine: Engine, source: MemorySource) -> None:
    source.put("a", "abc")
    assert engine.ask(near("xyz")) == {language: [] for language in LANGUAGES}


def test_only_the_documents_named_are_searched(engine: Engine, source: MemorySource) -> None:
    for number in range(30):
        source.put(f"doc_{number}", "valve valve valve", f"bad word {number}")
    source.put("wanted", "one valve among many other words that are here")
    assert ids(engine.ask(words("valve", 2, "wanted"))) == [61]
    assert ids(engine.ask(near("bade", 2, "wanted"))["en"]) == [61]
    assert ids(engine.ask(words("valve", 40, "doc_3", "doc_5"))) == [7, 11]
    assert engine.ask(words("valve", 2, "unknown")) == []
    weights = question_weights(parse_question("valve"))
    assert engine.ask(lambda index: index.search_lexical(weights, 9, ())) == []
    assert not any(engine.ask(lambda i: i.search_dense(b"\0\0\x80\x3f" * 16, 9, ())).values())


def test_a_deleted_document_is_not_found_and_comes_back(
    engine: Engine, source: MemorySource
) -> None:
    put_reports(source)
    assert ids(engine.ask(words("valve leaked")))[0] == 1
    source.delete("a")
    assert ids(engine.ask(words("valve leaked"))) == [5]
    assert 1 not in ids(engine.ask(near("valve leaked"))["en"])
    source.put("a", "the valve leaked again")
    assert ids(engine.ask(words("valve leaked"))) == [6, 5]
    assert engine.ask(lambda index: index.counts) == IndexCounts(4, 4, 3)


def test_a_new_content_takes_the_place_of_the_old(engine: Engine, source: MemorySource) -> None:
    put_reports(source)
    engine.ask(words("valve"))
    source.put("c", "nothing of that any more")
    assert ids(engine.ask(words("valve"))) == [1]
    assert engine.ask(words("valve"))[0][1] == pytest.approx(
        reference(source, "valve")[0][1], rel=ABOUT
    )


def test_vectors_may_come_later(engine: Engine, source: MemorySource) -> None:
    source.put("a", "bad cabbage", embed=False)
    assert ids(engine.ask(words("cabbage"))) == [1]
    assert engine.ask(near("bad cabbage"))["en"] == []
    assert engine.ask(lambda index: index.are_in("en", [(1, 1.0)])) == []
    source.embed("a")
    assert ids(engine.ask(near("bad cabbage"))["en"]) == [1]
    assert ids(engine.ask(words("cabbage"))) == [1]
    assert engine.ask(lambda index: index.are_in("en", [(1, 1.0), (7, 1.0)])) == [(1, 1.0)]
    assert engine.ask(lambda index: index.counts) == IndexCounts(1, 1, 1)


def test_another_process_finds_the_same(engine: Engine, source: MemorySource) -> None:
    put_reports(source)
    before = engine.ask(words("泄漏 valve")), engine.ask(near("bad"))
    engine.open()
    assert (engine.ask(words("泄漏 valve")), engine.ask(near("bad"))) == before
    source.delete("b")
    assert ids(engine.ask(words("泄漏 valve"))) == [5, 1]
    first = engine.opened[0].ask(KB, words("泄漏 valve"))
    assert first == engine.ask(words("泄漏 valve"))


def test_an_index_made_anew_finds_the_same(engine: Engine, source: MemorySource) -> None:
    put_reports(source)
    source.put("a", "the valve of hall 3 leaked twice")
    before = engine.ask(words("泄漏 valve hall")), engine.ask(near("bad"))
    engine.opened[-1].rebuild(KB)
    assert (engine.ask(words("泄漏 valve hall")), engine.ask(near("bad"))) == before
    assert engine.opened[-1].counts(KB) == IndexCounts(4, 4, 3)


@pytest.mark.parametrize(
    "text",
    [
        "𠮷野家 の 火災 🔥 報告",
        "تسرب الصمام في القاعة",
        'body:valve AND "document_id" in ["doc_1"] or 1 == 1 --',
        "naïve café ＡＢＣ１２３ ﬁre",
        "a\u0000b \ud7ff \ufffd \u200b zero",
        "x" * 5000,
    ],
)
def test_any_text_is_found_by_its_own_words(
    engine: Engine, source: MemorySource, text: str
) -> None:
    source.put("plain", "nothing to do with it")
    source.put("odd", text, title=text[:40])
    [(found, score)], [(_, expected)] = engine.ask(words(text)), reference(source, text)
    assert found == 2
    # The length of a text is kept in one byte.
    assert score == pytest.approx(expected, rel=0.05 if len(text) > 40 else ABOUT)


def test_a_base_that_never_had_anything_answers_nothing(engine: Engine) -> None:
    indexes = engine.open()
    assert indexes.ask(KB, words("valve")) is None
    assert indexes.counts(KB) == IndexCounts(0, 0, 0)
    indexes.refresh(KB)
    indexes.rebuild(KB)
    assert indexes.ask(KB, words("valve")) is None


def test_a_base_that_lost_everything_is_empty(engine: Engine, source: MemorySource) -> None:
    source.put("a", "the valve leaked")
    engine.ask(words("valve"))
    source.delete("a")
    assert engine.ask(words("valve")) == []
    assert engine.ask(near("valve")) == {language: [] for language in LANGUAGES}
    assert engine.ask(lambda index: index.counts) == IndexCounts(0, 0, 0)
    source.put("a", "a pump failed")
    assert ids(engine.ask(words("pump"))) == [2]


def test_equal_texts_come_in_the_order_of_their_ids(engine: Engine, source: MemorySource) -> None:
    for number in range(12):
        source.put(f"doc_{number}", "the same valve", "something longer about a pump")
    found = engine.ask(words("valve", 12))
    assert ids(found) == list(range(1, 24, 2))
    assert len({score for _, score in found}) == 1
    assert ids(engine.ask(near("the same valve", 12))["en"])[:12] == list(range(1, 24, 2))


def test_rarity_and_confidence_are_those_of_the_base(engine: Engine, source: MemorySource) -> None:
    put_reports(source)
    idf = engine.ask(lambda index: index.idf(["valve", "泄漏", "nowhere"]))
    assert idf["valve"] == pytest.approx(math.log(1 + (1000 - 2 + 0.5) / (2 + 0.5)))
    assert idf["nowhere"] == pytest.approx(math.log(1 + 1000.5 / 0.5))
    weights = question_weights(parse_question("valve leaked"))
    sure = engine.ask(
        lambda index: index.confidence(weights, index.search_lexical(weights, 3, None))
    )
    lost = engine.ask(lambda index: index.confidence(weights, []))
    assert lost == 0.0 < sure < 2.0


def test_an_identifier_pins_its_document_and_every_chunk_of_it(
    engine: Engine, source: MemorySource
) -> None:
    put_reports(source)
    for number in range(5):
        source.put(f"doc_{number}", "covid19 everywhere")
    pins = engine.ask(lambda index: index.pins(["sg-2024-001", "covid19", "absent"]))
    assert pins == {"b": 1}
    assert engine.ask(lambda index: index.spread(pins)) == {3: 1, 4: 1}
    assert engine.ask(lambda index: index.spread({})) == {}


def test_documents_that_hold_every_term_are_told_with_their_best_chunks(
    engine: Engine, source: MemorySource
) -> None:
    put_reports(source)
    source.put("many", *(f"valve number {number} leaked" for number in range(700)))
    everywhere = ["a", "b", "c", "many"]
    both = engine.ask(lambda index: index.chunks_with_all(["valve", "leaked"], everywhere))
    assert both.keys() == {"a", "many"}
    assert len(both["many"]) == 3
    assert engine.ask(lambda index: index.chunks_with_all(["valve", "699"], everywhere)) == {
        "many": [705]
    }
    assert engine.ask(lambda index: index.chunks_with_all(["valve"], ["c"])) == {"c": [5]}
    assert engine.ask(lambda index: index.chunks_with_all(["valve", "nowhere"], everywhere)) == {}
    assert engine.ask(lambda index: index.chunks_with_all(["valve"], [])) == {}


def test_a_dropped_base_leaves_nothing(engine: Engine, source: MemorySource) -> None:
    put_reports(source)
    engine.ask(words("valve"))
    engine.opened[-1].drop(KB)
    source.live.clear()
    source.log.clear()
    assert engine.opened[-1].ask(KB, words("valve")) is None
    source.put("new", "another valve")
    assert len(engine.ask(words("valve"))) == 1


def test_a_vector_of_another_length_is_refused(engine: Engine, source: MemorySource) -> None:
    source.put("a", "the valve leaked")
    [chunk] = source.live["a"]
    object.__setattr__(chunk, "vector", b"\0" * 8)
    with pytest.raises(KbError, match="has 8 bytes, not 64"):
        engine.ask(words("valve"))
