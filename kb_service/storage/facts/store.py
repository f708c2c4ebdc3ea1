"""Facts of all bases: put for a revision, listed by field and document, counted by field."""

from collections.abc import Sequence

from sqlalchemy import func, select, update

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import Fact, Record, StoredFact, records_of
from kb_service.language.stated.extraction import FACT_RULES, facts_in
from kb_service.language.units import marked
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.documents.rows import require_document_row
from kb_service.storage.facts.rows import fact_of, fact_rows, stored_fact_of, write_facts
from kb_service.storage.facts.tables import facts
from kb_service.storage.identity import Listing, check_limit, decode_cursor, encode_cursor
from kb_service.storage.revisions.pieces import read_text
from kb_service.storage.tables import documents, revisions


class Facts:
    """The facts of searchable revisions. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, revision_id: int, found: Sequence[Fact]) -> None:
        """Put facts in the place of those that a revision has, in one transaction."""
        with self._database.write() as connection:
            write_facts(connection, revision_id, found)

    def waiting(self, limit: int, kb_id: str | None = None) -> list[int]:
        """Return searchable revisions whose facts were found by other rules than today's."""
        statement = (
            select(revisions.c.id)
            .where(revisions.c.fact_rules != FACT_RULES, revisions.c.is_current)
            .order_by(revisions.c.id)
            .limit(limit)
        )
        if kb_id is not None:
            of_base = select(documents.c.id).where(documents.c.kb_id == kb_id)
            statement = statement.where(revisions.c.document_id.in_(of_base))
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def forget_rules(self, kb_id: str) -> None:
        """Let all facts of a base be found anew. Raises NotFound."""
        of_base = select(documents.c.id).where(documents.c.kb_id == kb_id)
        with self._database.write() as connection:
            require_kb(connection, kb_id)
            connection.execute(
                update(revisions)
                .where(revisions.c.document_id.in_(of_base), revisions.c.is_current)
                .values(fact_rules="")
            )

    def find_anew(self, revision_id: int) -> None:
        """Find the facts of a revision by today's rules, in the place of those that it has.

        A revision that is gone meanwhile, or no longer searchable, has none.
        """
        with self._database.read() as connection:
            text = read_text(connection, revision_id)
        found = facts_in(marked(text.text)) if text else ()
        with self._database.write() as connection:
            statement = (
                update(revisions)
                .where(revisions.c.id == revision_id, revisions.c.is_current)
                .values(fact_rules=FACT_RULES)
            )
            if connection.execute(statement).rowcount:
                write_facts(connection, revision_id, found)

    def give_up(self, revision_id: int) -> None:
        """Note that the facts of a revision cannot be found: its text is damaged."""
        with self._database.write() as connection:
            connection.execute(
                update(revisions).where(revisions.c.id == revision_id).values(fact_rules=FACT_RULES)
            )

    def records(self, kb_id: str, document_id: str) -> tuple[Record, ...]:
        """Return what a document states, record by record, in their order.

        Raises NotFound (kb_not_found, document_not_found).
        """
        statement = (
            select(facts)
            .join(revisions, revisions.c.id == facts.c.revision_id)
            .where(revisions.c.document_id == document_id, revisions.c.is_current)
            .order_by(facts.c.record, facts.c.id)
        )
        with self._database.read() as connection:
            require_document_row(connection, kb_id, document_id)
            return records_of(map(fact_of, connection.execute(statement)))

    def listed(
        self,
        kb_id: str,
        field: str | None = None,
        document_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Listing[StoredFact]:
        """Return facts of a base in the order in which they were found, page by page.

        Raises NotFound (kb_not_found, document_not_found), InvalidRequest (limit_out_of_range,
        invalid_cursor).
        """
        after = _number(cursor) if cursor else 0
        statement = fact_rows().where(facts.c.kb_id == kb_id, facts.c.id > after)
        if field is not None:
            statement = statement.where(facts.c.field == field)
        if document_id is not None:
            statement = statement.where(revisions.c.document_id == document_id)
        statement = statement.order_by(facts.c.id).limit(check_limit(limit) + 1)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            if document_id is not None:
                require_document_row(connection, kb_id, document_id)
            found = tuple(map(stored_fact_of, connection.execute(statement)))
        more = len(found) > limit
        return Listing(found[:limit], encode_cursor(str(found[limit - 1].id)) if more else None)

    def fields(self, kb_id: str) -> dict[str, int]:
        """Return how many facts each field of a base has, the most frequent first."""
        number = func.count()
        statement = (
            select(facts.c.field, number)
            .where(facts.c.kb_id == kb_id)
            .group_by(facts.c.field)
            .order_by(number.desc(), facts.c.field)
        )
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return {row[0]: row[1] for row in connection.execute(statement)}


def _number(cursor: str) -> int:
    (key,) = decode_cursor(cursor, 1)
    if not key.isdecimal() or len(key) > len(str(2**63)):
        raise InvalidRequest(
            f"cursor {cursor[:100]!r} is not one this service gave out", code="invalid_cursor"
        )
    return int(key)
