"""Chunks live in an interval of changes: those of earlier versions are kept, beside the searchable.

Revision ID: 0017
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; what was replaced before has left no chunks, so history begins now."""
    op.add_column(
        "knowledge_bases",
        sa.Column("history_from", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column("knowledge_bases", sa.Column("history_from_at", TIME, nullable=True))
    intervals = _make_intervals()
    _make_past_chunks()
    _fill(op.get_bind(), intervals)


def downgrade() -> None:
    """Drop the tables, and what only they need."""
    embeddings, chunks = (sa.table(name, sa.column("text_sha256")) for name in _HASHED)
    is_used = sa.exists().where(chunks.c.text_sha256 == embeddings.c.text_sha256)
    op.drop_table("past_chunks")
    op.drop_table("intervals")
    op.drop_column("knowledge_bases", "history_from_at")
    op.drop_column("knowledge_bases", "history_from")
    op.execute(sa.delete(embeddings).where(~is_used))


_HASHED = ("embeddings", "chunks")


def _make_intervals() -> sa.Table:
    intervals = op.create_table(
        "intervals",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("added", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=True),
        sa.Column("revision_id", ROW_ID, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_intervals_kb_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name="fk_intervals_revision_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kb_id", "added", name="pk_intervals"),
    )
    op.create_index("ix_intervals_revision_id", "intervals", ["revision_id"])
    op.create_index("ix_intervals_removed_at", "intervals", ["removed_at"])
    return intervals


def _make_past_chunks() -> None:
    op.create_table(
        "past_chunks",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("revision_id", ROW_ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("heading_path", sa.Text(), nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [target], name=f"fk_past_chunks_{column}", ondelete="CASCADE"
            )
            for column, target in (
                ("kb_id", "knowledge_bases.id"),
                ("document_id", "documents.id"),
                ("revision_id", "revisions.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_past_chunks"),
        sa.UniqueConstraint("revision_id", "ordinal", name="uq_past_chunks_revision_id_ordinal"),
        sa.CheckConstraint('0 <= start AND start <= "end"', name=op.f("ck_past_chunks_span")),
    )
    for column in ("kb_id", "document_id", "text_sha256"):
        op.create_index(f"ix_past_chunks_{column}", "past_chunks", [column])


def _fill(connection: sa.Connection, intervals: sa.Table) -> None:
    bases = sa.table(
        "knowledge_bases",
        *map(sa.column, ("id", "change_seq", "history_from")),
        sa.column("history_from_at", TIME),
    )
    revisions = sa.table(
        "revisions", *map(sa.column, ("id", "document_id", "is_current", "created_at"))
    )
    changes = sa.table("changes", *map(sa.column, ("kb_id", "seq", "revision_id", "is_added")))
    now = datetime.now(UTC)
    if connection.dialect.name == "sqlite":
        now = now.replace(tzinfo=None)
    begun = sa.update(bases).where(bases.c.change_seq > 0)
    connection.execute(begun.values(history_from=bases.c.change_seq, history_from_at=now))
    added = (
        sa.select(
            changes.c.kb_id, sa.func.max(changes.c.seq), revisions.c.id, revisions.c.created_at
        )
        .join(revisions, revisions.c.id == changes.c.revision_id)
        .where(revisions.c.is_current == sa.true(), changes.c.is_added == sa.true())
        .group_by(changes.c.kb_id, revisions.c.id, revisions.c.created_at)
    )
    columns = ["kb_id", "added", "revision_id", "added_at"]
    connection.execute(intervals.insert().from_select(columns, added))
