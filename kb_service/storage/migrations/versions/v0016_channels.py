"""By what a conversation began: the page or a program, so that each list shows its own.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    """Count every conversation so far as the page's: none may vanish from its list."""
    column = sa.Column("channel", sa.String(16), nullable=False, server_default="page")
    op.add_column("conversations", column)


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("conversations") as batch:
        batch.drop_column("channel")
