"""The rows of one base as JSON lines, and back: which tables an archive has, and how values travel.

Derived rows (facts) are not among them, nor leases. Knows no archive file.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, LargeBinary, Select, Table, or_, select

from kb_service.storage.facts.tables import column_fields, fact_corrections, record_splits
from kb_service.storage.labels.tables import document_labels, labels
from kb_service.storage.maskings import maskings
from kb_service.storage.past_tables import intervals, past_chunks
from kb_service.storage.tables import (
    UtcTime,
    answer_documents,
    answers,
    changes,
    chunks,
    conversations,
    document_tags,
    documents,
    embeddings,
    feedback,
    jobs,
    knowledge_bases,
    messages,
    pages,
    revisions,
    text_pieces,
    versions,
)

TABLES: tuple[Table, ...] = (
    knowledge_bases,
    documents,
    document_tags,
    versions,
    revisions,
    text_pieces,
    pages,
    chunks,
    past_chunks,
    embeddings,
    intervals,
    changes,
    jobs,
    fact_corrections,
    record_splits,
)
"""In the order in which they are brought back: what others refer to comes first."""

LATER: tuple[Table, ...] = (column_fields, maskings, labels, document_labels)
"""Tables that archives of before do not have."""

TALKS: tuple[Table, ...] = (conversations, answers, answer_documents, messages, feedback)


def rows_of(table: Table, kb_id: str) -> Select[Any]:
    """Select the rows of a base in the order in which they came."""
    order = table.primary_key.columns
    if table is changes:  # a removal tells of what is not in the archive
        return select(table).where(_belonging(table, kb_id), changes.c.is_added).order_by(*order)
    return select(table).where(_belonging(table, kb_id)).order_by(*order)


def _belonging(table: Table, kb_id: str) -> ColumnElement[bool]:
    if table is knowledge_bases:
        return knowledge_bases.c.id == kb_id
    if "kb_id" in table.c:
        return table.c.kb_id == kb_id
    if table is embeddings:
        texts = (select(t.c.text_sha256).where(t.c.kb_id == kb_id) for t in (chunks, past_chunks))
        return or_(*(embeddings.c.text_sha256.in_(text) for text in texts))
    own = select(documents.c.id).where(documents.c.kb_id == kb_id)
    if "revision_id" in table.c:
        of_base = select(revisions.c.id).where(revisions.c.document_id.in_(own))
        return table.c.revision_id.in_(of_base)
    if table in (answer_documents, feedback):
        return table.c.answer_id.in_(select(answers.c.id).where(answers.c.kb_id == kb_id))
    if table is messages:
        talks = select(conversations.c.id).where(conversations.c.kb_id == kb_id)
        return messages.c.conversation_id.in_(talks)
    return table.c.document_id.in_(own)


def to_json(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a JSON value: bytes as base64, times as ISO 8601."""
    return {column.name: _written(row[column.name]) for column in table.c}


def from_json(table: Table, value: object) -> dict[str, Any]:
    """Return the row of a JSON value. Raises ValueError, TypeError for what is no row of it."""
    if not isinstance(value, dict) or value.keys() != {column.name for column in table.c}:
        raise ValueError(f"not the columns of {table.name}")
    return {column.name: _read(column, value[column.name]) for column in table.c}


def _written(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime) else value


def _read(column: Column[Any], value: object) -> object:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        try:
            return base64.b64decode(str(value), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{column.name} is no base64") from error
    if isinstance(column.type, UtcTime | DateTime):
        return datetime.fromisoformat(str(value))
    return value
