"""The tables of the one source of truth, for SQLite and PostgreSQL. No queries, no rules.

Every text column refuses what PostgreSQL cannot hold (U+0000, lone surrogates) on both databases.
Chunk and revision ids are never used twice. A chunk row exists exactly while it is searchable.
"""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TEXT, TypeDecorator, TypeEngine

from kb_service.domain.errors import StorageError
from kb_service.domain.storable import check_storable

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class StoredText(TypeDecorator[str]):
    """Text compared code point by code point on both databases."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Order and compare by code point on PostgreSQL, as SQLite does."""
        return TEXT(collation="C" if dialect.name == "postgresql" else None)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what cannot be stored before any database sees it."""
        return value if value is None else check_storable(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as text: the same bytes on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """Write compact JSON; U+0000 stays escaped, lone surrogates are refused."""
        if value is None:
            return None
        return check_storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401  JSON
        """Read what was written. Raises StorageError (text_damaged) when it is no JSON."""
        try:
            return None if value is None else json.loads(value)
        except ValueError as error:
            raise StorageError(
                f"a stored value is damaged: {error}; `kb verify` names it", code="text_damaged"
            ) from error


class Word(TypeDecorator[str]):
    """A value of one of the domain's StrEnums, written as plain text for every driver."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the word itself, never a driver's idea of an enum."""
        return None if value is None else str(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive time is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        aware = value.astimezone(UTC)
        return aware.replace(tzinfo=None) if dialect.name == "sqlite" else aware

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


RowId = BigInteger().with_variant(Integer(), "sqlite")
SHA256 = String(64)
ID = StoredText()

knowledge_bases = Table(
    "knowledge_bases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", StoredText, nullable=False, unique=True),
    Column("description", StoredText, nullable=False),
    Column("change_seq", BigInteger, nullable=False, server_default="0"),
    Column("event_seq", BigInteger, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # The first change, and its time, as of which the base can be searched: what ended before is
    # purged. No time: from its beginning.
    Column("history_from", BigInteger, nullable=False, server_default="0"),
    Column("history_from_at", UtcTime),
)

documents = Table(
    "documents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("name", StoredText, nullable=False),
    Column("origin", StoredText),
    # The newest content sent in, whether or not its ingest has ended.
    Column("sha256", SHA256, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # What its origin calls it, where a document from elsewhere has that name.
    Column("path", StoredText),
    # The document that it came out of, and where it stands there; not a foreign key: what is in a
    # container goes by the same steps as the container, not by a cascade.
    Column("container_id", ID),
    Column("container_path", StoredText),
    # The status that it has in `counts`; "": it is not counted yet.
    Column("counted_as", Word, nullable=False, server_default=""),
    # In which a person said that its text is written; empty: what the bytes tell.
    Column("encoding", StoredText, nullable=False, server_default=""),
    UniqueConstraint("kb_id", "name"),
    Index("uq_documents_container", "container_id", "container_path", unique=True),
)

# How much of a base there is, by noun and state (`counts.py`), so that no request counts rows.
counts = Table(
    "counts",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("noun", Word, primary_key=True),
    Column("state", Word, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

document_tags = Table(
    "document_tags",
    metadata,
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", StoredText, primary_key=True, index=True),
)

# Every content sent in, in order; the last one is the newest. Where it was never read, no revision
# has its text.
versions = Table(
    "versions",
    metadata,
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", SHA256, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("sha256", SHA256, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", StoredText, nullable=False),
    Column("title", StoredText, nullable=False),
    Column("metadata", JsonText, nullable=False),
    Column("num_pages", Integer, nullable=False),
    Column("num_chunks", Integer, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # Of the whole text. The default matches none: without a hash it is not taken for whole.
    Column("text_sha256", SHA256, nullable=False, server_default=""),
    # How each page was read, beside the pages themselves: a list reads one row a document.
    Column("page_report", JsonText, nullable=False, server_default=""),
    # By which rules the units of its text are marked; the default is by none.
    Column("unit_rules", SHA256, nullable=False, server_default=""),
    # The profile of which each of its chunks has a vector; "": one lacks it, or there is no chunk.
    Column("embedded_by", SHA256, nullable=False, server_default="", index=True),
    # By which rules its facts were found; the default is by none.
    Column("fact_rules", SHA256, nullable=False, server_default="", index=True),
    UniqueConstraint("document_id", "sha256"),
    Index(
        "uq_revisions_current",
        "document_id",
        unique=True,
        sqlite_where=text("is_current"),
        postgresql_where=text("is_current"),
    ),
    sqlite_autoincrement=True,
)

text_pieces = Table(
    "text_pieces",
    metadata,
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Column("start", Integer, primary_key=True, autoincrement=False),
    Column("units", LargeBinary, nullable=False),
    # Of the text and the units.
    Column("sha256", SHA256, nullable=False),
    Column("text", StoredText, nullable=False),
)

pages = Table(
    "pages",
    metadata,
    Column("revision_id", RowId, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True),
    Column("page_number", Integer, primary_key=True, autoincrement=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", Word, nullable=False),
    Column("reason", StoredText),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("rotation", Integer, nullable=False),
    Column("char_boxes", LargeBinary),
    # How sure OCR is of each character, compressed; null for a page that it did not read.
    Column("char_scores", LargeBinary),
    CheckConstraint('0 <= start AND start <= "end"', name="span"),
    Index("ix_pages_span", "revision_id", "start", "end", "page_number"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
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
    Index("ix_chunks_kb_id_id", "kb_id", "id"),
    Index("ix_chunks_document_id", "document_id"),
    sqlite_autoincrement=True,
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("profile_fingerprint", SHA256, primary_key=True),
    Column("text_sha256", SHA256, primary_key=True, index=True),
    Column("vector", LargeBinary, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("number", RowId, Identity(), primary_key=True),
    Column("id", ID, nullable=False, unique=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("document_id", ID, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("blob_sha256", SHA256, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", StoredText, nullable=False),
    Column("status", Word, nullable=False),
    Column("stage", Word, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    # Attempts that ended because their worker died; they do not count as failures of the file.
    Column("interruptions", Integer, nullable=False),
    Column("error", JsonText),
    Column("run_after", UtcTime, nullable=False),
    Column("worker_id", StoredText),
    Column("lease_token", StoredText),
    Column("event_seq", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Index("ix_jobs_status_run_after", "status", "run_after"),
    Index("ix_jobs_document_id_number", "document_id", "number"),
    Index("ix_jobs_kb_id_event_seq", "kb_id", "event_seq"),
    Index("ix_jobs_kb_id_status_attempt_number", "kb_id", "status", "attempt", "number"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    # Not a foreign key: a removal outlives the revision it tells of.
    Column("revision_id", BigInteger, nullable=False, index=True),
    Column("is_added", Boolean, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    Column("title", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("channel", Word, nullable=False, server_default="page"),
    Index("ix_conversations_kb_id_updated_at", "kb_id", "updated_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), nullable=False),
    # Not a foreign key: an answer may be given outside of any stored conversation.
    Column("conversation_id", StoredText, nullable=False, index=True),
    Column("payload", JsonText, nullable=False),
    Column("audit", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_answers_kb_id", "kb_id"),
)

answer_documents = Table(
    "answer_documents",
    metadata,
    Column("answer_id", ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("document_id", StoredText, primary_key=True, index=True),
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer_id", ID, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("rating", Word, nullable=False),
    Column("comment", StoredText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column(
        "conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("role", Word, nullable=False),
    Column("content", StoredText, nullable=False),
    Column("answer_id", StoredText, index=True),
    Column("created_at", UtcTime, nullable=False),
)
