"""The encoding in which a person said that the text of a document is written.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; no document has one yet."""
    op.add_column("documents", sa.Column("encoding", TEXT, nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it; texts are read in the encoding that their bytes tell."""
    op.drop_column("documents", "encoding")
