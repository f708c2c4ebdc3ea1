"""Documents that came out of others: what is in a container, and how deep one lies. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kb_service.storage.rows import batches
from kb_service.storage.tables import documents


@dataclass(frozen=True, slots=True)
class Family:
    """`depth`: containers above a document. The rest: what else is in the outermost of them."""

    depth: int
    num_documents: int
    size_bytes: int


def ids_within(connection: Connection, document_id: str) -> list[str]:
    """Return the documents that came out of one, at any depth."""
    return [row_id for row_id, _ in _within(connection, [document_id])]


def with_all_within(connection: Connection, document_ids: Sequence[str]) -> list[str]:
    """Return documents with all that came out of them, each once."""
    within = (row_id for row_id, _ in _within(connection, document_ids))
    return list(dict.fromkeys((*document_ids, *within)))


def family_of(connection: Connection, document_id: str) -> Family:
    """Return where a document stands among containers; what came out of itself does not count."""
    outermost, depth = document_id, 0
    while above := _container_id(connection, outermost):
        outermost, depth = above, depth + 1
    own = set(ids_within(connection, document_id))
    others = [size for key, size in _within(connection, [outermost]) if key not in own]
    return Family(depth, len(others), sum(others))


def _container_id(connection: Connection, document_id: str) -> str | None:
    statement = select(documents.c.container_id).where(documents.c.id == document_id)
    return connection.execute(statement).scalar_one_or_none()


def _within(connection: Connection, document_ids: Sequence[str]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    level = document_ids
    while level:
        rows = [row for batch in batches(level) for row in _directly_in(connection, batch)]
        found.extend(rows)
        level = [row_id for row_id, _ in rows]
    return found


def _directly_in(connection: Connection, ids: Sequence[str]) -> list[tuple[str, int]]:
    statement = select(documents.c.id, documents.c.size_bytes)
    rows = connection.execute(statement.where(documents.c.container_id.in_(ids)))
    return [(row.id, row.size_bytes) for row in rows]
