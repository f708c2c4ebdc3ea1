"""Questions that a base was found to answer.

Revision ID: 0024
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, empty: the worker fills them."""
    op.create_table(
        "suggestions",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("question", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("revisions", sa.Text(), nullable=False),
        _to_base("suggestions"),
        sa.PrimaryKeyConstraint("kb_id", "number", name="pk_suggestions"),
    )
    op.create_table(
        "suggestion_checks",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        _to_base("suggestion_checks"),
        sa.PrimaryKeyConstraint("kb_id", name="pk_suggestion_checks"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("suggestion_checks")
    op.drop_table("suggestions")


def _to_base(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["kb_id"], ["knowledge_bases.id"], name=f"fk_{table}_kb_id", ondelete="CASCADE"
    )
