"""SQLite's own ways: settings of a connection, waiting for the write lock, reading without writing.

Knows files, pragmas and SQLite's result codes. Knows no table and no transaction of ours.
"""

import shutil
import sqlite3
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from kb_service.domain.errors import StorageError

READ_WAIT_S = 5.0
"""Longest wait of a read; in WAL mode it waits only while another process opens or closes."""

WAL_SWITCH_WAIT_S = 10.0
POLL_S = 0.25
"""SQLite counts its own pauses, not the clock: a busy machine stretches one long wait, so we wait
in short ones and look at the clock."""

PAGE_BYTES = 4096
"""SQLite's own page size, which we leave as it is."""

MEMORY_BYTES = 32 * 1024
"""The -shm file of a database that was opened has at least so many; a failed try leaves 3."""

WRITE_WAIT_OPTION = "kb_write_wait_s"
"""Execution option of a connection: its next transaction writes, and may wait so long for it."""


def writable_engine(url: str, log_bytes: int) -> Engine:
    """Return the engine of a SQLite file that may be read and written; connects later.

    `log_bytes`: its log is moved into the database past so many, and cut to so many.
    """
    num_pages = max(log_bytes // PAGE_BYTES, 1)

    def bound_log(connection: Any, _record: object) -> None:  # noqa: ANN401  DBAPI connection
        connection.execute(f"PRAGMA wal_autocheckpoint = {num_pages}")
        connection.execute(f"PRAGMA journal_size_limit = {log_bytes}")

    engine = create_engine(
        url,
        connect_args={"timeout": READ_WAIT_S, "check_same_thread": False},
        pool_size=5,
        max_overflow=60,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "connect", bound_log)
    event.listen(engine, "begin", _begin)
    return engine


def read_only_engine(path: Path) -> Engine:
    """Return an engine that reads a SQLite file and writes nothing beside it.

    Each read opens the file anew: whether its log has to be read as well may change.
    """
    opener = _Opener(path)
    engine = create_engine("sqlite://", creator=opener.connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def checkpoint(engine: Engine) -> None:
    """Move the write-ahead log into the database and give its room back, as far as readers let."""
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    try:
        _set_busy_timeout(connection, POLL_S)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        _set_busy_timeout(connection, READ_WAIT_S)
        raw.close()


def log_size(path: Path) -> int:
    """Return the bytes of the log of a SQLite file."""
    return _size_of(path.with_name(path.name + "-wal"))


def locked(wait_s: float) -> StorageError:
    """Return the error of a write whose turn did not come in time."""
    return StorageError(
        f"another process is writing to the database; waited {round(wait_s, 1):g} s for it, nothing"
        " was changed: try again later",
        code="database_locked",
        details={"waited_s": round(wait_s, 2)},
    )


class _Opener:
    """Opens a file for reading in the way that its present neighbours (-wal, -shm) allow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: Path | None = None

    def connect(self) -> sqlite3.Connection:
        log, memory = (self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))
        if log.exists() and _size_of(memory) >= MEMORY_BYTES:
            connection = self._open(self._path, "mode=ro")
        elif _size_of(log) == 0:
            connection = self._open(self._path, "immutable=1")  # all there is is in the one file
        else:
            connection = self._open(self._copied(log), "mode=rw")
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _open(self, path: Path, how: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?{how}",
            uri=True,
            timeout=READ_WAIT_S,
            check_same_thread=False,
        )

    def _copied(self, log: Path) -> Path:
        """A log without its -shm (restored, copied) is read in a copy: SQLite must make one."""
        if self._copy is None:
            folder = Path(tempfile.mkdtemp(prefix="kb-read-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            for source in (log, self._path):
                shutil.copyfile(source, folder / source.name)
            self._copy = folder / self._path.name
        return self._copy


def _size_of(path: Path) -> int:
    """Return the size of a file, 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401  DBAPI connection
    connection.isolation_level = None  # SQLAlchemy's begin event says how each transaction starts
    pragmas = ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON", "temp_store = 2")
    for pragma in pragmas:  # temp_store: a delete on a full disk must need no file elsewhere
        connection.execute(f"PRAGMA {pragma}")
    _enable_wal(connection)


def _enable_wal(connection: Any) -> None:  # noqa: ANN401  DBAPI connection
    # The switch to WAL does not wait for other connections by itself; once done, it is permanent.
    deadline = time.monotonic() + WAL_SWITCH_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    wait_s = connection.get_execution_options().get(WRITE_WAIT_OPTION)
    if wait_s is None:
        connection.exec_driver_sql("BEGIN")
        return
    raw: Any = connection.connection.driver_connection
    _begin_immediate(raw, wait_s)
    _require_right_to_write(raw)


def _begin_immediate(raw: sqlite3.Connection, wait_s: float) -> None:
    """Take the write lock within `wait_s` seconds of the clock. Raises StorageError."""
    deadline = time.monotonic() + wait_s
    while True:
        left_s = deadline - time.monotonic()
        _set_busy_timeout(raw, max(0.0, min(left_s, POLL_S)))
        try:
            raw.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise StorageError(f"the database refused: {error}", code=code_of(error)) from error
            if time.monotonic() >= deadline:
                raise locked(wait_s) from error
        finally:
            _set_busy_timeout(raw, READ_WAIT_S)


def _require_right_to_write(raw: sqlite3.Connection) -> None:
    """Raise StorageError on a connection that can only read, on which SQLite just begins a read.

    The statement asks for the right to write and changes nothing in a database like ours.
    """
    try:
        raw.execute("PRAGMA incremental_vacuum(1)")
    except sqlite3.OperationalError as error:
        raw.execute("ROLLBACK")
        raise StorageError(f"the database refused: {error}", code=code_of(error)) from error


def _set_busy_timeout(raw: sqlite3.Connection, seconds: float) -> None:
    raw.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


_CODES = {
    sqlite3.SQLITE_FULL: "disk_full",
    # The -shm file could not be given its 32 KiB.
    sqlite3.SQLITE_IOERR_SHMSIZE: "disk_full",
    sqlite3.SQLITE_BUSY: "database_locked",
    sqlite3.SQLITE_LOCKED: "database_locked",
    sqlite3.SQLITE_READONLY: "storage_read_only",
    sqlite3.SQLITE_PERM: "storage_read_only",
    sqlite3.SQLITE_CANTOPEN: "storage_unavailable",
}


def code_of(error: sqlite3.Error) -> str:
    """Return the code of a StorageError that stands for a failure of SQLite."""
    number = getattr(error, "sqlite_errorcode", 0)
    return _CODES.get(number) or _CODES.get(number & 0xFF, "storage_failed")


def is_io_error(error: BaseException | None) -> bool:
    """True when the disk refused SQLite, which keeps to itself what exactly the disk said."""
    number: int = getattr(error, "sqlite_errorcode", 0)
    return number & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
