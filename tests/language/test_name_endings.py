"""Whom a question is about: names by their endings and capitals, kinds of accidents."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.name_endings import (
    latin_names,
)


@pytest.mark.parametrize(
    ("question", "subjects"),
    [
        ("江南港务集团2号仓库的机械伤害的直接原因是什么", ("江南港务",)),
        ("东方石化有限公司火灾的直接原因是什么？", ("东方石化",)),
        ("博源热力公司触电事故的直接原因？", ("博源热力",)),
        ("2021年1月15日永固建材公司停机的损失？", ("永固建材",)),
        ("云岭市中环数据中心触电事故", ("云岭", "中环数据")),
        ("位于石门县的火灾", ("石门",)),
    ],
)
def test_chinese_names_are_found_by_their_endings_and_stand_without_them(
    question: str, subjects: tuple[str, ...]
) -> None:
    assert parse_question(question).subjects == subjects


@pytest.mark.parametrize(
    "question",
    [
        "罗保铭本科毕业于哪所大学？",
        "我们公司的年假有几天？",
        "拉脱维亚有多少个学院？",
        "保险公司的职责是什么？",
        "大型超市的消防要求",
        "《中华人民共和国商业银行法》的目的",
        "县长由谁任命？",
        "盐排高速公路位于哪座城市？",
        "SG-2024-001中江南港务集团的罚款是多少？",
    ],
)
def test_what_is_asked_for_or_a_sort_of_place_or_stands_beside_an_identifier_is_no_subject(
    question: str,
) -> None:
    assert parse_question(question).subjects == ()


def test_latin_names_are_capitalised_words_that_do_not_begin_the_question() -> None:
    assert latin_names(parse_question("What was the weather at Seward?")) == ("seward",)
    assert latin_names(parse_question("When did Chevroux's crash in May occur on Monday?")) == (
        "chevroux",
    )
    assert latin_names(parse_question("Weather at noon?")) == ()
    assert latin_names(parse_question("What did Lewis say of NYC08CA055?")) == ()
