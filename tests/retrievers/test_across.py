"""Texts of two languages as one ranking, with literals and properties."""

from hypothesis import given
from hypothesis import strategies as st

from retrievers.across import MAX_CONFIDENCE, PLACES, Legs, across, beside, together
from retrievers.fusion import FusionPolicy, fuse
from retrievers.lexical import Hit
from tests.retrievers.test_fusion import HITS, ids

POLICY = FusionPolicy(dense_weight=0.5)
NEAR, FAR = 0.88, 0.7

OTHERS = st.lists(st.integers(41, 80), unique=True, max_size=20).map(
    lambda ids: [(chunk_id, 1.0 / rank) for rank, chunk_id in enumerate(ids, start=1)]
)


@given(HITS, OTHERS)
def test_two_languages_stand_side_by_side(own: list[Hit], others: list[Hit]) -> None:
    ranked = [fuse({"dense": hits}.items(), FusionPolicy()) for hits in (own, others)]
    merged = beside(*ranked)
    assert sorted(ids(merged)) == sorted(c for c, _ in [*own, *others])
    assert [hit.score for hit in merged] == sorted((hit.score for hit in merged), reverse=True)
    for mine in ranked:
        assert [c for c in ids(merged) if c in ids(mine)] == ids(mine)
    if len(own) >= PLACES[-1] and len(others) >= len(PLACES):
        assert [ids(merged)[place - 1] for place in PLACES] == [c for c, _ in others][:2]


def legs(nearness: float) -> Legs:
    lexical = [*((number, 1.0 - number / 100) for number in range(1, 9)), (42, 0.1)]
    return Legs(lexical, [(1, 0.9), (3, 0.8)], [(42, nearness), (41, 0.6)], {42})


def test_a_text_across_languages_that_is_nearly_as_near_stands_second() -> None:
    assert ids(together(legs(NEAR), POLICY, 0.9))[:4] == [1, 42, 3, 41]


def test_where_the_question_s_words_are_nowhere_together_it_need_not_be_near() -> None:
    assert ids(together(legs(FAR), POLICY, MAX_CONFIDENCE / 2))[1] == 42


def test_elsewhere_the_order_is_that_of_words_and_vectors() -> None:
    far = legs(FAR)
    dense = (("dense", far.own_dense), ("dense", far.across_dense))
    plain = fuse([("lexical", far.lexical), *dense], POLICY)
    assert together(far, POLICY, 0.9) == plain


def test_where_one_language_has_no_vectors_the_order_is_the_same_whatever_is_near() -> None:
    alone = Legs([(1, 1.0), (2, 0.5)], [(2, 0.9)], [], ())
    assert ids(together(alone, POLICY, 0.9)) == ids(together(alone, POLICY, 0.2))


def test_asked_for_across_languages_nothing_of_the_question_s_own_is_found() -> None:
    assert ids(across(legs(FAR), POLICY)) == [42, 41]
