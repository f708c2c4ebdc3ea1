"""Whose turn it is to write what the processes of several machines share, by locks of PostgreSQL.

Knows one advisory lock a base, which ends with the connection that holds it, and so maybe before
its holder: who writes asks before each write whether it is still there. Knows nothing of what is
written.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from kb_service.storage.database import Database


class PostgresTurns:
    """Hands out turns: one holder a base at a time, of all that use the database."""

    may_be_lost = True

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def take(self, kb_id: str) -> Iterator[Callable[[], None] | None]:
        """Hold the turn of a base for the time of the context; None where another has it.

        Yields what raises StorageError once the turn is lost. Takes a connection of its own and no
        transaction. Raises StorageError.
        """
        key = {"key": _key(kb_id)}
        try:
            connection = self._database.engine.connect()
        except SQLAlchemyError as error:
            raise self._database.typed(error) from error
        with connection:
            try:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                taken = text("SELECT pg_try_advisory_lock(:key)")
                is_mine = bool(connection.execute(taken, key).scalar_one())
            except SQLAlchemyError as error:
                raise self._database.typed(error) from error
            try:
                yield (lambda: self._check(connection)) if is_mine else None
            finally:
                if is_mine:
                    self._give_back(connection, key)

    def _check(self, connection: Connection) -> None:
        """Ask over the connection that holds the turn; one that broke is never made anew here."""
        try:
            connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise self._database.typed(error) from error

    @staticmethod
    def _give_back(connection: Connection, key: dict[str, int]) -> None:
        """End the turn before the caller goes on: the next taker must not find it held."""
        try:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
        except SQLAlchemyError:
            # Not back into the pool: with the connection the lock ends in any case.
            connection.invalidate()


def _key(kb_id: str) -> int:
    digest = blake2b(b"index of " + kb_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
