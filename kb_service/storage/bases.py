"""Knowledge bases: create, find, list, change, delete.

Each public method is one transaction. Knows nothing of what documents hold.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    insert,
    or_,
    select,
    update,
)

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import Conflict, InvalidRequest, NotFound, StorageError
from kb_service.domain.masking import Masking
from kb_service.domain.names import CONTROLS, composed, forms_of
from kb_service.storage.blobs import BlobStore
from kb_service.storage.counts import Noun, count_of
from kb_service.storage.database import Database
from kb_service.storage.embeddings import remove_unused_embeddings
from kb_service.storage.erasure import record_deletions
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_cursor,
    encode_cursor,
    new_id,
    utc_now,
)
from kb_service.storage.maskings import masking_of, maskings, put_masking
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.references import blobs_of, sweep_blobs
from kb_service.storage.rows import value_of
from kb_service.storage.tables import chunks, documents, knowledge_bases

MAX_KB_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 10_000

"""Without U+0000, which no column stores: `check_storable` refuses it everywhere."""


class Bases:
    """All knowledge bases. Every method raises StorageError when storage fails."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        delete_document: Callable[[str, str], None],
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._delete_document = delete_document
        self._clock = clock

    def create(self, name: str, description: str = "") -> KnowledgeBase:
        """Create a base. Raises Conflict (kb_name_taken), InvalidRequest."""
        name = composed(name)
        check_kb(name, description)
        now = self._clock()
        kb_id = new_id("kb")
        with self._database.write() as connection:
            refuse_taken_name(connection, name, kb_id)
            connection.execute(
                insert(knowledge_bases).values(
                    id=kb_id, name=name, description=description, created_at=now, updated_at=now
                )
            )
        return KnowledgeBase(kb_id, name, description, 0, 0, now, now)

    def get(self, key: str) -> KnowledgeBase:
        """Return the base with that id or exact name. Raises NotFound (kb_not_found)."""
        with self._database.read() as connection:
            # An id wins over a base that somebody named like it.
            closest = (knowledge_bases.c.id == key).desc(), (knowledge_bases.c.name == key).desc()
            statement = _base_rows().where(_base_matches(key)).order_by(*closest)
            row = connection.execute(statement).first()
        if row is None:
            raise no_kb(key)
        return _base_of(row)

    def list(
        self,
        cursor: str | None = None,
        limit: int = 100,
        among: Collection[str] | None = None,
    ) -> Listing[KnowledgeBase]:
        """Return bases by name, after the cursor, of all or `among` these ids.

        Raises InvalidRequest.
        """
        statement = _base_rows().order_by(knowledge_bases.c.name)
        if among is not None:
            statement = statement.where(knowledge_bases.c.id.in_(among))
        statement = statement.limit(check_limit(limit) + 1)
        if cursor is not None:
            statement = statement.where(knowledge_bases.c.name > decode_cursor(cursor, 1)[0])
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = tuple(_base_of(row) for row in rows[:limit])
        return Listing(items, encode_cursor(items[-1].name) if len(rows) > limit else None)

    def update(
        self,
        kb_id: str,
        name: str | None = None,
        description: str | None = None,
        masking: Masking | None = None,
    ) -> KnowledgeBase:
        """Change what is not None. Raises NotFound, Conflict (kb_name_taken), InvalidRequest."""
        name = None if name is None else composed(name)
        check_kb(name, description)
        values = {"name": name, "description": description}
        changed = {column: value for column, value in values.items() if value is not None}
        with self._database.write() as connection:
            require_kb(connection, kb_id)
            if name is not None:
                refuse_taken_name(connection, name, kb_id)
            connection.execute(
                update(knowledge_bases)
                .where(knowledge_bases.c.id == kb_id)
                .values(updated_at=self._clock(), **changed)
            )
            if masking is not None:
                put_masking(connection, kb_id, masking)
        return self.get(kb_id)

    def delete(self, kb_id: str) -> None:
        """Delete a base with everything in it, blobs included. Raises NotFound.

        On a disk too full for that the documents go one by one first, the smallest first: each one
        makes room for the next.
        """
        try:
            candidates = self._database.freeing(lambda: self._remove(kb_id))
        except StorageError as error:
            if error.code != "disk_full":
                raise
            for document_id in self._ids_by_size(kb_id):
                with suppress(NotFound):  # it went with what it came out of
                    self._delete_document(kb_id, document_id)
            candidates = self._database.freeing(lambda: self._remove(kb_id))
        sweep_blobs(self._database, self._blobs, candidates)

    def _remove(self, kb_id: str) -> set[str]:
        with self._database.write(needs_room=False) as connection:
            require_kb(connection, kb_id)
            record_deletions(connection, documents.c.kb_id == kb_id, self._clock())
            return _remove_base(connection, kb_id)

    def _ids_by_size(self, kb_id: str) -> Sequence[str]:
        statement = select(documents.c.id).where(documents.c.kb_id == kb_id)
        with self._database.read() as connection:
            return connection.execute(statement.order_by(documents.c.size_bytes)).scalars().all()


