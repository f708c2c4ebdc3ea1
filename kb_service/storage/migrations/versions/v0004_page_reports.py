"""The page report in the row of its revision, so that a list of documents reads no page.

Revision ID: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Add the reports from the pages."""
    op.add_column(
        "revisions", sa.Column("page_report", sa.Text(), nullable=False, server_default="")
    )
    _fill_reports(op.get_bind())


def downgrade() -> None:
    """Drop the reports."""
    op.drop_column("revisions", "page_report")


def _fill_reports(connection: sa.Connection) -> None:
    revisions = sa.table("revisions", sa.column("id"), sa.column("page_report"))
    pages = sa.table(
        "pages",
        *map(sa.column, ("revision_id", "page_number", "kind", "start", "end", "reason")),
    )
    length = (pages.c.end - pages.c.start).label("num_chars")
    for revision_id in connection.execute(sa.select(revisions.c.id)).scalars().all():
        rows = connection.execute(
            sa.select(pages.c.kind, length, pages.c.reason)
            .where(pages.c.revision_id == revision_id)
            .order_by(pages.c.page_number)
        ).all()
        report = {
            "kind": [row.kind for row in rows],
            "num_chars": [row.num_chars for row in rows],
            "reason": [row.reason for row in rows],
        }
        written = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
        which = revisions.c.id == revision_id
        connection.execute(sa.update(revisions).where(which).values(page_report=written))
