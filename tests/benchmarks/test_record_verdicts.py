"""Conditions select the made-up records that they say."""

import pytest

from benchmarks.record_verdicts import Held

ROWS = {
    ("a", 0): {"kind": "fire", "injured": "2", "time": "2024-05-31T23:59"},
    ("b", 0): {"kind": "theft", "injured": "", "time": "2024-06-01T00:00"},
    ("c", 0): {"kind": "fall", "injured": "unknown", "time": "2024-07-01T10:00"},
    ("d", 0): {"kind": "fall", "injured": "0", "time": "2025-01-01T00:00"},
}


@pytest.mark.parametrize(
    ("wanted", "documents"),
    [
        ("", "abcd"),
        ("kind=fire|theft", "ab"),
        ("kind!=fire|theft", "cd"),
        ("injured>=0", "ad"),
        ("injured<=1", "d"),
        ("injured<2", "d"),
        ("injured>2", ""),
        ("from=2024-06-01; to=2025-01-01", "bc"),
        ("kind=fall; injured=0", "d"),
    ],
)
def test_conditions_select_what_they_say(wanted: str, documents: str) -> None:
    assert {name for name, _ in Held(ROWS).passing(wanted)} == set(documents)


def test_a_field_is_known_by_its_columns() -> None:
    held = Held(ROWS, {"stay": ("minutes kept",)})
    assert held.states("stay", "Minutes kept (total)")
    assert held.states("injured", "injured")
    assert not held.states("stay", "injured")
