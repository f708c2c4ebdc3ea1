"""Incidents are counted with their documents from one index.

Revision ID: 0031
"""

from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"

INDEX = "ix_records_kb_id_incident"


def upgrade() -> None:
    """Let the index hold which record each one is."""
    op.drop_index(INDEX, "records")
    op.create_index(INDEX, "records", ["kb_id", "incident", "revision_id", "record"])


def downgrade() -> None:
    """Let it hold the incident alone."""
    op.drop_index(INDEX, "records")
    op.create_index(INDEX, "records", ["kb_id", "incident"])
