"""Tags of documents: free words, counted by base. Statements only."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from kb_service.domain.errors import InvalidRequest
from kb_service.storage.rows import batches
from kb_service.storage.tables import document_tags, documents


def tags_of(connection: Connection, kb_id: str) -> dict[str, int]:
    """Return the tags of a base by name, with how many documents carry each."""
    statement = (
        select(document_tags.c.tag, func.count())
        .join(documents, documents.c.id == document_tags.c.document_id)
        .where(documents.c.kb_id == kb_id)
        .group_by(document_tags.c.tag)
        .order_by(document_tags.c.tag)
    )
    return dict(connection.execute(statement).tuples().all())


def set_tags(connection: Connection, ids: Sequence[str], tags: Sequence[str]) -> None:
    """Give documents these tags in place of theirs."""
    for batch in batches(ids):
        connection.execute(delete(document_tags).where(document_tags.c.document_id.in_(batch)))
    values = [{"document_id": key, "tag": tag} for key in ids for tag in dict.fromkeys(tags)]
    if values:
        connection.execute(insert(document_tags), values)


def change_tags(
    connection: Connection,
    ids: Sequence[str],
    add: Sequence[str],
    remove: Sequence[str],
    most: int,
) -> None:
    """Give documents tags beside theirs and take others away; one in both is given.

    Raises InvalidRequest (invalid_tags) where a document would carry more than `most`.
    """
    for batch in batches(ids):
        mine = document_tags.c.document_id.in_(batch)
        changed = document_tags.c.tag.in_({*add, *remove})
        connection.execute(delete(document_tags).where(mine, changed))
        values = [{"document_id": key, "tag": tag} for key in batch for tag in dict.fromkeys(add)]
        if values:
            connection.execute(insert(document_tags), values)
        number = func.count()
        full = (
            select(number)
            .where(mine)
            .group_by(document_tags.c.document_id)
            .having(number > most)
            .limit(1)
        )
        too_many = connection.execute(full).scalar()
        if too_many:
            raise InvalidRequest(
                f"a document would have {too_many} tags; at most {most} are accepted",
                code="invalid_tags",
            )
