"""Where a process keeps its private working copies of indexes: folders that nobody else touches.

Knows the order of preference: beside the indexes, then the folder for temporary files. What finds
no place works in memory, so that a full or read-only disk stops no reader. Knows no index.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir

from retrievers.folders import ClaimedFolder, sweep

logger = logging.getLogger(__name__)

WORK_PREFIX = "kb-index"
WORK_FOLDER = "index-work"


def default_places(index_root: Path) -> tuple[Path, ...]:
    """Return the folders that working copies may lie in, the preferred one first.

    They lie outside the index folder: that one can be deleted or damaged under a living process.
    """
    return index_root.with_name(WORK_FOLDER), Path(gettempdir())


class WorkPlaces:
    """Hands out private folders, and clears away those of processes that are gone."""

    def __init__(self, parents: Sequence[Path]) -> None:
        self._parents = parents
        self._is_swept = False

    def folders(self) -> Iterator[ClaimedFolder]:
        """Yield a new folder in each place that allows one; the taker closes it."""
        if not self._is_swept:
            self._is_swept = True
            self.sweep()
        for parent in self._parents:
            try:
                folder = ClaimedFolder(parent, WORK_PREFIX)
            except OSError as error:
                logger.warning("no index can work in %s: %s", parent, error.strerror or error)
                continue
            yield folder

    def taken(self) -> list[Path]:
        """Return the folders of running processes, after those of processes that are gone went."""
        self.sweep()
        return sorted(path for parent in self._parents for path in parent.glob(f"{WORK_PREFIX}-*"))

    def sweep(self) -> None:
        """Remove the folders of processes that are gone."""
        for parent in self._parents:
            sweep(parent, WORK_PREFIX)
