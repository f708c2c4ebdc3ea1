"""The tables of the past: chunks of earlier versions, when they were searchable, what was deleted.

No queries, no rules.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)

from kb_service.storage.tables import (
    ID,
    SHA256,
    JsonText,
    RowId,
    StoredText,
    UtcTime,
    metadata,
)

# A chunk row of an earlier version: searchable only as of a change in an interval of its revision.
past_chunks = Table(
    "past_chunks",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", StoredText, nullable=False),
    Column("text_sha256", SHA256, nullable=False, index=True),
    Column("heading_path", JsonText, nullable=False),
    Column("prefix", StoredText, nullable=False),
    UniqueConstraint("revision_id", "ordinal"),
    CheckConstraint('0 <= start AND start <= "end"', name="span"),
    Index("ix_past_chunks_kb_id", "kb_id"),
    Index("ix_past_chunks_document_id", "document_id"),
)

# When a revision was searchable: from change `added` on, before change `removed` (null: still is).
intervals = Table(
    "intervals",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("added", BigInteger, primary_key=True, autoincrement=False),
    Column("removed", BigInteger),
    Column(
        "revision_id",
        RowId,
        ForeignKey("revisions.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("added_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime, index=True),
)

# What was deleted for good, by document id: hashes and numbers, no words. No foreign key: it
# outlives all it tells of. `erased_at`: since when no index file has its terms and vectors.
deletions = Table(
    "deletions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, nullable=False),
    Column("deleted_at", UtcTime, nullable=False),
    Column("erased_at", UtcTime, index=True),
    Column("what", JsonText, nullable=False),
    # 32 bytes of each hash that a vector was kept by.
    Column("texts", LargeBinary, nullable=False),
)
