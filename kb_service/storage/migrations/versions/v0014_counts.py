"""How much of a base there is, kept as numbers, so that no request counts rows.

Revision ID: 0014
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
documents = sa.table("documents", *map(sa.column, ("id", "kb_id", "sha256", "counted_as")))
jobs = sa.table(
    "jobs", *map(sa.column, ("number", "kb_id", "document_id", "blob_sha256", "status"))
)
revisions = sa.table(
    "revisions",
    *map(sa.column, ("id", "document_id", "num_chunks", "is_complete", "is_current")),
    sa.column("embedded_by"),
)
pages = sa.table("pages", sa.column("revision_id"), sa.column("kind"))
counts = sa.table("counts", *map(sa.column, ("kb_id", "noun", "state", "number")))


def upgrade() -> None:
    """Make the table, and count what is there, once."""
    op.add_column(
        "documents", sa.Column("counted_as", sa.String(16), nullable=False, server_default="")
    )
    op.create_table(
        "counts",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("noun", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_counts_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kb_id", "noun", "state", name="pk_counts"),
    )
    connection = op.get_bind()
    numbers = Counter(_count_documents(connection))
    for statement in _counted():
        for kb_id, noun, state, number in connection.execute(statement):
            numbers[kb_id, noun, state] += int(number)
    names = ("kb_id", "noun", "state")
    values = [dict(zip(names, key, strict=True)) | {"number": n} for key, n in numbers.items()]
    if values:
        connection.execute(sa.insert(counts), values)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("counts")
    op.drop_column("documents", "counted_as")


def _count_documents(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    """Note where each document stands; yield what it is counted as."""
    newest = (
        sa.select(sa.func.max(jobs.c.number))
        .where(jobs.c.document_id == documents.c.id, jobs.c.blob_sha256 == documents.c.sha256)
        .correlate(documents)
        .scalar_subquery()
    )
    current = sa.and_(
        revisions.c.document_id == documents.c.id, revisions.c.is_current == sa.true()
    )
    statement = (
        sa.select(documents.c.id, documents.c.kb_id, jobs.c.status, revisions.c.is_complete)
        .select_from(documents.outerjoin(jobs, jobs.c.number == newest))
        .outerjoin(revisions, current)
    )
    found = [
        (row.id, row.kb_id, _standing(row.status, row.is_complete))
        for row in connection.execute(statement)
    ]
    if found:
        which = documents.c.id == sa.bindparam("which")
        change = sa.update(documents).where(which).values(counted_as=sa.bindparam("status"))
        connection.execute(change, [{"which": id_, "status": to} for id_, _, to in found])
    yield from ((kb_id, "documents", status) for _, kb_id, status in found)


def _standing(job: str | None, is_complete: object) -> str:
    if job in ("queued", "failed"):
        return "pending"
    if job == "running":
        return "processing"
    if is_complete is None:
        return "failed"
    return "ready" if is_complete else "partial"


def _counted() -> Iterator[sa.Select[Any]]:
    def grouped(owner: Any, noun: str, state: Any, number: Any) -> sa.Select[Any]:  # noqa: ANN401
        return sa.select(owner, sa.literal(noun), state, number).group_by(owner, state)

    yield grouped(jobs.c.kb_id, "jobs", jobs.c.status, sa.func.count())
    searchable = revisions.join(documents, documents.c.id == revisions.c.document_id)
    with_pages = searchable.join(pages, pages.c.revision_id == revisions.c.id)
    made = sa.case((revisions.c.embedded_by != "", sa.literal("made")), else_=sa.literal("waiting"))
    for statement in (
        grouped(documents.c.kb_id, "chunks", made, sa.func.sum(revisions.c.num_chunks)).select_from(
            searchable
        ),
        grouped(documents.c.kb_id, "pages", pages.c.kind, sa.func.count()).select_from(with_pages),
    ):
        yield statement.where(revisions.c.is_current == sa.true())
