"""Filters that hold beside one another: all that both ask for, or no time that is in both."""

from datetime import datetime

from kb_service.domain.queries import FieldFilter, Filters

MARCH = Filters(time_from=datetime(2025, 3, 1), time_to=datetime(2025, 4, 1))  # noqa: DTZ001  local times
MAY = Filters(time_from=datetime(2025, 5, 1), time_to=datetime(2025, 6, 1))  # noqa: DTZ001  local times
SPRING = Filters(time_from=datetime(2025, 3, 1), time_to=datetime(2025, 6, 1))  # noqa: DTZ001  local times


def test_lists_of_both_have_to_be_met() -> None:
    both = Filters(kind=("fire",), tags=("a",)).both(Filters(kind=("theft",), place=("kiel",)))
    other = FieldFilter("kind", any_of=("theft",))
    assert both == Filters(kind=("fire",), place=("kiel",), tags=("a",), fields=(other,))
    assert Filters(unit=("a", "b")).both(Filters(unit=("b", "a"))) == Filters(unit=("a", "b"))


def test_days_of_both_are_those_in_both() -> None:
    assert SPRING.both(MAY) == MAY
    assert MARCH.both(Filters(time_from=MAY.time_from)) is None


def test_documents_of_both_are_those_in_both() -> None:
    old = Filters(("a", "b"), ("old",), MARCH.time_from, MAY.time_from, labels=("x",))
    new = Filters(("b", "c"), ("new", "old"), SPRING.time_from, MARCH.time_to, labels=("y",))
    both = old.both(new)
    assert both == Filters(
        *(("b",), ("old", "new"), MARCH.time_from, MARCH.time_to), labels=("x", "y")
    )
    assert old.both(Filters()) == Filters().both(old) == old
    assert Filters(("a",)).both(Filters(("c",))) is None
    assert Filters(date_to=MARCH.time_from).both(Filters(date_from=MAY.time_from)) is None
    assert Filters(date_to=MAY.time_from).both(Filters(date_from=MAY.time_from)) is not None


def test_two_values_of_a_column_are_both_asked_for() -> None:
    states = (Filters(fields=(FieldFilter("state", text=one),)) for one in ("open", "closed"))
    both = next(states).both(next(states))
    assert both == Filters(fields=(FieldFilter("state", text="open", any_of=("closed",)),))
