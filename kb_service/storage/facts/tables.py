"""The tables of what documents state. No queries, no rules.

A fact or record row exists exactly while its revision is searchable; both are derived from its text
and from the corrections, which are not.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from kb_service.storage.tables import (
    ID,
    SHA256,
    JsonText,
    RowId,
    StoredText,
    UtcTime,
    Word,
    metadata,
)

_HAS_NUMBER, _HAS_TIME = text("number IS NOT NULL"), text("time_from IS NOT NULL")
_HAS_ROLE = text("role <> ''")

facts = Table(
    "facts",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), nullable=False),
    Column("record", Integer, nullable=False),
    Column("field", StoredText, nullable=False),
    Column("number", Float(53)),
    Column("number_to", Float(53)),
    Column("unit", StoredText, nullable=False),
    # Local time of the place, as it is stated: the first moment of it, and the first behind it.
    Column("time_from", DateTime),
    Column("time_to", DateTime),
    Column("precision", Word),
    Column("role", StoredText, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("method", Word, nullable=False),
    Column("confidence", Float, nullable=False),
    # As it is compared, cut; `value` is whole.
    Column("text", StoredText, nullable=False),
    Column("value", StoredText, nullable=False),
    # That its record tells of, here again so that a question reads one table; null: of none.
    Column("incident", Integer),
    CheckConstraint('0 <= start AND start <= "end"', name="span"),
    Index("ix_facts_revision_id_record", "revision_id", "record"),
    Index("ix_facts_kb_id_field_text", "kb_id", "field", "text"),
    Index("ix_facts_kb_id_field_record", "kb_id", "field", "revision_id", "record"),
    Index("ix_facts_kb_id_field_incident", "kb_id", "field", "incident"),
    Index(
        "ix_facts_kb_id_field_number",
        "kb_id",
        "field",
        "number",
        sqlite_where=_HAS_NUMBER,
        postgresql_where=_HAS_NUMBER,
    ),
    Index(
        "ix_facts_kb_id_field_time_from",
        "kb_id",
        "field",
        "time_from",
        sqlite_where=_HAS_TIME,
        postgresql_where=_HAS_TIME,
    ),
    Index(
        "ix_facts_kb_id_field_role",
        "kb_id",
        "field",
        "role",
        sqlite_where=_HAS_ROLE,
        postgresql_where=_HAS_ROLE,
    ),
    sqlite_autoincrement=True,
)

# One row for each document, row of a ledger or entry of a log that states anything.
records = Table(
    "records",
    metadata,
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Column("record", Integer, primary_key=True, autoincrement=False),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    # Which incident of the base it tells of, the same number in all that tell of it; null: of none.
    Column("incident", Integer),
    # By what others may tell of the same one: its number; the day and kind, told apart by place.
    Column("number", StoredText),
    Column("occurrence", StoredText),
    CheckConstraint('0 <= start AND start <= "end"', name="span"),
    Index("ix_records_document_id_record", "document_id", "record"),
    # Whole, so that what passes is counted without a look at its rows.
    Index("ix_records_kb_id_incident", "kb_id", "incident", "revision_id", "record"),
    Index("ix_records_kb_id_number", "kb_id", "number"),
    Index("ix_records_kb_id_occurrence", "kb_id", "occurrence"),
)

# Of a text, not of a revision: they hold again whenever the document has that text again.
fact_corrections = Table(
    "fact_corrections",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("text_sha256", SHA256, nullable=False),
    Column("record", Integer, nullable=False),
    Column("field", StoredText, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    # The value that people gave, null for a fact that is none.
    Column("corrected", JsonText),
    Column("by", StoredText, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint(
        "document_id",
        "text_sha256",
        "record",
        "field",
        "start",
        "end",
        name="uq_fact_corrections_place",
    ),
    sqlite_autoincrement=True,
)

# Records that a person said to be of another incident than the links say.
record_splits = Table(
    "record_splits",
    metadata,
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("text_sha256", SHA256, primary_key=True),
    Column("record", Integer, primary_key=True, autoincrement=False),
    Column("by", StoredText, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# What people said that the columns of ledgers stand for, by the name of the column.
column_fields = Table(
    "column_fields",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("name", StoredText, primary_key=True),
    Column("field", StoredText, nullable=False),
    Column("by", StoredText, nullable=False),
    Column("at", UtcTime, nullable=False),
)
