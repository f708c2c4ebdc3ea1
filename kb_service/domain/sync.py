"""A place against a knowledge base: SyncPlan as a pure diff of what is seen and what is known.

Hashes decide, not names. Knows what programs leave behind in folders, and
neither disk nor database.
"""

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass

from kb_service.domain.sources import EVERYTHING, Selection

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
class SyncOrder:
    """Which place a base (id or name) is to follow, and how.

    `place`: a folder or an address; `account`: the name of the settings that open it. `tags` and
    `labels` (ids or names): of the documents. `prune`: delete what is gone from the place.
    """

    kb: str
    place: str
    account: str = ""
    tags: tuple[str, ...] = ()
    selection: Selection = EVERYTHING
    prune: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Names by what has to be done with them; each tuple is sorted.

    `refused`: contents that an earlier run refused, unchanged since. `num_skipped`: hidden files
    and clutter, left out; `num_excluded`: files that the patterns leave out. `again`: unchanged
    files whose last ingest failed through no fault of theirs. `changing`: files that somebody is
    writing, left for the next run.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[str, ...] = ()
    num_skipped: int = 0
    again: tuple[str, ...] = ()
    changing: tuple[str, ...] = ()
    num_excluded: int = 0

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
    unfinished: Container[str] = (),
    changing: Collection[str] = (),
) -> SyncPlan:
    """Compare name -> SHA-256 of the files seen with the same of the documents known.

    `refused`: names of files whose present content is known to be refused. `unfinished`: names of
    known documents that are worth another try. `changing`: names of files that are there, and whose
    content is not yet.
    """
    same = sorted(n for n in seen.keys() & known.keys() if seen[n] == known[n])
    differing = {n for n in seen.keys() & known.keys() if seen[n] != known[n]}
    return SyncPlan(
        added=tuple(sorted(seen.keys() - known.keys() - set(refused))),
        changed=tuple(sorted(differing - set(refused))),
        removed=tuple(sorted(known.keys() - seen.keys() - set(changing))),
        unchanged=tuple(n for n in same if n not in unfinished),
        again=tuple(n for n in same if n in unfinished),
        refused=tuple(sorted(refused)),
        changing=tuple(sorted(changing)),
    )
