"""Whose job is next: bases take turns, so that ten thousand files of one keep nobody's one waiting.

Knows which bases have jobs that wait, from their counts, and which were served last by this
process. Within a base the job with fewer attempts comes first, then the older one.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from kb_service.domain.jobs import JobStatus
from kb_service.storage.counts import Noun
from kb_service.storage.tables import counts, jobs

IsDue = Callable[[JobStatus], ColumnElement[bool]]
"""The condition that a job in that status may be taken now."""

_STATES = (JobStatus.QUEUED, JobStatus.FAILED)


class Turns:
    """The turns of the bases, as one process gives them."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._num_served = 0

    def next(self, connection: Connection, is_due: IsDue) -> Row[Any] | None:
        """Return the job to take now, None when none is due. Reads a row or two a base."""
        waiting = select(counts.c.kb_id).where(
            counts.c.noun == Noun.JOBS, counts.c.state.in_(_STATES), counts.c.number > 0
        )
        kb_ids = set(connection.execute(waiting).scalars())
        self._served = {kb_id: turn for kb_id, turn in self._served.items() if kb_id in kb_ids}
        for kb_id in sorted(kb_ids, key=lambda kb_id: (self._served.get(kb_id, 0), kb_id)):
            mine = (and_(jobs.c.kb_id == kb_id, is_due(state)) for state in _STATES)
            found = [row for which in mine if (row := _first(connection, which))]
            if found:
                self._num_served += 1
                self._served[kb_id] = self._num_served
                return min(found, key=lambda row: (row.attempt, row.number))
        # A count that is wrong (`kb verify` names it) must keep no job from being done.
        return _first(connection, or_(*map(is_due, _STATES)))


def _first(connection: Connection, which: ColumnElement[bool]) -> Row[Any] | None:
    found = select(jobs).where(which).order_by(jobs.c.attempt, jobs.c.number).limit(1)
    return connection.execute(found).first()
