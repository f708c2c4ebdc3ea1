"""What tells of one thing of a series is told from what tells of its likes."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.series import of_others, series_of
from kb_service.language.subjects import subjects_in
from kb_service.language.units import marked

SHIPS = """关于“海丰九号”轮触碰码头的报告

一、概况

“海丰九号”靠泊6号泊位时触碰码头。该轮总长189米。

七、同类事件

同一船东的“海丰六号”去年靠泊7号泊位时亦触碰，当时引航员为方某。靠拢速度0.31米/秒。

八、处理

对引航员暂停资格60日。
"""
KEYS = """Subject: Key bunch 47 unaccounted for

Bunch 47 was found on C wing. It was complete.

Bunch 74 is still out with the works escort. It is expected back at eight.
"""


def kept(question: str, text: str, title: str) -> list[str]:
    asked = parse_question(question)
    units = marked(text).units
    series = series_of(asked, subjects_in(asked))
    left = {place for one in series for place in of_others(units, text, title, one)}
    return [u.span.of(text) for place, u in enumerate(units) if place not in left]


@pytest.mark.parametrize(
    ("question", "told", "other"),
    [
        ("“海丰六号”靠泊的是几号泊位？", "7号泊位", "6号泊位"),
        ("“海丰六号”靠泊的是几号泊位？", "0.31米", "189米"),
        ("“海丰6号”的引航员停了多少天？", "方某", "60日"),
        ("“海丰九号”靠泊的是几号泊位？", "6号泊位", "7号泊位"),
        ("海丰九号的引航员停了多少天？", "60日", "方某"),
        ("海丰九号轮总长多少？", "189米", "海丰六号"),
    ],
)
def test_a_ship_of_the_same_name_is_another_ship(question: str, told: str, other: str) -> None:
    words = " ".join(kept(question, SHIPS, "关于“海丰九号”轮触碰码头的报告"))
    assert told in words and other not in words


@pytest.mark.parametrize(
    ("question", "told", "other"),
    [
        ("When is bunch 74 expected back?", "expected back at eight", "It was complete"),
        ("Where was bunch 47 found?", "found on C wing", "works escort"),
    ],
)
def test_another_number_behind_the_same_word_is_another_thing(
    question: str, told: str, other: str
) -> None:
    words = " ".join(kept(question, KEYS, "Key bunch 47 unaccounted for"))
    assert told in words and other not in words


@pytest.mark.parametrize(
    "question",
    [
        "Who arrived after 40 minutes?",
        "What happened within 30 days of the theft?",
        "4号泵为什么停了？",
        "8月9号的会谁主持？",
        "What does section 12 say?",
        "How many litres did the 3 tanks hold?",
        "Which cable company removed ABC stations in April 2000?",
        "Who was on duty in summer 2018?",
        "Which orders came in Q3 2024?",
        "Who spoke on October 7?",
        "Who was there on January 5, 2021?",
    ],
)
def test_what_counts_or_is_told_by_its_sort_is_of_no_series(question: str) -> None:
    asked = parse_question(question)
    assert series_of(asked, subjects_in(asked)) == ()


def test_a_report_that_names_another_one_in_passing_still_tells_of_its_own() -> None:
    text = "The dashboard of PM-2026-012 found it. Rolled back at 13:40.\n"
    asked = "What found it in PM-2026-031?"
    assert "dashboard" in kept(asked, text, "PM-2026-031: errors")[0]
    listed = f"{text}PM-2026-031 is the later one.\n"
    assert kept(asked, listed, "Errors") == [
        "Rolled back at 13:40.",
        "PM-2026-031 is the later one.",
    ]


def test_where_a_code_is_not_stated_its_likes_are_kept_to_be_shown() -> None:
    text = "The dashboard of PM-2026-012 found it.\n"
    assert len(kept("What found it in PM-2026-031?", text, "Errors")) == 1