def _base_rows() -> Select[Any]:
    """Select bases with how many documents and searchable chunks they have."""
    return select(
        knowledge_bases,
        count_of(Noun.DOCUMENTS).label("num_documents"),
        count_of(Noun.CHUNKS).label("num_chunks"),
        maskings.c.kinds,
        maskings.c.roles,
    ).select_from(knowledge_bases.outerjoin(maskings))


def _base_of(row: Row[Any]) -> KnowledgeBase:
    """Return the base of a row of `_base_rows`."""
    masking = masking_of(row.kinds, row.roles)
    numbers = {"change": row.change_seq, "event": row.event_seq}
    return value_of(KnowledgeBase, row, masking=masking, **numbers)


def require_kb(connection: Connection, kb_id: str) -> None:
    """Raise NotFound (kb_not_found) unless the base exists."""
    found = connection.execute(select(knowledge_bases.c.id).where(knowledge_bases.c.id == kb_id))
    if found.first() is None:
        raise no_kb(kb_id)


def no_kb(key: str) -> NotFound:
    """Return the error for a base that is not there, or not for who asks: they are the same."""
    return NotFound(f"no knowledge base {key!r}", code="kb_not_found")


def _base_matches(key: str) -> ColumnElement[bool]:
    """Match a base by id, or by name in any Unicode form."""
    return or_(knowledge_bases.c.id == key, knowledge_bases.c.name.in_(forms_of(key)))


def _remove_base(connection: Connection, kb_id: str) -> set[str]:
    """Delete a base and everything in it; return the hashes of its blobs."""
    blobs = blobs_of(connection, documents.c.kb_id == kb_id)
    hashes = connection.execute(
        delete(chunks).where(chunks.c.kb_id == kb_id).returning(chunks.c.text_sha256)
    ).scalars()
    past = connection.execute(
        delete(past_chunks).where(past_chunks.c.kb_id == kb_id).returning(past_chunks.c.text_sha256)
    ).scalars()
    remove_unused_embeddings(connection, {*hashes, *past})
    connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id == kb_id))
    return blobs


def refuse_taken_name(connection: Connection, name: str, kb_id: str) -> None:
    """Raise Conflict (kb_name_taken) when another base has that name."""
    statement = select(knowledge_bases.c.id).where(
        knowledge_bases.c.name.in_(forms_of(name)), knowledge_bases.c.id != kb_id
    )
    if connection.execute(statement).first() is not None:
        raise Conflict(
            f"a knowledge base named {name!r} exists", code="kb_name_taken", details={"name": name}
        )


def check_kb(name: str | None, description: str | None) -> None:
    """Raise InvalidRequest for a name or description that is not accepted."""
    if name is not None and not (name.strip() and len(name) <= MAX_KB_NAME_CHARS):
        raise InvalidRequest(
            f"knowledge base name has {len(name)} characters; "
            f"1 to {MAX_KB_NAME_CHARS}, not only spaces, are accepted",
            code="invalid_kb_name",
        )
    if name is not None and not CONTROLS.isdisjoint(name):
        raise InvalidRequest(
            f"knowledge base name is {name!r}; control characters are not accepted",
            code="invalid_kb_name",
        )
    if description is not None and len(description) > MAX_DESCRIPTION_CHARS:
        raise InvalidRequest(
            f"description has {len(description)} characters; "
            f"at most {MAX_DESCRIPTION_CHARS} are accepted",
            code="invalid_description",
        )
