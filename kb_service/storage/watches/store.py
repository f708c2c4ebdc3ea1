"""Standing questions of all bases: kept, found when they are due, answered, their changes told.

A new answer, and that it is another one, are one transaction: a change is kept once, whoever asks
beside, and wherever a process ends.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from kb_service.domain.errors import Conflict, NotFound
from kb_service.domain.jobs import JobStatus
from kb_service.domain.schedules import Schedule
from kb_service.domain.watches import AnswerChange, Asked, StandingAnswer, Watch
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_cursor,
    decode_number,
    encode_cursor,
    new_id,
    utc_now,
)
from kb_service.storage.rows import batches
from kb_service.storage.tables import documents, jobs, knowledge_bases
from kb_service.storage.watches.rows import (
    asked_json,
    change_of,
    change_rows,
    insert_answer,
    watch_of,
    watch_rows,
)
from kb_service.storage.watches.tables import watch_answers, watch_changes, watches


class Watches:
    """The standing questions. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def add(self, kb_id: str, name: str, asked: Asked, schedule: Schedule, webhook: str) -> Watch:
        """Keep a standing question; it has no answer yet.

        Raises NotFound (kb_not_found), Conflict (watch_name_taken).
        """
        now = self._clock()
        values = {
            "id": new_id("watch"),
            "kb_id": kb_id,
            "name": name,
            "asked": asked_json(asked),
            "schedule": schedule.line,
            "follows_changes": schedule.follows_changes,
            "webhook": webhook,
            "created_at": now,
            "next_at": now,
            "num_failures": 0,
            "num_checks": 0,
        }
        with self._database.write(base=kb_id) as connection:
            require_kb(connection, kb_id)
            same = select(watches.c.id).where(watches.c.kb_id == kb_id, watches.c.name == name)
            if connection.execute(same).first() is not None:
                raise Conflict(
                    f"the base has a standing question {name!r}", code="watch_name_taken"
                )
            connection.execute(insert(watches).values(values))
            return _require(connection, kb_id, str(values["id"]))

    def get(self, kb_id: str, watch: str) -> Watch:
        """Return a standing question by its id or name. Raises NotFound (watch_not_found)."""
        with self._database.read() as connection:
            return _require(connection, kb_id, watch)

    def listed(self, kb_id: str, limit: int = 100, cursor: str | None = None) -> Listing[Watch]:
        """Return the standing questions of a base by name. Raises NotFound, InvalidRequest."""
        statement = watch_rows().where(watches.c.kb_id == kb_id).order_by(watches.c.name)
        if cursor:
            statement = statement.where(watches.c.name > decode_cursor(cursor, 1)[0])
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            rows = connection.execute(statement.limit(check_limit(limit) + 1))
            found = tuple(map(watch_of, rows))
        more = found[limit:]
        return Listing(found[:limit], encode_cursor(found[limit - 1].name) if more else None)

    def states(self, kb_id: str) -> tuple[tuple[object, ...], ...]:
        """Return what tells that the list of a base is another one, without any answer."""
        one = watches.c
        columns = one.id, one.schedule, one.is_paused, one.num_checks, one.num_failures
        statement = select(*columns).where(one.kb_id == kb_id).order_by(one.name)
        with self._database.read() as connection:
            return tuple(connection.execute(statement).tuples())

    def change(
        self, kb_id: str, watch: str, is_paused: bool | None, schedule: Schedule | None
    ) -> Watch:
        """Pause a standing question, let it go on, or ask it at other times; None: as it was.

        One that goes on is due at once. Raises NotFound (watch_not_found).
        """
        values: dict[str, object] = {"next_at": self._clock()}
        if is_paused is not None:
            values["is_paused"] = is_paused
        if schedule is not None:
            values |= {"schedule": schedule.line, "follows_changes": schedule.follows_changes}
        with self._database.write(base=kb_id) as connection:
            known = _require(connection, kb_id, watch)
            connection.execute(update(watches).where(watches.c.id == known.id).values(values))
            return _require(connection, kb_id, known.id)

    def remove(self, kb_id: str, watch: str) -> None:
        """Delete a standing question with its answers. Raises NotFound (watch_not_found)."""
        with self._database.write(needs_room=False) as connection:
            known = _require(connection, kb_id, watch)
            connection.execute(delete(watches).where(watches.c.id == known.id))

    def due(self, kb_id: str | None = None) -> list[tuple[Watch, int]]:
        """Return what may be asked now, each with the change its base is at, the longest due first.

        What follows changes is due where its base changed since; without `kb_id` not while a
        document of it is waited for. What is paused is never due.
        """
        base, now = knowledge_bases.c, self._clock()
        is_other = watches.c.checked_change.is_distinct_from(base.change_seq)
        statement = (
            watch_rows()
            .add_columns(base.change_seq)
            .join(knowledge_bases, base.id == watches.c.kb_id)
            .where(watches.c.next_at <= now, or_(~watches.c.follows_changes, is_other))
            .where(~watches.c.is_paused)
            .order_by(watches.c.next_at, watches.c.id)
        )
        if kb_id is not None:
            statement = statement.where(watches.c.kb_id == kb_id)
        else:
            open_jobs = jobs.c.status.in_((JobStatus.QUEUED, JobStatus.RUNNING))
            is_busy = exists().where(jobs.c.kb_id == watches.c.kb_id, open_jobs)
            statement = statement.where(or_(~watches.c.follows_changes, ~is_busy))
        with self._database.read() as connection:
            return [(watch_of(row), row.change_seq) for row in connection.execute(statement)]

    def answered(self, watch: Watch, answer: StandingAnswer) -> bool:
        """Keep what was said now; return True where that is a change.

        What was asked while somebody else wrote of the question, or quotes a document that is gone
        meanwhile, is not kept: it is due still.
        """
        now = self._clock()
        with self._database.write(base=watch.kb_id) as connection:
            row = connection.execute(
                select(watches.c.answer_id, watches.c.webhook).where(
                    watches.c.id == watch.id, watches.c.num_checks == watch.num_checks
                )
            ).first()
            if row is None or not _are_there(connection, answer.documents):
                return False
            is_change = _is_another(connection, row.answer_id, answer)
            answer_id = insert_answer(connection, watch.id, answer)
            if is_change:
                values = {"watch_id": watch.id, "old_id": row.answer_id, "new_id": answer_id}
                values |= {"at": now, "num_posts": 0, "post_at": now if row.webhook else None}
                connection.execute(insert(watch_changes).values(values))
            connection.execute(
                update(watches)
                .where(watches.c.id == watch.id)
                .values(
                    answer_id=answer_id,
                    checked_at=now,
                    checked_change=answer.base_change,
                    next_at=watch.when.next_after(now),
                    error=None,
                    num_failures=0,
                    num_checks=watches.c.num_checks + 1,
                )
            )
            _forget(connection, row.answer_id)
            return is_change

    def failed(self, watch: Watch, error: dict[str, object], next_at: datetime) -> None:
        """Note why a question could not be asked, and when it is tried again."""
        with self._database.write(base=watch.kb_id) as connection:
            connection.execute(
                update(watches)
                .where(watches.c.id == watch.id)
                .values(error=error, next_at=next_at, num_failures=watches.c.num_failures + 1)
            )

    def changes(
        self, kb_id: str, watch: str, limit: int = 100, cursor: str | None = None
    ) -> Listing[AnswerChange]:
        """Return the changes of an answer, the latest first. Raises NotFound, InvalidRequest."""
        change = watch_changes.c
        statement = change_rows().order_by(change.id.desc()).limit(check_limit(limit) + 1)
        if cursor:
            statement = statement.where(change.id < decode_number(cursor))
        with self._database.read() as connection:
            known = _require(connection, kb_id, watch)
            rows = connection.execute(statement.where(change.watch_id == known.id))
            found = tuple(map(change_of, rows))
        more = found[limit:]
        return Listing(found[:limit], encode_cursor(str(found[limit - 1].id)) if more else None)

    def untold(self, kb_id: str) -> list[AnswerChange]:
        """Return the changes of a base that were not printed yet, the earliest first."""
        statement = change_rows().where(watches.c.kb_id == kb_id, watch_changes.c.told_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(watch_changes.c.id))
            return list(map(change_of, rows))

    def told(self, change_ids: Sequence[int]) -> None:
        """Note that changes were printed."""
        now = self._clock()
        with self._database.write() as connection:
            for batch in batches(change_ids):
                chosen = watch_changes.c.id.in_(batch), watch_changes.c.told_at.is_(None)
                connection.execute(update(watch_changes).where(*chosen).values(told_at=now))


