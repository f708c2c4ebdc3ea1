"""Which incident a fact is of stands beside it, so that a question reads one table.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"

INDEX = "ix_facts_kb_id_field_incident"


def upgrade() -> None:
    """Add the column, take it over from the records, make the index."""
    op.add_column("facts", sa.Column("incident", sa.Integer()))
    op.execute(
        "UPDATE facts SET incident = (SELECT records.incident FROM records"
        " WHERE records.revision_id = facts.revision_id AND records.record = facts.record)"
    )
    op.create_index(INDEX, "facts", ["kb_id", "field", "incident"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(INDEX, "facts")
    op.drop_column("facts", "incident")
