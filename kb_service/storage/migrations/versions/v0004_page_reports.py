"""The page report in the row of its revision, and the text last in it.

SQLite walks through all of a text to reach the columns behind it: every list of documents and
every count of a base read all texts. Rewrites the table of revisions: needs room for it once more.

Revision ID: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the reports from the pages, and move the text behind them."""
    op.add_column(
        "revisions", sa.Column("page_report", sa.Text(), nullable=False, server_default="")
    )
    _fill_reports(op.get_bind())
    _move_text()


def downgrade() -> None:
    """Drop the reports; where the text stands in the row is the same to every version."""
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


def _move_text() -> None:
    op.add_column("revisions", sa.Column("moved", TEXT, nullable=False, server_default=""))
    revisions = sa.table("revisions", sa.column("text"), sa.column("moved"))
    op.execute(sa.update(revisions).values(moved=revisions.c.text))
    op.drop_column("revisions", "text")
    op.alter_column("revisions", "moved", new_column_name="text")
