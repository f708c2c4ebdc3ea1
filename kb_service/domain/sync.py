"""A folder against a knowledge base: SyncPlan as a pure diff of what is seen and what is known.

Hashes decide, not names or modification times. Knows what programs leave behind in folders, and
neither disk nor database.
"""

import re
from collections.abc import Collection, Container, Mapping
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
    and clutter, left out. `again`: unchanged files whose last ingest failed through no fault of
    theirs.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[str, ...] = ()
    num_skipped: int = 0
    again: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to do."""
        return not (self.added or self.changed or self.removed or self.again)


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
    unfinished: Container[str] = (),
) -> SyncPlan:
    """Compare name -> SHA-256 of the files seen with the same of the documents known.

    `refused`: names of files whose present content is known to be refused. `unfinished`: names of
    known documents that are worth another try.
    """
    same = sorted(n for n in seen.keys() & known.keys() if seen[n] == known[n])
    differing = {n for n in seen.keys() & known.keys() if seen[n] != known[n]}
    return SyncPlan(
        added=tuple(sorted(seen.keys() - known.keys() - set(refused))),
        changed=tuple(sorted(differing - set(refused))),
        removed=tuple(sorted(known.keys() - seen.keys())),
        unchanged=tuple(n for n in same if n not in unfinished),
        again=tuple(n for n in same if n in unfinished),
        refused=tuple(sorted(refused)),
        num_skipped=num_skipped,
    )
