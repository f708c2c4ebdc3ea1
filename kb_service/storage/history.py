"""When revisions were searchable: the intervals of a base, kept at each change and cut by a purge.

A time or change becomes a state of the base here. `begin`, `end` and `take_over` are called inside
a write only. Knows no chunk but that it counts and purges them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.history import AsOf
from kb_service.storage.database import Database
from kb_service.storage.embeddings import remove_unused_embeddings
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.past_tables import intervals, past_chunks
from kb_service.storage.tables import (
    chunks,
    knowledge_bases,
)

Interval = Row[Any]


def take_over(connection: Connection, revision_ids: Collection[int]) -> Sequence[Interval]:
    """Return the intervals of revisions that go, for `begin` to give to the one in their place."""
    mine = intervals.c.revision_id.in_(revision_ids)
    return connection.execute(select(intervals).where(mine)).all()


def begin(
    connection: Connection,
    kb_id: str,
    revision_id: int,
    change: int,
    now: datetime,
    earlier: Sequence[Interval] = (),
) -> None:
    """Note that a revision became searchable with a change; `earlier` intervals become its own."""
    taken = [{**row._mapping, "revision_id": revision_id} for row in earlier]  # noqa: SLF001
    for values in taken:
        if values["removed"] is None:
            values |= {"removed": change, "removed_at": now}
    own = {"kb_id": kb_id, "added": change, "revision_id": revision_id, "added_at": now}
    connection.execute(insert(intervals), [*taken, {**own, "removed": None, "removed_at": None}])


def end(connection: Connection, revision_ids: Collection[int], change: int, now: datetime) -> None:
    """Note that revisions are no longer searchable from a change on."""
    connection.execute(
        update(intervals)
        .where(intervals.c.revision_id.in_(revision_ids), intervals.c.removed.is_(None))
        .values(removed=change, removed_at=now)
    )


def was_searchable(change: int) -> ColumnElement[bool]:
    """Match the intervals that a change lies in."""
    is_open = or_(intervals.c.removed.is_(None), intervals.c.removed > change)
    return and_(intervals.c.added <= change, is_open)


class History:
    """The past of all bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def resolve(self, kb_id: str, asked: int | datetime) -> AsOf:
        """Return the state of a base after a change, or at a time.

        Raises NotFound, InvalidRequest: as_of_in_future, as_of_before_base, as_of_purged.
        """
        with self._database.read() as connection:
            statement = select(knowledge_bases).where(knowledge_bases.c.id == kb_id)
            base = connection.execute(statement).first()
            if base is None:
                raise NotFound(f"no knowledge base {kb_id!r}", code="kb_not_found")
            is_change = isinstance(asked, int)
            newest = base.change_seq if is_change else self._clock()
            _check_range(base, asked, newest)
            change, changed_at = _last_boundary(connection, base, asked)
            latest, _ = _last_boundary(connection, base, newest)
            num_chunks = sum(_num_chunks(connection, kb_id, change, t) for t in _WITH_TEXT)
        at = asked if isinstance(asked, datetime) else changed_at
        return AsOf(change, at, change == latest, num_chunks)

    def purge(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` intervals that ended before a time, with the chunks of no other.

        Returns how many. A base cannot be searched as of changes before the last one forgotten.
        """
        ended = select(intervals).where(intervals.c.removed_at < before)
        with self._database.write(needs_room=False) as connection:
            rows = connection.execute(
                ended.order_by(intervals.c.removed_at, intervals.c.removed).limit(limit)
            ).all()
            for row in rows:
                which = and_(intervals.c.kb_id == row.kb_id, intervals.c.added == row.added)
                connection.execute(delete(intervals).where(which))
                _move_beginning(connection, row)
            _forget_chunks(connection, {row.revision_id for row in rows})
        return len(rows)


_WITH_TEXT = (chunks, past_chunks)


def _check_range(base: Row[Any], asked: int | datetime, newest: int | datetime) -> None:
    is_change = isinstance(asked, int)
    first: Any = 0 if is_change else base.created_at
    kept: Any = base.history_from if is_change else base.history_from_at
    value: Any = asked
    told = {"first": _told(max(first, kept) if kept else first), "last": _told(newest)}
    details = {"as_of": _told(asked), **told}
    accepted = f"{told['first']} to {told['last']} are accepted"
    if value > newest:
        raise InvalidRequest(
            f"as_of is {_told(asked)}, which is still to come; {accepted}",
            code="as_of_in_future",
            details=details,
        )
    if value < first:
        raise InvalidRequest(
            f"as_of is {_told(asked)}, before the knowledge base began; {accepted}",
            code="as_of_before_base",
            details=details,
        )
    if kept and value < kept:
        raise InvalidRequest(
            f"as_of is {_told(asked)}; versions from before {_told(kept)} are no longer kept for"
            f" search; {accepted}",
            code="as_of_purged",
            details=details,
        )


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _last_boundary(
    connection: Connection, base: Row[Any], asked: int | datetime
) -> tuple[int, datetime]:
    """Return the last change, with its time, that made something searchable or no longer so."""
    found: list[tuple[int, datetime]] = [
        (base.history_from, base.history_from_at or base.created_at)
    ]
    for number, at in (
        (intervals.c.added, intervals.c.added_at),
        (intervals.c.removed, intervals.c.removed_at),
    ):
        limit = number if isinstance(asked, int) else at
        statement = (
            select(number, at)
            .where(intervals.c.kb_id == base.id, limit <= asked)
            .order_by(number.desc())
            .limit(1)
        )
        found += [(row[0], row[1]) for row in connection.execute(statement)]
    return max(found)


def _num_chunks(connection: Connection, kb_id: str, change: int, table: Any) -> int:  # noqa: ANN401
    statement = (
        select(func.count())
        .select_from(intervals.join(table, table.c.revision_id == intervals.c.revision_id))
        .where(intervals.c.kb_id == kb_id, was_searchable(change))
    )
    return int(connection.execute(statement).scalar_one())


def _move_beginning(connection: Connection, row: Interval) -> None:
    is_older = knowledge_bases.c.history_from < row.removed
    connection.execute(
        update(knowledge_bases)
        .where(knowledge_bases.c.id == row.kb_id, is_older)
        .values(history_from=row.removed, history_from_at=row.removed_at)
    )


def _forget_chunks(connection: Connection, revision_ids: set[int]) -> None:
    """Delete the past chunks of those of the revisions that have no interval left."""
    kept = select(intervals.c.revision_id).where(intervals.c.revision_id.in_(revision_ids))
    gone = revision_ids - set(connection.execute(kept).scalars())
    hashes = connection.execute(
        delete(past_chunks)
        .where(past_chunks.c.revision_id.in_(gone))
        .returning(past_chunks.c.text_sha256)
    ).scalars()
    remove_unused_embeddings(connection, set(hashes))
