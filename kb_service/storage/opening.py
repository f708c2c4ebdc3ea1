"""Opening what is stored, in whatever state its disk is, and telling how it fares afterwards.

A folder that cannot be written, or a disk without room even for opening, is read all the same; it
is written again as soon as it can be. Knows data folder, database and reserve; no table.
"""

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import inspect

from kb_service.domain.errors import ConfigurationError, StorageError
from kb_service.settings import Settings
from kb_service.storage.blobs import BlobStore
from kb_service.storage.data_folder import (
    RESERVE_FILE,
    free_bytes,
    is_writable,
    make_folder,
    refusal_to_write,
    tighten,
)
from kb_service.storage.database import LOG_BYTES, Database, open_database
from kb_service.storage.postgres import Pool
from kb_service.storage.reserve import FULL_BYTES, OPENING_BYTES, Reserve
from kb_service.storage.tables import documents

LOW_SHARE = 2
"""Room for so many reserves is the least that is not told as low."""

LOOK_EVERY_S = 5.0
FAILURE_COUNTS_S = 60.0
"""A failed write tells of the present for so long, unless another one succeeds meanwhile."""

_READ_INSTEAD = ("storage_read_only", "disk_full")
Migrate = Callable[[Database], None]
log = structlog.get_logger("storage")


class Storage:
    """The database with the folder and the reserve it works with. Safe between threads."""

    def __init__(
        self, database: Database, migrate: Migrate, folder: Path, reserve: Reserve
    ) -> None:
        self.database = database
        self._migrate = migrate
        self.reserve = reserve
        self._folder = folder
        self._path = database.path
        self._lock = threading.Lock()
        self._looked_at_s: float | None = None
        self._trouble: StorageError | None = None

    def open(self) -> None:
        """Bring the schema up to date; where nothing can be written, only see that it is.

        Raises StorageError, ConfigurationError.
        """
        if self._path is None:
            self._migrate(self.database)
            return
        try:
            self._open_writable(self._path)
        except StorageError as error:
            if error.code not in _READ_INSTEAD or not self._path.exists():
                raise
            log.warning("opened for reading only", code=error.code, error=error.message)
            self.database.read_only(self._path, error)
            self._migrate(self.database)

    def can_write(self) -> bool:
        """True when the database is open for writing; one that was not is tried again."""
        with self._lock:
            if self._path is not None and self.database.refusal is not None:
                self._try_to_write(self._path)
            return self.database.refusal is None

    def trouble(self) -> StorageError | None:
        """Return what keeps things from being stored now, or soon will; None when nothing does.

        Looks at the disk at most every LOOK_EVERY_S seconds, and takes the reserve again when there
        is room for it.
        """
        can_write = self.can_write()
        with self._lock:
            now = time.monotonic()
            if self._looked_at_s is None or now - self._looked_at_s >= LOOK_EVERY_S:
                if can_write:
                    self.reserve.restore()
                self._trouble = self._look()
                self._looked_at_s = now
            return self.database.refusal or self._failed_write() or self._trouble

    def describe(self) -> str:
        """Return what is kept back, in words. Raises what keeps things from being stored."""
        if (trouble := self.trouble()) is not None:
            raise trouble
        return f"{self.reserve.size_bytes / FULL_BYTES:.0f} MiB kept back for deletes"

    def close(self) -> None:
        """Close the connections; the database may be used again afterwards."""
        self.database.close()

    def _open_writable(self, path: Path) -> None:
        if not is_writable(path.parent, path):
            raise StorageError(
                "the data folder cannot be written: what is in it is served, nothing is stored",
                code="storage_read_only",
            )
        _make_private(path)
        try:
            self._migrate(self.database)
        except StorageError as error:
            # SQLite needs a little room to open even what it only reads.
            if error.code != "disk_full" or not self.reserve.release(OPENING_BYTES):
                raise
            self._migrate(self.database)
            self.reserve.restore()  # but for a margin: what was given up is for opening alone

    def _try_to_write(self, path: Path) -> None:
        refusal = self.database.refusal
        if refusal is None or not is_writable(path.parent, path):
            return
        if refusal_to_write(path.parent) is not None:
            return
        self.database.writable(path)
        try:
            self._migrate(self.database)
        except StorageError:
            self.database.read_only(path, refusal)
        else:
            log.info("open for writing again")

    def _failed_write(self) -> StorageError | None:
        failure = self.database.failure
        if failure is None or time.monotonic() - failure.at_s > FAILURE_COUNTS_S:
            return None
        # What a look at the disk tells as well, it tells better, and also when it is over.
        return None if failure.error.code in _READ_INSTEAD else failure.error

    def _look(self) -> StorageError | None:
        try:
            free = free_bytes(self._folder)
        except OSError as error:
            return StorageError.from_os_error("look at the data folder", error)
        if free < FULL_BYTES or self.reserve.is_spent:
            return StorageError(
                f"the disk of the data folder is full ({free // 1024} KiB left): questions are "
                "answered, uploads refused; deletes work from a reserve",
                code="disk_full",
                details={"free_bytes": free},
            )
        if (refusal := refusal_to_write(self._folder)) is not None:
            return refusal
        if free < LOW_SHARE * self.reserve.target_bytes:
            return StorageError(
                f"the disk of the data folder has {free // FULL_BYTES} MiB left",
                code="disk_low",
                details={"free_bytes": free},
            )
        return None


def open_storage(
    settings: Settings,
    migrate: Migrate = Database.migrate,
    write_wait_s: float | None = None,
) -> Storage:
    """Open the database of the settings, SQLite in the data folder by default; make what is absent.

    `migrate` brings it to the schema of this version, or sees that it has it. `write_wait_s`:
    instead of the setting. Raises StorageError, ConfigurationError.
    """
    folder = settings.data_dir.resolve()
    make_folder(folder)
    tighten(folder)
    wait_s = settings.storage.write_wait_s if write_wait_s is None else write_wait_s
    reserve = Reserve(folder / RESERVE_FILE, settings.storage.reserve_bytes)
    # On a small disk a short log: a delete needs the room to write the log back, and its own.
    log_bytes = min(LOG_BYTES, reserve.target_bytes // 2 or LOG_BYTES)
    pool = Pool(
        settings.storage.pool_size, settings.storage.pool_extra, settings.storage.pool_wait_s
    )
    database = open_database(settings.effective_database_url, wait_s, log_bytes, pool)
    database.reserve = reserve
    storage = Storage(database, migrate, folder, reserve)
    storage.open()
    return storage


def _make_private(path: Path) -> None:
    """Make an absent SQLite file before SQLite does, which would give others the right to read."""
    if not path.exists() and path.parent.is_dir():
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR))
        except OSError as error:
            raise StorageError.from_os_error(f"make the database {path}", error) from error


def migrate_own(database: Database, blobs: BlobStore) -> None:
    """Bring the schema to the newest version, unless these files had another database.

    Beside a new one nothing refers to them, and the next sweep would remove them. Raises
    ConfigurationError (database_missing and as `migrate`), StorageError.
    """
    _require_own_files(database, blobs)
    database.migrate()


def _require_own_files(database: Database, blobs: BlobStore) -> None:
    with database.read() as connection:
        if inspect(connection).has_table(documents.name):
            return
    num_files = sum(1 for _ in blobs.iter_sha256())
    if num_files:
        raise ConfigurationError(
            f"{blobs.place} has {num_files} original files and the database has no tables: bring"
            " the database back (`kb restore`), or move that folder away to begin anew",
            code="database_missing",
            details={"num_files": num_files},
        )
