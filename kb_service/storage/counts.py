"""Counts of a base, kept in the transactions that change what they count: requests count no rows.

A row of `counts` is the number of documents, jobs, pages or chunks in one state. Documents are
counted by where they stand, which `documents.counted_as` repeats; pages and chunks are those of
searchable revisions, a chunk `made` once all of its document's vectors are. `recounted` counts
anew, for `kb verify` only. Called inside a write only, but for `recounted` and `count_of`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    text,
    update,
)

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.jobs import JobStatus
from kb_service.storage.tables import counts, documents, jobs, knowledge_bases, pages, revisions

MADE, WAITING = "made", "waiting"


class Noun(StrEnum):
    """What is counted."""

    DOCUMENTS = "documents"
    JOBS = "jobs"
    PAGES = "pages"
    CHUNKS = "chunks"


Numbers = Mapping[tuple[Noun, str], int]
"""By noun and state."""


_ADD = text(
    "INSERT INTO counts (kb_id, noun, state, number) VALUES (:kb_id, :noun, :state, :number)"
    " ON CONFLICT (kb_id, noun, state) DO UPDATE SET number = counts.number + excluded.number"
).bindparams(bindparam("number", type_=BigInteger))


def document_status(job: str | None, *, has_revision: bool, is_complete: bool) -> DocumentStatus:
    """Return where a document stands, from the newest job of its newest content."""
    if job in (JobStatus.QUEUED, JobStatus.FAILED):
        return DocumentStatus.PENDING
    if job == JobStatus.RUNNING:
        return DocumentStatus.PROCESSING
    if not has_revision:
        return DocumentStatus.FAILED
    return DocumentStatus.READY if is_complete else DocumentStatus.PARTIAL


def count_of(noun: Noun) -> ScalarSelect[Any]:
    """Return the number of a noun as a column beside rows of knowledge bases."""
    total = select(cast(func.coalesce(func.sum(counts.c.number), 0), BigInteger))
    mine = counts.c.kb_id == knowledge_bases.c.id, counts.c.noun == noun
    return total.where(*mine).correlate(knowledge_bases).scalar_subquery()


def counted(
    connection: Connection, noun: Noun, states: Iterable[str], kb_id: str | None = None
) -> dict[str, int]:
    """Return the numbers of a noun by state, zeros included; of one base, or of all together."""
    total = cast(func.sum(counts.c.number), BigInteger)
    statement = select(counts.c.state, total).where(counts.c.noun == noun)
    if kb_id is not None:
        statement = statement.where(counts.c.kb_id == kb_id)
    rows = connection.execute(statement.group_by(counts.c.state))
    found: dict[str, int] = dict(rows.tuples().all())
    return {str(state): found.get(str(state), 0) for state in states}


def count_job(connection: Connection, kb_id: str, before: str | None, after: str) -> None:
    """Count a job as what it is now, and no longer as what it was (None: it is new)."""
    numbers = {(Noun.JOBS, after): 1}
    _add(connection, kb_id, numbers if before is None else {**numbers, (Noun.JOBS, before): -1})


def count_document(connection: Connection, document_id: str) -> None:
    """Count a document as where it stands now, after its job, content or revision changed."""
    row = connection.execute(_ONE_STANDING, {"document_id": document_id}).one()
    status = standing_of(row)
    if status == row.counted_as:
        return
    connection.execute(_COUNT_AS, {"document": document_id, "status": status})
    before = {(Noun.DOCUMENTS, row.counted_as): -1} if row.counted_as else {}
    _add(connection, row.kb_id, {**before, (Noun.DOCUMENTS, status): 1})


def count_revision(connection: Connection, kb_id: str, revision_id: int, by: int) -> None:
    """Count what a revision has as searchable: `by` 1 once all is there, -1 before it goes."""
    number = func.count().label("number")
    kinds = select(pages.c.kind, number).where(pages.c.revision_id == revision_id)
    found = connection.execute(kinds.group_by(pages.c.kind))
    numbers = {(Noun.PAGES, row.kind): by * row.number for row in found}
    columns = select(revisions.c.num_chunks, revisions.c.embedded_by)
    revision = connection.execute(columns.where(revisions.c.id == revision_id)).one()
    state = MADE if revision.embedded_by else WAITING
    numbers[Noun.CHUNKS, state] = by * revision.num_chunks
    _add(connection, kb_id, numbers)


def count_embedded(connection: Connection, which: ColumnElement[bool], fingerprint: str) -> None:
    """Count the chunks of revisions whose `embedded_by` is about to become the fingerprint."""
    had = case((revisions.c.embedded_by != "", literal(MADE)), else_=literal(WAITING))
    number = func.sum(revisions.c.num_chunks).label("number")
    statement = select(documents.c.kb_id, had.label("had"), number)
    rows = statement.select_from(revisions.join(documents)).where(which, revisions.c.is_current)
    now = MADE if fingerprint else WAITING
    for row in connection.execute(rows.group_by(documents.c.kb_id, had)).all():
        if row.had != now:
            moved = {(Noun.CHUNKS, now): row.number, (Noun.CHUNKS, row.had): -row.number}
            _add(connection, row.kb_id, moved)


def uncount_document(connection: Connection, document_id: str) -> None:
    """Count a document and its jobs no more; its searchable revision is `count_revision`'s."""
    row = connection.execute(select(documents).where(documents.c.id == document_id)).one()
    number = func.count().label("number")
    statement = select(jobs.c.status, number).where(jobs.c.document_id == document_id)
    found = connection.execute(statement.group_by(jobs.c.status))
    numbers = {(Noun.JOBS, one.status): -one.number for one in found}
    _add(connection, row.kb_id, {**numbers, (Noun.DOCUMENTS, row.counted_as): -1})


