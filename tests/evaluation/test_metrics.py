"""Metrics against values worked out by hand, and the identities that hold for all of them."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.evaluation.ranking import (
    expected_scores,
    score_found,
    score_ranking,
    score_single,
)
from kb_service.evaluation.refusals import RefusalCounts
from kb_service.evaluation.resources import Latency, peak_memory_bytes, percentile
from kb_service.evaluation.wording import bag_f1, contains, exact_match, substring_f1, tokens_of

WORDS = st.text(alphabet="消防车第1页a b,.", max_size=12).filter(str.strip)


def test_a_ranking_is_scored_as_worked_out_by_hand() -> None:
    scores = score_ranking([False, True, False, True], num_relevant=3)
    assert scores["hit@1"] == 0.0
    assert scores["hit@5"] == 1.0
    assert scores["recall@10"] == pytest.approx(2 / 3)
    assert scores["mrr@10"] == 0.5
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert scores["ndcg@10"] == pytest.approx((1 / log2(3) + 1 / log2(5)) / ideal)


def test_what_stands_beyond_the_tenth_place_counts_for_nothing() -> None:
    assert set(score_single(11).values()) == {0.0}
    assert score_single(0) == score_single(11)
    assert score_single(10)["hit@10"] == 1.0


def test_a_document_counts_at_its_first_place_only() -> None:
    assert score_found("aab", {"b"})["mrr@10"] == 0.5
    assert score_found("bbb", {"b", "c"})["recall@10"] == 0.5


@pytest.mark.parametrize(("flags", "num"), [([], 0), ([True, True], 1)])
def test_a_ranking_with_more_found_than_there_is_is_refused(flags: list[bool], num: int) -> None:
    with pytest.raises(ValueError, match=f"num_relevant is {num}"):
        score_ranking(flags, num)


@given(st.lists(st.booleans(), max_size=15), st.integers(0, 5))
def test_ranking_scores_are_shares_and_best_when_the_relevant_come_first(
    flags: list[bool], more: int
) -> None:
    num = max(1, sum(flags) + more)
    scores = score_ranking(flags, num)
    assert all(0 <= value <= 1 + 1e-9 for value in scores.values())
    best = score_ranking(sorted(flags, reverse=True), num)
    assert all(scores[key] <= best[key] + 1e-9 for key in scores)


@pytest.mark.parametrize("total", [1, 2, 7, 10, 11, 30])
def test_the_random_level_is_the_mean_over_all_places_of_a_single_relevant_thing(
    total: int,
) -> None:
    expected = expected_scores(1, total)
    places = [score_single(rank) for rank in range(1, total + 1)]
    for key, value in expected.items():
        assert value == pytest.approx(sum(scores[key] for scores in places) / total)


def test_the_random_level_of_two_in_three_is_worked_out_by_hand() -> None:
    expected = expected_scores(2, 3)
    assert expected["hit@1"] == pytest.approx(2 / 3)
    assert expected["hit@5"] == 1.0
    assert expected["mrr@10"] == pytest.approx(2 / 3 + 1 / 3 / 2)


def test_chinese_is_split_by_character_and_numbers_stay_whole() -> None:
    assert tokens_of("共12,600人，占３.5％") == ["共", "12,600", "人", "占", "3.5"]
    assert tokens_of("The pump's valve (SG-7)") == ["the", "pump's", "valve", "sg", "7"]
    assert tokens_of("%") == ["%"]


def test_substring_f1_is_that_of_the_longest_run_of_tokens() -> None:
    # Longest run: 三号机房 (4 tokens) of 7 said and 4 wanted: P 4/7, R 1.
    assert substring_f1("云岭市三号机房", ["三号机房"]) == pytest.approx(2 * 4 / 11)
    assert substring_f1("三机房号", ["三号机房"]) == pytest.approx(2 * 2 / 8)
    assert substring_f1("无", ["三号机房", "无人"]) == pytest.approx(2 / 3)


def test_bag_f1_does_not_mind_order_and_leaves_articles_out() -> None:
    assert bag_f1("三机房号", ["三号机房"]) == 1.0
    assert bag_f1("the failed pump", ["pump"]) == pytest.approx(2 / 3)


def test_exact_match_minds_words_but_not_marks_width_and_articles() -> None:
    assert exact_match("２０２４年8月17日。", ["2024年8月17日"]) == 1.0
    assert exact_match("The Oxygen", ["oxygen"]) == 1.0
    assert exact_match("3.5", ["35"]) == 0.0
    assert exact_match("%", ["±"]) == 0.0
    assert exact_match("anything", []) == 0.0


def test_containment_minds_neither_case_nor_white_space() -> None:
    assert contains("at Tallahassee,\nFL", ["tallahassee, fl"])
    assert not contains("Tallahassee", ["tallahassee, fl"])
    assert not contains("anything", [" "])


def test_of_an_answer_in_two_parts_both_must_be_said() -> None:
    assert contains("The captain is Ann Lee; Bo Chan manages.", ["bo chan&ann lee"])
    assert not contains("The captain is Ann Lee.", ["bo chan&ann lee"])
    assert contains("船长是岳长山，总经理是齐向东", ["岳长山&齐向东"])
    assert contains("Nobody", ["bo chan&ann lee", "nobody"])


def test_the_mark_of_a_name_parts_nothing() -> None:
    assert contains("by AT&T", ["AT&T"])
    assert not contains("at the T junction", ["AT&T"])
    assert not contains("Sons of Smith", ["Smith & Sons"])


@given(WORDS, WORDS)
def test_wording_scores_agree_with_each_other(said: str, gold: str) -> None:
    run, bag, exact = (f(said, [gold]) for f in (substring_f1, bag_f1, exact_match))
    assert 0 <= run <= 1
    assert 0 <= bag <= 1
    assert bag == 1.0 or not exact
    assert substring_f1(gold, [said]) == run
    assert substring_f1(gold, [gold]) == bag_f1(gold, [gold]) == exact_match(gold, [gold]) == 1.0


def counts(*figures: float) -> RefusalCounts:
    return RefusalCounts(*(np.array([figure]) for figure in figures))


def test_refusal_scores_are_worked_out_by_hand() -> None:
    # Refused 3 of 4 unanswerable and 2 of 10 answerable: F1 of refusing 6/9, of answering 16/19.
    found = counts(3, 1, 2, 8)
    assert found.macro_f1()[0] == pytest.approx((6 / 9 + 16 / 19) / 2)
    assert found.over_refusal()[0] == pytest.approx(0.2)
    assert found.right_refusal()[0] == pytest.approx(0.75)


def test_refusing_everything_or_nothing_gives_half_a_macro_f1_at_most() -> None:
    assert counts(5, 0, 5, 0).macro_f1()[0] == pytest.approx((2 / 3) / 2)
    assert counts(0, 5, 0, 5).macro_f1()[0] == pytest.approx((2 / 3) / 2)


def test_without_unanswerable_questions_there_is_no_macro_f1() -> None:
    found = counts(0, 0, 2, 8)
    assert np.isnan(found.macro_f1()[0])
    assert np.isnan(found.right_refusal()[0])
    assert found.over_refusal()[0] == pytest.approx(0.2)


def test_refusals_are_counted_by_kind_of_question() -> None:
    answerable = np.array([True, True, False, False, False])
    refused = np.array([True, False, True, True, False])
    found = RefusalCounts.of(answerable, refused, np.array([[1.0, 1, 1, 1, 1], [0, 2, 0, 3, 0]]))
    assert found.refused_unanswerable.tolist() == [2, 3]
    assert found.answered_unanswerable.tolist() == [1, 0]
    assert found.refused_answerable.tolist() == [1, 0]
    assert found.answered_answerable.tolist() == [1, 2]


def test_percentiles_are_nearest_ranks() -> None:
    seconds = [0.4, 0.1, 0.3, 0.2]
    assert Latency.of(seconds) == Latency(0.2, 0.4, 0.4)
    assert percentile(seconds, 0) == 0.1
    assert percentile(seconds, 75) == 0.3
    with pytest.raises(ValueError, match="0 values"):
        percentile([], 50)


def test_peak_memory_is_that_of_a_python_process() -> None:
    peak = peak_memory_bytes()
    assert peak is not None
    assert 10e6 < peak < 100e9
