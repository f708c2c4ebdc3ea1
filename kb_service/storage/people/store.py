"""Keys and their rights: made, found by the hash of their secret, changed, revoked.

Knows no secret: who calls brings its hash. Rows are never deleted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from kb_service.domain.errors import Conflict, NotFound
from kb_service.domain.people import Key, Right, Rights
from kb_service.storage.bases import require_kb
from kb_service.storage.database import ANY_BASE, Database
from kb_service.storage.identity import Clock, new_id, utc_now
from kb_service.storage.people.tables import api_keys, key_rights
from kb_service.storage.rows import value_of


class Keys:
    """All keys. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def any(self) -> bool:
        """True when a key was ever made, also one that opens nothing any more."""
        with self._database.read() as connection:
            return bool(connection.execute(select(exists(select(api_keys.c.id)))).scalar())

    def add(
        self,
        name: str,
        person: str,
        sha256: str,
        rights: Rights,
        expires_at: datetime | None,
        *,
        has_others: bool = True,
    ) -> Key:
        """Keep a key. `has_others`: administrators stand elsewhere, so that none must be here.

        Raises Conflict (key_name_taken, no_administrator), NotFound (kb_not_found).
        """
        key = Key(new_id("key"), name, person, rights, self._clock(), None, expires_at, None)
        with self._database.write() as connection:
            if not (rights.is_admin or has_others or _has_admin(connection, self._clock())):
                raise Conflict(
                    "nobody could administer the service: make an administrator's key first",
                    code="no_administrator",
                )
            same = select(api_keys.c.id).where(
                api_keys.c.name == name, api_keys.c.revoked_at.is_(None)
            )
            if connection.execute(same).first() is not None:
                raise Conflict(f"a key named {name!r} exists", code="key_name_taken")
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    name=name,
                    person=person,
                    sha256=sha256,
                    created_at=key.created_at,
                    expires_at=expires_at,
                    **_columns(rights),
                )
            )
            _grant(connection, key.id, rights.by_base)
        return key

    def of_hash(self, sha256: str) -> tuple[str, Key] | None:
        """Return the key of that hash, with the hash as it is stored; None when there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.sha256 == sha256)).first()
            return None if row is None else (row.sha256, _keys_of(connection, [row])[0])

    def get(self, key: str) -> Key:
        """Return a key by its id, or by the name of one that is not revoked. Raises NotFound."""
        with self._database.read() as connection:
            return _require(connection, key)

    def listed(self) -> tuple[Key, ...]:
        """Return all keys by name, those that are revoked last."""
        order = api_keys.c.revoked_at.is_not(None), api_keys.c.name, api_keys.c.created_at
        with self._database.read() as connection:
            return _keys_of(connection, connection.execute(select(api_keys).order_by(*order)).all())

    def change(
        self,
        key_id: str,
        person: str | None = None,
        rights: Rights | None = None,
        *,
        has_others: bool = True,
    ) -> Key:
        """Give a key these in place of its own; None: as it was. Raises NotFound, Conflict
        (last_administrator), where `has_others` is False, for the last one that is here."""
        with self._database.write() as connection:
            known = _require(connection, key_id)
            own = api_keys.c.id == key_id
            if person is not None:
                connection.execute(update(api_keys).where(own).values(person=person))
            if rights is not None:
                if not (rights.is_admin or has_others):
                    _keep_an_administrator(connection, known, self._clock())
                connection.execute(update(api_keys).where(own).values(_columns(rights)))
                connection.execute(delete(key_rights).where(key_rights.c.key_id == key_id))
                _grant(connection, key_id, rights.by_base)
            return _require(connection, key_id)

    def revoke(self, key_id: str, *, has_others: bool = True) -> Key:
        """End a key; a second time changes nothing. Raises NotFound, Conflict
        (last_administrator) as `change` does."""
        with self._database.write(needs_room=False) as connection:
            if not has_others:
                _keep_an_administrator(connection, _require(connection, key_id), self._clock())
            own = api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)
            connection.execute(update(api_keys).where(*own).values(revoked_at=self._clock()))
            return _require(connection, key_id)

    def note_uses(self, used: Mapping[str, datetime]) -> None:
        """Note when keys were used, by id."""
        with self._database.write(base=ANY_BASE) as connection:
            for key_id, at in sorted(used.items()):  # in one order for all servers
                own = api_keys.c.id == key_id
                connection.execute(update(api_keys).where(own).values(used_at=at))


def _has_admin(connection: Connection, now: datetime, but: str = "") -> bool:
    statement = select(api_keys).where(api_keys.c.is_admin, api_keys.c.id != but)
    return any(_key_of(row, {}).is_valid(now) for row in connection.execute(statement))


def _keep_an_administrator(connection: Connection, key: Key, now: datetime) -> None:
    # In the transaction that ends a key: of two that end at once the second must see the first.
    is_one = key.rights.is_admin and key.is_valid(now)
    if is_one and not _has_admin(connection, now, but=key.id):
        raise Conflict(
            f"{key.name!r} is the last administrator's key; make another one first",
            code="last_administrator",
        )


def _columns(rights: Rights) -> dict[str, object]:
    return {
        "is_admin": rights.is_admin,
        "everywhere": rights.everywhere,
        "see_personal": rights.see_personal,
    }


def _grant(connection: Connection, key_id: str, by_base: Mapping[str, Right]) -> None:
    for kb_id, right in by_base.items():
        require_kb(connection, kb_id)
        connection.execute(insert(key_rights).values(key_id=key_id, kb_id=kb_id, granted=right))


def _require(connection: Connection, key: str) -> Key:
    named = api_keys.c.name == key, api_keys.c.revoked_at.is_(None)
    for chosen in ((api_keys.c.id == key,), named):
        row = connection.execute(select(api_keys).where(*chosen)).first()
        if row is not None:
            return _keys_of(connection, [row])[0]
    raise NotFound(f"no key {key!r}", code="key_not_found")


def _keys_of(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Key, ...]:
    by_key: dict[str, dict[str, Right]] = {}
    statement = select(key_rights)
    if len(rows) == 1:
        statement = statement.where(key_rights.c.key_id == rows[0].id)
    for row in connection.execute(statement):
        by_key.setdefault(row.key_id, {})[row.kb_id] = Right(row.granted)
    return tuple(_key_of(row, by_key.get(row.id, {})) for row in rows)


def _key_of(row: Row[Any], by_base: Mapping[str, Right]) -> Key:
    everywhere = Right(row.everywhere) if row.everywhere else None
    return value_of(Key, row, rights=Rights(row.is_admin, everywhere, by_base, row.see_personal))
