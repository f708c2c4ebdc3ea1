"""The tables of standing questions. No queries, no rules."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
)

from kb_service.storage.tables import ID, SHA256, JsonText, RowId, StoredText, UtcTime, metadata

watches = Table(
    "watches",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("name", StoredText, nullable=False),
    Column("asked", JsonText, nullable=False),
    Column("schedule", StoredText, nullable=False),
    Column("follows_changes", Boolean, nullable=False),
    Column("webhook", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("checked_at", UtcTime),
    Column("checked_change", BigInteger),
    Column("error", JsonText),
    Column("num_failures", Integer, nullable=False),
    # Counts what was written of it: who asked while another did writes nothing.
    Column("num_checks", Integer, nullable=False),
    # The present one; not a foreign key, as answers name their question.
    Column("answer_id", BigInteger),
    # Not asked until a person says so again.
    Column("is_paused", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("kb_id", "name"),
)

watch_answers = Table(
    "watch_answers",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("watch_id", ID, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False),
    # Stays when the words go with a deleted document: what is said next is compared with it.
    Column("digest", SHA256, nullable=False),
    Column("payload", JsonText, nullable=False),
    Index("ix_watch_answers_watch_id", "watch_id"),
    sqlite_autoincrement=True,
)

watch_answer_documents = Table(
    "watch_answer_documents",
    metadata,
    Column(
        "answer_id", RowId, ForeignKey("watch_answers.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("document_id", StoredText, primary_key=True, index=True),
)

watch_changes = Table(
    "watch_changes",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("watch_id", ID, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False),
    Column("old_id", RowId, ForeignKey("watch_answers.id", ondelete="CASCADE"), nullable=False),
    Column("new_id", RowId, ForeignKey("watch_answers.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("told_at", UtcTime),
    # When its webhook is tried next; null: nothing is to be posted, or no more.
    Column("post_at", UtcTime, index=True),
    Column("num_posts", Integer, nullable=False),
    Column("posted_at", UtcTime),
    Index("ix_watch_changes_watch_id_id", "watch_id", "id"),
    Index("ix_watch_changes_old_id", "old_id"),
    Index("ix_watch_changes_new_id", "new_id"),
    sqlite_autoincrement=True,
)
