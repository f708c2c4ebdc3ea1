"""Every content that was sent in under a document, also when it was replaced before it was read.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CONTENT = ("sha256", "size_bytes", "media_type", "created_at")


def upgrade() -> None:
    """Make the table; the revisions that are kept and the newest content are what is known."""
    versions = op.create_table(
        "versions",
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name="fk_versions_document_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "number", name="pk_versions"),
    )
    op.create_index("ix_versions_sha256", "versions", ["sha256"])
    _fill(versions)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("versions")


def _fill(versions: sa.Table) -> None:
    revisions = sa.table("revisions", *map(sa.column, ("id", "document_id", *_CONTENT)))
    documents = sa.table("documents", *map(sa.column, ("id", "updated_at", *_CONTENT)))
    number = sa.func.row_number().over(
        partition_by=revisions.c.document_id, order_by=revisions.c.id
    )
    columns = ["document_id", "number", *_CONTENT]
    read = sa.select(revisions.c.document_id, number, *(revisions.c[name] for name in _CONTENT))
    op.execute(versions.insert().from_select(columns, read))
    last = sa.select(sa.func.coalesce(sa.func.max(versions.c.number), 0)).where(
        versions.c.document_id == documents.c.id
    )
    is_known = sa.exists().where(
        versions.c.document_id == documents.c.id, versions.c.sha256 == documents.c.sha256
    )
    newest = sa.select(
        documents.c.id,
        last.scalar_subquery() + 1,
        documents.c.sha256,
        documents.c.size_bytes,
        documents.c.media_type,
        documents.c.updated_at,
    ).where(~is_known)
    op.execute(versions.insert().from_select(columns, newest))
