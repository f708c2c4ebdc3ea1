"""Chunks and their vectors: as the indexes see them, as hits read back, and their removal.

`SqlIndexSource` implements `domain.ports.IndexSource`. Knows no index.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    insert,
    select,
)

from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.facts import FactField
from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexedChunk, StoredChunk
from kb_service.domain.queries import Filters
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.storage.change_log import record_removed
from kb_service.storage.counts import count_revision
from kb_service.storage.database import Database
from kb_service.storage.labels.tables import by_label_ids
from kb_service.storage.pages import read_regions
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.records.conditions import passing_documents
from kb_service.storage.records.roles import read_roles
from kb_service.storage.records.selections import stating_documents
from kb_service.storage.rows import batches, value_of
from kb_service.storage.stored_text import is_whole_chunk, text_damaged
from kb_service.storage.tables import (
    changes,
    chunks,
    documents,
    embeddings,
    knowledge_bases,
    revisions,
)

STREAM_BATCH = 1000


class SqlIndexSource:
    """IndexSource over a Database. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self, kb_id: str) -> int:
        """Return the sequence number of the last committed change, 0 when none."""
        statement = select(knowledge_bases.c.change_seq).where(knowledge_bases.c.id == kb_id)
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one_or_none() or 0

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        """Return changes with seq > after, ascending.

        A revision that came and went within the window shows its removal only.
        """
        statement = (
            select(changes.c.seq, changes.c.revision_id, changes.c.is_added)
            .where(changes.c.kb_id == kb_id, changes.c.seq > after)
            .order_by(changes.c.seq)
        )
        with self._database.read() as connection:
            return [
                IndexChange(row.seq, row.revision_id, row.is_added)
                for row in connection.execute(statement)
            ]

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        """Return the live chunks of a revision with their vectors; none when it was replaced."""
        statement = indexed_rows(profile).where(chunks.c.revision_id == revision_id)
        with self._database.read() as connection:
            return [indexed_of(row) for row in connection.execute(statement)]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        """Yield every searchable chunk of the base in id order, read in batches.

        Batches are separate snapshots: read `head` first and replay the changes after it; a chunk
        may then be seen twice.
        """
        after = 0
        while True:
            statement = indexed_rows(profile).where(chunks.c.kb_id == kb_id, chunks.c.id > after)
            with self._database.read() as connection:
                rows = connection.execute(statement.limit(STREAM_BATCH)).all()
            yield from map(indexed_of, rows)
            if len(rows) < STREAM_BATCH:
                return
            after = rows[-1].id

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return those of the chunks that are searchable right now.

        Raises StorageError (text_damaged) for one that has other words than were stored.
        """
        found: dict[int, StoredChunk] = {}
        with self._database.read() as connection:
            for batch in batches(dict.fromkeys(chunk_ids)):
                mine = and_(chunks.c.kb_id == kb_id, chunks.c.id.in_(batch))
                for row in connection.execute(chunk_rows().where(mine)):
                    if not is_whole_chunk(row):
                        raise text_damaged(row.document_id)
                    found[row.id] = StoredChunk(chunk_of(row), row.sha256)
        return found

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        """Return where each of the chunks stands on its pages, in their order."""
        regions: list[tuple[PageRegion, ...]] = []
        with self._database.read() as connection:
            for batch in batches(found):
                places = [(chunk.revision_id, chunk.draft.span) for chunk in batch]
                regions += read_regions(connection, places)
        return regions

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        """Return ids of the documents that pass all of the filters."""
        with self._database.read() as connection:
            statement = passing_documents(kb_id, by_label_ids(connection, kb_id, filters))
            if filters.asks_facts:
                names = (FactField.TIME, *(one.field for one in filters.fields))
                roles = read_roles(connection, kb_id, names)
                stating = stating_documents(kb_id, filters, roles)
                statement = statement.where(documents.c.id.in_(stating))
            return among(connection, statement, filters.document_ids)


def among(
    connection: Connection, statement: Select[Any], document_ids: Sequence[str]
) -> frozenset[str]:
    """Return the ids of the selected documents that are some of those named, or all for none."""
    if not document_ids:
        return frozenset(connection.execute(statement).scalars())
    return frozenset(
        document_id
        for batch in batches(dict.fromkeys(document_ids))
        for document_id in connection.execute(statement.where(documents.c.id.in_(batch))).scalars()
    )


def indexed_rows(profile: EmbeddingProfile, table: Table = chunks) -> Select[Any]:
    """Select chunks of a table with their vectors of a profile, in id order."""
    same_text: ColumnElement[bool] = and_(
        embeddings.c.profile_fingerprint == profile.fingerprint,
        embeddings.c.text_sha256 == table.c.text_sha256,
    )
    return (
        select(
            table.c.id,
            table.c.revision_id,
            table.c.document_id,
            table.c.ordinal,
            table.c.prefix,
            table.c.text,
            embeddings.c.vector,
        )
        .join_from(table, embeddings, same_text, isouter=True)
        .order_by(table.c.id)
    )


def indexed_of(row: Row[Any], chunk_id: int | None = None) -> IndexedChunk:
    """Return what an index needs of a row of `indexed_rows`; `chunk_id`: instead of the row's."""
    return IndexedChunk(
        chunk_id=row.id if chunk_id is None else chunk_id,
        revision_id=row.revision_id,
        document_id=row.document_id,
        title=row.prefix,
        text=row.text,
        vector=row.vector,
    )


def retire_revision_chunks(connection: Connection, kb_id: str, revision_id: int) -> None:
    """Take a revision out of search, but for searches as of an earlier change."""
    count_revision(connection, kb_id, revision_id, -1)
    move_to_past(connection, revision_id)
    record_removed(connection, kb_id, revision_id)


def move_to_past(connection: Connection, revision_id: int) -> None:
    """Move the chunks of a revision to those that only searches as of then find."""
    mine = chunks.c.revision_id == revision_id
    names = [column.name for column in past_chunks.c]
    past = select(*(chunks.c[name] for name in names)).where(mine)
    connection.execute(insert(past_chunks).from_select(names, past))
    connection.execute(delete(chunks).where(mine))


def remove_past_chunks(connection: Connection, which: ColumnElement[bool]) -> set[str]:
    """Delete chunks of earlier versions; return the hashes of their texts."""
    removed = delete(past_chunks).where(which).returning(past_chunks.c.text_sha256)
    return set(connection.execute(removed).scalars())


def remove_revision_chunks(connection: Connection, kb_id: str, revision_id: int) -> set[str]:
    """Take a revision out of search; return the hashes of the texts its chunks had."""
    count_revision(connection, kb_id, revision_id, -1)
    removed = connection.execute(
        delete(chunks).where(chunks.c.revision_id == revision_id).returning(chunks.c.text_sha256)
    )
    hashes = set(removed.scalars())
    record_removed(connection, kb_id, revision_id)
    return hashes


def chunk_of(row: Row[Any]) -> Chunk:
    """Return the chunk of a row of `chunk_rows`."""
    span, path = TextSpan(row.start, row.end), tuple(row.heading_path)
    draft = value_of(ChunkDraft, row, span=span, heading_path=path)
    return value_of(Chunk, row, draft=draft)


def chunk_rows(table: Table = chunks) -> Select[Any]:
    """Select chunks with the title and public name of their revision and their file's name."""
    name = documents.c.name.label("document_name")
    return (
        select(table, revisions.c.title, revisions.c.sha256, name)
        .join(revisions, revisions.c.id == table.c.revision_id)
        .join(documents, documents.c.id == table.c.document_id)
    )
