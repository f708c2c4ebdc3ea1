"""Changes of answers that wait to be posted. A claim is a transaction, so one process has it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from kb_service.domain.watches import AnswerChange
from kb_service.storage.database import Database
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.watches.rows import change_of, change_rows
from kb_service.storage.watches.tables import watch_changes, watches

MAX_POSTS = 12


class Outbox:
    """What is to be posted. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def claim_post(self, retry_at: Callable[[int], datetime]) -> tuple[AnswerChange, str] | None:
        """Return a change that is due with its address, due again at `retry_at` of its tries.

        After the last try it is due no more.
        """
        change, now = watch_changes.c, self._clock()
        due = select(change.id).where(change.post_at <= now).order_by(change.post_at).limit(1)
        with self._database.read() as connection:
            if connection.execute(due).first() is None:
                return None
        with self._database.write() as connection:
            change_id = connection.execute(due).scalar_one_or_none()
            if change_id is None:
                return None
            statement = change_rows().add_columns(watches.c.webhook).where(change.id == change_id)
            row = connection.execute(statement).one()
            num_posts = row.num_posts + 1
            again = retry_at(num_posts) if num_posts < MAX_POSTS else None
            mine = update(watch_changes).where(change.id == change_id)
            connection.execute(mine.values(num_posts=num_posts, post_at=again))
            return change_of(row), row.webhook

    def base_of(self, watch_id: str) -> str | None:
        """Return the id of the base of a standing question, None when it is gone."""
        statement = select(watches.c.kb_id).where(watches.c.id == watch_id)
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one_or_none()

    def posted(self, change_id: int) -> None:
        """Note that a change was taken."""
        self._ended(change_id, self._clock())

    def give_up_post(self, change_id: int) -> None:
        """Post a change no more."""
        self._ended(change_id, None)

    def _ended(self, change_id: int, at: datetime | None) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(watch_changes)
                .where(watch_changes.c.id == change_id)
                .values(post_at=None, posted_at=at)
            )
