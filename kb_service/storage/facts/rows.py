"""Rows of facts and records as domain values, and back. Called inside a transaction only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from kb_service.domain.facts import Correction, Fact, Record, StoredFact, records_of
from kb_service.storage.facts.corrections import TextOf, corrected
from kb_service.storage.facts.identities import dated_by_reports
from kb_service.storage.facts.links import Before, Linked, link, told_before
from kb_service.storage.facts.tables import fact_corrections, facts, records
from kb_service.storage.facts.values import fact_of, fact_values
from kb_service.storage.rows import value_of
from kb_service.storage.tables import documents, revisions
from kb_service.storage.watches.rows import ask_again


def write_facts(
    connection: Connection, revision_id: int, found: Sequence[Fact], before: Before | None = None
) -> None:
    """Put facts, and the records they belong to, in the place of those that a revision has.

    `before`: what the records of an earlier text of the document told of.
    """
    owner = (
        select(revisions.c.document_id, revisions.c.text_sha256, documents.c.kb_id)
        .join(documents, documents.c.id == revisions.c.document_id)
        .where(revisions.c.id == revision_id)
    )
    row = connection.execute(owner).one()
    kept = before or told_before(connection, row.document_id, is_same_text=True)
    remove_facts(connection, revision_id)
    base = {"kb_id": row.kb_id, "revision_id": revision_id}
    text = TextOf(row.document_id, row.text_sha256)
    right = dated_by_reports(corrected(connection, text, found))
    if not right:
        return
    told = records_of(right)
    linked = link(connection, row.kb_id, text, told, kept)
    number_of = {record: one.incident for record, one in linked.items()}
    rows = [{**fact_values(fact), **base, "incident": number_of.get(fact.record)} for fact in right]
    connection.execute(insert(facts), rows)
    owner_values = {"document_id": row.document_id, **base}
    connection.execute(
        insert(records),
        [{**_record_values(one, linked.get(one.number)), **owner_values} for one in told],
    )


def rewrite_facts(connection: Connection, revision_id: int, found: Sequence[Fact]) -> None:
    """Write facts of a text that is searchable already: no change of the base tells of them."""
    write_facts(connection, revision_id, found)
    of_revision = select(revisions.c.document_id).where(revisions.c.id == revision_id)
    owner = select(documents.c.kb_id).where(documents.c.id == of_revision.scalar_subquery())
    ask_again(connection, connection.execute(owner).scalar_one())


def remove_facts(connection: Connection, revision_id: int) -> None:
    """Delete the facts and records of a revision."""
    for table in (facts, records):
        connection.execute(delete(table).where(table.c.revision_id == revision_id))


def fact_rows() -> Select[Any]:
    """Select facts with the public names of their documents, their incident and correction."""
    said = fact_corrections.c
    is_corrected = (
        (said.document_id == revisions.c.document_id)
        & (said.text_sha256 == revisions.c.text_sha256)
        & (said.record == facts.c.record)
        & (said.field == facts.c.field)
        & (said.start == facts.c.start)
        & (said.end == facts.c.end)
    )
    return (
        select(
            facts,
            revisions.c.document_id,
            revisions.c.sha256,
            documents.c.name.label("document_name"),
            said.by,
            said.at,
        )
        .join(revisions, revisions.c.id == facts.c.revision_id)
        .join(documents, documents.c.id == revisions.c.document_id)
        .outerjoin(fact_corrections, is_corrected)
    )


def stored_fact_of(row: Row[Any]) -> StoredFact:
    """Return the stored fact of a row of `fact_rows`."""
    correction = Correction(row.by, row.at) if row.at else None
    return value_of(StoredFact, row, fact=fact_of(row), correction=correction)


def _record_values(record: Record, linked: Linked | None) -> dict[str, object]:
    return {
        "record": record.number,
        "start": record.span.start,
        "end": record.span.end,
        "incident": linked and linked.incident,
        "number": linked and linked.number,
        "occurrence": linked and linked.occurrence,
    }
