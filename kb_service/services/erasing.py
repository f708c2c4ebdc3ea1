"""Showing that nothing of a deleted document is left, and making the indexes forget it.

A delete is done when it is committed: nothing of it is found from then on. Its terms and vectors
stay in index files until these are made anew, which is done here. Knows no index format.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from kb_service.domain.erasure import Erasure, Place
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.ports import DerivedFiles
from kb_service.storage.erasure import Erasures
from kb_service.storage.identity import Clock, utc_now

log = structlog.get_logger("erasing")

SETTLE = timedelta(seconds=60)
"""So long after the last delete a worker makes the indexes anew: many deletes cost one."""


class ErasureService:
    """`forget` lets index files hold nothing of what was deleted. Methods raise StorageError."""

    def __init__(
        self,
        erasures: Callable[[], Erasures],
        indexes: DerivedFiles,
        forget: Callable[[str], None],
        clock: Clock = utc_now,
    ) -> None:
        self._erasures = erasures
        self._indexes = indexes
        self._forget = forget
        self._not_before: dict[str, datetime] = {}
        self._clock = clock

    def check(self, document_id: str, kb_id: str | None = None) -> Erasure:
        """Look for a deleted document wherever it could be left; found is what still is.

        Raises NotFound (deletion_not_found) for what was neither deleted here (from the base
        `kb_id`, where one is given) nor is there.
        """
        erasures = self._erasures()
        receipt = erasures.receipt(document_id)
        if receipt is not None and kb_id not in (None, receipt.kb_id):
            receipt = None
        places = erasures.look(document_id, receipt)
        is_elsewhere = kb_id is not None and receipt is None
        if is_elsewhere or (receipt is None and not any(place.found for place in places)):
            raise NotFound(
                f"nothing called {document_id!r} is here, and no receipt of its deletion",
                code="deletion_not_found",
            )
        if receipt is not None:
            num_looked, found = self._indexes.traces(receipt.kb_id, {document_id})
            places = (*places, Place("indexes", num_looked, tuple(found)))
        return Erasure(document_id, receipt, places)

    def erase(self, kb_id: str) -> None:
        """Make index files forget what was deleted from a base."""
        erasures = self._erasures()
        waiting = erasures.waiting(kb_id)
        if not waiting:
            return
        if self._indexes.traces(kb_id, waiting)[1]:
            self._forget(kb_id)
        erasures.finish(waiting)

    def step(self) -> bool:
        """Let the indexes of one base forget, some time after its last delete; False for none.

        Where an index is away, its base is left alone for as long.
        """
        now: datetime = self._clock()
        for kb_id, last in self._erasures().unfinished().items():
            if max(last + SETTLE, self._not_before.get(kb_id, now)) <= now:
                return self._erased(kb_id, now)
        return False

    def _erased(self, kb_id: str, now: datetime) -> bool:
        try:
            self.erase(kb_id)
        except StorageError as error:
            if error.is_outage:
                raise
            log.warning("not yet erased", kb_id=kb_id, code=error.code, error=error.message)
            self._not_before[kb_id] = now + SETTLE
            return False
        return True
