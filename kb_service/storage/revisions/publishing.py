"""Making a parsed revision searchable, in one transaction that also ends its job.

Either everything below is committed or nothing: revision, text with its units, pages, chunks, what
it states, the change for the indexes, the job's success. Knows nothing of parsing or embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from kb_service.domain.documents import (
    ChunkDraft,
    PageReport,
    ParsedDocument,
    Revision,
    embedding_key,
)
from kb_service.domain.errors import DocumentError, InvalidRequest, StorageError
from kb_service.domain.facts import Fact
from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.jobs import IngestJob, JobStage, JobStatus
from kb_service.domain.members import told
from kb_service.domain.sketches import sketch_of
from kb_service.domain.storable import check_storable
from kb_service.language.stated.reading import FactReader
from kb_service.language.units import UNIT_RULES, marked
from kb_service.storage import history
from kb_service.storage.blobs import BlobStore
from kb_service.storage.change_log import record_added
from kb_service.storage.chunks import remove_past_chunks, retire_revision_chunks
from kb_service.storage.counts import count_revision
from kb_service.storage.database import Database
from kb_service.storage.documents.members import StagedMember, keep_members
from kb_service.storage.documents.versions import came_on
from kb_service.storage.embeddings import remove_unused_embeddings
from kb_service.storage.facts.columns import fields_of_columns
from kb_service.storage.facts.links import told_before
from kb_service.storage.facts.rows import remove_facts, write_facts
from kb_service.storage.history import Interval
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.jobs.queue import Claim, require_lease
from kb_service.storage.jobs.rows import NO_LEASE, change_job
from kb_service.storage.near_texts import remove_sketch, write_sketch
from kb_service.storage.pages import page_values
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.references import sent, sweep_blobs
from kb_service.storage.revisions.embedded import profile_of_all
from kb_service.storage.revisions.pieces import piece_values
from kb_service.storage.revisions.rows import page_report_value, revision_of
from kb_service.storage.tables import (
    chunks,
    documents,
    pages,
    revisions,
    text_pieces,
)

Rows = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Rows made before the transaction starts, so that the write lock is held only to write."""

    pages: Rows
    pieces: Rows
    chunks: Rows
    text_sha256s: frozenset[str]
    facts: tuple[Fact, ...]
    sketch: bytes
    columns: dict[str, str]
    fact_rules: str


