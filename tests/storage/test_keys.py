"""Keys are found by the hash of their secret; rights go with their base, rows stay."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from kb_service.domain.errors import Conflict, NotFound
from kb_service.domain.people import Right, Rights
from kb_service.storage.people.store import Keys
from tests.storage.world import World, sha256

HASH = sha256(b"secret")


@pytest.fixture
def keys(world: World) -> Keys:
    return Keys(world.database, world.clock)


def test_a_key_is_found_with_its_rights_by_its_hash(world: World, keys: Keys) -> None:
    kb_id = world.catalog.bases.create("reports").id
    rights = Rights(everywhere=Right.READ, by_base={kb_id: Right.MANAGE}, see_personal=True)
    made = keys.add("mary", "Mary", HASH, rights, world.clock() + timedelta(days=1))
    assert keys.of_hash(HASH) == (HASH, made)
    assert keys.of_hash(sha256(b"other")) is None
    assert keys.get("mary") == keys.get(made.id) == made


def test_a_right_goes_with_its_base_and_comes_back_with_none_of_that_name(
    world: World, keys: Keys
) -> None:
    bases = world.catalog.bases
    kb_id = bases.create("reports").id
    keys.add("mary", "", HASH, Rights(by_base={kb_id: Right.WRITE}), None)
    bases.delete(kb_id)
    again = bases.create("reports").id
    rights = keys.get("mary").rights
    assert rights.by_base == {}
    assert rights.in_base(again) is None


def test_a_right_in_a_base_that_is_not_there_makes_no_key(keys: Keys) -> None:
    with pytest.raises(NotFound):
        keys.add("mary", "", HASH, Rights(by_base={"kb_gone": Right.READ}), None)
    assert keys.listed() == ()
    assert not keys.any()


def test_two_valid_keys_never_have_one_name(keys: Keys) -> None:
    first = keys.add("mary", "", HASH, Rights(is_admin=True), None)
    with pytest.raises(Conflict) as caught:
        keys.add("mary", "", sha256(b"other"), Rights(), None)
    assert caught.value.code == "key_name_taken"
    keys.revoke(first.id)
    second = keys.add("mary", "", sha256(b"other"), Rights(), None)
    assert keys.get("mary") == second
    assert [key.id for key in keys.listed()] == [second.id, first.id]


def test_a_key_is_revoked_once(world: World, keys: Keys) -> None:
    made = keys.add("mary", "", HASH, Rights(), None)
    first = keys.revoke(made.id)
    world.clock.advance(60)
    assert keys.revoke(made.id) == first
    assert not first.is_valid(world.clock())
    assert keys.any()
    with pytest.raises(NotFound):
        keys.get("mary")


def test_a_change_takes_the_place_of_the_rights_before(world: World, keys: Keys) -> None:
    kb_id = world.catalog.bases.create("reports").id
    made = keys.add("mary", "", HASH, Rights(is_admin=True), None)
    changed = keys.change(made.id, "Mary", Rights(by_base={kb_id: Right.READ}))
    assert changed.person == "Mary"
    assert changed.rights == Rights(by_base={kb_id: Right.READ})
    assert keys.change(made.id, "Mary", Rights()).rights == Rights()


def test_an_administrator_counts_while_its_key_is_valid(world: World, keys: Keys) -> None:
    until = world.clock() + timedelta(hours=1)
    only = keys.add("ops", "", HASH, Rights(is_admin=True), until, has_others=False)
    keys.add("mary", "", sha256(b"mary"), Rights(), None, has_others=False)
    with pytest.raises(Conflict) as caught:
        keys.revoke(only.id, has_others=False)
    assert caught.value.code == "last_administrator"
    world.clock.advance(3600)
    with pytest.raises(Conflict) as caught:
        keys.add("john", "", sha256(b"john"), Rights(), None, has_others=False)
    assert caught.value.code == "no_administrator"
    assert keys.revoke(only.id, has_others=False).revoked_at == world.clock()


def test_a_use_is_noted(world: World, keys: Keys) -> None:
    made = keys.add("mary", "", HASH, Rights(), None)
    assert made.used_at is None
    keys.note_uses({made.id: world.clock(), "key_gone": world.clock()})
    assert keys.get("mary").used_at == world.clock()


def test_of_two_administrators_who_end_each_other_at_once_one_stays(
    world: World, keys: Keys
) -> None:
    ids = [
        keys.add(name, "", sha256(name.encode()), Rights(is_admin=True), None).id
        for name in ("ann", "bob")
    ]
    together = Barrier(len(ids))
    refused: list[str] = []

    def end(key_id: str) -> None:
        together.wait()
        try:
            keys.revoke(key_id, has_others=False)
        except Conflict as error:
            refused.append(error.code)

    threads = [Thread(target=end, args=(key_id,)) for key_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["last_administrator"]
    assert [key.revoked_at for key in keys.listed()].count(None) == 1


def test_the_last_administrator_keeps_the_right_and_may_be_renamed(keys: Keys) -> None:
    only = keys.add("ann", "", HASH, Rights(is_admin=True), None, has_others=False)
    with pytest.raises(Conflict) as caught:
        keys.change(only.id, "Ann", Rights(), has_others=False)
    assert caught.value.code == "last_administrator"
    assert keys.get("ann") == only
    changed = keys.change(only.id, "Ann", has_others=False)
    assert (changed.person, changed.rights) == ("Ann", only.rights)
