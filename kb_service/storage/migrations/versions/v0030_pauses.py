"""Queues that somebody has paused.

Revision ID: 0030
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; every queue goes on."""
    op.create_table(
        "pauses",
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=True),
        sa.Column("paused_by", TEXT, nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_pauses_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope", name="pk_pauses"),
    )
    op.create_index("ix_pauses_kb_id", "pauses", ["kb_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("pauses")
