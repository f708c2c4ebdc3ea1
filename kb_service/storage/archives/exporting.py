"""A base written into one archive, while serving: a zip of rows and original files, checksummed.

`rows/<table>.jsonl` are of one snapshot, `files/<sha256>` the bytes of every version, and
`manifest.json`, written last, has the SHA-256 and size of each. Indexes are not in it.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
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
_ROWS_AT_ONCE = 500


def export_base(
    database: Database, blobs: BlobStore, kb_id: str, path: Path, *, with_talks: bool = False
) -> Archived:
    """Write a base into a new file; uploads, deletes and questions go on meanwhile.

    `with_talks`: conversations and stored answers too. Raises NotFound, Conflict (file_exists),
    StorageError; no file stays then.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise Conflict(f"{path} exists; choose another name", code="file_exists")
        with part.open("xb") as stream, _removed_unless_whole(part):
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                writer = _Writer(archive, database, blobs)
                name, num_documents, num_files = writer.write(kb_id, with_talks=with_talks)
            stream.flush()
            os.fsync(stream.fileno())
            part.replace(path)
            sync_folder(path.parent)
        return Archived(kb_id, name, num_documents, num_files, path.stat().st_size)
    except FileExistsError as error:
        raise Conflict(f"{part} exists; remove it first", code="file_exists") from error
    except OSError as error:
        raise StorageError.from_os_error(f"write {path}", error) from error


@contextmanager
def _removed_unless_whole(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


class _Writer:
    """Writes members, and remembers their checksums."""

    def __init__(self, archive: zipfile.ZipFile, database: Database, blobs: BlobStore) -> None:
        self._archive, self._database, self._blobs = archive, database, blobs
        self._members: dict[str, dict[str, object]] = {}

    def write(self, kb_id: str, *, with_talks: bool) -> tuple[str, int, int]:
        """Write all of a base; return its name, and how many documents and files it has."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            name = select(knowledge_bases.c.name).where(knowledge_bases.c.id == kb_id)
            own = documents.c.kb_id == kb_id
            base = str(connection.execute(name).scalar_one())
            count = select(func.count()).select_from(documents).where(own)
            num_documents = int(connection.execute(count).scalar_one())
            for table in TABLES + LATER + (TALKS if with_talks else ()):
                self._add(f"rows/{table.name}.jsonl", _lines(connection, table, kb_id))
            files = sorted(blobs_of(connection, own))
        for sha256 in files:
            whole = self._blobs.whole(sha256, f"a document of {base!r}")
            with whole.open("rb") as stream:
                self._add(f"files/{sha256}", _blocks(stream), is_packed=False)
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "name": base,
            "members": self._members,
        }
        self._archive.writestr(MANIFEST_FILE, json.dumps(manifest, ensure_ascii=False, indent=1))
        return base, num_documents, len(files)

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


def _lines(connection: Connection, table: Table, kb_id: str) -> Iterator[bytes]:
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(rows_of(table, kb_id))
    for row in found.mappings():
        value: Any = to_json(table, {column.name: row[column] for column in table.c})
        yield json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(BLOCK_BYTES):
        yield block
