"""A stretch of time is called by its period, or by its first day and the last."""

from datetime import datetime

import pytest

from kb_service.domain.record_periods import stretch_label


def day(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


@pytest.mark.parametrize(
    ("begin", "end", "label"),
    [
        ("2026-01-01", "2027-01-01", "2026"),
        ("2026-04-01", "2026-07-01", "2026-Q2"),
        ("2026-03-01", "2026-04-01", "2026-03"),
        ("2024-02-29", "2024-03-01", "2024-02-29"),
        ("2026-03-01", "2026-03-16", "2026-03-01 \u2013 2026-03-15"),
        ("2026-03-01", "2026-03-01T06:00", "2026-03-01 \u2013 2026-03-01"),
        ("2026-03-01", "", "2026-03-01 \u2013"),
        ("", "2026-03-01", "\u2013 2026-02-28"),
    ],
)
def test_a_stretch_is_called_by_its_period_or_its_days(begin: str, end: str, label: str) -> None:
    assert stretch_label(day(begin), day(end)) == label
