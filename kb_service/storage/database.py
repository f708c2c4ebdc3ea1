"""The connection to SQLite or PostgreSQL: transactions, bounded waits, migration, typed errors.

What a writer has read stays true until it commits: `write()` is BEGIN IMMEDIATE on SQLite, where
one writes at a time. On PostgreSQL one writes at a time in each base (`postgres`), where the writer
says in which. `read()` sees one snapshot. Knows no table.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from kb_service.domain.errors import ConfigurationError, KbError, StorageError
from kb_service.domain.extras import install_command
from kb_service.storage import postgres, sqlite
from kb_service.storage.data_folder import refusal_to_write
from kb_service.storage.migration import upgrade
from kb_service.storage.nudges import Nudges, Wake, has_queued
from kb_service.storage.reserve import FULL_BYTES, Reserve

WRITE_WAIT_S = 10.0
"""How long a write waits for another one, where nobody says otherwise."""

LOG_BYTES = 4 * 1024 * 1024
"""Size of SQLite's log past which it is moved into the database: SQLite's own 1000 pages."""

ANY_BASE = ""
"""The base of a write that takes bases itself, by `hold` or `hold_free`."""

_CODES = {
    "database or disk is full": "disk_full",
    "no space left on device": "disk_full",
    "disk quota exceeded": "disk_full",
    "database is locked": "database_locked",
    "lock timeout": "database_locked",
    "queuepool limit": "database_locked",
    "attempt to write a readonly database": "storage_read_only",
    "read-only transaction": "storage_read_only",
    "unable to open database file": "storage_unavailable",
    "connection": "storage_unavailable",
}
_DAMAGED = "database_damaged"
_SQLITE_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_POSTGRES_DAMAGE = frozenset({"XX001", "XX002"})
"""SQLSTATE data_corrupted and index_corrupted."""
DEFAULT_POOL = postgres.Pool()
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure:
    """The last write failed so, at that moment of the monotonic clock."""

    error: StorageError
    at_s: float


class Database:
    """One database and the two ways to use it.

    `write_wait_s`: how long a write waits for its turn. `reserve`: room that a delete may use on a
    full disk. `refusal`: why nothing can be written at all, None where it can.
    """

    def __init__(
        self, engine: Engine, write_wait_s: float = WRITE_WAIT_S, log_bytes: int = LOG_BYTES
    ) -> None:
        self.engine = engine
        self._log_bytes = log_bytes
        self.is_damaged = False
        """True once any read or write met a damaged page: it does not heal by itself."""
        self.write_wait_s = write_wait_s
        self.reserve: Reserve | None = None
        self.refusal: StorageError | None = None
        self.failure: Failure | None = None
        self.nudges = None if self.is_sqlite else Nudges(engine)

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database that is open for writing, None for any other."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one snapshot. Raises StorageError."""
        with self._typed_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                # In place: the options hold for this connection until it is given back.
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            yield connection

    @contextmanager
    def write(
        self, wait_s: float | None = None, *, needs_room: bool = True, base: str | None = None
    ) -> Iterator[Connection]:
        """Yield the only writing connection; commits at the end, rolls back on any exception.

        `base`: the only one in which anything is written; what is common to bases may be added to,
        and is neither removed nor judged. None: anything is written, and nobody else writes.
        `needs_room` False: it removes, or only keeps others from writing. Raises StorageError:
        database_locked when its turn does not come within `wait_s` seconds (default:
        `write_wait_s`), storage_read_only where nothing can be written, disk_full where the room
        that is left is kept for deletes.
        """
        if self.refusal is not None:
            raise self.refusal
        if needs_room:
            self._require_room()
        try:
            wait_s = self.write_wait_s if wait_s is None else wait_s
            with self._transaction(wait_s, base) as connection:
                has_queued(connection)  # of one that was rolled back
                yield connection
                has_job = has_queued(connection)
        except StorageError as error:
            if error.is_outage or error.code == StorageError.default_code:
                self.failure = Failure(error, time.monotonic())
            raise
        self.failure = None
        if self.nudges is not None:
            self.nudges.tell(base or "", has_job=has_job)

    def wait_for_job(self, seconds: float) -> None:
        """Wait until a job may have been queued, about so long at most."""
        if self.nudges is None:
            time.sleep(seconds)
        else:
            self.nudges.wait_for_job(seconds)

    @contextmanager
    def waking(self, kb_id: str, wake: Wake) -> Iterator[Callable[[], bool]]:
        """Call `wake`, from another thread, when something was committed in a base.

        Yields what tells whether that is heard of at this moment.
        """
        nudges = self.nudges
        if nudges is None:
            yield lambda: False
            return
        with nudges.waking(kb_id, wake):
            yield lambda: nudges.is_heard

    def hold(self, connection: Connection, kb_ids: Iterable[str]) -> None:
        """Wait until nobody else writes in these bases, in a write of ANY_BASE that holds none."""
        if not self.is_sqlite:
            for kb_id in sorted(kb_ids):  # in one order, so that no two wait for each other
                postgres.hold(connection, kb_id)

    def hold_free(self, connection: Connection, kb_id: str) -> bool:
        """Hold a base, in a write of ANY_BASE; False where somebody else writes in it."""
        return self.is_sqlite or postgres.hold_free(connection, kb_id)

    def freeing(self, action: Callable[[], Result]) -> Result:
        """Run an action that deletes; on a full disk once more, with the reserve given up for it.

        The room of the log is given back afterwards, and the reserve taken again. Raises what the
        action raises; disk_full says then that the reserve was not enough.
        """
        try:
            return action()
        except StorageError as error:
            if error.code != "disk_full" or self.reserve is None:
                raise
        self.reserve.release()
        self.give_log_back()  # what failed writes have left there; it may need room itself
        try:
            return action()
        except StorageError as error:
            if error.code == "disk_full":
                raise self._too_small(error) from error
            raise
        finally:
            self.give_log_back()
            self.reserve.restore()

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe when several processes start together.

        Takes the write lock only when something is to be done. Raises ConfigurationError when the
        database was made by a newer version, or needs a step and cannot be written.
        """
        upgrade(self.read, self.write, can_write=self.refusal is None)

    def read_only(self, path: Path, refusal: StorageError) -> None:
        """From now on read the SQLite file at `path` without writing; writes raise `refusal`."""
        self.close()
        self.engine = sqlite.read_only_engine(path)
        self.refusal = refusal

    def writable(self, path: Path) -> None:
        """From now on read and write the SQLite file at `path`."""
        self.close()
        self.engine = sqlite.writable_engine(f"sqlite:///{path}", self._log_bytes)
        self.refusal = None

    def typed(self, error: SQLAlchemyError, wait_s: float = sqlite.READ_WAIT_S) -> StorageError:
        """Return the StorageError that stands for a failure, and remember damage.

        `wait_s`: how long the failed statement would have waited for another process.
        """
        found = storage_error(error)
        self.is_damaged = self.is_damaged or found.code == _DAMAGED
        if found.code == "database_locked":
            return sqlite.locked(wait_s)
        if self.path is not None and sqlite.is_io_error(getattr(error, "orig", None)):
            return _said_by_disk(self.path, found)
        return found

    def close(self) -> None:
        """Close every pooled connection; the database may be used again afterwards."""
        if self.nudges is not None:
            self.nudges.close()
            self.nudges = Nudges(self.engine)
        self.engine.dispose()

    @contextmanager
    def _typed_errors(self, wait_s: float = sqlite.READ_WAIT_S) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None)
            if isinstance(cause, KbError):
                raise cause from None
            raise self.typed(error, wait_s) from error

    @contextmanager
    def _transaction(self, wait_s: float, base: str | None) -> Iterator[Connection]:
        with self._typed_errors(wait_s), ExitStack() as stack:
            try:
                connection = self._begin_write(stack, wait_s)
            except StorageError as error:
                if error.code != "storage_read_only":
                    raise
                # What SQLite cannot open for writing it opens for reading, and says nothing: a
                # fault of a moment must not last as long as the connection.
                stack.close()
                self.close()
                connection = self._begin_write(stack, wait_s)
            if not self.is_sqlite:
                postgres.begin_write(connection, wait_s, is_alone=base is None)
                if base:
                    postgres.hold(connection, base)
            yield connection

    def _begin_write(self, stack: ExitStack, wait_s: float) -> Connection:
        connection = stack.enter_context(self.engine.connect())
        connection.execution_options(**{sqlite.WRITE_WAIT_OPTION: wait_s})
        stack.enter_context(connection.begin())
        return connection

    def _require_room(self) -> None:
        """Raise disk_full on a disk so full that this write would take the room deletes need.

        The log must always fit into the database once more: else it could only grow.
        """
        reserve, path = self.reserve, self.path
        if reserve is None or path is None or reserve.leaves_room(sqlite.log_size(path)):
            return
        self.give_log_back()
        reserve.restore()
        spare = 0 if reserve.is_spent else self._spare_bytes()
        if spare < FULL_BYTES and not reserve.leaves_room(sqlite.log_size(path)):
            raise StorageError(
                "the disk of the data folder is full: what room is left is kept for deletes",
                code="disk_full",
            )

    def _spare_bytes(self) -> int:
        """Return the room inside the file that earlier deletes have left."""
        with self.read() as connection:
            num_pages: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        return num_pages * sqlite.PAGE_BYTES

    def give_log_back(self) -> None:
        """Move SQLite's log into the file, and what was overwritten with it, as far as it goes."""
        if self.is_sqlite:
            with suppress(SQLAlchemyError, sqlite3.Error):
                sqlite.checkpoint(self.engine)

    def _too_small(self, error: StorageError) -> StorageError:
        kept = self.reserve.target_bytes if self.reserve else 0
        return StorageError(
            f"{error.message}; the reserve of {kept} bytes is too small for this delete: free room "
            "on the disk of the data folder, or delete smaller documents first",
            code=error.code,
            details={"reserve_bytes": kept},
        )


def open_database(
    url: str,
    write_wait_s: float = WRITE_WAIT_S,
    log_bytes: int = LOG_BYTES,
    pool: postgres.Pool = DEFAULT_POOL,
) -> Database:
    """Return the database of a URL (`sqlite:///…` or `postgresql+psycopg://…`); connects later.

    `log_bytes`: SQLite's log is moved into the database past so many. `pool`: of connections to
    PostgreSQL. Raises ConfigurationError for any other URL.
    """
    try:
        parsed = make_url(url)
        driver = parsed.drivername
        if driver not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
            raise ConfigurationError(
                f"database URL starts with {driver!r}; sqlite:/// and postgresql+psycopg:// work"
            )
        if not driver.startswith("sqlite"):
            return Database(postgres.engine(parsed, pool), write_wait_s)
        if not parsed.database:
            raise ConfigurationError("the SQLite URL names no file; use sqlite:////path/kb.sqlite3")
        return Database(sqlite.writable_engine(url, log_bytes), write_wait_s, log_bytes)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"PostgreSQL needs {error.name}, which is not installed: {install_command('postgres')}",
            code="extra_missing",
        ) from error
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(f"the database URL cannot be used: {error}") from error


def _said_by_disk(path: Path, error: StorageError) -> StorageError:
    """Return the error with the code that the disk gives for a write now, where it refuses one."""
    refusal = refusal_to_write(path.parent) if path.parent.is_dir() else None
    return StorageError(error.message, code=refusal.code) if refusal else error


def storage_error(error: SQLAlchemyError) -> StorageError:
    """Return the StorageError that stands for a failure of the database."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    message = " ".join(str(cause).split())
    if "could not decode to utf-8" in message.lower():  # sqlite3 repeats the whole text after it
        return StorageError(
            "a stored text is not UTF-8 any more; `kb verify` names it", code="text_damaged"
        )
    if _is_damage(cause):
        return StorageError(
            f"the database is damaged: {message}; `kb verify` names what is hit", code=_DAMAGED
        )
    if isinstance(cause, sqlite3.Error) and (code := sqlite.code_of(cause)) != "storage_failed":
        return StorageError(f"the database refused: {message}", code=code)
    known = (code for part, code in _CODES.items() if part in message.lower())
    return StorageError(f"the database refused: {message}", code=next(known, "storage_failed"))


def _is_damage(cause: object) -> bool:
    # The low byte is the kind of an SQLite error, what stands above it a detail.
    is_sqlite = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGE
    return is_sqlite or getattr(cause, "sqlstate", None) in _POSTGRES_DAMAGE
