"""Labels of bases: made, renamed, deleted, counted, and put on documents.

Each public method is one transaction. A rename or a delete holds for every document at once, for a
document carries the label and not its name.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from kb_service.domain.errors import Conflict
from kb_service.domain.labels import Label, LabelColour, LabelMark, LabelMarks, folded
from kb_service.domain.names import composed
from kb_service.storage.bases import require_kb
from kb_service.storage.change_log import next_event
from kb_service.storage.database import Database
from kb_service.storage.documents.rows import require_documents
from kb_service.storage.documents.within import with_all_within
from kb_service.storage.identity import Clock, new_id, utc_now
from kb_service.storage.labels.tables import change_labels, document_labels, labels, read_marks
from kb_service.storage.rows import value_of


class Labels:
    """The labels of all bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def listed(self, kb_id: str) -> list[Label]:
        """Return the labels of a base by name. Raises NotFound."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return _read(connection, labels.c.kb_id == kb_id)

    def marks(self, kb_id: str) -> LabelMarks:
        """Return the labels of a base without what carries them. Raises NotFound."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return read_marks(connection, kb_id)

    def find(self, kb_id: str, key: str) -> Label:
        """Return the label with that id, or that name in any case. Raises NotFound."""
        with self._database.read() as connection:
            return _whole(connection, _require(connection, kb_id, key).id)

    def create(self, kb_id: str, name: str, colour: LabelColour, description: str) -> Label:
        """Make a label. Raises NotFound, Conflict (label_name_taken)."""
        label_id = new_id("label")
        values = {"colour": colour, "description": description, "created_at": self._clock()}
        with self._database.write(base=kb_id) as connection:
            next_event(connection, kb_id)
            refuse_taken(connection, kb_id, name)
            connection.execute(
                insert(labels).values(id=label_id, kb_id=kb_id, name=composed(name), **values)
            )
            return _whole(connection, label_id)

    def change(
        self,
        kb_id: str,
        key: str,
        name: str | None = None,
        colour: LabelColour | None = None,
        description: str | None = None,
    ) -> Label:
        """Change what is not None. Raises NotFound, Conflict (label_name_taken)."""
        values = {"name": name and composed(name), "colour": colour, "description": description}
        changed = {column: value for column, value in values.items() if value is not None}
        with self._database.write(base=kb_id) as connection:
            label = _require(connection, kb_id, key)
            if name is not None:
                refuse_taken(connection, kb_id, name, but=label.id)
            if changed:
                next_event(connection, kb_id)
                mine = update(labels).where(labels.c.id == label.id)
                connection.execute(mine.values(**changed))
            return _whole(connection, label.id)

    def delete(self, kb_id: str, key: str) -> Label:
        """Delete a label, which no document carries any more; return what it was.

        Raises NotFound.
        """
        with self._database.write(base=kb_id) as connection:
            label = _whole(connection, _require(connection, kb_id, key).id)
            next_event(connection, kb_id)
            connection.execute(delete(labels).where(labels.c.id == label.id))
            return label

    def put(
        self, kb_id: str, document_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> int:
        """Give documents labels and take others away, by label id; return of how many documents.

        What came out of a document goes with it and is counted. Raises NotFound for a document that
        is not there: then nothing is changed.
        """
        with self._database.write(base=kb_id) as connection:
            require_documents(connection, kb_id, document_ids)
            next_event(connection, kb_id)
            every = with_all_within(connection, document_ids)
            change_labels(connection, kb_id, every, add, remove)
            return len(every)


def refuse_taken(connection: Connection, kb_id: str, name: str, but: str = "") -> None:
    """Raise Conflict (label_name_taken) when another label of a base is called so, in any case."""
    mine = select(labels.c.id, labels.c.name).where(labels.c.kb_id == kb_id)
    for row in connection.execute(mine):
        if row.id != but and folded(row.name) == folded(name):
            raise Conflict(
                f"a label {row.name!r} exists", code="label_name_taken", details={"name": row.name}
            )


def _read(connection: Connection, which: ColumnElement[bool]) -> list[Label]:
    number = (
        select(func.count())
        .where(document_labels.c.label_id == labels.c.id)
        .correlate(labels)
        .scalar_subquery()
    )
    statement = select(labels, number.label("num_documents")).where(which)
    return list(map(_label_of, connection.execute(statement.order_by(labels.c.name))))


def _label_of(row: Row[Any]) -> Label:
    return value_of(Label, row, colour=LabelColour(row.colour))


def _whole(connection: Connection, label_id: str) -> Label:
    (label,) = _read(connection, labels.c.id == label_id)
    return label


def _require(connection: Connection, kb_id: str, key: str) -> LabelMark:
    require_kb(connection, kb_id)
    return read_marks(connection, kb_id).require(key)
