"""Standing questions, what was answered, and what changed.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, empty."""
    _make_watches()
    _make_answers()
    _make_changes()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("watch_changes", "watch_answer_documents", "watch_answers", "watches"):
        op.drop_table(name)


def _make_watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("schedule", TEXT, nullable=False),
        sa.Column("follows_changes", sa.Boolean(), nullable=False),
        sa.Column("webhook", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("checked_at", TIME, nullable=True),
        sa.Column("checked_change", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("num_failures", sa.Integer(), nullable=False),
        sa.Column("num_checks", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.BigInteger(), nullable=True),
        _to("watches", "kb_id", "knowledge_bases.id"),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
        sa.UniqueConstraint("kb_id", "name", name="uq_watches_kb_id_name"),
    )


def _make_answers() -> None:
    op.create_table(
        "watch_answers",
        sa.Column("id", ROW, sa.Identity(), nullable=False),
        sa.Column("watch_id", TEXT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        _to("watch_answers", "watch_id", "watches.id"),
        sa.PrimaryKeyConstraint("id", name="pk_watch_answers"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_watch_answers_watch_id", "watch_answers", ["watch_id"])
    op.create_table(
        "watch_answer_documents",
        sa.Column("answer_id", ROW, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        _to("watch_answer_documents", "answer_id", "watch_answers.id"),
        sa.PrimaryKeyConstraint("answer_id", "document_id", name="pk_watch_answer_documents"),
    )
    op.create_index(
        "ix_watch_answer_documents_document_id", "watch_answer_documents", ["document_id"]
    )


def _make_changes() -> None:
    op.create_table(
        "watch_changes",
        sa.Column("id", ROW, sa.Identity(), nullable=False),
        sa.Column("watch_id", TEXT, nullable=False),
        sa.Column("old_id", ROW, nullable=False),
        sa.Column("new_id", ROW, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("post_at", TIME, nullable=True),
        sa.Column("num_posts", sa.Integer(), nullable=False),
        sa.Column("posted_at", TIME, nullable=True),
        _to("watch_changes", "watch_id", "watches.id"),
        _to("watch_changes", "old_id", "watch_answers.id"),
        _to("watch_changes", "new_id", "watch_answers.id"),
        sa.PrimaryKeyConstraint("id", name="pk_watch_changes"),
        sqlite_autoincrement=True,
    )
    for column in ("post_at", "old_id", "new_id"):
        op.create_index(f"ix_watch_changes_{column}", "watch_changes", [column])
    op.create_index("ix_watch_changes_watch_id_id", "watch_changes", ["watch_id", "id"])


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )
