"""Keeps the indexes of a worker: publishing and merging, on a thread that steps back for others.

Knows which bases have changed since. Knows nothing of what an index is, and no job waits for it:
a document is searchable once it is committed.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

import structlog

from kb_service.domain.errors import StorageError

INGESTING = 10
"""Niceness of a worker: a question that wants the core gets nine tenths of it."""

_IN_THE_BACKGROUND = 15
"""Of what no one waits for: vectors and merges, which a worker's jobs go before."""

PAUSE_S = 1.0
"""Between two looks: twenty files that come in a second are brought in together."""

log = structlog.get_logger("indexes")


class IndexKeeper:
    """Publishes at once until `begin`, and on a thread of its own from then on.

    `refresh` publishes the index of a base when that is worth it; `tend` does a part of what waits
    in it, and says False when nothing does.
    """

    def __init__(
        self,
        refresh: Callable[[str], None],
        tend: Callable[[str], bool],
        pause_s: float = PAUSE_S,
    ) -> None:
        self._refresh = refresh
        self._tend = tend
        self._pause_s = pause_s
        self._changed: dict[str, None] = {}
        self._news = threading.Condition()
        self._is_begun = False

    def refresh(self, kb_id: str) -> None:
        """Have the index of a base looked at. Raises StorageError while there is no thread."""
        if not self._is_begun:
            self._refresh(kb_id)
            return
        with self._news:
            self._changed[kb_id] = None
            self._news.notify()

    def begin(self) -> None:
        """Start the thread; it ends with the process, whatever it does then."""
        self._is_begun = True
        threading.Thread(target=self._keep, name="index-keeper", daemon=True).start()

    def _keep(self) -> None:
        step_back()
        while True:
            with self._news:
                self._news.wait_for(lambda: self._changed)
                kb_id = next(iter(self._changed))
                del self._changed[kb_id]
            self._look_after(kb_id)
            time.sleep(self._pause_s)

    def _look_after(self, kb_id: str) -> None:
        try:
            self._refresh(kb_id)
            # One at a time: what was committed meanwhile is published first.
            if self._tend(kb_id):
                self.refresh(kb_id)
        except StorageError as error:
            log.warning("index not published", kb_id=kb_id, code=error.code, error=error.message)


def step_back(niceness: int = _IN_THE_BACKGROUND) -> None:
    """Let other threads have the core first; what this one starts from now on inherits it."""
    if sys.platform == "linux":  # elsewhere it would hold for the whole process
        thread = threading.get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, max(own, niceness))  # only root may step forward
