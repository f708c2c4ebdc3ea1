"""A base as of a change: what was searchable after it. Values only.

A place of a chunk there is one number, so that indexes can hold it: the change that added its
revision, and its ordinal. Places are ordered as the chunks came.
"""

from dataclasses import dataclass
from datetime import datetime

_ORDINAL_BITS = 24


@dataclass(frozen=True, slots=True)
class AsOf:
    """What was asked for, resolved: the state after change `change`, at that time.

    `is_present`: nothing has changed since. `num_chunks`: searchable then.
    """

    change: int
    at: datetime
    is_present: bool
    num_chunks: int


@dataclass(frozen=True, slots=True)
class PastState:
    """A base as of a change; `key` stands for it where a base is named."""

    kb_id: str
    change: int

    @property
    def key(self) -> str:
        """One name for both; no id of a base has an @."""
        return f"{self.kb_id}@{self.change}"

    @classmethod
    def of(cls, key: str) -> "PastState":
        """Return what `key` stands for. Raises ValueError."""
        kb_id, _, change = key.rpartition("@")
        return cls(kb_id, int(change))


def place_of(added: int, ordinal: int) -> int:
    """Return the place of a chunk of the revision that change `added` brought."""
    if not 0 <= ordinal < 1 << _ORDINAL_BITS:
        raise ValueError(f"ordinal {ordinal} is not below {1 << _ORDINAL_BITS}")
    return added << _ORDINAL_BITS | ordinal


def place_parts(place: int) -> tuple[int, int]:
    """Return the change and the ordinal of a place."""
    return place >> _ORDINAL_BITS, place & ((1 << _ORDINAL_BITS) - 1)
