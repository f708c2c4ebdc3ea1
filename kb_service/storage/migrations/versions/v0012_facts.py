"""What documents state, and what people corrected of it; filled by the worker, not here.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SPAN = '0 <= start AND start <= "end"'
_PARENTS = {"kb_id": "knowledge_bases", "document_id": "documents", "revision_id": "revisions"}


def upgrade() -> None:
    """Make the tables, empty; no revision has its facts yet."""
    op.add_column(
        "revisions", sa.Column("fact_rules", sa.String(64), nullable=False, server_default="")
    )
    op.create_index("ix_revisions_fact_rules", "revisions", ["fact_rules"])
    _make_facts()
    _make_records()
    _make_corrections()
    _make_splits()


def downgrade() -> None:
    """Drop the tables and the column."""
    for table in ("record_splits", "fact_corrections", "records", "facts"):
        op.drop_table(table)
    op.drop_index("ix_revisions_fact_rules", "revisions")
    op.drop_column("revisions", "fact_rules")


def _of(table: str, column: str) -> sa.ForeignKeyConstraint:
    parent = _PARENTS[column]
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _make_facts() -> None:
    op.create_table(
        "facts",
        sa.Column("id", ROW, sa.Identity(), nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("revision_id", ROW, nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("number", sa.Float(53)),
        sa.Column("number_to", sa.Float(53)),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("time_from", sa.DateTime()),
        sa.Column("time_to", sa.DateTime()),
        sa.Column("precision", sa.String(16)),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.CheckConstraint(SPAN, name=op.f("ck_facts_span")),
        _of("facts", "kb_id"),
        _of("facts", "revision_id"),
        sa.PrimaryKeyConstraint("id", name="pk_facts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_facts_revision_id_record", "facts", ["revision_id", "record"])
    op.create_index("ix_facts_kb_id_field_text", "facts", ["kb_id", "field", "text"])
    for column in ("number", "time_from"):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_facts_kb_id_field_{column}",
            "facts",
            ["kb_id", "field", column],
            sqlite_where=where,
            postgresql_where=where,
        )


def _make_records() -> None:
    op.create_table(
        "records",
        sa.Column("revision_id", ROW, nullable=False),
        sa.Column("record", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer()),
        sa.Column("number", TEXT),
        sa.Column("occurrence", TEXT),
        sa.CheckConstraint(SPAN, name=op.f("ck_records_span")),
        *(_of("records", column) for column in ("revision_id", "kb_id", "document_id")),
        sa.PrimaryKeyConstraint("revision_id", "record", name="pk_records"),
    )
    for columns in (
        ["document_id", "record"],
        ["kb_id", "incident"],
        ["kb_id", "number"],
        ["kb_id", "occurrence"],
    ):
        op.create_index(f"ix_records_{'_'.join(columns)}", "records", columns)


def _make_corrections() -> None:
    key = ["document_id", "text_sha256", "record", "field", "start", "end"]
    op.create_table(
        "fact_corrections",
        sa.Column("id", ROW, sa.Identity(), nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("corrected", sa.Text()),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _of("fact_corrections", "document_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fact_corrections"),
        sa.UniqueConstraint(*key, name="uq_fact_corrections_place"),
        sqlite_autoincrement=True,
    )


def _make_splits() -> None:
    op.create_table(
        "record_splits",
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("record", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _of("record_splits", "document_id"),
        sa.PrimaryKeyConstraint("document_id", "text_sha256", "record", name="pk_record_splits"),
    )
