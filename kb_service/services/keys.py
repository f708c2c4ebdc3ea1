"""Keys of people and programs: made, listed, changed, revoked, and who shows one.

Knows that somebody must remain who can administer. Keys of the settings are not its own: it knows
their names alone.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    StorageError,
    Unauthorized,
)
from kb_service.domain.names import CONTROLS
from kb_service.domain.people import Key, Principal, Right, Rights
from kb_service.services.ranges import check_range
from kb_service.storage.bases import Bases, no_kb
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.people.store import Keys

MAX_KEY_CHARS = 100
MAX_PERSON_CHARS = 200
MAX_DAYS = 3650
SECRET_BYTES = 32
KEY_PREFIX = "kb-"
"""By which people and scanners for leaked secrets know a key of this service."""

USE_NOTED_EVERY = timedelta(minutes=15)
_OF_SETTINGS = "settings:"

log = structlog.get_logger("keys")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; nobody can be told its secret again."""

    key: Key
    secret: str


@dataclass(frozen=True, slots=True)
class Grant:
    """The right in a base, for people."""

    base: KnowledgeBase
    right: Right


def principal_of_settings(name: str) -> Principal:
    """Return who shows the key of that name of the settings: an administrator."""
    return Principal(name, f"{_OF_SETTINGS}{name}", Rights(is_admin=True))


class KeyService:
    """`in_settings`: the names of the keys there. Every method raises StorageError."""

    def __init__(
        self, keys: Keys, bases: Bases, in_settings: Collection[str], clock: Clock = utc_now
    ) -> None:
        self._keys, self._bases, self._clock = keys, bases, clock
        self.in_settings = tuple(sorted(in_settings))
        self._was_made = False
        self._used: dict[str, datetime] = {}
        self._noting = threading.Lock()

    def are_needed(self) -> bool:
        """True when a key must be shown: the settings have one, or one was ever made."""
        # Rows are never deleted, so a yes holds.
        self._was_made = self._was_made or bool(self.in_settings) or self._keys.any()
        return self._was_made

    def add(self, name: str, person: str, rights: Rights, days: int | None = None) -> NewKey:
        """Make a key that is valid for so many days (None: until it is revoked).

        `rights.by_base` names bases by id or name. Raises InvalidRequest (invalid_key_name,
        invalid_person, days_out_of_range), NotFound (kb_not_found), Conflict (key_name_taken,
        no_administrator).
        """
        _check_name(name)
        _check_person(person)
        check_range("days", days, 1, MAX_DAYS)
        if name in self.in_settings:
            raise Conflict(f"the settings have a key named {name!r}", code="key_name_taken")
        secret = KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        until = None if days is None else self._clock() + timedelta(days=days)
        own, digest = self._by_id(rights), _sha256(secret)
        has_others = bool(self.in_settings)
        key = self._keys.add(name, person, digest, own, until, has_others=has_others)
        return NewKey(key, secret)

    def listed(self) -> tuple[Key, ...]:
        """Return all keys that were made, by name, those that are revoked last."""
        return self._keys.listed()

    def get(self, key: str) -> Key:
        """Return a key by id or name. Raises NotFound (key_not_found), Conflict (key_of_settings)
        for one that only the settings can change."""
        if key in self.in_settings or key.removeprefix(_OF_SETTINGS) in self.in_settings:
            raise Conflict(f"{key!r} stands in the settings", code="key_of_settings")
        return self._keys.get(key)

    def change(self, key: str, rights: Rights | None, person: str | None = None) -> Key:
        """Give a key (by id or name) these rights in place of its own; None: as it was.

        Raises NotFound (key_not_found, kb_not_found), InvalidRequest, Conflict (key_of_settings,
        last_administrator).
        """
        known = self.get(key)
        _check_person(person or "")
        given = None if rights is None else self._by_id(rights)
        return self._keys.change(known.id, person, given, has_others=bool(self.in_settings))

    def revoke(self, key: str) -> Key:
        """End a key (by id or name). Raises NotFound, Conflict (key_of_settings,
        last_administrator)."""
        return self._keys.revoke(self.get(key).id, has_others=bool(self.in_settings))

    def of_secret(self, secret: str) -> Principal | None:
        """Return who shows a key that was made; None when none of that secret is valid."""
        digest = _sha256(secret)
        found = self._keys.of_hash(digest)
        if found is None or not hmac.compare_digest(found[0], digest):
            return None
        key, now = found[1], self._clock()
        if not key.is_valid(now):
            return None
        if key.used_at is None or now - key.used_at >= USE_NOTED_EVERY:
            with self._noting:
                self._used[key.id] = now
        return key.principal

    def now(self, who: Principal) -> Principal:
        """Return somebody who was let in, with the rights of now.

        Raises Unauthorized when the key has ended since, or one is needed by now.
        """
        if who.key_id.startswith(_OF_SETTINGS):
            return who
        if who.key_id == "":
            if self.are_needed():
                raise Unauthorized("an API key is needed by now", code="api_key_missing")
            return who
        key = self._keys.get(who.key_id)
        if not key.is_valid(self._clock()):
            raise Unauthorized("the API key was revoked or has expired", code="api_key_invalid")
        return key.principal

    def check_still(self, who: Principal, kb_id: str) -> None:
        """Raise Unauthorized as `now` does, and NotFound (kb_not_found) when somebody who was let
        in has no right in that base any more."""
        if not self.now(who).sees(kb_id):
            raise no_kb(kb_id)

    def grants(self, rights: Rights) -> tuple[Grant, ...]:
        """Return the bases of rights with each one's right, by name, without those that went."""
        found = list[Grant]()
        for kb_id, right in rights.by_base.items():
            try:
                found.append(Grant(self._bases.get(kb_id), right))
            except NotFound:
                continue
        return tuple(sorted(found, key=lambda grant: grant.base.name))

    def note_uses(self) -> None:
        """Note which keys were used of late; what cannot be written now is noted later."""
        with self._noting:
            used, self._used = self._used, {}
        if not used:
            return
        try:
            self._keys.note_uses(used)
        except StorageError as error:
            with self._noting:
                self._used = used | self._used
            log.debug("uses of keys not noted", code=error.code)

    def _by_id(self, rights: Rights) -> Rights:
        by_base = {self._bases.get(kb).id: right for kb, right in rights.by_base.items()}
        return replace(rights, by_base=by_base)