def _require(connection: Connection, kb_id: str, watch: str) -> Watch:
    """Return the question of that id, else of that name."""
    require_kb(connection, kb_id)
    named = or_(watches.c.id == watch, watches.c.name == watch)
    statement = watch_rows().where(watches.c.kb_id == kb_id, named)
    rows = connection.execute(statement).all()
    if not rows:
        raise NotFound(f"no standing question {watch[:100]!r}", code="watch_not_found")
    return watch_of(next((row for row in rows if row.id == watch), rows[0]))


def _are_there(connection: Connection, document_ids: frozenset[str]) -> bool:
    found = 0
    for batch in batches(document_ids):
        chosen = select(func.count()).where(documents.c.id.in_(batch))
        found += connection.execute(chosen).scalar_one()
    return found == len(document_ids)


def _is_another(connection: Connection, answer_id: int | None, answer: StandingAnswer) -> bool:
    """True for an answer other than the one before; the first one is no change."""
    before = select(watch_answers.c.digest).where(watch_answers.c.id == answer_id)
    digest = connection.execute(before).scalar_one_or_none()
    return digest is not None and not answer.is_as(digest)


def _forget(connection: Connection, answer_id: int | None) -> None:
    """Delete an answer that has gone and is no part of a change."""
    change = watch_changes.c
    is_part = exists().where(or_(change.old_id == answer_id, change.new_id == answer_id))
    connection.execute(delete(watch_answers).where(watch_answers.c.id == answer_id, ~is_part))
