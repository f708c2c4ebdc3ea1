"""A reply that has to call a tool begins as one of the calls, and is free behind that."""

from llm.chats.calling import CallConstraint
from llm.constraints import Restriction


def test_only_ids_that_go_on_with_an_opening_are_allowed() -> None:
    rule = CallConstraint([(5, 6, 9), (5, 7, 9), (4, 9)])
    assert rule.restriction([]) == Restriction([4, 5])
    assert rule.restriction([5]) == Restriction([6, 7])
    assert rule.restriction([5, 7]) == Restriction([9])
    assert rule.restriction([4]) == Restriction([9])


def test_behind_a_complete_opening_everything_is_allowed() -> None:
    rule = CallConstraint([(5, 6), (5, 6, 7)])
    assert rule.restriction([5, 6]) is None
    assert rule.restriction([5, 6, 1, 2, 3]) is None
