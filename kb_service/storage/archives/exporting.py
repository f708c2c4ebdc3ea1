"""A base written into one archive, while serving: a zip of rows and original files, checksummed.

`rows/<table>.jsonl` are of one snapshot, `files/<sha256>` the bytes of every version in it, and
`manifest.json`, written last, has the SHA-256 and size of each. Indexes are not in it. Bytes come
first, since they take the longest: the snapshot is one of which all bytes were brought.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, func, select

from kb_service.domain.archives import Archived
from kb_service.domain.errors import Conflict, StorageError
from kb_service.storage.archives.rows_of_base import LATER, TABLES, TALKS, rows_of, to_json
from kb_service.storage.bases import require_kb
from kb_service.storage.blobs import BLOCK_BYTES, BlobStore, sync_folder
from kb_service.storage.database import Database
from kb_service.storage.references import blobs_of
from kb_service.storage.tables import documents, knowledge_bases

FORMAT = 1
MANIFEST_FILE = "manifest.json"
FREE_ROUNDS = 3
"""Snapshots taken beside deletes that remove files in between; the next one holds deletes up."""

_ROWS_AT_ONCE = 500


def export_base(
    database: Database, blobs: BlobStore, kb_id: str, path: Path, *, with_talks: bool = False
) -> Archived:
    """Write a base into a new file; uploads, deletes and questions go on meanwhile.

    What is deleted meanwhile is left out, with its bytes. `with_talks`: conversations and stored
    answers too. Raises NotFound, Conflict (file_exists), StorageError; no file stays then.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise Conflict(f"{path} exists; choose another name", code="file_exists")
        with _new_archive(part) as archive:
            content = _Writer(archive, database, blobs, kb_id).write(with_talks=with_talks)
        if content.deleted:
            _write_without(part, content.deleted)
        part.replace(path)
        sync_folder(path.parent)
        size_bytes = path.stat().st_size
        return Archived(kb_id, content.name, content.num_documents, content.num_files, size_bytes)
    except FileExistsError as error:
        raise Conflict(f"{error.filename} exists; remove it first", code="file_exists") from error
    except OSError as error:
        raise StorageError.from_os_error(f"write {path}", error) from error


@contextmanager
def _new_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield an archive to write; it is flushed at the end, and removed when it is not whole."""
    with path.open("xb") as stream:
        try:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                yield archive
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _write_without(path: Path, members: Collection[str]) -> None:
    """Write an archive again: a zip keeps the bytes of what is taken out of its list."""
    again = path.with_name(f"{path.name}.again")
    try:
        with zipfile.ZipFile(path) as old, _new_archive(again) as new:
            for info in old.infolist():
                if info.filename not in members:
                    copy = zipfile.ZipInfo(info.filename)
                    copy.compress_type = info.compress_type
                    with old.open(info) as source, new.open(copy, "w", force_zip64=True) as target:
                        shutil.copyfileobj(source, target, BLOCK_BYTES)
        again.replace(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class _Content:
    """What was written. `deleted`: members with bytes of documents that are gone since."""

    name: str
    num_documents: int
    num_files: int
    deleted: frozenset[str]


class _Writer:
    """Writes the members of one base, and remembers their checksums."""

    def __init__(
        self, archive: zipfile.ZipFile, database: Database, blobs: BlobStore, kb_id: str
    ) -> None:
        self._archive, self._database, self._blobs = archive, database, blobs
        self._kb_id = kb_id
        self._members: dict[str, dict[str, object]] = {}

    def write(self, *, with_talks: bool) -> _Content:
        """Write all of a base. Raises StorageError (blob_missing) for what the store has lost."""
        with self._database.read() as connection:
            wanted = self._wanted(connection)
        lacking = self._bring(wanted)
        for number in range(FREE_ROUNDS + 1):
            with self._database.read() as connection:
                # A file may go between snapshot and copy because its document was deleted: the next
                # snapshot does not refer to it. What is lacking while nobody deletes was lost.
                with self._held() if number == FREE_ROUNDS else nullcontext() as holder:
                    wanted = self._wanted(connection)
                    lacking = self._bring(wanted, holder)
                if not lacking:
                    return self._write_rows(connection, wanted, with_talks=with_talks)
        raise next(iter(lacking.values()))

    def _wanted(self, connection: Connection) -> frozenset[str]:
        require_kb(connection, self._kb_id)
        return frozenset(blobs_of(connection, documents.c.kb_id == self._kb_id))

    @contextmanager
    def _held(self) -> Iterator[Connection | None]:
        """Let nobody delete; where nothing can be written nobody does."""
        if self._database.refusal is not None:
            yield None
            return
        with self._database.write(base=self._kb_id, needs_room=False) as connection:
            yield connection

    def _bring(
        self, wanted: Iterable[str], holder: Connection | None = None
    ) -> dict[str, StorageError]:
        """Copy the bytes that are not there yet; return hash -> why of those that are gone."""
        lacking: dict[str, StorageError] = {}
        for sha256 in sorted(wanted):
            name = _file_member(sha256)
            if name in self._members:
                continue
            if holder is not None:
                holder.execute(select(1))  # whoever holds others up is not silent
            try:
                stream = self._blobs.open_whole(sha256, f"a document of {self._kb_id}")
            except StorageError as error:
                if error.code != "blob_missing":
                    raise
                lacking[sha256] = error
                continue
            with stream:
                self._add(name, _blocks(stream), is_packed=False)
        return lacking

    def _write_rows(
        self, connection: Connection, wanted: Collection[str], *, with_talks: bool
    ) -> _Content:
        own = documents.c.kb_id == self._kb_id
        name = select(knowledge_bases.c.name).where(knowledge_bases.c.id == self._kb_id)
        base = str(connection.execute(name).scalar_one())
        count = select(func.count()).select_from(documents).where(own)
        num_documents = int(connection.execute(count).scalar_one())
        deleted = frozenset(self._members) - {_file_member(sha256) for sha256 in wanted}
        for member in deleted:
            del self._members[member]
        for table in TABLES + LATER + (TALKS if with_talks else ()):
            self._add(f"rows/{table.name}.jsonl", _lines(connection, table, self._kb_id))
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "name": base,
            "members": self._members,
        }
        self._archive.writestr(MANIFEST_FILE, json.dumps(manifest, ensure_ascii=False, indent=1))
        return _Content(base, num_documents, len(wanted), deleted)

    def _add(self, name: str, pieces: Iterator[bytes], *, is_packed: bool = True) -> None:
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        with self._archive.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                member.write(piece)
        self._members[name] = {"sha256": digest.hexdigest(), "size_bytes": size}


def _file_member(sha256: str) -> str:
    return f"files/{sha256}"


def _lines(connection: Connection, table: Table, kb_id: str) -> Iterator[bytes]:
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(rows_of(table, kb_id))
    for row in found.mappings():
        value: Any = to_json(table, {column.name: row[column] for column in table.c})
        yield json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(BLOCK_BYTES):
        yield block
