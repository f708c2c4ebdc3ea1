"""An index by which the next job of a base is found without reading those behind it.

Revision ID: 0025
"""

from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"

INDEX = "ix_jobs_kb_id_status_attempt_number"


def upgrade() -> None:
    """Make the index."""
    op.create_index(INDEX, "jobs", ["kb_id", "status", "attempt", "number"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(INDEX, "jobs")
