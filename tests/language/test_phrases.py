"""The phrases that the unread words of a question stand in, and which words are none."""

import pytest

from kb_service.language.exclusions import leaves_out
from kb_service.language.phrases import phrases_in


@pytest.mark.parametrize(
    ("words", "unread", "phrases"),
    [
        ("摔倒的有几起?", ("摔倒",), ("摔倒",)),
        ("how many incidents with falls?", ("falls",), ("falls",)),
        ("没戴安全帽的有几起", ("没戴安全帽",), ("没戴安全帽",)),
        ("把x光片拿错的有几起", ("x光片拿错",), ("x光片拿错",)),
        # Neighbours are one, with what stands between them.
        ("发错药和摔倒的有几起", ("发错药", "摔倒"), ("发错药和摔倒",)),
        (
            "how many incidents with a visitor falling on wet floor",
            ("wet floor", "visitor falling"),
            ("visitor falling on wet floor",),
        ),
        ("病人在卫生间里摔倒", ("病人", "卫生间", "摔倒"), ("病人在卫生间里摔倒",)),
        ("电梯困人的", ("电梯困", "困人"), ("电梯困人",)),
        # Clauses, and what was read between them, keep them apart.
        ("摔倒的,家属争吵的有几起", ("摔倒", "争吵"), ("摔倒", "争吵")),
        ("滑倒 ,,,,,,, 烫手的", ("滑倒", "烫手"), ("滑倒", "烫手")),
        ("滑倒(烫手)", ("滑倒", "烫手"), ("滑倒", "烫手")),
        ("burst pipes    wet floor", ("burst pipes", "wet floor"), ("burst pipes", "wet floor")),
        (f"摔倒{'的' * 17}烫手", ("摔倒", "烫手"), ("摔倒", "烫手")),
        (f"摔倒{'的' * 16}烫手", ("摔倒", "烫手"), (f"摔倒{'的' * 16}烫手",)),
        # The same one twice is one.
        ("摔倒的几起,摔倒的", ("摔倒",), ("摔倒",)),
    ],
)
def test_a_phrase_goes_from_its_first_unread_word_to_its_last(
    words: str, unread: tuple[str, ...], phrases: tuple[str, ...]
) -> None:
    assert phrases_in(words, unread) == phrases


def test_nothing_unread_is_no_phrase() -> None:
    assert phrases_in("有几起?", ()) == ()


@pytest.mark.parametrize(
    ("words", "unread"),
    [
        ("摔倒的有几起", ("摔倒", "injured")),
        ("摔倒的有几起", ("坠床",)),
        ("摔倒的平均有几起", ("平均数", "摔倒")),
    ],
)
def test_where_an_unread_word_does_not_stand_in_the_question_none_can_be_judged(
    words: str, unread: tuple[str, ...]
) -> None:
    assert phrases_in(words, unread) == ()


@pytest.mark.parametrize(
    "unread",
    [
        # Numbers, dates and what is called by one.
        *("三人以上摔倒", "摔倒3次", "五月三日摔倒", "2024-05-03 falls", "more than 20 minutes"),
        *("hz-2024-017", "3", "摔倒,超过20分钟"),
        # Times of day.
        *("早上摔倒", "夜间摔倒", "凌晨两点摔倒", "八点半摔倒", "傍晚"),
        *("night shift", "in the afternoon", "falls at 3 pm", "at midnight", "weekends"),
        # What is left out.
        *("摔倒不算坠床", "除了摔倒", "除开摔倒", "摔倒以外", "摔倒之外", "不包括坠床", "剔除坠床"),
        *("falls other than of visitors", "falls except burns", "falls excluding burns"),
        *("apart from falls", "falls without counting burns", "falls but not burns"),
        *("not just falls", "falls aside"),
        # No word.
        *("摔", "x", "??", "%"),
    ],
)
def test_numbers_times_and_what_is_left_out_are_no_sort_of_happening(unread: str) -> None:
    pieces = unread.split(",")
    assert phrases_in(f"{unread} 的有几起", pieces) == ()


def test_one_that_is_none_leaves_none_of_the_others() -> None:
    assert phrases_in("摔倒的,夜间的有几起", ("摔倒", "夜间")) == ()
    assert phrases_in("摔倒的,家属的有几起", ("摔倒", "家属")) == ("摔倒", "家属")


@pytest.mark.parametrize("words", ["除摔倒外其他", "除摔倒外", "除摔倒以外", "摔倒除外"])
def test_what_is_left_out_without_a_word_more_is_no_phrase_either(words: str) -> None:
    assert phrases_in(f"{words}有几起", (words,)) == ()


@pytest.mark.parametrize(
    "words",
    [
        *("不戴安全帽", "非法停车", "除草机伤人", "清除不净", "三轮车翻倒", "一点小伤"),
        *("not wearing a helmet", "nothing to hold on to", "knight statue damaged"),
    ],
)
def test_what_only_sounds_like_it_is_one(words: str) -> None:
    assert phrases_in(f"{words}的有几起", (words,)) == (words,)


@pytest.mark.parametrize(
    ("words", "is_so"),
    [
        ("除了火灾", True),
        ("火灾以外", True),
        ("是不是火灾", False),
        ("是不算工伤", False),
        ("does not count", False),
        ("without counting thefts", True),
        ("thefts excluded", True),
        ("exceptional weather", False),
        ("besides thefts", True),
        ("bedside falls", False),
    ],
)
def test_whether_words_leave_something_out(words: str, is_so: bool) -> None:
    assert leaves_out(words) is is_so
