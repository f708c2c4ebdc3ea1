"""A base as of a change, as the indexes see it: live and past chunks of the intervals it lies in.

`PastIndexSource` implements `domain.ports.IndexSource`; a base is named by `PastState.key`, a chunk
by its place. Read when asked for and never followed: a state of the past does not change, but for
documents that are deleted, which every hit is checked for.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from kb_service.domain.documents import Chunk
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.history import PastState, place_of, place_parts
from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexedChunk, StoredChunk
from kb_service.domain.queries import Filters
from kb_service.domain.spans import PageRegion
from kb_service.storage.chunks import (
    SqlIndexSource,
    among,
    chunk_of,
    chunk_rows,
    indexed_of,
    indexed_rows,
)
from kb_service.storage.database import Database
from kb_service.storage.history import was_searchable
from kb_service.storage.labels.tables import by_label_ids
from kb_service.storage.past_tables import intervals, past_chunks
from kb_service.storage.records.conditions import passing_documents
from kb_service.storage.rows import batches, one_of
from kb_service.storage.stored_text import is_whole_chunk, text_damaged
from kb_service.storage.tables import (
    chunks,
    documents,
    revisions,
)

_TABLES = (chunks, past_chunks)
_ALWAYS = 1
"""The head of every past state: it has no change to follow."""


class PastIndexSource:
    """IndexSource of past states. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._present = SqlIndexSource(database)

    def head(self, kb_id: str) -> int:
        """Return the same number for each state, so that no index of one is ever followed."""
        return _ALWAYS

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        """Return no change."""
        return []

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        """Return no chunk: nothing is ever added."""
        return []

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        """Yield every chunk that was searchable then, in the order in which they came.

        The chunks of a revision lie in one of the two tables, whichever; both are read at once.
        """
        state = PastState.of(kb_id)
        with self._database.read() as connection:
            rows = connection.execute(
                select(intervals.c.revision_id, intervals.c.added)
                .where(intervals.c.kb_id == state.kb_id, was_searchable(state.change))
                .order_by(intervals.c.added)
            ).all()
        for batch in batches(rows):
            added = {row.revision_id: row.added for row in batch}
            with self._database.read() as connection:
                found = [
                    (place_of(added[row.revision_id], row.ordinal), row)
                    for table in _TABLES
                    for row in connection.execute(
                        indexed_rows(profile, table).where(table.c.revision_id.in_(added))
                    )
                ]
            for place, row in sorted(found, key=lambda pair: pair[0]):
                yield indexed_of(row, place)

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return those of the places that still can be read; of a deleted document, none.

        Raises StorageError (text_damaged) for one that has other words than were stored.
        """
        state = PastState.of(kb_id)
        found: dict[int, StoredChunk] = {}
        with self._database.read() as connection:
            for batch in batches(dict.fromkeys(chunk_ids)):
                for table in _TABLES:
                    key = (intervals.c.added, table.c.ordinal)
                    mine = (intervals.c.kb_id == state.kb_id, was_searchable(state.change))
                    statement = (
                        chunk_rows(table)
                        .add_columns(intervals.c.added)
                        .join(intervals, intervals.c.revision_id == table.c.revision_id)
                        .where(*mine, one_of(key, list(map(place_parts, batch))))
                    )
                    for row in connection.execute(statement):
                        if not is_whole_chunk(row):
                            raise text_damaged(row.document_id)
                        stored = StoredChunk(chunk_of(row), row.sha256)
                        found[place_of(row.added, row.ordinal)] = stored
        return found

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        """Return where each of the chunks stands on its pages, in their order."""
        return self._present.chunk_regions(found)

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        """Return ids of the documents of then that pass the filters.

        Dates are those of then, tags and labels those of today. Raises InvalidRequest
        (as_of_without_facts).
        """
        if filters.asks_facts:
            raise InvalidRequest(
                "what documents state is known of the present only: as_of goes with document_ids,"
                " tags, labels and dates",
                code="as_of_without_facts",
            )
        state = PastState.of(kb_id)
        of_then = (
            select(revisions.c.document_id)
            .join(intervals, intervals.c.revision_id == revisions.c.id)
            .where(intervals.c.kb_id == state.kb_id, was_searchable(state.change))
        )
        if filters.date_from is not None:
            of_then = of_then.where(intervals.c.added_at >= filters.date_from)
        if filters.date_to is not None:
            of_then = of_then.where(intervals.c.added_at <= filters.date_to)
        marked = Filters(tags=filters.tags, labels=filters.labels)
        with self._database.read() as connection:
            marked = by_label_ids(connection, state.kb_id, marked)
            tagged = passing_documents(state.kb_id, marked)
            statement = tagged.where(documents.c.id.in_(of_then))
            return among(connection, statement, filters.document_ids)