def standing() -> Select[Any]:
    """Select documents with what `standing_of` tells where they stand from."""
    newest = (
        select(func.max(jobs.c.number))
        .where(jobs.c.document_id == documents.c.id, jobs.c.blob_sha256 == documents.c.sha256)
        .correlate(documents)
        .scalar_subquery()
    )
    current = and_(revisions.c.document_id == documents.c.id, revisions.c.is_current)
    columns = documents.c.id, documents.c.kb_id, documents.c.counted_as
    return (
        select(*columns, jobs.c.status, revisions.c.is_complete)
        .select_from(documents.outerjoin(jobs, jobs.c.number == newest))
        .outerjoin(revisions, current)
    )


def standing_of(row: Row[Any]) -> DocumentStatus:
    """Return where the document of a row of `standing` stands."""
    return document_status(
        row.status,
        has_revision=row.is_complete is not None,
        is_complete=bool(row.is_complete),
    )


# Built once: a document is counted three times until it is searchable.
_ONE_STANDING = standing().where(documents.c.id == bindparam("document_id"))
_COUNT_AS = (
    update(documents)
    .where(documents.c.id == bindparam("document"))
    .values(counted_as=bindparam("status"))
)


def recounted(connection: Connection) -> dict[tuple[str, str, str], int]:
    """Count everything anew, by base, noun and state."""
    found = Counter(
        (row.kb_id, Noun.DOCUMENTS.value, standing_of(row).value)
        for row in connection.execute(standing())
    )
    for statement in _recounts():
        for kb_id, noun, state, number in connection.execute(statement):
            found[kb_id, noun, state] += int(number)
    return dict(found)


def _recounts() -> Iterable[Select[Any]]:
    def grouped(noun: Noun, number: ColumnElement[int], state: ColumnElement[str]) -> Select[Any]:
        return select(owner, literal(noun.value), state, number).group_by(owner, state)

    owner = jobs.c.kb_id
    yield grouped(Noun.JOBS, func.count(), jobs.c.status)
    owner = documents.c.kb_id
    searchable = revisions.join(documents)
    made = case((revisions.c.embedded_by != "", literal(MADE)), else_=literal(WAITING))
    for statement in (
        grouped(Noun.CHUNKS, func.sum(revisions.c.num_chunks), made).select_from(searchable),
        grouped(Noun.PAGES, func.count(), pages.c.kind).select_from(searchable.join(pages)),
    ):
        yield statement.where(revisions.c.is_current)


def _add(connection: Connection, kb_id: str, numbers: Numbers) -> None:
    values = [
        {"kb_id": kb_id, "noun": str(noun), "state": str(state), "number": number}
        for (noun, state), number in numbers.items()
    ]
    if values:
        connection.execute(_ADD, values)
