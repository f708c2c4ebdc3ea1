"""What document another one came out of, and where it stands there.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INDEX = "uq_documents_container"


def upgrade() -> None:
    """Add both columns; each document that is there came by itself."""
    op.add_column("documents", sa.Column("container_id", TEXT, nullable=True))
    op.add_column("documents", sa.Column("container_path", TEXT, nullable=True))
    op.create_index(INDEX, "documents", ["container_id", "container_path"], unique=True)


def downgrade() -> None:
    """Drop them; what came out of another document is one by itself."""
    op.drop_index(INDEX, "documents")
    op.drop_column("documents", "container_path")
    op.drop_column("documents", "container_id")
