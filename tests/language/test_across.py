"""What the words of a question over many documents ask for, its numbers read whole."""

import pytest

from kb_service.domain.record_queries import Counted
from kb_service.language.across import Range, is_record_noun, sketch_of, without_title
from kb_service.language.text import normalise


@pytest.mark.parametrize(
    ("question", "field", "low", "high"),
    [
        ("incidents with at least one killed", "dead", 1, None),
        ("incidents in which one person died", "dead", 1, 1),
        ("incidents with at least twenty injured", "injured", 20, None),
        ("incidents with 1,200 or more injured", "injured", 1200, None),
        ("incidents with losses of at least 300,000", "loss", 300_000, None),
        ("incidents with losses of at least 2 million", "loss", 2_000_000, None),
        ("incidents with at least two thousand injured", "injured", 2000, None),
        ("损失不少于3百万元的有多少起", "loss", 3_000_000, None),
        ("损失不少于1,200万元的有几起", "loss", 12_000_000, None),
        ("损失不少于1.5亿元的有几起", "loss", 150_000_000, None),
        ("死亡十人以上的事故", "dead", 10, None),
    ],
)
def test_a_number_is_read_whole(question: str, field: str, low: float, high: float | None) -> None:
    sketch = sketch_of(normalise(question))
    assert sketch.ranges == [Range(field, low, high)]
    assert not sketch.rest


def test_more_and_less_leave_the_number_out() -> None:
    (more,) = sketch_of("incidents with losses over 300,000").ranges
    (less,) = sketch_of("损失不到三百万元的事故").ranges
    assert more.low is not None and 300_000 < more.low < 300_001
    assert less.high is not None and 2_999_999 < less.high < 3_000_000


def test_so_many_of_an_order_are_shown() -> None:
    assert sketch_of("top ten incidents by losses").top == 10
    assert sketch_of("损失最大的三起事故").top == 3


def test_a_title_before_a_name_is_no_part_of_it() -> None:
    assert without_title("sgt. boone") == without_title("chief officer boone") == "boone"
    assert without_title("chief") == "chief"


def test_what_something_is_counts_no_incidents() -> None:
    assert sketch_of("冷却塔风机的叶片报价是多少").counts is None
    assert sketch_of("上个月的火灾有多少").counts is Counted.INCIDENTS


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("who first reported the phishing mail of 3 June?", None),
        ("when was the leak first noticed?", None),
        ("who was first on scene at the pier?", None),
        ("which was the first fire of 2025?", "earliest"),
        ("which was the first shed fire of 2025?", "earliest"),
        ("最先发现火情的是谁", None),
        ("谁最早报警", None),
        ("首次发生泄漏是什么时候", "earliest"),
        ("最早的一起火灾是哪起", "earliest"),
    ],
)
def test_who_was_first_to_do_something_is_no_order_of_records(
    question: str, order: str | None
) -> None:
    assert sketch_of(normalise(question)).order == order


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("不良事件有几起?", []),
        ("今年一共来过几次电话?", ["今年"]),
        ("打来的有多少?", []),
        ("全厂一共出了几起?", []),
        ("全院停电几次?", ["全院停电"]),  # what went out is part of what is counted
        ("打伤的有几起?", ["打"]),
    ],
)
def test_words_for_what_comes_in_restrict_nothing(question: str, rest: list[str]) -> None:
    assert sketch_of(question).rest == rest


def test_a_column_of_what_was_wrong_is_no_name_for_records() -> None:
    assert is_record_noun("不良事件") and not is_record_noun("异常情况")


def test_a_telephone_is_no_record_where_none_is_counted() -> None:
    assert sketch_of("报警人的电话是多少?").counts is None
    assert "电话" in sketch_of("报警人的电话是多少?").rest


@pytest.mark.parametrize("words", ["数一数", "排一下", "列出来"])
def test_asking_to_put_in_order_asks_for_nothing_more(words: str) -> None:
    sketch = sketch_of(f"火灾按月份{words}")
    assert (sketch.by, sketch.rest) == ("month", ["火灾"])
