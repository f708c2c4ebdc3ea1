"""From when until when a question asks, by the words around the days that it names."""

from datetime import date

import pytest

from kb_service.domain.spans import TextSpan
from kb_service.language.time_bounds import Stretch, bounds_in

D = date.fromisoformat


def stretch(text: str, words: str, first: str, last: str) -> Stretch:
    start = text.index(words)
    return Stretch(TextSpan(start, start + len(words)), D(first), D(last))


@pytest.mark.parametrize(
    ("text", "words", "first", "last", "read"),
    [
        ("5月10号以后有几起", "5月10号", "2025-05-11", None, "5月10号以后"),
        ("5月10号以前有几起", "5月10号", None, "2025-05-09", "5月10号以前"),
        ("自5月10号以来几起", "5月10号", "2025-05-10", None, "自5月10号以来"),
        ("5月10号起几次", "5月10号", "2025-05-10", None, "5月10号起"),
        ("5月10号起火几次", "5月10号", "2025-05-10", "2025-05-10", "5月10号"),
        ("截至5月10号几起", "5月10号", None, "2025-05-10", "截至5月10号"),
        ("5月10号几起", "5月10号", "2025-05-10", "2025-05-10", "5月10号"),
        ("calls after May 10, how many", "May 10", "2025-05-11", None, "after May 10"),
        ("calls before May 10", "May 10", None, "2025-05-09", "before May 10"),
        ("calls since May 10", "May 10", "2025-05-10", None, "since May 10"),
        ("calls up to May 10", "May 10", None, "2025-05-10", "up to May 10"),
        ("calls on May 10", "May 10", "2025-05-10", "2025-05-10", "on May 10"),
    ],
)
def test_words_beside_days_open_or_close_them(
    text: str, words: str, first: str | None, last: str | None, read: str
) -> None:
    (bound,) = bounds_in(text, [stretch(text, words, "2025-05-10", "2025-05-10")])
    assert (bound.first, bound.last) == (first and D(first), last and D(last))
    assert bound.span.of(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "从3月1日起到5月10日几起",
        "3月1日至5月10日几起",
        "3月1日和5月10日之间几起",
        "from 3月1日 to 5月10日",
        "between 3月1日 and 5月10日",
        "from 3月1日 until 5月10日",
    ],
)
def test_two_times_that_are_joined_are_one_stretch(text: str) -> None:
    days = [
        stretch(text, "3月1日", "2025-03-01", "2025-03-01"),
        stretch(text, "5月10日", "2025-05-10", "2025-05-10"),
    ]
    (bound,) = bounds_in(text, days)
    assert (bound.first, bound.last) == (D("2025-03-01"), D("2025-05-10"))


def test_a_stretch_that_is_named_as_one_ends_where_it_ends() -> None:
    text = "From January to March 2025, how many"
    (bound,) = bounds_in(text, [stretch(text, "January to March 2025", "2025-01-01", "2025-03-31")])
    assert (bound.first, bound.last) == (D("2025-01-01"), D("2025-03-31"))


def test_two_times_beside_each_other_stay_two() -> None:
    text = "3月和5月一共几起"
    days = [
        stretch(text, "3月", "2025-03-01", "2025-03-31"),
        stretch(text, "5月", "2025-05-01", "2025-05-31"),
    ]
    assert len(bounds_in(text, days)) == 2


def test_an_end_without_its_year_lies_behind_the_beginning() -> None:
    text = "从2025年3月1日起到年底"
    days = [
        stretch(text, "2025年3月1日", "2025-03-01", "2025-03-01"),
        stretch(text, "年底", "2024-11-01", "2024-12-31"),
    ]
    (bound,) = bounds_in(text, days)
    assert bound.last == D("2025-12-31")


@pytest.mark.parametrize(
    ("text", "month", "dated"),
    [("calls in March and May 2024", "March", "May 2024"), ("2024年5月和3月", "3月", "2024年5月")],
)
def test_a_month_beside_a_dated_one_is_of_its_year(text: str, month: str, dated: str) -> None:
    days = [
        stretch(text, month, "2025-03-01", "2025-03-31"),
        stretch(text, dated, "2024-05-01", "2024-05-31"),
    ]
    assert {bound.first for bound in bounds_in(text, days)} == {D("2024-03-01"), D("2024-05-01")}


def test_last_year_beside_a_dated_year_stays_last_year() -> None:
    text = "2022年和去年"
    days = [
        stretch(text, "2022年", "2022-01-01", "2022-12-31"),
        stretch(text, "去年", "2024-01-01", "2024-12-31"),
    ]
    assert [bound.first for bound in bounds_in(text, days)] == [D("2022-01-01"), D("2024-01-01")]


def test_an_end_without_a_year_lies_behind_its_beginning() -> None:
    text = "去年春节以后到五一之前几起"
    days = [
        stretch(text, "去年春节", "2024-02-10", "2024-02-10"),
        stretch(text, "五一", "2025-05-01", "2025-05-05"),
    ]
    begin, end = bounds_in(text, days)
    assert (begin.first, end.last) == (D("2024-02-11"), D("2024-04-30"))
    text = "去年春节以后到今年五一之前几起"
    days = [
        stretch(text, "去年春节", "2024-02-10", "2024-02-10"),
        stretch(text, "今年五一", "2025-05-01", "2025-05-05"),
    ]
    assert bounds_in(text, days)[1].last == D("2025-04-30")
