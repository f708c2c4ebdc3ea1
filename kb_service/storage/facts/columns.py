"""What people said that columns of ledgers and labels of forms stand for, and what that changes."""

from sqlalchemy import Connection, delete, insert, or_, select, update

from kb_service.domain.facts import ColumnField
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.facts.tables import column_fields, facts
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.rows import batches, value_of
from kb_service.storage.tables import documents, revisions, text_pieces

_BEHIND_NAMES = (":", "\uff1a", " :", " \uff1a", "*", "\t", " |")
"""What stands behind the name of a column, or a label of a form."""


def fields_of_columns(connection: Connection, kb_id: str) -> dict[str, str]:
    """Return the fields that people gave to columns of a base, by name."""
    mine = column_fields.c
    rows = connection.execute(select(mine.name, mine.field).where(mine.kb_id == kb_id))
    return {row.name: row.field for row in rows}


class Columns:
    """What columns stand for. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def listed(self, kb_id: str) -> tuple[ColumnField, ...]:
        """Return what people said of columns, by name. Raises NotFound (kb_not_found)."""
        statement = select(column_fields).where(column_fields.c.kb_id == kb_id)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            rows = connection.execute(statement.order_by(column_fields.c.name))
            return tuple(value_of(ColumnField, row) for row in rows)

    def put(self, kb_id: str, name: str, field: str | None, by: str) -> int:
        """Say what a column stands for, None: what its name and values tell, again.

        The facts of all documents that have such a column are found anew by the worker; returns of
        how many. Raises NotFound (kb_not_found).
        """
        mine = column_fields.c
        with self._database.write(base=kb_id) as connection:
            require_kb(connection, kb_id)
            connection.execute(delete(column_fields).where(mine.kb_id == kb_id, mine.name == name))
            if field is not None:
                values = {"name": name, "field": field, "by": by, "at": self._clock()}
                connection.execute(insert(column_fields).values(kb_id=kb_id, **values))
        # What is published from now on knows of it; what was before is looked through outside of
        # the write, which a large base would hold for long.
        concerned = self._having(kb_id, name)
        with self._database.write(base=kb_id) as connection:
            for batch in batches(concerned):
                mine_now = revisions.c.id.in_(batch), revisions.c.is_current
                connection.execute(update(revisions).where(*mine_now).values(fact_rules=""))
        return len(concerned)

    def _having(self, kb_id: str, name: str) -> list[int]:
        words = text_pieces.c.text
        named = (words.contains(f"{name}{sign}", autoescape=True) for sign in _BEHIND_NAMES)
        stating = select(facts.c.revision_id).where(facts.c.kb_id == kb_id, facts.c.field == name)
        has_name = or_(*named, revisions.c.id.in_(stating))
        statement = (
            select(revisions.c.id)
            .join(documents, documents.c.id == revisions.c.document_id)
            .join(text_pieces, text_pieces.c.revision_id == revisions.c.id)
            .where(documents.c.kb_id == kb_id, revisions.c.is_current, has_name)
            .distinct()
        )
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())
