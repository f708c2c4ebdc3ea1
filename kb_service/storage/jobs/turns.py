"""Whose job is next: bases take turns, so that ten thousand files of one keep nobody's one waiting.

Knows which bases have jobs that wait, from their counts, and which were served last by this
process. Within a base the job with fewer attempts comes first, then the older one. A base in which
somebody writes is passed over, and named.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from kb_service.domain.jobs import JobStatus
from kb_service.storage.counts import Noun
from kb_service.storage.tables import counts, jobs

IsDue = Callable[[JobStatus], ColumnElement[bool]]
"""The condition that a job in that status may be taken now."""

Hold = Callable[[str], bool]
"""Keeps a base for this transaction; False where somebody else writes in it."""

_STATES = (JobStatus.QUEUED, JobStatus.FAILED)


class Turns:
    """The turns of the bases, as one process gives them."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._num_served = 0

    def next(self, connection: Connection, is_due: IsDue, hold: Hold) -> Row[Any] | str | None:
        """Return the job to take now, None when none is due. Reads a row or two a base.

        The id of a base instead: only bases have one in which others write, and that is the first.
        """
        waiting = select(counts.c.kb_id).where(
            counts.c.noun == Noun.JOBS, counts.c.state.in_(_STATES), counts.c.number > 0
        )
        kb_ids = set(connection.execute(waiting).scalars())
        self._served = {kb_id: turn for kb_id, turn in self._served.items() if kb_id in kb_ids}
        busy: str | None = None
        for kb_id in sorted(kb_ids, key=lambda kb_id: (self._served.get(kb_id, 0), kb_id)):
            if not hold(kb_id):
                busy = busy or kb_id
            elif row := self.next_of(connection, kb_id, is_due):
                return row
        if busy is not None:
            return busy
        # A count that is wrong (`kb verify` names it) must keep no job from being done.
        row = _first(connection, or_(*map(is_due, _STATES)))
        return row if row is None or hold(row.kb_id) else str(row.kb_id)

    def next_of(self, connection: Connection, kb_id: str, is_due: IsDue) -> Row[Any] | None:
        """Return the job of a base to take now; the base is held."""
        mine = (and_(jobs.c.kb_id == kb_id, is_due(state)) for state in _STATES)
        found = [row for which in mine if (row := _first(connection, which))]
        if not found:
            return None
        self._num_served += 1
        self._served[kb_id] = self._num_served
        return min(found, key=lambda row: (row.attempt, row.number))


def _first(connection: Connection, which: ColumnElement[bool]) -> Row[Any] | None:
    found = select(jobs).where(which).order_by(jobs.c.attempt, jobs.c.number).limit(1)
    return connection.execute(found).first()
