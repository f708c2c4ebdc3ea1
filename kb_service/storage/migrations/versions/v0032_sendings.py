"""Files that are being sent to a store elsewhere.

Revision ID: 0032
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | None = "0031"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; nothing is being sent."""
    op.create_table(
        "sendings",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "sha256", name="pk_sendings"),
    )
    op.create_index("ix_sendings_sha256", "sendings", ["sha256"])
    op.create_index("ix_sendings_begun_at", "sendings", ["begun_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sendings")
