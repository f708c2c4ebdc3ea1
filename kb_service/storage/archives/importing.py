"""A base brought back from an archive, in one transaction: all of it, or nothing.

Every id is new, so that an archive can be imported beside the base it was made of; change numbers
and times stay, so that searches as of then find what they found. What was being ingested is queued
again; facts are made anew by the worker.
"""

import heapq
import json
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection, Row, Table, insert, select

from kb_service.domain.archives import Archived
from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.jobs import JobStage, JobStatus
from kb_service.domain.labels import LabelColour
from kb_service.storage.answers.codec import answer_from, audit_from
from kb_service.storage.archives.reading import ArchiveReader, opened_archive, refusing
from kb_service.storage.archives.rows_of_base import LATER, TABLES, TALKS, from_json
from kb_service.storage.bases import check_kb, refuse_taken_name
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.chunks import move_to_past
from kb_service.storage.counts import count_document, count_job, count_revision
from kb_service.storage.database import Database
from kb_service.storage.facts.tables import fact_corrections
from kb_service.storage.identity import Clock, new_id, utc_now
from kb_service.storage.jobs.rows import NO_LEASE
from kb_service.storage.labels.tables import labels
from kb_service.storage.maskings import masking_of, maskings
from kb_service.storage.pages import page_of
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.references import sent, sweep_blobs
from kb_service.storage.revisions.embedded import note_embedded, profile_of_all
from kb_service.storage.revisions.pieces import read_text
from kb_service.storage.revisions.rows import page_report_of
from kb_service.storage.rows import one_of
from kb_service.storage.stored_text import is_whole_chunk
from kb_service.storage.tables import (
    answers,
    chunks,
    conversations,
    documents,
    embeddings,
    jobs,
    knowledge_bases,
    pages,
    revisions,
    versions,
)

_AT_ONCE = 500
_ID = re.compile(r"\b(?:kb|doc|ans|conv)_[0-9a-f]{24}\b")
_UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)
_Row = dict[str, Any]


def import_base(
    database: Database,
    blobs: BlobStore,
    path: Path,
    name: str | None,
    max_file_bytes: int,
    clock: Clock = utc_now,
) -> Archived:
    """Bring a base back under a name (None: its own); every checksum is compared first.

    Raises Conflict (kb_name_taken), InvalidRequest (archive_damaged, archive_too_new,
    invalid_kb_name), PayloadTooLarge, StorageError; nothing stays behind then.
    """
    staged: list[StagedBlob] = []
    with opened_archive(path) as archive:
        archive.check()
        wanted = archive.name if name is None else name
        check_kb(wanted, None)
        try:
            for sha256 in archive.files:
                with archive.file(sha256) as stream:
                    staged.append(blobs.stage(cast("BinaryIO", stream), max_file_bytes))
            try:
                with sent(database, blobs, staged) as sending, database.write() as connection:
                    kb_id, num_documents = _Import(connection, archive, clock()).run(wanted)
                    sending.publish(connection)
            except StorageError as error:
                sweep_blobs(database, blobs, [blob.sha256 for blob in staged])
                raise _damage(error) from error
            except BaseException:
                sweep_blobs(database, blobs, [blob.sha256 for blob in staged])
                raise
        finally:
            for blob in staged:
                blobs.discard(blob)
    return Archived(kb_id, wanted, num_documents, len(staged), path.stat().st_size)


def _damage(error: StorageError) -> Exception:
    """Rows that the database refuses are the archive's fault; an outage is not."""
    if error.is_outage or error.code == "database_damaged":
        return error
    return InvalidRequest(f"the archive is damaged: {error.message}", code="archive_damaged")


