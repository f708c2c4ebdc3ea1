"""The first schema: knowledge bases, documents, revisions, jobs, changes, answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SHA256 = sa.String(64)


def upgrade() -> None:
    """Create every table."""
    _create_catalog()
    _create_revisions()
    _create_pages()
    _create_chunks()
    _create_jobs()
    _create_changes()
    _create_answers()
    _create_conversations()


def downgrade() -> None:
    """Drop every table."""
    for name in (
        "messages",
        "conversations",
        "feedback",
        "answer_documents",
        "answers",
        "changes",
        "jobs",
        "embeddings",
        "chunks",
        "pages",
        "revisions",
        "document_tags",
        "documents",
        "knowledge_bases",
    ):
        op.drop_table(name)


def _create_catalog() -> None:
    op.create_table(
        "knowledge_bases",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("change_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("event_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_bases"),
        sa.UniqueConstraint("name", name="uq_knowledge_bases_name"),
    )
    op.create_table(
        "documents",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=True),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_documents_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.UniqueConstraint("kb_id", "name", name="uq_documents_kb_id_name"),
    )
    op.create_index("ix_documents_sha256", "documents", ["sha256"])
    op.create_table(
        "document_tags",
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name="fk_document_tags_document_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "tag", name="pk_document_tags"),
    )
    op.create_index("ix_document_tags_tag", "document_tags", ["tag"])


def _create_revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", ROW_ID, sa.Identity(), nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("num_pages", sa.Integer(), nullable=False),
        sa.Column("num_chunks", sa.Integer(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_revisions_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.UniqueConstraint("document_id", "sha256", name="uq_revisions_document_id_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revisions_sha256", "revisions", ["sha256"])
    op.create_index(
        "uq_revisions_current",
        "revisions",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )


def _create_pages() -> None:
    op.create_table(
        "pages",
        sa.Column("revision_id", ROW_ID, nullable=False),
        sa.Column("page_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("rotation", sa.Integer(), nullable=False),
        sa.Column("char_boxes", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint('0 <= start AND start <= "end"', name=op.f("ck_pages_span")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name="fk_pages_revision_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("revision_id", "page_number", name="pk_pages"),
    )
    op.create_index("ix_pages_span", "pages", ["revision_id", "start", "end", "page_number"])


def _create_chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("id", ROW_ID, sa.Identity(), nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("revision_id", ROW_ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("text_sha256", SHA256, nullable=False),
        sa.Column("heading_path", sa.Text(), nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.CheckConstraint('0 <= start AND start <= "end"', name=op.f("ck_chunks_span")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_chunks_document_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_chunks_kb_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name="fk_chunks_revision_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chunks"),
        sa.UniqueConstraint("revision_id", "ordinal", name="uq_chunks_revision_id_ordinal"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chunks_document_id", "chunks", ["document_id"])
    op.create_index("ix_chunks_kb_id_id", "chunks", ["kb_id", "id"])
    op.create_index("ix_chunks_text_sha256", "chunks", ["text_sha256"])
    op.create_table(
        "embeddings",
        sa.Column("profile_fingerprint", SHA256, nullable=False),
        sa.Column("text_sha256", SHA256, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_fingerprint", "text_sha256", name="pk_embeddings"),
    )
    op.create_index("ix_embeddings_text_sha256", "embeddings", ["text_sha256"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", ROW_ID, sa.Identity(), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.Column("blob_sha256", SHA256, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("run_after", TIME, nullable=False),
        sa.Column("worker_id", TEXT, nullable=True),
        sa.Column("lease_token", TEXT, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_jobs_document_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_jobs_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_document_id_number", "jobs", ["document_id", "number"])
    op.create_index("ix_jobs_kb_id_event_seq", "jobs", ["kb_id", "event_seq"])
    op.create_index("ix_jobs_status_run_after", "jobs", ["status", "run_after"])


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_changes_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kb_id", "seq", name="pk_changes"),
    )
    op.create_index("ix_changes_revision_id", "changes", ["revision_id"])


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("audit", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_answers_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
    )
    op.create_index("ix_answers_conversation_id", "answers", ["conversation_id"])
    op.create_index("ix_answers_kb_id", "answers", ["kb_id"])
    op.create_table(
        "answer_documents",
        sa.Column("answer_id", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_answer_documents_answer_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", "document_id", name="pk_answer_documents"),
    )
    op.create_index("ix_answer_documents_document_id", "answer_documents", ["document_id"])
    op.create_table(
        "feedback",
        sa.Column("answer_id", TEXT, nullable=False),
        sa.Column("rating", sa.String(16), nullable=False),
        sa.Column("comment", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name="fk_feedback_answer_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", name="pk_feedback"),
    )


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kb_id", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["kb_id"], ["knowledge_bases.id"], name="fk_conversations_kb_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_kb_id_updated_at", "conversations", ["kb_id", "updated_at"])
    op.create_table(
        "messages",
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("answer_id", TEXT, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_messages_conversation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "number", name="pk_messages"),
    )
    op.create_index("ix_messages_answer_id", "messages", ["answer_id"])
