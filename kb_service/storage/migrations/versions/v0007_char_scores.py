"""How sure OCR is of each character of a page.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Add the scores; no page that is there was read by OCR."""
    op.add_column("pages", sa.Column("char_scores", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop the scores."""
    op.drop_column("pages", "char_scores")
