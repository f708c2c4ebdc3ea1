"""Questions that bases were found to answer: derived, and made anew when documents change.

A question is given out only while every revision that its answer cited is the searchable one.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
)

from kb_service.domain.jobs import JobStatus
from kb_service.domain.suggestions import Sampled, Suggestion
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.tables import (
    ID,
    JsonText,
    StoredText,
    documents,
    jobs,
    knowledge_bases,
    metadata,
    revisions,
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("question", StoredText, nullable=False),
    Column("language", StoredText, nullable=False),
    # Ids of the revisions that its answer cites; not foreign keys: one that is gone makes it void.
    Column("revisions", JsonText, nullable=False),
)

# The change of the base that its questions were looked for at.
suggestion_checks = Table(
    "suggestion_checks",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("change", BigInteger, nullable=False),
)


def forget_suggestions(connection: Connection, kb_id: str) -> None:
    """Delete the questions of a base: they may hold words of a document that goes."""
    connection.execute(delete(suggestions).where(suggestions.c.kb_id == kb_id))


class Suggestions:
    """The checked questions. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, kb_id: str) -> tuple[Suggestion, ...]:
        """Return the questions of a base that hold now. Raises NotFound (kb_not_found)."""
        statement = select(suggestions).where(suggestions.c.kb_id == kb_id)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            rows = connection.execute(statement.order_by(suggestions.c.number)).all()
            cited = {number for row in rows for number in row.revisions}
            now = select(revisions.c.id).where(revisions.c.id.in_(cited), revisions.c.is_current)
            live = set(connection.execute(now).scalars())
        return tuple(
            Suggestion(row.question, row.language, tuple(row.revisions))
            for row in rows
            if live.issuperset(row.revisions)
        )

    def due(self) -> list[tuple[str, int]]:
        """Return bases that changed since they were looked through, with their change.

        Not while a document of them is waited for.
        """
        base, checked = knowledge_bases.c, suggestion_checks.c
        open_jobs = jobs.c.status.in_((JobStatus.QUEUED, JobStatus.RUNNING))
        statement = (
            select(base.id, base.change_seq)
            .outerjoin(suggestion_checks, checked.kb_id == base.id)
            .where(checked.change.is_distinct_from(base.change_seq), base.change_seq > 0)
            .where(~exists().where(jobs.c.kb_id == base.id, open_jobs))
            .order_by(base.id)
        )
        with self._database.read() as connection:
            return [(row.id, row.change_seq) for row in connection.execute(statement)]

    def sample(self, kb_id: str, limit: int) -> list[Sampled]:
        """Return the searchable documents that changed last."""
        of_base = documents.c.kb_id == kb_id
        current = (revisions.c.document_id == documents.c.id) & revisions.c.is_current
        found = select(documents.c.id, revisions.c.title).join(revisions, current).where(of_base)
        newest = found.order_by(documents.c.updated_at.desc(), documents.c.id).limit(limit)
        titles = select(revisions.c.title, func.count()).join(documents, current).where(of_base)
        with self._database.read() as connection:
            rows = connection.execute(newest).all()
            alike = titles.where(revisions.c.title.in_({row.title for row in rows}))
            counted = connection.execute(alike.group_by(revisions.c.title))
            num_called: dict[str, int] = dict(counted.tuples().all())
        return [Sampled(row.id, row.title if num_called[row.title] == 1 else "") for row in rows]

    def current(self, document_ids: Sequence[str]) -> dict[str, int]:
        """Return the searchable revisions of these documents, by document."""
        mine = revisions.c.document_id
        statement = select(mine, revisions.c.id).where(
            mine.in_(document_ids), revisions.c.is_current
        )
        with self._database.read() as connection:
            return {row.document_id: row.id for row in connection.execute(statement)}

    def put(
        self, kb_id: str, change: int, found: Sequence[Suggestion], *, is_whole: bool = True
    ) -> None:
        """Keep the questions that a base was found to answer at a change, instead of all others.

        A base that is gone or has changed meanwhile is left to be looked through again, and so is
        one of which these are not the whole.
        """
        base = knowledge_bases.c
        with self._database.write(base=kb_id) as connection:
            now = select(base.id).where(base.id == kb_id, base.change_seq == change)
            if connection.execute(now).first() is None:
                return
            forget_suggestions(connection, kb_id)
            for number, one in enumerate(found):
                statement = insert(suggestions).values(
                    kb_id=kb_id,
                    number=number,
                    question=one.question,
                    language=one.language,
                    revisions=list(one.revision_ids),
                )
                connection.execute(statement)
            if not is_whole:
                return
            checks = suggestion_checks
            connection.execute(delete(checks).where(checks.c.kb_id == kb_id))
            connection.execute(insert(checks).values(kb_id=kb_id, change=change))
