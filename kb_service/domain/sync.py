"""A folder against a knowledge base: SyncPlan as a pure diff of what is seen and what is known.

Hashes decide, not names or modification times. Knows what programs leave behind in folders, and
neither disk nor database.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_CLUTTER = re.compile(
    r"""~\$.* | .*~ | \#.*\# | ~wr[a-z]\d+\..*
    | .*\.(?:tmp|temp|part|partial|crdownload|download|swp) | .*:zone\.identifier
    | thumbs\.db | ehthumbs(?:_vista)?\.db | desktop\.ini | icon\r""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Locks and temporary files of Office and editors, half downloads, what systems write there."""

_CLUTTER_FOLDERS = frozenset(
    ("__macosx", "$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle")
)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Names by what has to be done with them; each tuple is sorted.

    `refused`: contents that an earlier run refused, unchanged since. `num_skipped`: hidden files
    and clutter, left out.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[str, ...] = ()
    num_skipped: int = 0

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to do."""
        return not (self.added or self.changed or self.removed)


def is_clutter(name: str) -> bool:
    """True for the name of a file that a program or a system left, and nobody wrote."""
    return _CLUTTER.fullmatch(name) is not None


def is_hidden_folder(name: str) -> bool:
    """True for a folder that begins with a dot, or that a system keeps for itself."""
    return name.startswith(".") or name.lower() in _CLUTTER_FOLDERS


def plan_sync(
    seen: Mapping[str, str],
    known: Mapping[str, str],
    refused: Collection[str] = (),
    num_skipped: int = 0,
) -> SyncPlan:
    """Compare name -> SHA-256 of the files seen with the same of the documents known.

    `refused`: names of files whose present content is known to be refused.
    """
    differing = {n for n in seen.keys() & known.keys() if seen[n] != known[n]}
    return SyncPlan(
        added=tuple(sorted(seen.keys() - known.keys() - set(refused))),
        changed=tuple(sorted(differing - set(refused))),
        removed=tuple(sorted(known.keys() - seen.keys())),
        unchanged=tuple(sorted(n for n in seen.keys() & known.keys() if seen[n] == known[n])),
        refused=tuple(sorted(refused)),
        num_skipped=num_skipped,
    )
