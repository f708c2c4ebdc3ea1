"""Labels of bases, and which documents carry them.

Revision ID: 0029
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; no base has a label."""
    op.create_table(
        "labels",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("colour", sa.String(16), nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_labels_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("kb_id", "name", name="uq_labels_kb_id_name"),
    )
    op.create_table(
        "document_labels",
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("label_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name="fk_document_labels_document_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name="fk_document_labels_label_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document_id", "label_id", name="pk_document_labels"),
    )
    op.create_index("ix_document_labels_label_id", "document_labels", ["label_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("document_labels")
    op.drop_table("labels")
