"""What a key may do follows from its rights alone."""

from datetime import UTC, datetime, timedelta

import pytest

from kb_service.domain.errors import RightMissing
from kb_service.domain.people import OPERATOR, STRANGER, Key, Principal, Right, Rights

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def principal(**rights: object) -> Principal:
    return Principal("mary", "key_1", Rights(**rights))  # type: ignore[arg-type]  # of each test


def test_each_right_includes_those_before_it() -> None:
    for number, right in enumerate(Right):
        assert [right.includes(other) for other in Right] == [n <= number for n in range(3)]


def test_the_greater_of_both_rights_counts_in_a_base() -> None:
    rights = Rights(everywhere=Right.WRITE, by_base={"kb_1": Right.READ, "kb_2": Right.MANAGE})
    assert rights.in_base("kb_1") is Right.WRITE
    assert rights.in_base("kb_2") is Right.MANAGE
    assert rights.in_base("kb_3") is Right.WRITE


def test_a_base_without_a_right_is_not_there() -> None:
    mary = principal(by_base={"kb_1": Right.READ})
    assert mary.sees("kb_1")
    assert not mary.sees("kb_2")
    assert mary.bases == {"kb_1"}
    assert principal(everywhere=Right.READ).bases is None
    assert OPERATOR.bases is None
    assert STRANGER.bases == frozenset()


@pytest.mark.parametrize("held", Right)
@pytest.mark.parametrize("needed", Right)
def test_an_act_needs_its_right(held: Right, needed: Right) -> None:
    mary = principal(by_base={"kb_1": held})
    if held.includes(needed):
        mary.require("kb_1", needed)
        return
    with pytest.raises(RightMissing) as caught:
        mary.require("kb_1", needed)
    assert caught.value.code == "right_missing"
    assert caught.value.details == {"needed": str(needed), "held": str(held)}


def test_only_an_administrator_administers() -> None:
    OPERATOR.require_admin()
    with pytest.raises(RightMissing) as caught:
        principal(everywhere=Right.MANAGE).require_admin()
    assert caught.value.details == {"needed": "admin", "held": None}


def test_personal_data_is_for_administrators_and_for_who_was_given_the_right() -> None:
    assert OPERATOR.sees_personal
    assert principal(see_personal=True).sees_personal
    assert not principal(everywhere=Right.MANAGE).sees_personal
    assert not STRANGER.sees_personal


def test_what_a_key_made_is_its_own_and_what_nobody_made_nobodys() -> None:
    mary = principal()
    assert mary.owns("key_1")
    assert not mary.owns("key_2")
    assert not mary.owns("")
    assert not STRANGER.owns("")
    assert OPERATOR.owns("key_2")


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    def key(expires_at: datetime | None, revoked_at: datetime | None) -> Key:
        return Key("key_1", "mary", "", Rights(), NOW, None, expires_at, revoked_at)

    assert key(None, None).is_valid(NOW)
    assert key(NOW + timedelta(seconds=1), None).is_valid(NOW)
    assert not key(NOW, None).is_valid(NOW)
    assert not key(None, NOW).is_valid(NOW)
