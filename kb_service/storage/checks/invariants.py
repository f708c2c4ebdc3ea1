"""The invariants of the database, as queries that return what breaks them.

Pure reads of one snapshot. Checks also what constraints enforce: a damaged file keeps no promises.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Row,
    RowMapping,
    Select,
    Table,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
)

from kb_service.domain.documents import PageReport
from kb_service.domain.errors import StorageError
from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.jobs import JobStatus
from kb_service.language.units import UNIT_RULES, marked
from kb_service.storage.checks.damage import Flaw, FlawFinding
from kb_service.storage.checks.past_rules import PAST_RULES, Rule, exists_in
from kb_service.storage.checks.record_rules import RECORD_RULES
from kb_service.storage.counts import recounted, standing, standing_of
from kb_service.storage.pages import page_of
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.revisions.pieces import read_text
from kb_service.storage.revisions.rows import page_report_of
from kb_service.storage.stored_text import is_whole_chunk
from kb_service.storage.tables import (
    answer_documents,
    changes,
    chunks,
    counts,
    documents,
    embeddings,
    jobs,
    knowledge_bases,
    metadata,
    pages,
    revisions,
    versions,
)
from kb_service.storage.watches.tables import watch_answer_documents

Check = Callable[[Connection], Iterator[FlawFinding]]


def structure_checks() -> Iterator[tuple[str, Check]]:
    """Yield each check of what holds between rows, with what it looks at."""
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            what = f"what {table.name}.{key.parent.name} refers to"
            yield what, partial(_broken_references, table, key)
    for what, columns, where in _UNIQUE:
        yield what, partial(_doubled, what, columns, where)
    for flaw, what, columns, where in (*_RULES, *PAST_RULES, *RECORD_RULES):
        yield what, partial(_broken_rule, flaw, what, columns, where)
    yield "texts that wait for their vectors", _waiting_for_vectors
    yield "counts of bases", _wrong_counts


def _broken_references(
    table: Table, key: ForeignKey, connection: Connection
) -> Iterator[FlawFinding]:
    parent = key.column
    statement = select(*table.primary_key.columns).where(
        key.parent.is_not(None), ~exists_in(parent.table, parent == key.parent)
    )
    for row in connection.execute(statement).mappings():
        message = f"{table.name} row without its {parent.table.name} row: {_named(row)}"
        yield FlawFinding(Flaw.ORPHANED, message)


def _doubled(
    what: str,
    columns: Sequence[Column[Any]],
    where: ColumnElement[bool] | None,
    connection: Connection,
) -> Iterator[FlawFinding]:
    statement: Select[Any] = select(*columns, func.count().label("times"))
    if where is not None:
        statement = statement.where(where)
    repeated = statement.group_by(*columns).having(func.count() > 1)
    for row in connection.execute(repeated).mappings():
        yield FlawFinding(Flaw.DOUBLED, f"{what}: {_named(row)}")


def _broken_rule(
    flaw: Flaw,
    what: str,
    columns: Sequence[Column[Any]],
    where: ColumnElement[bool],
    connection: Connection,
) -> Iterator[FlawFinding]:
    for row in connection.execute(select(*columns).where(where)).mappings():
        yield FlawFinding(flaw, f"{what}: {_named(row)}")


def _waiting_for_vectors(connection: Connection) -> Iterator[FlawFinding]:
    """A chunk without a vector is found by its words; a worker makes the vector.

    So with vectors that were lost. Where each has one of some model, the present one's are to come.
    """
    has_vector = exists_in(embeddings, embeddings.c.text_sha256 == chunks.c.text_sha256)
    lacking = select(func.count()).where(chunks.c.revision_id == revisions.c.id, ~has_vector)
    num_lacking = lacking.correlate(revisions).scalar_subquery().label("num_lacking")
    statement = (
        select(documents.c.id, documents.c.name, revisions.c.num_chunks, num_lacking)
        .join_from(revisions, documents, documents.c.id == revisions.c.document_id)
        .where(revisions.c.is_current, _lacks_a_vector)
        .order_by(documents.c.id)
    )
    for row in connection.execute(statement):
        yield FlawFinding(
            Flaw.PENDING,
            f"{row.num_lacking or row.num_chunks} chunks of document {row.id} ({row.name!r}) wait"
            " for their vectors; a worker makes them where vectors are asked, or `kb reindex`",
        )


def _wrong_counts(connection: Connection) -> Iterator[FlawFinding]:
    """A base says how much of everything it has; nothing is found or lost by a wrong number."""
    kept = {
        (row.kb_id, row.noun, row.state): row.number for row in connection.execute(select(counts))
    }
    true = recounted(connection)
    for key in sorted(kept.keys() | true.keys()):
        if kept.get(key, 0) != true.get(key, 0):
            kb_id, noun, state = key
            message = f"{kept.get(key, 0)} {noun} counted as {state} in {kb_id}, {true.get(key, 0)}"
            yield FlawFinding(Flaw.MISMATCHED, f"{message} are there")
    for row in connection.execute(standing()):
        if row.counted_as != standing_of(row):
            message = (
                f"document {row.id} is counted as {row.counted_as!r}, it is {standing_of(row)}"
            )
            yield FlawFinding(Flaw.MISMATCHED, message)


def _named(row: RowMapping) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in row.items())


_UNIQUE: Sequence[tuple[str, Sequence[Column[Any]], ColumnElement[bool] | None]] = (
    ("knowledge bases of one name", (knowledge_bases.c.name,), None),
    ("documents of one name", (documents.c.kb_id, documents.c.name), None),
    ("searchable revisions", (revisions.c.document_id,), revisions.c.is_current),
    ("revisions of one content", (revisions.c.document_id, revisions.c.sha256), None),
    ("chunks of one ordinal", (chunks.c.revision_id, chunks.c.ordinal), None),
    ("jobs of one id", (jobs.c.id,), None),
)

_has_job = exists_in(
    jobs, jobs.c.document_id == documents.c.id, jobs.c.blob_sha256 == documents.c.sha256
)
_has_revision_of_content = exists_in(
    revisions,
    revisions.c.document_id == documents.c.id,
    revisions.c.sha256 == documents.c.sha256,
    revisions.c.is_current,
)
_noted_vector = (
    exists()
    .where(
        embeddings.c.profile_fingerprint == revisions.c.embedded_by,
        embeddings.c.text_sha256 == chunks.c.text_sha256,
    )
    .correlate(chunks, revisions)
)
_lacks_a_vector = exists_in(chunks, chunks.c.revision_id == revisions.c.id, ~_noted_vector)


def _is_version(document_id: Column[Any], sha256: Column[Any]) -> ColumnElement[bool]:
    return exists_in(versions, versions.c.document_id == document_id, versions.c.sha256 == sha256)


_containers = documents.alias("containers")
_announced = exists_in(changes, changes.c.revision_id == revisions.c.id, changes.c.is_added)
_is_running = jobs.c.status == JobStatus.RUNNING
_has_lease = jobs.c.lease_token.is_not(None)

_RULES: Sequence[Rule] = (
    (
        Flaw.LOST,
        "document whose newest content has neither job nor revision",
        (documents.c.id, documents.c.name),
        not_(or_(_has_job, _has_revision_of_content)),
    ),
    (
        Flaw.LOST,
        "document whose newest content is no version of it",
        (documents.c.id, documents.c.name),
        ~_is_version(documents.c.id, documents.c.sha256),
    ),
    (
        Flaw.LOST,
        "revision that is no version of its document",
        (revisions.c.id, revisions.c.document_id),
        ~_is_version(revisions.c.document_id, revisions.c.sha256),
    ),
    (
        Flaw.LOST,
        "succeeded job whose revision is not there",
        (jobs.c.id, jobs.c.document_id),
        and_(
            jobs.c.status == JobStatus.SUCCEEDED,
            ~exists_in(
                revisions,
                revisions.c.document_id == jobs.c.document_id,
                revisions.c.sha256 == jobs.c.blob_sha256,
            ),
        ),
    ),
    (
        Flaw.LOST,
        "searchable revision that no index is told of",
        (revisions.c.id, revisions.c.document_id),
        and_(revisions.c.is_current, ~_announced),
    ),
    (
        Flaw.ORPHANED,
        "embedding of no chunk",
        (embeddings.c.profile_fingerprint, embeddings.c.text_sha256),
        and_(
            ~exists_in(chunks, chunks.c.text_sha256 == embeddings.c.text_sha256),
            ~exists_in(past_chunks, past_chunks.c.text_sha256 == embeddings.c.text_sha256),
        ),
    ),
    (
        Flaw.ORPHANED,
        "chunk of a revision that is not searchable",
        (chunks.c.id, chunks.c.revision_id),
        exists_in(revisions, revisions.c.id == chunks.c.revision_id, ~revisions.c.is_current),
    ),
    (
        Flaw.ORPHANED,
        "document whose container is not there",
        (documents.c.id, documents.c.container_id),
        and_(
            documents.c.container_id.is_not(None),
            ~exists_in(_containers, _containers.c.id == documents.c.container_id),
        ),
    ),
    (
        Flaw.ORPHANED,
        "answer that quotes a deleted document",
        (answer_documents.c.answer_id, answer_documents.c.document_id),
        ~exists_in(documents, documents.c.id == answer_documents.c.document_id),
    ),
    (
        Flaw.ORPHANED,
        "answer to a standing question that quotes a deleted document",
        (watch_answer_documents.c.answer_id, watch_answer_documents.c.document_id),
        ~exists_in(documents, documents.c.id == watch_answer_documents.c.document_id),
    ),
    (
        Flaw.ORPHANED,
        "unfinished job for content that was superseded",
        (jobs.c.id, jobs.c.document_id),
        and_(
            jobs.c.status.in_((JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)),
            exists_in(
                documents,
                documents.c.id == jobs.c.document_id,
                documents.c.sha256 != jobs.c.blob_sha256,
            ),
        ),
    ),
    (
        Flaw.MISMATCHED,
        "chunk that names another document or base than its revision",
        (chunks.c.id,),
        ~exists_in(
            revisions.join(documents),
            revisions.c.id == chunks.c.revision_id,
            documents.c.id == chunks.c.document_id,
            documents.c.kb_id == chunks.c.kb_id,
        ),
    ),
    (
        Flaw.MISMATCHED,
        "addition of a revision that is not searchable",
        (changes.c.kb_id, changes.c.seq, changes.c.revision_id),
        and_(
            changes.c.is_added,
            ~exists_in(revisions, revisions.c.id == changes.c.revision_id, revisions.c.is_current),
        ),
    ),
    (
        Flaw.MISMATCHED,
        "removal of a revision that is searchable",
        (changes.c.kb_id, changes.c.seq, changes.c.revision_id),
        and_(
            ~changes.c.is_added,
            exists_in(revisions, revisions.c.id == changes.c.revision_id, revisions.c.is_current),
        ),
    ),
    (
        Flaw.MISMATCHED,
        "change past the counter of its base",
        (changes.c.kb_id, changes.c.seq),
        exists_in(
            knowledge_bases,
            knowledge_bases.c.id == changes.c.kb_id,
            knowledge_bases.c.change_seq < changes.c.seq,
        ),
    ),
    (
        Flaw.MISMATCHED,
        "job whose lease does not fit its status",
        (jobs.c.id, jobs.c.status),
        or_(and_(_is_running, ~_has_lease), and_(~_is_running, jobs.c.lease_token.is_not(None))),
    ),
    (
        Flaw.MISMATCHED,
        "job with an unknown status",
        (jobs.c.id, jobs.c.status),
        jobs.c.status.not_in([status.value for status in JobStatus]),
    ),
    (
        Flaw.MISMATCHED,
        "embedding whose bytes are not float32",
        (embeddings.c.profile_fingerprint, embeddings.c.text_sha256),
        or_(func.length(embeddings.c.vector) % 4 != 0, func.length(embeddings.c.vector) == 0),
    ),
)


def revision_findings(connection: Connection, revision: Row[Any]) -> Iterator[FlawFinding]:
    """Yield what is wrong inside one revision: text, pages, boxes and chunks."""
    name = f"revision {revision.id} of document {revision.document_id}"
    stored = read_text(connection, revision.id)
    text = stored.text if stored else ""
    if stored is None or sha256_of_text(text) != revision.text_sha256:
        yield FlawFinding(Flaw.DAMAGED, f"{name}: its text is not the one that was stored")
    elif revision.unit_rules == UNIT_RULES and stored != marked(text):
        yield FlawFinding(Flaw.MISMATCHED, f"{name}: its units are not those of its text")
    for message in _page_flaws(connection, revision, text):
        yield FlawFinding(Flaw.MISMATCHED, f"{name}: {message}")
    for message in _chunk_flaws(connection, revision, text):
        yield FlawFinding(Flaw.MISMATCHED, f"{name}: {message}")


def _page_flaws(connection: Connection, revision: Row[Any], text: str) -> Iterator[str]:
    found = []
    statement = select(pages).where(pages.c.revision_id == revision.id)
    for row in connection.execute(statement.order_by(pages.c.page_number)):
        try:
            found.append(page_of(row))
        except (StorageError, ValueError) as error:
            yield f"page {row.page_number}: {error}"
            return
    if [page.page_number for page in found] != list(range(1, revision.num_pages + 1)):
        yield f"{len(found)} pages, not the numbers 1 to {revision.num_pages}"
    for page in found:
        if page.span.end > len(text):
            yield f"page {page.page_number} reaches past the text"
    stored = page_report_of(revision)
    report = PageReport.of(found, stored.losses)
    if report.is_complete != revision.is_complete:
        yield "its completeness is not what its pages say"
    if report != stored:
        yield "its page report is not what its pages say"


def _chunk_flaws(connection: Connection, revision: Row[Any], text: str) -> Iterator[str]:
    statement = select(chunks).where(chunks.c.revision_id == revision.id)
    rows = connection.execute(statement.order_by(chunks.c.ordinal)).all()
    if [row.ordinal for row in rows] != list(range(revision.num_chunks)):
        yield f"{len(rows)} chunks, not the ordinals 0 to {revision.num_chunks - 1}"
    past = select(past_chunks).where(past_chunks.c.revision_id == revision.id)
    for row in (*rows, *connection.execute(past)):
        if text[row.start : row.end] != row.text:
            yield f"chunk {row.id} is not the text of its span ({row.start}, {row.end})"
        if not is_whole_chunk(row):
            yield f"chunk {row.id} has the hash of another text"