class RevisionPublisher:
    """Commits what ingest made of a claimed job."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        clock: Clock = utc_now,
        reader: FactReader | None = None,
    ) -> None:
        """`reader`: finds the facts; without one labels are told by lists of words."""
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._reader = reader or FactReader()

    def publish(
        self,
        claim: Claim,
        parsed: ParsedDocument,
        chunk_drafts: Sequence[ChunkDraft],
        members: Sequence[StagedMember] = (),
    ) -> Revision:
        """Make the revision searchable instead of the document's current one; end the job.

        Its vectors follow, unless other texts brought them all. `members`: the files inside, which
        become documents of their own in the same transaction. Raises LeaseLost, DocumentError
        (unstorable_text), StorageError (chunk_mismatch); nothing is written then.
        """
        _check_drafts(parsed, chunk_drafts)
        with self._database.read() as connection:
            columns = fields_of_columns(connection, claim.job.kb_id)
            may_remove = _may_remove(connection, claim.job)
            came = came_on(connection, claim.job.document_id, claim.job.blob_sha256)
        title = parsed.title.strip() or PurePosixPath(claim.document_name).stem
        title = title or claim.document_name
        prepared = _prepare(parsed, chunk_drafts, columns, self._reader, title, came)
        # Vectors are common to bases: what removes one keeps all others from writing.
        base = None if may_remove else claim.job.kb_id
        files = [member.staged for member in members]
        has_bytes = self._blobs.exists(claim.job.blob_sha256)  # of a job that has its lease still
        with (
            sent(self._database, self._blobs, files) as sending,
            self._database.write(base=base) as connection,
        ):
            job = require_lease(connection, claim)
            if not has_bytes:
                raise StorageError(
                    f"the bytes {job.blob_sha256} of job {job.id} are gone", code="blob_missing"
                )
            profile = profile_of_all(connection, prepared.text_sha256s)
            before = told_before(connection, job.document_id)
            retired = self._retire(connection, job)
            unused, earlier = _give_way(connection, job)
            revision = self._insert(connection, job, parsed, prepared, title, profile)
            write_facts(connection, revision.id, prepared.facts, before)
            remove_unused_embeddings(connection, unused - prepared.text_sha256s)
            change, now = record_added(connection, job.kb_id, revision.id), self._clock()
            history.end(connection, retired, change, now)
            history.begin(connection, job.kb_id, revision.id, change, now, earlier)
            count_revision(connection, job.kb_id, revision.id, 1)
            gone = keep_members(connection, job.document_id, members, now)
            sending.publish(connection)
            self._finish(connection, job, len(prepared.chunks))
        sweep_blobs(self._database, self._blobs, gone)
        return revision

    def _retire(self, connection: Connection, job: Row[Any]) -> Sequence[int]:
        """Take the current revision out of search; return its id, if there was one."""
        current = select(revisions.c.id).where(
            revisions.c.document_id == job.document_id, revisions.c.is_current
        )
        retired = connection.execute(current).scalars().all()
        for revision_id in retired:
            retire_revision_chunks(connection, job.kb_id, revision_id)
            remove_facts(connection, revision_id)
            remove_sketch(connection, revision_id)
        connection.execute(
            update(revisions)
            .where(revisions.c.document_id == job.document_id, revisions.c.is_current)
            .values(is_current=False, num_chunks=0)
        )
        return retired

    def _insert(
        self,
        connection: Connection,
        job: Row[Any],
        parsed: ParsedDocument,
        prepared: _Prepared,
        title: str,
        profile: str,
    ) -> Revision:
        report = PageReport.of(parsed.pages, told(parsed.losses))
        # Said meanwhile of a column: the worker finds the facts anew.
        is_by_these = fields_of_columns(connection, job.kb_id) == prepared.columns
        statement = insert(revisions).values(
            document_id=job.document_id,
            sha256=job.blob_sha256,
            size_bytes=job.size_bytes,
            media_type=job.media_type,
            title=title,
            metadata=parsed.metadata,
            text_sha256=sha256_of_text(parsed.text),
            unit_rules=UNIT_RULES,
            fact_rules=prepared.fact_rules if is_by_these else "",
            embedded_by=profile,
            num_pages=len(prepared.pages),
            num_chunks=len(prepared.chunks),
            is_complete=report.is_complete,
            page_report=page_report_value(report),
            is_current=True,
            created_at=self._clock(),
        )
        row = connection.execute(statement.returning(*revisions.c)).one()
        owner = {"kb_id": job.kb_id, "document_id": job.document_id, "revision_id": row.id}
        connection.execute(
            insert(text_pieces), [{**piece, "revision_id": row.id} for piece in prepared.pieces]
        )
        if prepared.pages:
            values = [{**page, "revision_id": row.id} for page in prepared.pages]
            connection.execute(insert(pages), values)
        if prepared.chunks:
            connection.execute(insert(chunks), [{**chunk, **owner} for chunk in prepared.chunks])
        write_sketch(connection, job.kb_id, row.id, prepared.sketch)
        return revision_of(row)

    def _finish(self, connection: Connection, job: Row[Any], num_chunks: int) -> None:
        now = self._clock()
        change_job(
            connection,
            job,
            status=JobStatus.SUCCEEDED,
            stage=JobStage.DONE,
            done=num_chunks,
            total=num_chunks,
            error=None,
            finished_at=now,
            **NO_LEASE,
        )
        connection.execute(
            update(documents).where(documents.c.id == job.document_id).values(updated_at=now)
        )


def _may_remove(connection: Connection, job: IngestJob) -> bool:
    """True where texts may go with this: of an earlier reading, or of a file that was inside.

    Stays true or false while the lease holds, for only a job of the same document changes it.
    """
    read_before = select(revisions.c.id).where(
        revisions.c.document_id == job.document_id, revisions.c.sha256 == job.blob_sha256
    )
    within = select(documents.c.id).where(documents.c.container_id == job.document_id)
    return any(connection.execute(found.limit(1)).first() for found in (read_before, within))


def _give_way(connection: Connection, job: Row[Any]) -> tuple[set[str], Sequence[Interval]]:
    """Remove an earlier reading of the same bytes, whose place the new one takes.

    Under a new id, so that an index sees each revision id added once and removed once. Returns
    hashes that may now be unused, and the intervals that the new reading stands for too.
    """
    same = and_(revisions.c.document_id == job.document_id, revisions.c.sha256 == job.blob_sha256)
    ids = connection.execute(select(revisions.c.id).where(same)).scalars().all()
    earlier = history.take_over(connection, ids)
    unused = remove_past_chunks(connection, past_chunks.c.revision_id.in_(ids))
    connection.execute(delete(revisions).where(same))
    return unused, earlier


def _prepare(
    parsed: ParsedDocument,
    drafts: Sequence[ChunkDraft],
    columns: dict[str, str],
    reader: FactReader,
    title: str,
    came: date | None,
) -> _Prepared:
    chunk_values: Rows = [
        {
            "ordinal": draft.ordinal,
            "start": draft.span.start,
            "end": draft.span.end,
            "text": draft.text,
            "text_sha256": embedding_key(draft.embedded_text),
            "heading_path": list(draft.heading_path),
            "prefix": draft.prefix,
        }
        for draft in drafts
    ]
    hashes = frozenset(str(values["text_sha256"]) for values in chunk_values)
    text = marked(parsed.text)
    pieces = piece_values(parsed.text, text.units)
    return _Prepared(
        page_values(parsed.pages),
        pieces,
        chunk_values,
        hashes,
        reader.facts_in(text, columns, title, came),
        sketch_of(parsed.text),
        columns,
        reader.rules,
    )


def _check_drafts(parsed: ParsedDocument, drafts: Sequence[ChunkDraft]) -> None:
    try:
        losses = (words for loss in parsed.losses for words in (loss.where, loss.sample))
        for value in (parsed.text, parsed.title, *parsed.metadata.values(), *losses):
            check_storable(value)
        for draft in drafts:
            check_storable(draft.embedded_text)
    except InvalidRequest as error:
        raise DocumentError(error.message, code=error.code) from error
    for position, draft in enumerate(drafts):
        if draft.ordinal != position or draft.span.of(parsed.text) != draft.text:
            raise StorageError(
                f"chunk {position} (ordinal {draft.ordinal}) is not the text of its span "
                f"({draft.span.start}, {draft.span.end})",
                code="chunk_mismatch",
            )