class _Import:
    """One import inside its transaction: what each id of the archive has become."""

    def __init__(self, connection: Connection, archive: ArchiveReader, now: datetime) -> None:
        self._connection, self._archive, self._now = connection, archive, now
        self._ids: dict[str, str] = {}
        self._revisions: dict[int, int] = {}
        self._chunks: dict[int, tuple[int, int]] = {}
        self._documents: list[str] = []
        self._files = frozenset(archive.files)

    def run(self, name: str) -> tuple[str, int]:
        """Write every row; return the id of the new base, and how many documents it has."""
        refuse_taken_name(self._connection, name, "")
        with refusing("rows/knowledge_bases.jsonl"):
            _, base = next(self._read(knowledge_bases))
            kb_id = self._new_id(base["id"])
        self._connection.execute(insert(knowledge_bases).values(base | {"id": kb_id, "name": name}))
        for table in TABLES:
            if table is revisions:
                self._write_revisions()
            elif table is chunks:
                self._write_chunks()
            elif table not in (knowledge_bases, past_chunks):
                self._write(table)
        for table in LATER + TALKS:
            if _member_of(table) in self._archive.members:
                self._write(table)
        self._check(kb_id)
        for document_id in self._documents:
            count_document(self._connection, document_id)
        return kb_id, len(self._documents)

    def _new_id(self, old: object) -> str:
        if not isinstance(old, str):
            raise ValueError(f"{old!r} is no id")
        return self._ids.setdefault(old, new_id(old.partition("_")[0]))

    def _read(self, table: Table) -> Iterator[tuple[str, _Row]]:
        """Yield the rows of a table, under their new ids, with their places."""
        for place, value in self._archive.lines(_member_of(table)):
            with refusing(place):
                row = from_json(table, value)
                for column in _OLD_IDS & row.keys():
                    row[column] = row[column] and self._new_id(row[column])
                if "revision_id" in row:
                    row["revision_id"] = self._revisions[row["revision_id"]]
                if "sha256" in row and table in _WITH_BYTES and row["sha256"] not in self._files:
                    raise ValueError(f"the file {row['sha256']} is not in the archive")
            yield place, row

    def _write(self, table: Table) -> None:
        for batch in _in_batches(self._changed(table)):
            new = self._missing(batch) if table is embeddings else batch
            if new:
                self._connection.execute(insert(table), new)

    def _changed(self, table: Table) -> Iterator[_Row]:
        for place, row in self._read(table):
            with refusing(place):
                if table is jobs:
                    yield self._job(row)
                elif table is documents:
                    self._documents.append(self._new_id(row["id"]))
                    yield row | {"id": self._documents[-1], "counted_as": ""}
                elif table is labels:
                    yield row | {
                        "id": self._new_id(row["id"]),
                        "colour": LabelColour(row["colour"]),
                    }
                elif table is conversations:
                    yield row | {"id": self._new_id(row["id"])}
                elif table is answers:
                    yield self._answer(row)
                elif table is fact_corrections:
                    yield {name: value for name, value in row.items() if name != "id"}
                elif table is maskings:
                    _ = masking_of(row["kinds"], row["roles"])
                    yield row
                else:
                    yield row

    def _job(self, row: _Row) -> _Row:
        """A job that was under way when the archive was made begins anew."""
        row = row | {"id": new_id("job"), **NO_LEASE}
        del row["number"]
        if row["status"] in _UNFINISHED:
            row |= {"status": JobStatus.QUEUED, "stage": JobStage.QUEUED, "run_after": self._now}
            row |= {"attempt": 0, "interruptions": 0, "done": 0, "total": 0}
        count_job(self._connection, row["kb_id"], None, row["status"])
        return row

    def _answer(self, row: _Row) -> _Row:
        """Answers name documents and places inside their JSON too."""
        words = json.dumps([row["payload"], row["audit"]])
        payload, audit = json.loads(_ID.sub(lambda m: self._new_id(m.group()), words))
        for passage in payload["passages"]:
            passage["revision_id"] = self._revisions.get(passage["revision_id"], 0)
            passage["chunk_id"] = self._chunk_id(passage["chunk_id"])
        own = {"id": self._new_id(row["id"])}
        payload |= own | {name: row[name] for name in ("kb_id", "conversation_id")}
        _ = answer_from(payload), audit_from(audit)
        return row | own | {"payload": payload, "audit": audit}

    def _chunk_id(self, old: int) -> int:
        revision_id, ordinal = self._chunks.get(old, (0, 0))
        for table in (chunks, past_chunks):
            mine = (table.c.revision_id == revision_id, table.c.ordinal == ordinal)
            found = self._connection.execute(select(table.c.id).where(*mine)).scalar_one_or_none()
            if found is not None:
                return int(found)
        return 0

    def _missing(self, rows: list[_Row]) -> list[_Row]:
        """Leave out vectors that are here, since other bases have the same words."""
        key = (embeddings.c.text_sha256, embeddings.c.profile_fingerprint)
        keys = [(row["text_sha256"], row["profile_fingerprint"]) for row in rows]
        found = self._connection.execute(select(*key).where(one_of(key, keys)))
        here = set(found.tuples())
        return [row for row, key in zip(rows, keys, strict=True) if key not in here]

    def _write_revisions(self) -> None:
        for place, row in self._read(revisions):
            with refusing(place):
                old = int(row.pop("id"))
            values = row | {"embedded_by": "", "fact_rules": ""}
            statement = insert(revisions).values(values).returning(revisions.c.id)
            self._revisions[old] = self._connection.execute(statement).scalar_one()

    def _write_chunks(self) -> None:
        """Give chunks their ids in the order of the old ones: equal hits stay in their order."""
        past: set[int] = set()

        def kept(table: Table) -> Iterator[_Row]:
            for _, row in self._read(table):
                if table is past_chunks:
                    past.add(row["revision_id"])
                yield row

        both = heapq.merge(kept(chunks), kept(past_chunks), key=lambda row: row["id"])
        for batch in _in_batches(both):
            for row in batch:
                self._chunks[row.pop("id")] = row["revision_id"], row["ordinal"]
            self._connection.execute(insert(chunks), batch)
        for revision_id in sorted(past):
            move_to_past(self._connection, revision_id)

    def _check(self, kb_id: str) -> None:
        """Compare each text with its hash, and each chunk with its text."""
        for old, new in self._revisions.items():
            with refusing(f"rows/revisions.jsonl, revision {old}"):
                row = self._connection.execute(select(revisions).where(revisions.c.id == new)).one()
                stored = read_text(self._connection, new)
                if stored is None or sha256_of_text(stored.text) != row.text_sha256:
                    raise ValueError("its text is not the one that was stored")
                _ = page_report_of(row)
                places = select(pages).where(pages.c.revision_id == new)
                for page in self._connection.execute(places):
                    _ = page_of(page)
                self._check_chunks(kb_id, new, stored.text, row)

    def _check_chunks(self, kb_id: str, revision_id: int, text: str, revision: Row[Any]) -> None:
        hashes = set()
        for table in (chunks, past_chunks):
            mine = select(table).where(table.c.revision_id == revision_id)
            for row in self._connection.execute(mine):
                if (table is chunks) != revision.is_current:
                    raise ValueError("its chunks are not in their place")
                if text[row.start : row.end] != row.text or not is_whole_chunk(row):
                    raise ValueError(f"chunk {row.ordinal} is not the text of its span")
                hashes.add(row.text_sha256)
        if revision.is_current:
            count_revision(self._connection, kb_id, revision_id, 1)
            profile = profile_of_all(self._connection, hashes)
            note_embedded(self._connection, [revision_id], profile)


_OLD_IDS = {
    "kb_id", "document_id", "container_id", "answer_id", "conversation_id", "label_id",
}  # fmt: skip
_WITH_BYTES = (documents, versions, revisions)


def _member_of(table: Table) -> str:
    return f"rows/{table.name}.jsonl"


def _in_batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch
