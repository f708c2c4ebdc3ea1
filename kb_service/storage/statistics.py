"""Counts for people who watch the service: jobs, pages and chunks by their states. Reads only."""

from collections.abc import Iterable

from kb_service.domain.documents import PageKind
from kb_service.domain.jobs import JobStatus
from kb_service.storage.counts import MADE, WAITING, Noun, counted
from kb_service.storage.database import Database


class Statistics:
    """Counts over all knowledge bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def jobs_by_status(self) -> dict[str, int]:
        """Return the number of jobs of each status, zeros included."""
        return self._counted(Noun.JOBS, JobStatus)

    def chunks_by_vector(self) -> dict[str, int]:
        """Return the number of searchable chunks of documents that have all of their vectors, and
        of those that wait for some.
        """
        return self._counted(Noun.CHUNKS, (MADE, WAITING))

    def pages_by_kind(self) -> dict[str, int]:
        """Return the number of pages of the searchable revisions by kind, zeros included."""
        return self._counted(Noun.PAGES, PageKind)

    def _counted(self, noun: Noun, states: Iterable[str]) -> dict[str, int]:
        with self._database.read() as connection:
            return counted(connection, noun, states)
