"""The two counters of a knowledge base: index changes and events. Called inside a write only.

A number is given by changing the base's row, which is held until the transaction ends. So of a base
numbers have no gaps and become visible in order: whoever has read up to one has missed none.
"""

from sqlalchemy import Column, Connection, bindparam, delete, insert, update
from sqlalchemy.sql.dml import ReturningUpdate

from kb_service.domain.errors import NotFound
from kb_service.storage.tables import changes, knowledge_bases


def _counted_up(column: Column[int]) -> ReturningUpdate[int]:
    mine = update(knowledge_bases).where(knowledge_bases.c.id == bindparam("base"))
    return mine.values({column: column + 1}).returning(column)


# Built once: every write of a base takes a number.
_NEXT = {name: _counted_up(knowledge_bases.c[name]) for name in ("event_seq", "change_seq")}


def record_added(connection: Connection, kb_id: str, revision_id: int) -> int:
    """Note that the chunks of a revision became searchable; return the sequence number."""
    return _record(connection, kb_id, revision_id, is_added=True)


def record_readded(connection: Connection, kb_id: str, revision_id: int) -> int:
    """Note that a searchable revision has to be read again; its earlier addition leaves the log."""
    _forget(connection, kb_id, revision_id)
    return record_added(connection, kb_id, revision_id)


def record_removed(connection: Connection, kb_id: str, revision_id: int) -> int:
    """Note that a revision's chunks are gone; its earlier addition leaves the log."""
    _forget(connection, kb_id, revision_id)
    return _record(connection, kb_id, revision_id, is_added=False)


def next_event(connection: Connection, kb_id: str) -> int:
    """Return the next event number of a base. Raises NotFound."""
    return _next(connection, kb_id, "event_seq")


def _forget(connection: Connection, kb_id: str, revision_id: int) -> None:
    connection.execute(
        delete(changes).where(changes.c.kb_id == kb_id, changes.c.revision_id == revision_id)
    )


def _record(connection: Connection, kb_id: str, revision_id: int, *, is_added: bool) -> int:
    seq = _next(connection, kb_id, "change_seq")
    connection.execute(
        insert(changes).values(kb_id=kb_id, seq=seq, revision_id=revision_id, is_added=is_added)
    )
    return seq


def _next(connection: Connection, kb_id: str, counter: str) -> int:
    number: int | None = connection.execute(_NEXT[counter], {"base": kb_id}).scalar_one_or_none()
    if number is None:
        raise NotFound(f"no knowledge base {kb_id!r}", code="kb_not_found")
    return number
