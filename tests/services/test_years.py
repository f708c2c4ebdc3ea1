"""Days without a year: the latest year that begins them, has records of them, or is named."""

from datetime import date, datetime
from typing import Any

import pytest

from kb_service.domain.queries import Filters
from kb_service.domain.query_json import query_json
from kb_service.domain.times import Period
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import Planned, planned_for
from tests.services.known_values import KnownValues

TODAY = date(2026, 11, 30)
BASE = KnownValues(
    {
        "kind": ("fire", "theft"),
        "time": ("2023-03-05", "2024-02-29", "2025-03-03", "2025-08-20", "2026-04-01"),
        "injured": (),
    }
)


def plan(text: str, given: Filters | None = None) -> Planned:
    question = parse_question(text)
    named = named_in(question, TODAY)
    planned = planned_for(question, named, given or Filters(), "kb_1", BASE, TODAY)
    assert planned is not None
    return planned


def days(planned: Planned) -> tuple[str, str]:
    assert planned.query
    filters: dict[str, Any] = query_json(planned.query)["filters"]
    return filters["time_from"][:10], filters["time_to"][:10]


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("how many fires in March?", "2025-03-01", "2025-04-01"),
        ("3月份有几起火灾", "2025-03-01", "2025-04-01"),
        ("三月里有几起", "2025-03-01", "2025-04-01"),
        ("3月上旬有几起火灾", "2025-03-01", "2025-03-11"),
        ("how many fires on 20 August", "2025-08-20", "2025-08-21"),
        ("8月20日有几起", "2025-08-20", "2025-08-21"),
        ("how many fires between June and August", "2025-06-01", "2025-09-01"),
        ("6月到8月几起火灾", "2025-06-01", "2025-09-01"),
        ("how many fires in February", "2024-02-01", "2024-03-01"),
    ],
)
def test_a_month_without_a_year_is_the_latest_with_records(
    text: str, first: str, after: str
) -> None:
    planned = plan(text)
    assert days(planned) == (first, after)
    (_, meant) = planned.moved[0]
    assert f"{meant.first}" == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("how many fires in March 2026", "2026-03-01"),
        ("2026年3月有几起火灾", "2026-03-01"),
        ("今年3月有几起火灾", "2026-03-01"),
        ("去年5月有几起火灾", "2025-05-01"),
        ("how many fires last May", "2026-05-01"),
        ("how many fires in April", "2026-04-01"),
        ("how many fires in June", "2026-06-01"),
        ("上半年有几起火灾", "2026-01-01"),
    ],
)
def test_a_year_that_is_named_or_needs_no_other_is_kept(text: str, first: str) -> None:
    planned = plan(text)
    assert days(planned)[0] == first and not planned.moved


def test_days_are_of_the_year_that_the_question_names_beside_them() -> None:
    planned = plan("2023年的火灾里3月份有几起")
    assert days(planned) == ("2023-03-01", "2023-04-01") and not planned.moved


def test_days_are_of_the_year_that_was_picked() -> None:
    year = Filters(time_from=datetime(2023, 1, 1), time_to=datetime(2024, 1, 1))  # noqa: DTZ001  local times
    assert days(plan("how many fires in March?", year)) == ("2023-03-01", "2023-04-01")


def test_the_days_that_are_not_meant_are_told() -> None:
    told = Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2025, 3, 1), date(2025, 3, 31))
    assert plan("3月份有几起火灾").moved == (told,)
