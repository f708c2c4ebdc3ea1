"""Who asks, and what they may: Right, Rights, Principal, Key. Values and rules; knows no door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kb_service.domain.errors import RightMissing


class Right(StrEnum):
    """What may be done in a base; each one includes those before it.

    `read`: ask, search, see documents. `write`: upload, delete, set right. `manage`: describe,
    export and delete the base.
    """

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"

    def includes(self, other: "Right") -> bool:
        """True when who has this one has the other too."""
        order = tuple(Right)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a key may do. An administrator may do everything, in bases to come too.

    `everywhere`: in every base, those to come included. `by_base`: in the base of that id.
    `see_personal`: be shown personal data that others are shown masked.
    """

    is_admin: bool = False
    everywhere: Right | None = None
    by_base: Mapping[str, Right] = field(default_factory=dict)
    see_personal: bool = False

    def in_base(self, kb_id: str) -> Right | None:
        """Return the greatest right in a base; None: it is not even known to be there."""
        if self.is_admin:
            return Right.MANAGE
        own = [right for right in (self.everywhere, self.by_base.get(kb_id)) if right]
        return max(own, key=tuple(Right).index, default=None)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name of a key for people, its id for what belongs to it, and its rights.

    `key_id` is "" where no key was needed.
    """

    name: str
    key_id: str
    rights: Rights

    @property
    def is_admin(self) -> bool:
        """True for who may do everything."""
        return self.rights.is_admin

    @property
    def sees_personal(self) -> bool:
        """True for who is shown personal data that others are shown masked."""
        return self.rights.is_admin or self.rights.see_personal

    @property
    def bases(self) -> frozenset[str] | None:
        """The ids of the bases that are there for this one; None: all."""
        if self.rights.is_admin or self.rights.everywhere:
            return None
        return frozenset(self.rights.by_base)

    def sees(self, kb_id: str) -> bool:
        """True when the base is there for this one."""
        return self.rights.in_base(kb_id) is not None

    def owns(self, owner: str) -> bool:
        """True for what the key of this id made, and for all that an administrator looks at."""
        return self.is_admin or (self.key_id != "" and self.key_id == owner)

    def require(self, kb_id: str, right: Right) -> None:
        """Raise RightMissing unless this one has the right in a base that is there for it."""
        own = self.rights.in_base(kb_id)
        if own is None or not own.includes(right):
            raise _missing(right, own)

    def require_admin(self) -> None:
        """Raise RightMissing unless this one is an administrator."""
        if not self.is_admin:
            raise _missing("admin", None)


OPERATOR = Principal("", "", Rights(is_admin=True))
"""Who has the machine: the command line, and whoever reaches a service without any key."""

STRANGER = Principal("", "", Rights())
"""Who showed no key and reaches only what needs none."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that an administrator made; its secret is not kept. `person`: whom or what it is for.

    `used_at`: about when it was last used, None: never. `expires_at`: None: never.
    """

    id: str
    name: str
    person: str
    rights: Rights
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """True while it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        """Who shows this key."""
        return Principal(self.name, self.id, self.rights)


def _missing(needed: str, own: Right | None) -> RightMissing:
    return RightMissing(
        f"this needs the right {needed!r}, which the key does not have",
        details={"needed": str(needed), "held": own and str(own)},
    )
