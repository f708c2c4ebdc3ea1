"""What the bench of phrases counts."""

import numpy as np
import pytest

from benchmarks.phrases import area_under, found_at, phrases_of
from training.phrases.records import WrittenRecord


@pytest.mark.parametrize(
    ("scores", "area"),
    [((4, 3, 2, 1), 1.0), ((1, 2, 3, 4), 0.0), ((4, 1, 3, 2), 0.5), ((1, 1, 1, 1), 0.5)],
)
def test_the_area_is_how_often_a_fitting_one_is_above_another(
    scores: tuple[float, ...], area: float
) -> None:
    assert area_under(np.array(scores, dtype=float), np.array([1.0, 1.0, 0.0, 0.0])) == area


def test_what_is_found_is_the_most_that_any_threshold_finds_precisely_enough() -> None:
    scores, fits = np.array([9.0, 8, 7, 6, 5]), np.array([1.0, 0, 1, 1, 0])
    assert found_at(scores, fits, 1.0) == pytest.approx(1 / 3)
    assert found_at(scores, fits, 0.75) == 1.0  # a later threshold may be more precise again
    assert found_at(-scores, fits, 0.9) == 0.0


def test_phrases_that_fit_stand_first() -> None:
    assert phrases_of(WrittenRecord("d", "t", ("a", "b"), ("c",))) == ("a", "b", "c")
