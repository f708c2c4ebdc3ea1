"""Whether a text states a day of a stretch of days."""

from datetime import date

import pytest

from kb_service.domain.spans import TextSpan
from kb_service.domain.times import TimeWindow
from kb_service.language.days import is_of_other_days, says_month_of, states_day_of
from kb_service.language.time_words import time_windows


def window(first: date, last: date | None = None) -> TimeWindow:
    return TimeWindow(TextSpan(0, 1), first, last or first)


LATE_JUNE = window(date(2026, 6, 21), date(2026, 6, 30))
SPRING = window(date(2026, 3, 1), date(2026, 5, 31))


@pytest.mark.parametrize(
    ("text", "of", "is_stated"),
    [
        ("2026年6月23日，工地塌方。", LATE_JUNE, True),
        ("2026年6月3日，工地塌方。", LATE_JUNE, False),
        ("2025年6月23日，工地塌方。", LATE_JUNE, False),
        ("The site collapsed on 23 June 2026.", LATE_JUNE, True),
        ("2026年安全通报\n6月23日，工地塌方。", LATE_JUNE, True),
        ("2025年安全通报\n6月23日，工地塌方。", LATE_JUNE, False),
        ("6月23日，工地塌方。", LATE_JUNE, True),
        ("工地塌方，无人伤亡。", LATE_JUNE, True),
        ("April 2026: the store burnt down.", SPRING, True),
        ("August 2026: the store burnt down.", SPRING, False),
        ("2024年统计", SPRING, False),
        ("2026年2月29日", window(date(2026, 2, 28)), False),
    ],
)
def test_a_text_states_a_day_of_the_window(text: str, of: TimeWindow, *, is_stated: bool) -> None:
    assert states_day_of(text, of) is is_stated


SECOND_HALF = window(date(2026, 7, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("title", "is_of_others"),
    [
        ("2026年上半年全市溺水情况分析", True),
        ("2026年第三季度溺水情况分析", False),
        ("2026年度溺水情况分析", False),
        ("Drownings in Q1 2026", True),
        ("Drownings in the second half of 2026", False),
        ("去年溺水情况分析", False),
        ("第二季度溺水情况分析", True),
        ("第三季度溺水情况分析", False),
        ("上半年溺水情况分析", True),
        ("Q2 drownings", True),
        ("Q3 drownings", False),
        ("Drownings last quarter", False),
        ("2026年3月5日溺水事故通报", False),
    ],
)
def test_a_title_that_names_other_quarters_is_of_other_days(
    title: str, *, is_of_others: bool
) -> None:
    assert is_of_other_days(title, SECOND_HALF) is is_of_others


@pytest.mark.parametrize(
    ("asked", "text", "is_said"),
    [
        ("What was disabled in January?", "Disabled in the January migration; 2026.", True),
        ("1月份停用了什么？", "1月份迁移时停用", True),
        ("What was disabled in January?", "Sent on 3 January 2026.", False),
        ("What was disabled in January?", "Sent on January 5, 2026.", False),
        ("What was disabled in January?", "The January 2019 flood.", False),
        ("Who was ill in May?", "They may be ill in 2026.", False),
        ("1月停用了什么？", "11月迁移时停用", False),
        ("一月停用了什么？", "十一月停用", False),
        ("一月停用了什么？", "于一月停用，2019年", False),
        ("What happened last week?", "Last week", False),
    ],
)
def test_a_month_is_also_said_without_a_day(asked: str, text: str, is_said: bool) -> None:
    (told,) = time_windows(asked, date(2026, 11, 28))
    assert says_month_of(text, told.span.of(asked), told) is is_said
