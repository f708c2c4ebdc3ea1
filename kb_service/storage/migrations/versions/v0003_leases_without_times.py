"""A lease has no time of its end any more: who waits for it measures how long it stands still.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Drop the column."""
    op.drop_column("jobs", "lease_until")


def downgrade() -> None:
    """Add the column, empty: every lease has run out then."""
    op.add_column("jobs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
