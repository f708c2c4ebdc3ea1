"""A folder against a knowledge base: SyncPlan as a pure diff of what is seen and what is known.

Hashes decide, not names or modification times. Knows neither disk nor database.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Names by what has to be done with them; each tuple is sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to do."""
        return not (self.added or self.changed or self.removed)


def plan_sync(seen: Mapping[str, str], known: Mapping[str, str]) -> SyncPlan:
    """Compare name -> SHA-256 of the files seen with the same of the documents known."""
    return SyncPlan(
        added=tuple(sorted(seen.keys() - known.keys())),
        changed=tuple(sorted(n for n in seen.keys() & known.keys() if seen[n] != known[n])),
        removed=tuple(sorted(known.keys() - seen.keys())),
        unchanged=tuple(sorted(n for n in seen.keys() & known.keys() if seen[n] == known[n])),
    )
