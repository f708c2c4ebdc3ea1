"""Leaving articles out, and choosing a weight by what was left out."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.fold_data import row_of, write_fold_data
from training.calibrate_fusion import WEIGHTS, Legs, account_of, chosen_weight, parallel_corpus
from training.fold import PARALLEL, held_fold, held_rows

ROWS = [row_of(article, number) for article in range(10) for number in range(4)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_fold_data(tmp_path)


def test_whole_articles_are_left_out_and_the_same_ones_each_time() -> None:
    held = held_rows(ROWS, "title", 20)
    assert len({row["title"] for row in held}) == 2
    assert len(held) == 8
    assert held_rows(list(reversed(ROWS)), "title", 20) == list(reversed(held))


def test_a_part_of_every_set_is_left_out(data: Path) -> None:
    held = held_fold(data)
    assert {name: len(rows) for name, rows in held.items()} == {
        "zh_cmrc2018": 4,
        "zh_drcd": 8,
        "en_squad": 8,
        "en_covidqa": 12,
        PARALLEL: 2,
    }


def test_the_best_weight_is_chosen_where_it_is_clear_whatever_the_sizes_of_the_sets() -> None:
    small, large = np.zeros((len(WEIGHTS), 2)), np.zeros((len(WEIGHTS), 100))
    small[3], large[5] = 0.9, 0.8
    assert chosen_weight([small, large]) == WEIGHTS[3]
    assert chosen_weight([np.zeros((len(WEIGHTS), 2))]) == WEIGHTS[0]


def test_of_weights_that_are_as_good_within_the_error_the_smallest_is_chosen() -> None:
    grid = np.zeros((len(WEIGHTS), 100))
    grid[4, :50], grid[6, :51] = 0.9, 0.9
    assert chosen_weight([grid]) == WEIGHTS[4]


def test_the_account_tells_the_gain_of_the_choice_and_other_languages_do_not_choose() -> None:
    grid, parallel = np.zeros((len(WEIGHTS), 50)), np.zeros((len(WEIGHTS), 50))
    grid[4], parallel[7] = 0.25, 0.9
    account = account_of(["a", "b", PARALLEL], [grid, grid, parallel], [0.5, 0.5, 0.5])
    assert account["dense_weight"] == WEIGHTS[4]
    gains = account["gain_over_weight_0"]
    assert isinstance(gains, dict)
    assert gains["a"] == {"value": 25.0, "low": 25.0, "high": 25.0, "p": 0.002}
    assert gains.keys() == {"a", "b", PARALLEL, "same language"}


def test_a_heavier_dense_leg_lifts_what_only_it_finds() -> None:
    legs = Legs([(1, 5.0)], [[(2, 0.9)]], confidence=0.5, relevant={2})
    assert legs.ndcg(0.0) == 0.0
    assert legs.ndcg(0.1) == pytest.approx(1 / np.log2(3))
    assert legs.dense_ndcg() == 1.0
    assert Legs([(1, 5.0)], [[(2, 0.9)]], confidence=0.1, relevant={2}).ndcg(0.1) == 1.0


def test_a_chinese_clause_asks_for_the_english_paragraph_it_translates() -> None:
    english = "The file is opened in text mode unless the mode says that it is binary. " * 2
    rows = [
        {"en": english, "zh": "除非模式说明是二进制，否则文件以文本模式打开。其余的话。"},
        {"en": english + "More.", "zh": "太短。"},
        {"en": "Short.", "zh": "这一段的英文太短，所以不在其中。"},
    ]
    corpus = parallel_corpus(rows)
    assert len(corpus.documents) == 2
    (question,) = corpus.questions
    assert question.text == "除非模式说明是二进制，否则文件以文本模式打开"
    assert corpus.documents[question.relevant[0].document][1] == english
