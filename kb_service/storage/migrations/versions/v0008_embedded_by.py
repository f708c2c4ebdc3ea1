"""Which revisions have all of their vectors, so that a list looks at no chunk.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

revisions = sa.table(
    "revisions", *map(sa.column, ("id", "is_current", "num_chunks", "embedded_by"))
)
chunks = sa.table("chunks", sa.column("revision_id"), sa.column("text_sha256"))
embeddings = sa.table("embeddings", sa.column("profile_fingerprint"), sa.column("text_sha256"))


def upgrade() -> None:
    """Add the profiles from the vectors."""
    op.add_column(
        "revisions", sa.Column("embedded_by", sa.String(64), nullable=False, server_default="")
    )
    op.create_index("ix_revisions_embedded_by", "revisions", ["embedded_by"])
    _fill(op.get_bind())


def downgrade() -> None:
    """Drop the profiles."""
    op.drop_index("ix_revisions_embedded_by", "revisions")
    op.drop_column("revisions", "embedded_by")


def _fill(connection: sa.Connection) -> None:
    """Of two profiles that have all vectors either is right until a worker begins with one."""
    profile = embeddings.c.profile_fingerprint
    for fingerprint in connection.execute(sa.select(profile).distinct()).scalars().all():
        has_vector = sa.exists().where(
            profile == fingerprint, embeddings.c.text_sha256 == chunks.c.text_sha256
        )
        lacks_one = sa.exists().where(chunks.c.revision_id == revisions.c.id, ~has_vector)
        whole = sa.update(revisions).where(
            revisions.c.is_current == sa.true(), revisions.c.num_chunks > 0, ~lacks_one
        )
        connection.execute(whole.values(embedded_by=fingerprint))
