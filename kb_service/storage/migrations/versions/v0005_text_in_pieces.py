"""The text of a revision in pieces, so that a span is read without the rest.

Each piece has its hash and the units that meet it; units are marked when a text is first read.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from kb_service.storage.revisions.pieces import piece_values

revision: str = "0005"
down_revision: str | None = "0004"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
revisions = sa.table("revisions", sa.column("id"), sa.column("text"))


def upgrade() -> None:
    """Move each text into its pieces."""
    pieces = op.create_table(
        "text_pieces",
        sa.Column("revision_id", ROW_ID, nullable=False),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("units", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revisions.id"],
            name=op.f("fk_text_pieces_revision_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "start", name=op.f("pk_text_pieces")),
    )
    op.add_column(
        "revisions", sa.Column("unit_rules", sa.String(64), nullable=False, server_default="")
    )
    connection = op.get_bind()
    for revision_id in connection.execute(sa.select(revisions.c.id)).scalars().all():
        which = revisions.c.id == revision_id
        text = connection.execute(sa.select(revisions.c.text).where(which)).scalar_one()
        rows = [{**values, "revision_id": revision_id} for values in piece_values(text, [])]
        connection.execute(sa.insert(pieces), rows)
    op.drop_column("revisions", "text")


def downgrade() -> None:
    """Put the texts together again."""
    op.add_column("revisions", sa.Column("text", TEXT, nullable=False, server_default=""))
    pieces = sa.table("text_pieces", *map(sa.column, ("revision_id", "start", "text")))
    connection = op.get_bind()
    for revision_id in connection.execute(sa.select(revisions.c.id)).scalars().all():
        mine = pieces.c.revision_id == revision_id
        texts = connection.execute(sa.select(pieces.c.text).where(mine).order_by(pieces.c.start))
        which = revisions.c.id == revision_id
        joined = "".join(texts.scalars())
        connection.execute(sa.update(revisions).where(which).values(text=joined))
    op.drop_column("revisions", "unit_rules")
    op.drop_table("text_pieces")
