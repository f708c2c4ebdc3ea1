"""The order after a reranker: scores, pins, what was not read, the weight of the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.fusion import FusedHit, pin
from retrievers.reranking import reorder, standardised


def hits(*lexical: float) -> list[FusedHit]:
    """Return hits 1, 2, … with falling fused scores and these lexical scores."""
    return [
        FusedHit(number, 1 / (10 + number), {"lexical": number}, {"lexical": score})
        for number, score in enumerate(lexical, start=1)
    ]


def order(found: list[FusedHit]) -> list[int]:
    return [hit.chunk_id for hit in found]


def test_the_best_score_comes_first_and_tells_its_rank() -> None:
    found = reorder(hits(3.0, 2.0, 1.0), [0.1, -2.0, 5.0], weight=1.0)
    assert order(found) == [3, 1, 2]
    assert [hit.ranks["rerank"] for hit in found] == [1, 2, 3]
    assert [hit.scores["rerank"] for hit in found] == [5.0, 0.1, -2.0]
    assert [hit.ranks["lexical"] for hit in found] == [3, 1, 2]


def test_what_was_not_read_stays_behind_in_its_order() -> None:
    found = reorder(hits(4.0, 3.0, 2.0, 1.0), [0.0, 1.0], weight=1.0)
    assert order(found) == [2, 1, 3, 4]
    assert "rerank" not in found[2].ranks


def test_nothing_read_changes_nothing() -> None:
    assert reorder(hits(2.0, 1.0), [], weight=1.0) == hits(2.0, 1.0)


def test_pinned_hits_stay_in_front_and_are_ordered_among_themselves() -> None:
    pinned = pin(hits(4.0, 3.0, 2.0, 1.0), {3: 1, 4: 1})
    assert order(pinned) == [3, 4, 1, 2]
    assert order(reorder(pinned, [0.0, 1.0, 9.0, 99.0], weight=1.0)) == [4, 3, 2, 1]


def test_words_count_with_the_rest_of_the_weight() -> None:
    close = [0.0, 0.1]
    assert order(reorder(hits(9.0, 1.0), close, weight=1.0)) == [2, 1]
    assert order(reorder(hits(9.0, 1.0), close, weight=0.5)) == [1, 2]


def test_what_vectors_found_is_not_put_behind_for_lack_of_words() -> None:
    """With the words alone as the rest of the weight, questions across languages lost their gain:
    chunks that only vectors find counted as the worst of all."""
    by_vectors = FusedHit(1, 0.3, {"dense": 1}, {"dense": 0.9})
    both = FusedHit(2, 0.2, {"dense": 2, "lexical": 2}, {"dense": 0.8, "lexical": 5.0})
    by_words = FusedHit(3, 0.1, {"lexical": 1}, {"lexical": 6.0})
    pinned = FusedHit(4, 1.05, {"lexical": 3}, {"lexical": 4.0}, num_pins=1)
    before = [pinned, by_vectors, both, by_words]
    assert order(reorder(before, [0.0] * 4, weight=0.15)) == [4, 1, 2, 3]
    assert order(reorder(before, [0.0, 0.0, 0.0, 9.0], weight=0.5)) == [4, 3, 1, 2]


def test_a_hit_without_a_lexical_score_counts_as_the_lowest() -> None:
    assert standardised([3.0, None, 1.0]) == pytest.approx([1.414, -0.707, -0.707], abs=1e-3)
    assert standardised([None, None]) == [0.0, 0.0]
    assert standardised([2.0, 2.0]) == [0.0, 0.0]


SCORES = st.floats(-100, 100)


@given(st.lists(st.tuples(SCORES, SCORES, st.integers(0, 2)), max_size=20), st.data())
def test_no_hit_is_lost_and_fused_scores_go_on_falling(
    rows: list[tuple[float, float, int]], data: st.DataObject
) -> None:
    pins = {number: num for number, (_, _, num) in enumerate(rows, start=1)}
    before = pin(hits(*(lexical for lexical, _, _ in rows)), pins)
    num_read = data.draw(st.integers(0, len(rows)))
    after = reorder(before, [score for _, score, _ in rows[:num_read]], data.draw(st.floats(0, 1)))
    assert sorted(order(after)) == sorted(order(before))
    assert order(after)[num_read:] == order(before)[num_read:]
    assert [hit.num_pins for hit in after] == sorted((hit.num_pins for hit in after), reverse=True)
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
