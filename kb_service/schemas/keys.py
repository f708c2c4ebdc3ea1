"""What is said about keys and who shows one, made from domain values."""

from collections.abc import Sequence

from kb_service.domain.people import Key, Principal, Rights
from kb_service.schemas.documents import Shape, Time
from kb_service.services.keys import Grant, principal_of_settings


class GrantBody(Shape):
    """The right in a base."""

    kb_id: str
    name: str
    right: str


class RightsBody(Shape):
    """What a key may do: everything, something everywhere, something in the bases named."""

    is_admin: bool
    everywhere: str | None
    bases: list[GrantBody]
    see_personal: bool


class KeyBody(Shape):
    """A key; `is_setting`: it stands in the settings, has no times and is changed there."""

    id: str
    name: str
    person: str
    rights: RightsBody
    is_setting: bool
    created_at: Time | None
    used_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None


class KeyListBody(Shape):
    """All keys."""

    items: list[KeyBody]


class NewKeyBody(Shape):
    """A key that was just made, with its secret, which nobody is told again."""

    key: KeyBody
    secret: str


class MeBody(Shape):
    """Who asks; `needs_key` false: no key is asked for, and everybody may do everything."""

    name: str
    needs_key: bool
    rights: RightsBody


def rights_body(rights: Rights, grants: Sequence[Grant]) -> RightsBody:
    """Return the shape of rights; an administrator's say all that they include."""
    return RightsBody(
        is_admin=rights.is_admin,
        everywhere=rights.everywhere,
        bases=[GrantBody(kb_id=g.base.id, name=g.base.name, right=g.right) for g in grants],
        see_personal=rights.see_personal or rights.is_admin,
    )


def key_body(key: Key, grants: Sequence[Grant]) -> KeyBody:
    """Return the shape of a key that was made."""
    return KeyBody.of(key, rights=rights_body(key.rights, grants), is_setting=False)


def setting_body(name: str) -> KeyBody:
    """Return the shape of a key of the settings."""
    who = principal_of_settings(name)
    return KeyBody(
        id=who.key_id,
        name=name,
        person="",
        rights=rights_body(who.rights, ()),
        is_setting=True,
        created_at=None,
        used_at=None,
        expires_at=None,
        revoked_at=None,
    )


def me_body(who: Principal, grants: Sequence[Grant], *, needs_key: bool) -> MeBody:
    """Return the shape of who asks."""
    return MeBody(name=who.name, needs_key=needs_key, rights=rights_body(who.rights, grants))
