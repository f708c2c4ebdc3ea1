"""Counts for people who watch the service: jobs, pages and chunks by their states. Reads only."""

from sqlalchemy import exists, func, select

from kb_service.domain.documents import PageKind
from kb_service.domain.jobs import JobStatus
from kb_service.storage.database import Database
from kb_service.storage.tables import chunks, embeddings, jobs, pages, revisions


class Statistics:
    """Counts over all knowledge bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def jobs_by_status(self) -> dict[str, int]:
        """Return the number of jobs of each status, zeros included."""
        statement = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        with self._database.read() as connection:
            found = {str(status): number for status, number in connection.execute(statement)}
        return {status.value: found.get(status.value, 0) for status in JobStatus}

    def chunks_by_vector(self) -> dict[str, int]:
        """Return the number of searchable chunks that have a vector, and that wait for one."""
        has_vector = exists().where(embeddings.c.text_sha256 == chunks.c.text_sha256)
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(chunks)).scalar_one()
            waiting = select(func.count()).select_from(chunks).where(~has_vector)
            num_waiting = connection.execute(waiting).scalar_one()
        return {"made": total - num_waiting, "waiting": num_waiting}

    def pages_by_kind(self) -> dict[str, int]:
        """Return the number of pages of the searchable revisions by kind, zeros included."""
        statement = (
            select(pages.c.kind, func.count())
            .join(revisions, revisions.c.id == pages.c.revision_id)
            .where(revisions.c.is_current)
            .group_by(pages.c.kind)
        )
        with self._database.read() as connection:
            found = {str(kind): number for kind, number in connection.execute(statement)}
        return {kind.value: found.get(kind.value, 0) for kind in PageKind}
