"""Schedules of standing questions: what a line says, and when it is due next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.schedules import Schedule

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("after changes", "after changes"),
        ("Every 15 minutes", "every 15 minutes"),
        ("every 120 minutes", "every 2 hours"),
        ("every 1 hour", "every 1 hour"),
        ("daily at 7:05", "daily at 07:05"),
    ],
)
def test_a_line_is_told_again_in_its_plain_form(line: str, told: str) -> None:
    assert Schedule.of(line).line == told
    assert Schedule.of(told) == Schedule.of(line)


@pytest.mark.parametrize(
    "line", ["", "every 0 minutes", "daily at 24:00", "every day", "* * * * *"]
)
def test_a_line_that_says_nothing_is_refused_with_what_is_accepted(line: str) -> None:
    with pytest.raises(InvalidRequest, match="daily at HH:MM") as refused:
        Schedule.of(line)
    assert refused.value.code == "invalid_schedule"


@given(st.integers(0, 23), st.integers(0, 59), st.datetimes(timezones=st.just(UTC)))
def test_daily_is_at_that_local_time_within_a_day_and_a_change_of_clocks(
    hour: int, minute: int, now: datetime
) -> None:
    if not 1975 < now.year < 2200:
        now = now.replace(year=2030, day=min(now.day, 28))
    due = Schedule.of(f"daily at {hour}:{minute:02}").next_after(now)
    assert timedelta() < due - now <= timedelta(hours=26)
    assert (due.astimezone().hour, due.astimezone().minute) == (hour, minute)


def test_every_so_often_counts_from_the_last_time() -> None:
    assert Schedule.of("every 2 hours").next_after(NOON) == NOON + timedelta(hours=2)
    assert Schedule.of("after changes").next_after(NOON) == NOON
