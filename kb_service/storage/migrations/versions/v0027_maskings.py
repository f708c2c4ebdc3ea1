"""What bases hide from those who may not see personal data.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; no base hides anything."""
    op.create_table(
        "maskings",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_maskings_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kb_id", name="pk_maskings"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("maskings")
