"""Sketches of texts, by which those that are nearly the same are found.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, empty: the worker fills them for what is there."""
    op.create_table(
        "sketches",
        sa.Column("revision_id", ROW, autoincrement=False, nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        _to("sketches", "revision_id"),
        sa.PrimaryKeyConstraint("revision_id", name="pk_sketches"),
    )
    op.create_table(
        "sketch_marks",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("mark", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision_id", ROW, autoincrement=False, nullable=False),
        _to("sketch_marks", "kb_id", "knowledge_bases.id"),
        _to("sketch_marks", "revision_id"),
        sa.PrimaryKeyConstraint("kb_id", "mark", "revision_id", name="pk_sketch_marks"),
    )
    op.create_index("ix_sketch_marks_revision_id", "sketch_marks", ["revision_id"])
    op.create_table(
        "near_texts",
        sa.Column("revision_id", ROW, autoincrement=False, nullable=False),
        sa.Column("other_id", ROW, autoincrement=False, nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        _to("near_texts", "revision_id"),
        _to("near_texts", "other_id"),
        sa.PrimaryKeyConstraint("revision_id", "other_id", name="pk_near_texts"),
    )
    op.create_index("ix_near_texts_other_id", "near_texts", ["other_id"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("near_texts", "sketch_marks", "sketches"):
        op.drop_table(name)


def _to(table: str, column: str, target: str = "revisions.id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )
