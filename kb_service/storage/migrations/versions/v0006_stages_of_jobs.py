"""Vectors and indexes follow a job: no stage of it waits for them any more.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

jobs = sa.table("jobs", sa.column("stage"))


def upgrade() -> None:
    """Jobs that ended in a stage that is gone ended in the next one before it that is there."""
    gone = jobs.c.stage.in_(("embed", "index"))
    op.execute(sa.update(jobs).where(gone).values(stage="commit"))


def downgrade() -> None:
    """Every stage of today was one before."""
