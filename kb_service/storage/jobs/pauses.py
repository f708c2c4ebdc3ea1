"""Queues that stand still because somebody said so: of a base, or of the whole service.

A stored state, so that every worker heeds it and a restart forgets none. Whoever pauses says who it
was; a running job goes on to its end.
"""

from collections.abc import Collection

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from kb_service.domain.jobs import JobStatus, Pause
from kb_service.storage.change_log import next_event
from kb_service.storage.database import Database
from kb_service.storage.identity import Clock
from kb_service.storage.rows import batches
from kb_service.storage.tables import ID, StoredText, UtcTime, jobs, knowledge_bases, metadata

WHOLE_SERVICE = "*"
"""The scope of a pause of all bases; no base has this id."""

pauses = Table(
    "pauses",
    metadata,
    Column("scope", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), index=True),
    Column("paused_by", StoredText, nullable=False),
    Column("paused_at", UtcTime, nullable=False),
)


def goes_on() -> ColumnElement[bool]:
    """The condition that a job is of a queue which nobody has paused."""
    mine = or_(pauses.c.scope == WHOLE_SERVICE, pauses.c.scope == jobs.c.kb_id)
    return ~select(pauses.c.scope).where(mine).correlate(jobs).exists()


class Pauses:
    """The pauses of all queues. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, kb_id: str | None = None) -> Pause | None:
        """Return why the queue of a base stands still, None when it goes on.

        The whole service's pause comes first; without a base it is the only one.
        """
        scopes = [WHOLE_SERVICE] if kb_id is None else [WHOLE_SERVICE, kb_id]
        with self._database.read() as connection:
            rows = connection.execute(select(pauses).where(pauses.c.scope.in_(scopes))).all()
        found = {row.scope: Pause(row.paused_by, row.paused_at, row.kb_id is None) for row in rows}
        return next((found[scope] for scope in scopes if scope in found), None)

    def begin(self, kb_id: str | None, by: str) -> None:
        """Let the queue of a base, or of all (None), stand still; twice keeps the first."""
        scope = kb_id or WHOLE_SERVICE
        values = {"scope": scope, "kb_id": kb_id, "paused_by": by, "paused_at": self._clock()}
        with self._database.write(base=kb_id) as connection:
            _tell(connection, kb_id)
            known = select(pauses.c.scope).where(pauses.c.scope == scope)
            if connection.execute(known).first() is None:
                connection.execute(insert(pauses).values(values))

    def end(self, kb_id: str | None) -> None:
        """Let it go on; one that goes on may be told so again."""
        with self._database.write(base=kb_id) as connection:
            _tell(connection, kb_id)
            scope = kb_id or WHOLE_SERVICE
            connection.execute(delete(pauses).where(pauses.c.scope == scope))

    def counts(self) -> dict[str, int]:
        """Return 1 under `service` when all stands still, and how many `bases` do by themselves."""
        number = func.count(pauses.c.scope)
        with self._database.read() as connection:
            every = connection.execute(select(number)).scalar_one()
            whole = select(number).where(pauses.c.scope == WHOLE_SERVICE)
            is_whole = connection.execute(whole).scalar_one()
        return {"service": is_whole, "bases": every - is_whole}

    def held(self, job_ids: Collection[str]) -> dict[str, str]:
        """Return those of some jobs that wait in a paused queue, each with its document."""
        waiting = jobs.c.status.in_((JobStatus.QUEUED, JobStatus.FAILED))
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for batch in batches(job_ids):
                mine = select(jobs.c.id, jobs.c.document_id).where(jobs.c.id.in_(batch), waiting)
                found |= dict(connection.execute(mine.where(~goes_on())).tuples().all())
        return found


def _tell(connection: Connection, kb_id: str | None) -> None:
    """Let those who watch a base, or any, look again. Raises NotFound."""
    if kb_id is not None:
        next_event(connection, kb_id)
        return
    seq = knowledge_bases.c.event_seq
    connection.execute(update(knowledge_bases).values(event_seq=seq + 1))
