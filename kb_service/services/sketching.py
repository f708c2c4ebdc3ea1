"""Sketches of texts that came in before there were any, or out of an archive; a few at a time."""

from datetime import datetime, timedelta

from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.revisions.store import Revisions

STEP = 20
PAUSE = timedelta(minutes=10)
"""So long a worker waits after it found no text without one."""


class SketchService:
    """Belongs to one thread."""

    def __init__(self, revisions: Revisions, clock: Clock = utc_now) -> None:
        self._revisions = revisions
        self._clock = clock
        self._next_at: datetime | None = None

    def step(self) -> bool:
        """Make a few sketches; False when none is missing. Raises StorageError."""
        now = self._clock()
        if self._next_at is not None and now < self._next_at:
            return False
        if self._revisions.sketch_missing(STEP):
            return True
        self._next_at = now + PAUSE
        return False
