"""What was deleted for good, as hashes: it can be shown later that nothing of it is left.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; of what was deleted before, nothing is known."""
    op.create_table(
        "deletions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletions"),
    )
    op.create_index("ix_deletions_erased_at", "deletions", ["erased_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("deletions")
