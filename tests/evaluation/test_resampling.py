"""Intervals and tests: seeded, with the properties that make them intervals and tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.evaluation.resampling import Resampling

QUICK = Resampling(seed=3, num_resamples=200)
VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(VALUES)
@settings(max_examples=30)
def test_a_mean_lies_in_its_interval_and_comes_out_the_same_again(values: list[float]) -> None:
    found = QUICK.mean(values)
    assert found.value == pytest.approx(sum(values) / len(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == QUICK.mean(values)


def test_another_seed_gives_other_draws() -> None:
    values = [0.0, 1.0] * 20
    assert QUICK.weights(40).sum(axis=1).tolist() == [40.0] * 200
    assert QUICK.mean(values) != Resampling(4, 200).mean(values)


def test_the_interval_of_a_share_is_near_the_normal_one() -> None:
    found = Resampling(1, 2000).mean([1.0] * 30 + [0.0] * 70)
    margin = 1.96 * (0.3 * 0.7 / 100) ** 0.5
    assert found.low == pytest.approx(0.3 - margin, abs=0.02)
    assert found.high == pytest.approx(0.3 + margin, abs=0.02)


def test_a_system_against_itself_differs_by_nothing() -> None:
    values = [0.2, 0.9, 0.4]
    found = QUICK.compare([(values, values)])
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_system_that_is_better_on_every_question_is_surely_better() -> None:
    found = QUICK.compare([([0.1, 0.5, 0.3], [0.2, 0.6, 0.4])])
    assert found.value == pytest.approx(0.1)
    assert found.low > 0
    assert found.p == pytest.approx(2 / 201)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20))
@settings(max_examples=30)
def test_swapping_the_systems_swaps_the_sign(pairs: list[tuple[float, float]]) -> None:
    first, second = [list(side) for side in zip(*pairs, strict=True)]
    there, back = QUICK.compare([(first, second)]), QUICK.compare([(second, first)])
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-back.high)
    assert there.p == pytest.approx(back.p)


def test_every_set_weighs_the_same_whatever_its_size() -> None:
    small, large = ([0.0], [1.0]), ([0.0] * 99, [0.0] * 99)
    assert QUICK.compare([small, large]).value == pytest.approx(0.5)


def test_sets_of_equal_size_do_not_share_their_draws() -> None:
    # One gains where the other loses: with the same draws the mean would never move.
    gains = [0.0, 1.0] * 10
    found = QUICK.compare([([0.0] * 20, gains), ([0.0] * 20, [-gain for gain in gains])])
    assert found.low < 0 < found.high


def test_draws_without_a_figure_are_left_out_of_the_interval() -> None:
    def only_of_the_last(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, -1] > 0, 1.0, np.nan)

    found = QUICK.figure(5, only_of_the_last)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_what_cannot_be_drawn_is_refused_with_the_accepted_range() -> None:
    with pytest.raises(ValueError, match="at least 100"):
        Resampling(1, 99)
    with pytest.raises(ValueError, match="seed is -1"):
        Resampling(-1)
    with pytest.raises(ValueError, match="2 and 1 values cannot be paired"):
        QUICK.compare([([1.0, 2.0], [1.0])])
    with pytest.raises(ValueError, match="at least one question"):
        QUICK.mean([])
