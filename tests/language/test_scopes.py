"""What was counted is said in the words of the question, each thing once."""

from datetime import datetime

import pytest

from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.tables import filters_in_words, scope

YEAR = {"time_from": datetime(2025, 1, 1), "time_to": datetime(2026, 1, 1)}  # noqa: DTZ001
WRITTEN = FieldFilter("kind", any_of=("gas leak",))


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(kind=("leak",), **YEAR), "2025 \xb7 leak: "),
        (Filters(kind=("leak",), fields=(WRITTEN,), **YEAR), "2025 \xb7 gas leak: "),
        (Filters(kind=("leak",), fields=(FieldFilter("kind", text="gas leak"),)), "gas leak: "),
        (
            Filters(kind=("leak",), fields=(WRITTEN, FieldFilter("injured", min=2, max=2))),
            "gas leak \xb7 injured = 2: ",
        ),
        (
            Filters(kind=("leak",), fields=(FieldFilter("kind", none_of=("gas leak",)),)),
            "leak \xb7 kind \u2260 gas leak: ",
        ),
        (Filters(), ""),
    ],
)
def test_a_kind_is_said_once(filters: Filters, said: str) -> None:
    assert scope(filters, "en") == said


def test_filters_that_can_be_taken_away_are_each_told() -> None:
    filters = Filters(kind=("leak",), fields=(WRITTEN,))
    assert filters_in_words(filters, "en") == ["leak", "kind gas leak"]


def test_numbers_are_told_as_people_write_them() -> None:
    fields = (
        FieldFilter("loss", min=2_000_000),
        FieldFilter("duration", min=0.5, max=1_234_567.25),
        FieldFilter("fine", min=12_345_678, max=12_345_678),
    )
    assert filters_in_words(Filters(fields=fields), "en") == [
        "loss \u2265 2000000",
        "duration \u2265 0.5 \u2264 1234567.25",
        "fine = 12345678",
    ]
