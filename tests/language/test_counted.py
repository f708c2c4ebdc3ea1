"""How many of something: what can say so, and what is an amount, a date or a length."""

import pytest

from kb_service.language.counted import (
    asks_how_many,
    can_count,
    says_how_often,
    says_several,
    says_whole,
)


@pytest.mark.parametrize(
    ("asked", "is_count"),
    [
        ("how many claims were paid out?", True),
        ("how many people were hurt", True),
        ("how many hours did it last", False),
        ("how many dollars were lost", False),
        ("how much was paid", False),
        ("几笔赔付了", True),
        ("停机的有几台", True),
        ("多少人受伤", True),
        ("几个小时修好的", False),
        ("赔了多少钱", False),
        ("第几次检查", False),
    ],
)
def test_how_many_is_asked_of_things_and_not_of_what_is_measured(
    asked: str, is_count: bool
) -> None:
    assert asks_how_many(asked) is is_count


@pytest.mark.parametrize(
    ("before", "words", "behind", "counts"),
    [
        ("; Paid out (EUR): ", "71000", "; State: settled", False),
        ("；赔付金额（元）：", "198000", "；处理状态", False),
        ("停机时长（分钟）: ", "35", "; 验收人", False),
        ("the damage came to ", "EUR 420,000", ".", False),
        ("the damage came to $", "420,000", ".", False),
        ("it lasted ", "35", " minutes", False),
        ("损失", "12万元", "。", False),
        ("on ", "3 March 2025", ", a", False),
        ("发生时间：", "2025年3月3日", "\n", False),
        ("case ", "CL-2025-003", ";", False),
        ("Injured: ", "5", "\n", True),
        ("Visitors affected: ", "12", "; State", True),
        ("受伤人数：", "5人", "", True),
        ("there were ", "three", " of them", True),
        ("hurt: ", "none", "", True),
        ("当天有", "5人", "受伤", True),
        ("白天到场", "3人", "，", True),
        ("涉及", "3个单元", "。", True),
        ("关闭", "3家分公司", "。", True),
        ("影响", "12户天然气用户", "。", True),
        ("其中", "2名天津籍工人", "。", True),
        ("撤出", "3分公司", "。", True),
        ("That day ", "5 people", " were hurt", True),
        ("came ", "40 people within 20 minutes", ".", True),
        ("历时", "20分钟", "内", False),
        ("用时", "3天", "。", False),
        ("cost ", "$2.4 million", " in all", False),
    ],
)
def test_an_amount_a_length_and_a_date_are_no_number_of_things(
    before: str, words: str, behind: str, counts: bool
) -> None:
    assert can_count(words, before, behind) is counts


@pytest.mark.parametrize(
    "words", ["3", "two times", "Twice by night", "never", "None", "两次", "从未", "多次"]
)
def test_words_that_say_how_often(words: str) -> None:
    assert says_how_often(words)


@pytest.mark.parametrize("words", ["Put the time the phone rang", "NOT YET", "陈先生", "Stand"])
def test_words_that_do_not(words: str) -> None:
    assert not says_how_often(words)


@pytest.mark.parametrize(
    "words",
    [
        "£1160 in total",
        "totalling 40 hours",
        "ALL TOLD, nine days",
        "it comes to 12 altogether",
        "全年共赔付22622元",
        "合计3.2万元",
        "总损失约12万元",
        "加起来31小时",
    ],
)
def test_words_that_tell_the_whole_of_many(words: str) -> None:
    assert says_whole(words)


@pytest.mark.parametrize(
    "words",
    ["£75 is agreed", "all of us", "公共汽车停运3小时", "总经理到场", "共同处置"],
)
def test_words_that_tell_of_one(words: str) -> None:
    assert not says_whole(words)


def test_words_that_tell_several_numbers() -> None:
    assert says_several("7 at Mercer House and 6 at Tannery Court")
    assert says_several("一月三起，二月五起")
    assert not says_several("up to £50 in each case")
    assert not says_several("3月9日停水31小时，赔付用户4560元")
    assert not says_several("40 people waited for 3 hours")
    assert not says_several("on 3 March 2025 two of us waited")
