"""What people said that the columns of ledgers stand for.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "column_fields",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_column_fields_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kb_id", "name", name="pk_column_fields"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("column_fields")
