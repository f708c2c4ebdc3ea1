"""What a question names: every time it tells, and which of them a document has to be of."""

from datetime import date

import pytest

from kb_service.domain.questions import SubjectKind
from kb_service.language.asked import parse_question
from kb_service.services.named import Named, explicit_question, named_in

SUNDAY = date(2026, 11, 29)


def named(text: str) -> Named:
    return named_in(parse_question(text), SUNDAY)


def test_a_document_has_to_be_of_the_days_that_are_asked_for() -> None:
    (time,) = named("What happened last Wednesday?").times
    assert (time.words, time.window.first) == ("last Wednesday", date(2026, 11, 18))
    unmet = named("What happened last Wednesday?").unmet("log\n17 november 2026 fire", "en")
    assert [subject.text for subject in unmet] == ["last Wednesday"]


def test_a_time_that_is_a_subject_is_told_and_not_asked_for_twice() -> None:
    found = named("What happened in March 2024?")
    assert [time.words for time in found.told] == ["March 2024"]
    assert found.times == ()
    assert [subject.text for subject in found.subjects] == ["March 2024"]


def test_one_day_is_written_out_for_the_search() -> None:
    question = parse_question("What happened last Wednesday?")
    explicit = explicit_question(question, named_in(question, SUNDAY))
    assert explicit.text == "What happened last Wednesday (18 November 2026)?"
    assert "date:2026-11-18" in explicit.values


def test_a_half_year_is_asked_for_beside_its_year() -> None:
    found = named("2026年下半年溺水多少起？")
    assert [time.words for time in found.times] == ["2026年下半年"]
    first_half = "2026年上半年全市溺水情况分析\n上半年共发生溺水41起。"
    second_half = "2026年下半年全市溺水情况分析\n下半年共发生溺水41起。"
    assert [subject.text for subject in found.unmet(first_half, "zh")] == ["2026年下半年"]
    assert found.unmet(second_half, "zh") == ()


@pytest.mark.parametrize(
    ("text", "time", "first"),
    [
        ("How many fires in Q1 2026?", "Q1 2026", date(2026, 1, 1)),
        ("In Q3, how many leaks were there?", "Q3", date(2026, 7, 1)),
        ("What broke in H2 2025?", "H2 2025", date(2025, 7, 1)),
        ("Q1有几起火灾", "Q1", date(2026, 1, 1)),
        ("2026年Q2有几起火灾", "2026年Q2", date(2026, 4, 1)),
        ("How many were there in 2026-Q2?", "2026-Q2", date(2026, 4, 1)),
    ],
)
def test_a_quarter_that_looks_like_a_code_is_a_time(text: str, time: str, first: date) -> None:
    """A count in Q1 2026 was refused: there is nothing here about Q1."""
    found = named(text)
    assert [(one.words, one.window.first) for one in found.times] == [(time, first)]
    assert not [s for s in found.subjects if s.kind in (SubjectKind.NAME, SubjectKind.IDENTIFIER)]


@pytest.mark.parametrize("text", ["What did Q2 Ltd deliver?", "When was alarm Q3 raised?"])
def test_a_code_that_looks_like_a_quarter_is_a_name(text: str) -> None:
    assert [s.kind for s in named(text).subjects] == [SubjectKind.NAME]
