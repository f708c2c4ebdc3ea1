"""An index by which it is seen which records state a field, without reading what they state.

Revision ID: 0018
"""

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"

INDEX = "ix_facts_kb_id_field_record"


def upgrade() -> None:
    """Make the index."""
    op.create_index(INDEX, "facts", ["kb_id", "field", "revision_id", "record"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(INDEX, "facts")
