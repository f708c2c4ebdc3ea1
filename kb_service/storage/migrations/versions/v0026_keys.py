"""Keys with their rights, and whose a conversation is.

Revision ID: 0026
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STANDS = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    """Make the tables; conversations of before stay the administrators'."""
    op.create_table(
        "api_keys",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("everywhere", sa.String(16)),
        sa.Column("see_personal", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("sha256", name="uq_api_keys_sha256"),
    )
    op.create_index(
        "uq_api_keys_name",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "key_rights",
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("granted", sa.String(16), nullable=False),
        _cascade("key_rights", "key_id", "api_keys"),
        _cascade("key_rights", "kb_id", "knowledge_bases"),
        sa.PrimaryKeyConstraint("key_id", "kb_id", name="pk_key_rights"),
    )
    op.create_index("ix_key_rights_kb_id", "key_rights", ["kb_id"])
    op.create_table(
        "conversation_owners",
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        _cascade("conversation_owners", "conversation_id", "conversations"),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_conversation_owners"),
    )
    op.create_index("ix_conversation_owners_key_id", "conversation_owners", ["key_id"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("conversation_owners", "key_rights", "api_keys"):
        op.drop_table(table)


def _cascade(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )
