"""Reciprocal rank fusion and pins, with literals and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.fusion import FusedHit, FusionPolicy, fuse, pin
from retrievers.lexical import Hit

HITS = st.lists(st.integers(1, 40), unique=True, max_size=20).map(
    lambda ids: [(chunk_id, 1.0 / rank) for rank, chunk_id in enumerate(ids, start=1)]
)


def ids(hits: list[FusedHit]) -> list[int]:
    """Return the chunk ids in order."""
    return [hit.chunk_id for hit in hits]


def test_a_fused_score_is_the_weighted_sum_of_reciprocal_ranks() -> None:
    policy = FusionPolicy(lexical_weight=2.0, dense_weight=0.5, rank_constant=10.0)
    fused = fuse({"lexical": [(7, 3.0), (8, 2.0)], "dense": [(9, 0.9), (7, 0.8)]}.items(), policy)
    assert ids(fused) == [7, 8, 9]
    assert fused[0].score == pytest.approx(2 / 11 + 0.5 / 12)
    assert fused[0].ranks == {"lexical": 1, "dense": 2}
    assert fused[0].scores == {"lexical": 3.0, "dense": 0.8}
    assert fused[2].ranks == {"dense": 1}


def test_lists_of_one_leg_are_ranked_apart() -> None:
    lists = [("lexical", [(1, 2.0)]), ("dense", [(1, 0.9), (2, 0.8)]), ("dense", [(3, 0.1)])]
    assert {hit.chunk_id: hit.ranks["dense"] for hit in fuse(lists, FusionPolicy())} == {
        1: 1,
        2: 2,
        3: 1,
    }


def test_equal_sums_go_by_chunk_id() -> None:
    policy = FusionPolicy(lexical_weight=1.0, dense_weight=1.0)
    assert ids(fuse({"lexical": [(5, 1.0)], "dense": [(3, 1.0)]}.items(), policy)) == [3, 5]


@given(HITS, HITS)
def test_every_chunk_of_a_leg_is_fused_once(lexical: list[Hit], dense: list[Hit]) -> None:
    fused = fuse({"lexical": lexical, "dense": dense}.items(), FusionPolicy())
    assert sorted(ids(fused)) == sorted({chunk for chunk, _ in [*lexical, *dense]})
    assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)


@given(HITS)
def test_one_leg_alone_keeps_its_order(hits: list[Hit]) -> None:
    assert ids(fuse({"lexical": hits, "dense": []}.items(), FusionPolicy())) == [c for c, _ in hits]


@given(HITS, HITS)
def test_a_chunk_better_in_both_legs_is_better_fused(lexical: list[Hit], dense: list[Hit]) -> None:
    fused = fuse({"lexical": lexical, "dense": dense}.items(), FusionPolicy())
    position = {hit.chunk_id: rank for rank, hit in enumerate(fused)}
    both = [hit for hit in fused if len(hit.ranks) == 2]
    for left in both:
        for right in both:
            if all(left.ranks[leg] < right.ranks[leg] for leg in left.ranks):
                assert position[left.chunk_id] < position[right.chunk_id]


@given(HITS, st.dictionaries(st.integers(1, 40), st.integers(1, 3)))
def test_pinned_chunks_come_first_and_the_others_keep_their_order(
    hits: list[Hit], num_pins: dict[int, int]
) -> None:
    fused = fuse({"lexical": hits, "dense": []}.items(), FusionPolicy())
    pinned = pin(fused, num_pins)
    assert sorted(ids(pinned)) == sorted(ids(fused))
    counts = [num_pins.get(chunk_id, 0) for chunk_id in ids(pinned)]
    assert counts == sorted(counts, reverse=True)
    for count in set(counts):
        same = [c for c in ids(pinned) if num_pins.get(c, 0) == count]
        assert same == [c for c in ids(fused) if num_pins.get(c, 0) == count]
    assert [hit.score for hit in pinned] == sorted((hit.score for hit in pinned), reverse=True)


def test_the_dense_leg_leads_when_the_words_are_hardly_there() -> None:
    legs = {"lexical": [(1, 0.2), (2, 0.1)], "dense": [(3, 0.9)]}
    assert ids(fuse(legs.items(), FusionPolicy(), confidence=0.9)) == [1, 2, 3]
    assert ids(fuse(legs.items(), FusionPolicy(), confidence=0.05)) == [3, 1, 2]


def test_a_single_leg_never_changes_places() -> None:
    assert FusionPolicy(lexical_weight=0.0, dense_weight=1.0).weights(0.0)["dense"] == 1.0
    assert FusionPolicy(dense_weight=0.0).weights(0.0) == {"lexical": 1.0, "dense": 0.0}
