"""An index by which it is seen in which roles a base states people, without reading them.

Revision ID: 0023
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"

INDEX = "ix_facts_kb_id_field_role"
HAS_ROLE = sa.text("role <> ''")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        INDEX,
        "facts",
        ["kb_id", "field", "role"],
        sqlite_where=HAS_ROLE,
        postgresql_where=HAS_ROLE,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index(INDEX, "facts")
