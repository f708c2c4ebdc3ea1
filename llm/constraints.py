"""A rule on which token may come next: what every constraint of a reply looks like.

Plain values without torch; the rules themselves are in calling.py and quoting.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Restriction:
    """The only ids that may be chosen (at least one) or, with `forbids`, those that may not."""

    ids: Sequence[int]
    forbids: bool = False


class Constraint(Protocol):
    """The rule for one reply."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """What may follow the generated ids; None where every id may."""
        ...
