"""Any sequence of committed changes, replayed in any portions, gives the index of a rebuild."""

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.hybrid import HybridRetriever
from retrievers.snapshots import IndexCounts
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

DOCUMENTS = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.lists(
    st.sampled_from(["bad valve", "good pump", "泄漏事故", "a bad leak", "door 7"]),
    min_size=1,
    max_size=3,
    unique=True,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "put without vectors"]), DOCUMENTS, TEXTS),
        st.tuples(st.sampled_from(["delete", "embed"]), DOCUMENTS, st.just([])),
        st.tuples(st.sampled_from(["ask", "refresh"]), st.just(""), st.just([])),
    ),
    max_size=12,
)


def perform(
    step: tuple[str, str, list[str]], source: MemorySource, retriever: HybridRetriever
) -> None:
    """Do one step of a history."""
    verb, document_id, texts = step
    if verb.startswith("put"):
        # Distinct texts, or equal words in two documents would be returned once.
        words = (f"{text} {document_id}" for text in texts)
        source.put(document_id, *words, embed=verb == "put")
    elif verb == "embed":
        source.embed(document_id)
    elif verb == "delete":
        source.delete(document_id)
    elif verb == "ask":
        found(retriever)
    else:
        retriever.refresh(KB)


def found(retriever: HybridRetriever) -> dict[int, dict[str, float]]:
    """Return every chunk that shares a word with the question, with its cosine where it has one."""
    items = retriever.retrieve(Query(KB, parse_question("bad good 泄漏 door a"), 50)).items
    return {
        item.chunk.id: {
            leg: round(score, 5) for leg, score in item.scores.items() if leg == "dense"
        }
        for item in items
    }


# Its vectors told of a revision again before it was replaced: its removal has to reach the index.
@example(
    [
        ("put", "a", ["bad valve"]),
        ("ask", "", []),
        ("embed", "a", []),
        ("put", "a", ["bad valve"]),
    ]
)
@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_replayed_index_finds_what_a_rebuilt_one_finds(
    steps: list[tuple[str, str, list[str]]],
) -> None:
    source = MemorySource()
    with tempfile.TemporaryDirectory() as replayed, tempfile.TemporaryDirectory() as rebuilt:
        retriever = HybridRetriever(source, LetterEmbedder(), Path(replayed))
        for step in steps:
            perform(step, source, retriever)
        fresh = HybridRetriever(source, LetterEmbedder(), Path(rebuilt))
        assert found(retriever) == found(fresh)
        live = {chunk.chunk_id for chunks in source.live.values() for chunk in chunks}
        assert found(retriever).keys() == live
        assert retriever.counts(KB) == fresh.counts(KB)
        retriever.close()
        fresh.close()


def test_vectors_that_follow_are_taken_in_without_touching_the_words(tmp_path: Path) -> None:
    source = MemorySource()
    source.put("a", "bad valve", "good pump", embed=False)
    retriever = HybridRetriever(source, LetterEmbedder(), tmp_path)
    assert retriever.counts(KB) == IndexCounts(2, 0, 1)
    index = retriever._indexes._shelf[KB].index
    assert index is not None
    words = index._lexical._searcher
    source.embed("a")
    assert retriever.counts(KB) == IndexCounts(2, 2, 1)
    assert index._lexical._searcher is words
    assert index._dense.num_removed == 0
    retriever.close()
