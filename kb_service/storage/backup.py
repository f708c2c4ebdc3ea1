"""A copy of database and files that belong together, taken while serving; and the way back.

A backup is a folder: `kb.sqlite3`, `blobs/ab/cd/<sha256>` and `manifest.json` with every checksum,
written last. Indexes are not in it: they are built again. SQLite only; PostgreSQL has pg_dump.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from kb_service.domain.backups import Backup
from kb_service.domain.errors import ConfigurationError, Conflict, InvalidRequest, StorageError
from kb_service.domain.hashing import sha256_of_file
from kb_service.storage.blobs import BlobStore, sync_folder
from kb_service.storage.database import Database, storage_error

FORMAT = 1
MANIFEST_FILE = "manifest.json"
DATABASE_FILE = "kb.sqlite3"
BLOBS_FOLDER = "blobs"
FREE_ROUNDS = 3
"""Snapshots taken beside deletes that remove files in between; the next one holds deletes up."""

_REFERENCES = (
    "SELECT sha256, document_id FROM versions UNION SELECT sha256, document_id FROM revisions"
    " UNION SELECT sha256, id FROM documents ORDER BY 1, 2"
)


def back_up(database: Database, blobs: BlobStore, folder: Path) -> Backup:
    """Write a backup into a new or empty folder; uploads, deletes and questions go on meanwhile.

    Raises Conflict (folder_not_empty), ConfigurationError (backup_by_pg_dump) for PostgreSQL, and
    StorageError: database_damaged when the copy of the database is, disk_full and others.
    """
    if not database.is_sqlite:
        raise _not_sqlite()
    with _disk_errors(f"write a backup into {folder}"):
        _make_empty(folder)
        copies = BlobStore(folder / BLOBS_FOLDER)
        lacking: dict[str, str] = {}
        for number in range(FREE_ROUNDS + 1):
            before = lacking
            # A file may go between snapshot and copy because its document was deleted: the next
            # snapshot does not refer to it. What is lacking twice was lost.
            with database.write(needs_room=False) if number == FREE_ROUNDS else nullcontext():
                _copy_database(database, folder / DATABASE_FILE)
                owners = _owners(folder / DATABASE_FILE)
                lacking = _copy_blobs(blobs, copies, owners)
            if lacking.keys() == before.keys() or not lacking:
                break
        _drop_others(copies, owners.keys() - lacking.keys())
        shutil.rmtree(copies.staging, ignore_errors=True)
        sizes = {sha256: copies.path(sha256).stat().st_size for sha256 in copies.iter_sha256()}
        size_bytes = _write_manifest(folder, sizes)
    return Backup(len(sizes), size_bytes, tuple(lacking.values()))


def restore(
    folder: Path, data_dir: Path, database_file: Path, blobs: BlobStore | None = None
) -> Backup:
    """Bring a backup back into a data folder that has no database and no indexes.

    `blobs`: where the original files go, None for the folder of them in the data folder.
    Every byte is compared with its checksum; the database comes last, so that a restore that broke
    off can be repeated. Raises InvalidRequest (not_a_backup), Conflict (data_folder_in_use),
    StorageError (backup_damaged, and what the disk refuses).
    """
    manifest = _read_manifest(folder)
    _require_unused(data_dir, database_file)
    source, blobs = BlobStore(folder / BLOBS_FOLDER), blobs or BlobStore(data_dir / BLOBS_FOLDER)
    with _disk_errors(f"restore {folder} into {data_dir}"):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for sha256 in manifest["blobs"]:
            with source.path(sha256).open("rb") as stream:
                _copy_blob(stream, sha256, blobs)
        database = folder / DATABASE_FILE
        with database.open("rb") as stream:
            staged = blobs.stage(stream, database.stat().st_size)
        if staged.sha256 != manifest["database"]["sha256"]:
            blobs.discard(staged)
            raise _damaged(database, manifest["database"]["sha256"], staged.sha256)
        staged.path.replace(database_file)
        sync_folder(database_file.parent)
    return Backup(len(manifest["blobs"]), manifest["size_bytes"])


def restore_for(database_url: str, folder: Path, data_dir: Path, blobs: BlobStore) -> Backup:
    """Restore to where the settings say. Raises as `restore`, backup_by_pg_dump for PostgreSQL."""
    url = make_url(database_url)
    if not url.drivername.startswith("sqlite") or not url.database:
        raise _not_sqlite()
    return restore(folder, data_dir.resolve(), Path(url.database).resolve(), blobs)


def _not_sqlite() -> ConfigurationError:
    return ConfigurationError(
        "the database is PostgreSQL: back it up and restore it with pg_dump and pg_restore, and the"
        " folder `blobs` with it (docs/operations.md)",
        code="backup_by_pg_dump",
    )


def _make_empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Conflict(
            f"{folder} is not empty; a backup is written into a new or empty folder",
            code="folder_not_empty",
        )


def _copy_database(database: Database, target: Path) -> None:
    """Copy one snapshot and check it: a copy of a damaged database is no backup."""
    target.unlink(missing_ok=True)
    try:
        with (
            database.engine.connect() as connection,
            closing(sqlite3.connect(target)) as copy,
        ):
            source: Any = connection.connection.driver_connection
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise storage_error(DBAPIError(None, None, error)) from error
    if found != "ok":
        raise StorageError(
            f"the database is damaged: {' '.join(found.split())}; `kb verify` names what is hit,"
            " and a backup taken before has it whole",
            code="database_damaged",
        )


def _owners(database_file: Path) -> dict[str, str]:
    """Return blob hash -> a document that refers to it."""
    with closing(sqlite3.connect(database_file)) as copy:
        return dict(copy.execute(_REFERENCES).fetchall())


def _copy_blobs(blobs: BlobStore, copies: BlobStore, owners: Mapping[str, str]) -> dict[str, str]:
    """Copy what is not there yet; return hash -> why of those that cannot be."""
    lacking = {}
    for sha256, document_id in owners.items():
        if copies.exists(sha256):
            continue
        try:
            with blobs.open_whole(sha256, f"document {document_id}") as stream:
                _copy_blob(stream, sha256, copies)
        except StorageError as error:
            if error.code not in ("blob_missing", "blob_damaged"):
                raise
            lacking[sha256] = error.message
    return lacking


def _copy_blob(stream: BinaryIO, sha256: str, target: BlobStore) -> None:
    staged = target.stage(stream, os.fstat(stream.fileno()).st_size)
    if staged.sha256 != sha256:
        target.discard(staged)
        raise _damaged(Path(stream.name), sha256, staged.sha256)
    target.publish(staged)


def _drop_others(copies: BlobStore, kept: Iterable[str]) -> None:
    """Remove files of documents that were deleted while the backup was taken."""
    for sha256 in set(copies.iter_sha256()) - set(kept):
        copies.unlink(sha256)


def _write_manifest(folder: Path, sizes: Mapping[str, int]) -> int:
    database = folder / DATABASE_FILE
    size_bytes = database.stat().st_size + sum(sizes.values())
    with database.open("rb") as stream:
        os.fsync(stream.fileno())
    sha256 = sha256_of_file(database)
    manifest = {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "size_bytes": size_bytes,
        "database": {"sha256": sha256, "size_bytes": database.stat().st_size},
        "blobs": dict(sorted(sizes.items())),
    }
    staged = folder / f"{MANIFEST_FILE}.part"
    with staged.open("w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(folder / MANIFEST_FILE)
    sync_folder(folder)
    return size_bytes


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: Any = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']!r}, not {FORMAT}")
        _ = manifest["size_bytes"], manifest["database"]["sha256"], manifest["blobs"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRequest(
            f"{folder} is no complete backup: {MANIFEST_FILE}: {error!r}", code="not_a_backup"
        ) from error
    return dict(manifest)


def _require_unused(data_dir: Path, database_file: Path) -> None:
    log = database_file.with_name(f"{database_file.name}-wal")
    present = [str(path) for path in (database_file, log, data_dir / "index") if path.exists()]
    if present:
        raise Conflict(
            f"{', '.join(present)} exist; stop the service and move them away, or choose another"
            " KB_DATA_DIR",
            code="data_folder_in_use",
            details={"present": present},
        )


def _damaged(path: Path, expected: str, found: str) -> StorageError:
    return StorageError(
        f"{path} is damaged: expected SHA-256 {expected}, found {found}",
        code="backup_damaged",
        details={"file": str(path), "expected": expected, "found": found},
    )


@contextmanager
def _disk_errors(action: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(
            f"cannot {action}: {error.filename} is missing", code="backup_damaged"
        ) from error
    except OSError as error:
        raise StorageError.from_os_error(action, error) from error
