"""Under which path a sync knows a document that could not have it as its name.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the path; each document that is there has its name."""
    op.add_column("documents", sa.Column("path", TEXT, nullable=True))


def downgrade() -> None:
    """Drop the path."""
    op.drop_column("documents", "path")
