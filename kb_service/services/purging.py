"""Earlier versions leave the search after some days, a few at a time, when nothing else is done.

Their bytes and texts stay with their documents: only what searches as of then would find goes.
"""

from datetime import datetime, timedelta

from kb_service.storage.history import History
from kb_service.storage.identity import Clock, utc_now

STEP = 20
"""Versions forgotten in one transaction."""

PAUSE = timedelta(hours=1)
"""So long a worker waits after it found nothing to forget."""


class PurgeService:
    """Belongs to one thread. `keep_days`: how long an earlier version can be searched."""

    def __init__(self, history: History, keep_days: int, clock: Clock = utc_now) -> None:
        self._history = history
        self._keep = timedelta(days=keep_days)
        self._clock = clock
        self._next_at: datetime | None = None

    def step(self) -> bool:
        """Forget a few versions; False when none is old enough. Raises StorageError."""
        now = self._clock()
        if self._next_at is not None and now < self._next_at:
            return False
        if self._history.purge(now - self._keep, STEP):
            return True
        self._next_at = now + PAUSE
        return False
