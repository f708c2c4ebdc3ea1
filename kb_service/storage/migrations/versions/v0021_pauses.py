"""Standing questions that are not asked for a while.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"


def upgrade() -> None:
    """Add the mark; no question is paused."""
    with op.batch_alter_table("watches") as table:
        table.add_column(
            sa.Column("is_paused", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Drop the mark."""
    with op.batch_alter_table("watches") as table:
        table.drop_column("is_paused")
