"""The connection to SQLite or PostgreSQL: settings, transactions, migration, typed errors.

One writer at a time on both databases: `write()` is BEGIN IMMEDIATE on SQLite and holds one
advisory lock on PostgreSQL, so what a writer has read stays true until it commits. `read()` sees
one snapshot. Knows no table.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from kb_service.domain.errors import ConfigurationError, KbError, StorageError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 30
WRITE_LOCK_KEY = 0x6B625F7365727669
"""PostgreSQL advisory lock of the one writer: the bytes of `kb_servi`."""

_SQLITE_BEGIN = {"read": "BEGIN", "write": "BEGIN IMMEDIATE"}
_CODES = {
    "database or disk is full": "disk_full",
    "no space left on device": "disk_full",
    "database is locked": "database_locked",
    "lock timeout": "database_locked",
    "attempt to write a readonly database": "storage_read_only",
    "unable to open database file": "storage_unavailable",
    "connection": "storage_unavailable",
}
_DAMAGED = "database_damaged"
_SQLITE_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_POSTGRES_DAMAGE = frozenset({"XX001", "XX002"})
"""SQLSTATE data_corrupted and index_corrupted."""


class Database:
    """One database and the two ways to use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_damaged = False
        """True once any read or write met a damaged page: it does not heal by itself."""

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

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
    def write(self) -> Iterator[Connection]:
        """Yield the only writing connection; commits at the end, rolls back on any exception.

        Raises StorageError, also when the lock is not free within BUSY_TIMEOUT_S seconds.
        """
        with self._typed_errors(), self.engine.connect() as connection:
            connection.execution_options(kb_transaction="write")
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S}s'"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITE_LOCK_KEY})"))
                yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe when several processes start together.

        Raises ConfigurationError when the database was made by a newer version.
        """
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.write() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigurationError(
                    f"the database was not made by this version: {error}",
                    code="database_version_unknown",
                ) from error

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None)
            if isinstance(cause, KbError):
                raise cause from None
            raise self.typed(error) from error

    def typed(self, error: SQLAlchemyError) -> StorageError:
        """Return the StorageError that stands for a failure, and remember damage."""
        found = storage_error(error)
        self.is_damaged = self.is_damaged or found.code == _DAMAGED
        return found

    def close(self) -> None:
        """Close every pooled connection; the database may be used again afterwards."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Return the database of a URL (`sqlite:///…` or `postgresql+psycopg://…`); connects later.

    Raises ConfigurationError for any other URL.
    """
    try:
        parsed = make_url(url)
        driver = parsed.drivername
        if driver not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
            raise ConfigurationError(
                f"database URL starts with {driver!r}; sqlite:/// and postgresql+psycopg:// work"
            )
        if driver.startswith("sqlite") and not parsed.database:
            raise ConfigurationError("the SQLite URL names no file; use sqlite:////path/kb.sqlite3")
        return Database(_create_engine(url, is_sqlite=driver.startswith("sqlite")))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(f"the database URL cannot be used: {error}") from error


def _create_engine(url: str, *, is_sqlite: bool) -> Engine:
    if not is_sqlite:
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=15)
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        pool_size=5,
        max_overflow=60,
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  DBAPI connection
    connection.isolation_level = None  # SQLAlchemy's begin event says how each transaction starts
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    _enable_wal(connection)


def _enable_wal(connection: Any) -> None:  # noqa: ANN401  DBAPI connection
    # The switch to WAL does not wait for other connections by itself; once done, it is permanent.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("kb_transaction", "read")
    connection.exec_driver_sql(_SQLITE_BEGIN[mode])


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
    known = (code for part, code in _CODES.items() if part in message.lower())
    return StorageError(f"the database refused: {message}", code=next(known, "storage_failed"))


def _is_damage(cause: object) -> bool:
    # The low byte is the kind of an SQLite error, what stands above it a detail.
    is_sqlite = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGE
    return is_sqlite or getattr(cause, "sqlstate", None) in _POSTGRES_DAMAGE
