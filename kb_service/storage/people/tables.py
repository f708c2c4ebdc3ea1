"""The tables of keys and of what belongs to one. No queries, no rules."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, text

from kb_service.storage.tables import ID, SHA256, StoredText, UtcTime, Word, metadata

_STANDS = text("revoked_at IS NULL")

# Rows stay when a key is revoked: what it made names it, and a service that had a key needs one.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", StoredText, nullable=False),
    Column("person", StoredText, nullable=False),
    # Of the secret, which is random: a guess is not made cheaper by a fast hash.
    Column("sha256", SHA256, nullable=False, unique=True),
    Column("is_admin", Boolean, nullable=False),
    Column("everywhere", Word),
    Column("see_personal", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Index("uq_api_keys_name", "name", unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS),
)

key_rights = Table(
    "key_rights",
    metadata,
    Column("key_id", ID, ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("granted", Word, nullable=False),
    Index("ix_key_rights_kb_id", "kb_id"),
)

# Beside the conversations, which travel in archives to where no key of here is known. Without a row
# a conversation is the administrators'.
conversation_owners = Table(
    "conversation_owners",
    metadata,
    Column(
        "conversation_id", ID, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    ),
    # Not a foreign key: keys of the settings have no row.
    Column("key_id", StoredText, nullable=False, index=True),
)