def rights_with(
    before: Rights, role: str, bases: Collection[str], *, everywhere: bool = False
) -> Rights:
    """Return rights with a role: `admin`, or a Right (`none` for no more) in bases or in every one.

    Raises InvalidRequest (invalid_role) for another word, for bases beside `admin`, and where it
    is not said, or said twice, in which bases.
    """
    if role == "admin" and not bases and not everywhere:
        return Rights(is_admin=True, see_personal=before.see_personal)
    accepted = [*map(str, Right), "none"]
    if role not in accepted or bool(bases) == everywhere:
        raise InvalidRequest(
            f"role {role[:50]!r}: admin without bases is accepted, or {', '.join(accepted)} with"
            " some or with every base",
            code="invalid_role",
            details={"accepted": ["admin", *accepted]},
        )
    right = None if role == "none" else Right(role)
    if everywhere:
        return replace(before, is_admin=False, everywhere=right)
    kept = {kb_id: own for kb_id, own in before.by_base.items() if kb_id not in bases}
    given = dict.fromkeys(bases, right) if right else {}
    return replace(before, is_admin=False, by_base={**kept, **given})


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_KEY_CHARS or not CONTROLS.isdisjoint(name):
        raise InvalidRequest(
            f"name is {name[:50]!r}; 1 to {MAX_KEY_CHARS} characters are accepted, no control"
            " characters",
            code="invalid_key_name",
        )


def _check_person(person: str) -> None:
    if len(person) > MAX_PERSON_CHARS or not CONTROLS.isdisjoint(person):
        raise InvalidRequest(
            f"person has {len(person)} characters; at most {MAX_PERSON_CHARS} are accepted, no"
            " control characters",
            code="invalid_person",
        )


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
