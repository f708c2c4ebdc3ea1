"""The days that a question speaks of, however it tells them."""

from datetime import date

import pytest

from kb_service.domain.times import Period
from kb_service.language.asked import parse_question
from kb_service.language.periods import days_meant, period_of
from kb_service.language.subjects import subjects_in
from kb_service.language.time_words import time_windows

SUNDAY = date(2026, 11, 29)


def period(text: str) -> Period | None:
    question = parse_question(text)
    return period_of(subjects_in(question), time_windows(text, SUNDAY))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("上周三发生了什么事故？", "2026-11-18", "2026-11-18"),
        ("What happened last Tuesday?", "2026-11-17", "2026-11-17"),
        ("2024年8月17日中环数据中心发生了什么？", "2024-08-17", "2024-08-17"),
        ("2024年2月发生了几起事故？", "2024-02-01", "2024-02-29"),
        ("2023年有多少起事故？", "2023-01-01", "2023-12-31"),
        ("Which fires happened in 2021?", "2021-01-01", "2021-12-31"),
        ("Which fires happened in the third quarter of 2021?", "2021-07-01", "2021-09-30"),
        ("Which fires happened between 2023-03-01 and 2023-04-02?", "2023-03-01", "2023-04-02"),
    ],
)
def test_a_question_speaks_of_the_days_from_the_first_to_the_last(
    text: str, first: str, last: str
) -> None:
    assert period(text) == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "text", ["泄漏的原因是什么？", "8月17日的泄漏原因是什么？", "Who cut 1200 bolts?"]
)
def test_without_a_year_or_a_time_it_speaks_of_no_days(text: str) -> None:
    assert period(text) is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("上周三发生了什么事故？", ["2026年11月18日"]),
        ("What happened last Wednesday?", ["18 November 2026"]),
        ("What happened in March 2024?", []),
        ("2024年8月发生了几起事故？", []),
    ],
)
def test_only_days_that_are_not_written_out_are_told(text: str, days: list[str]) -> None:
    assert days_meant(parse_question(text), time_windows(text, SUNDAY)) == days
