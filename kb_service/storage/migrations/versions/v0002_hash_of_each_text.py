"""The SHA-256 of each stored text, so that a damaged one is not quoted.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from kb_service.domain.hashing import sha256_of_text

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the column and fill it; reads each text once."""
    # The default is the hash of nothing: a row written without a hash is never taken for whole.
    column = sa.Column("text_sha256", sa.String(64), nullable=False, server_default="")
    op.add_column("revisions", column)
    revisions = sa.table("revisions", sa.column("id"), sa.column("text"), sa.column("text_sha256"))
    connection = op.get_bind()
    for revision_id in connection.execute(sa.select(revisions.c.id)).scalars().all():
        which = revisions.c.id == revision_id
        text = connection.execute(sa.select(revisions.c.text).where(which)).scalar_one()
        values = {"text_sha256": sha256_of_text(text)}
        connection.execute(sa.update(revisions).where(which).values(values))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("revisions", "text_sha256")
