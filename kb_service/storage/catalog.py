"""Knowledge bases and their documents: create, find, list, change, delete.

Each public method is one transaction. An upload or a delete that returns is committed. Reading the
contents of files is not done here.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from kb_service.domain.documents import (
    Document,
    KnowledgeBase,
    Revision,
)
from kb_service.domain.errors import Conflict, InvalidRequest, NotFound, StorageError
from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.names import composed, forms_of
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.storage import uploads
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.change_log import next_event
from kb_service.storage.database import Database
from kb_service.storage.document_counts import count_by_status
from kb_service.storage.documents import (
    REVISION_COLUMNS,
    find_document_row,
    kb_matches,
    knowledge_base_of,
    knowledge_base_rows,
    read_documents,
    require_document_row,
    require_kb,
    revision_of,
)
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_cursor,
    encode_cursor,
    new_id,
    utc_now,
)
from kb_service.storage.pages import read_regions
from kb_service.storage.references import sweep_blobs
from kb_service.storage.removal import remove_document, remove_knowledge_base
from kb_service.storage.revision_texts import RevisionTexts
from kb_service.storage.stored_text import text_damaged
from kb_service.storage.tables import documents, knowledge_bases, revisions
from kb_service.storage.text_pieces import Place, read_text
from kb_service.storage.uploads import Upload, UploadOutcome

MAX_KB_NAME_CHARS = 200
MAX_DESCRIPTION_CHARS = 10_000

__all__ = ["Catalog", "Listing", "UploadOutcome"]

_CONTROL = frozenset(map(chr, (*range(1, 32), 127)))
"""Without U+0000, which no column stores: `check_storable` refuses it everywhere."""


class Catalog:
    """What is stored, by knowledge base. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock = utc_now) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._texts = RevisionTexts(database)

    def create_kb(self, name: str, description: str = "") -> KnowledgeBase:
        """Create a base. Raises Conflict (kb_name_taken), InvalidRequest."""
        name = composed(name)
        _check_kb(name, description)
        now = self._clock()
        kb_id = new_id("kb")
        with self._database.write() as connection:
            _refuse_taken_name(connection, name, kb_id)
            connection.execute(
                insert(knowledge_bases).values(
                    id=kb_id, name=name, description=description, created_at=now, updated_at=now
                )
            )
        return KnowledgeBase(kb_id, name, description, 0, 0, now, now)

    def get_kb(self, key: str) -> KnowledgeBase:
        """Return the base with that id or exact name. Raises NotFound (kb_not_found)."""
        with self._database.read() as connection:
            # An id wins over a base that somebody named like it.
            closest = (knowledge_bases.c.id == key).desc(), (knowledge_bases.c.name == key).desc()
            statement = knowledge_base_rows().where(kb_matches(key)).order_by(*closest)
            row = connection.execute(statement).first()
        if row is None:
            raise NotFound(f"no knowledge base {key!r}", code="kb_not_found")
        return knowledge_base_of(row)

    def list_kbs(self, cursor: str | None = None, limit: int = 100) -> Listing[KnowledgeBase]:
        """Return bases by name, after the cursor. Raises InvalidRequest."""
        statement = knowledge_base_rows().order_by(knowledge_bases.c.name)
        statement = statement.limit(check_limit(limit) + 1)
        if cursor is not None:
            statement = statement.where(knowledge_bases.c.name > decode_cursor(cursor, 1)[0])
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        items = tuple(knowledge_base_of(row) for row in rows[:limit])
        return Listing(items, encode_cursor(items[-1].name) if len(rows) > limit else None)

    def update_kb(
        self, kb_id: str, name: str | None = None, description: str | None = None
    ) -> KnowledgeBase:
        """Change what is not None. Raises NotFound, Conflict (kb_name_taken), InvalidRequest."""
        name = None if name is None else composed(name)
        _check_kb(name, description)
        values = {"name": name, "description": description}
        changed = {column: value for column, value in values.items() if value is not None}
        with self._database.write() as connection:
            require_kb(connection, kb_id)
            if name is not None:
                _refuse_taken_name(connection, name, kb_id)
            connection.execute(
                update(knowledge_bases)
                .where(knowledge_bases.c.id == kb_id)
                .values(updated_at=self._clock(), **changed)
            )
        return self.get_kb(kb_id)

    def delete_kb(self, kb_id: str) -> None:
        """Delete a base with everything in it, blobs included. Raises NotFound.

        On a disk too full for that the documents go one by one first, the smallest first: each one
        makes room for the next.
        """
        try:
            candidates = self._database.freeing(lambda: self._remove_kb(kb_id))
        except StorageError as error:
            if error.code != "disk_full":
                raise
            for document_id in self._ids_by_size(kb_id):
                self.delete_document(kb_id, document_id)
            candidates = self._database.freeing(lambda: self._remove_kb(kb_id))
        sweep_blobs(self._database, self._blobs, candidates)

    def _remove_kb(self, kb_id: str) -> set[str]:
        with self._database.write(needs_room=False) as connection:
            require_kb(connection, kb_id)
            return remove_knowledge_base(connection, kb_id)

    def _ids_by_size(self, kb_id: str) -> Sequence[str]:
        statement = select(documents.c.id).where(documents.c.kb_id == kb_id)
        with self._database.read() as connection:
            return connection.execute(statement.order_by(documents.c.size_bytes)).scalars().all()

    def register_upload(
        self,
        kb_id: str,
        name: str,
        staged: StagedBlob,
        media_type: str,
        tags: Sequence[str] = (),
        origin: str | None = None,
    ) -> UploadOutcome:
        """Take staged bytes in under a name, in one transaction; see `uploads`.

        Empty `tags` and a None `origin` keep what the document has. Raises NotFound, StorageError.
        """
        upload = Upload(kb_id, name, staged, media_type, tags, origin)
        with self._database.write() as connection:
            outcome, superseded = uploads.register(connection, self._blobs, upload, self._clock())
        sweep_blobs(self._database, self._blobs, superseded)
        return outcome

    def get_document(self, kb_id: str, document_id: str) -> Document:
        """Return a document. Raises NotFound (kb_not_found, document_not_found)."""
        with self._database.read() as connection:
            row = require_document_row(connection, kb_id, document_id)
            return read_documents(connection, [row])[0]

    def find_document(self, kb_id: str, name: str) -> Document | None:
        """Return the document with that name in any Unicode form, None when there is none."""
        with self._database.read() as connection:
            row = find_document_row(connection, kb_id, name, by="name")
            return read_documents(connection, [row])[0] if row is not None else None

    def list_documents(
        self,
        kb_id: str,
        cursor: str | None = None,
        limit: int = 100,
        name: str | None = None,
        name_contains: str | None = None,
    ) -> Listing[Document]:
        """Return documents by name, after the cursor. Raises NotFound.

        `name`: only that one. `name_contains`: those with that in their name, in any case.
        """
        statement = select(documents).where(_matching(kb_id, name, name_contains))
        statement = statement.order_by(documents.c.name).limit(check_limit(limit) + 1)
        if cursor is not None:
            statement = statement.where(documents.c.name > decode_cursor(cursor, 1)[0])
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            rows = connection.execute(statement).all()
            items = read_documents(connection, rows[:limit])
        return Listing(items, encode_cursor(items[-1].name) if len(rows) > limit else None)

    def count_documents(
        self, kb_id: str, name: str | None = None, name_contains: str | None = None
    ) -> dict[str, int]:
        """Return how many documents `list_documents` has in all, by status. Raises NotFound."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return count_by_status(connection, _matching(kb_id, name, name_contains))

    def known_hashes(self, kb_id: str, origin: str | None = None) -> dict[str, str]:
        """Return name -> SHA-256 of the newest content sent in, whether or not it was readable.

        `origin`: only the documents that came from that folder; None means all. Raises NotFound.
        """
        statement = select(documents.c.name, documents.c.sha256).where(documents.c.kb_id == kb_id)
        if origin is not None:
            statement = statement.where(documents.c.origin == origin)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return dict(connection.execute(statement).tuples().all())

    def delete_document(self, kb_id: str, document_id: str) -> None:
        """Delete a document; afterwards nothing of it is found or quoted. Raises NotFound."""
        candidates = self._database.freeing(lambda: self._remove_document(kb_id, document_id))
        sweep_blobs(self._database, self._blobs, candidates)

    def _remove_document(self, kb_id: str, document_id: str) -> set[str]:
        with self._database.write(needs_room=False) as connection:
            require_document_row(connection, kb_id, document_id)
            next_event(connection, kb_id)
            return remove_document(connection, kb_id, document_id)

    def revision(self, kb_id: str, document_id: str, sha256: str | None = None) -> Revision:
        """Return a kept revision by its public name; None means the searchable one.

        Raises NotFound (kb_not_found, document_not_found, revision_not_found).
        """
        with self._database.read() as connection:
            return _find_revision(connection, kb_id, document_id, sha256)

    def revision_text(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Revision, str]:
        """Return a kept revision with its stored text, compared with the hash kept beside it.

        Raises NotFound like `revision`, StorageError (text_damaged).
        """
        try:
            with self._database.read() as connection:
                revision = _find_revision(connection, kb_id, document_id, sha256)
                statement = select(revisions.c.text_sha256).where(revisions.c.id == revision.id)
                expected = connection.execute(statement).scalar_one()
                stored = read_text(connection, revision.id)
        except StorageError as error:
            if error.code == "text_damaged":  # not even UTF-8
                raise text_damaged(document_id) from error
            raise
        if stored is None or sha256_of_text(stored.text) != expected:
            raise text_damaged(document_id)
        return revision, stored.text

    def stretches(self, places: Sequence[Place], margin: int) -> list[MarkedText | None]:
        """Return stored words by span with their units; see `RevisionTexts`."""
        return self._texts.stretches(places, margin)

    def content_path(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Path, Document]:
        """Return where the original bytes lie: of that revision, or the newest content sent in.

        All of them are read and compared with their hash first. Raises NotFound, StorageError
        (blob_damaged, blob_missing).
        """
        wanted, document = self._content_of(kb_id, document_id, sha256)
        try:
            return self._blobs.whole(wanted, repr(document.name)), document
        except StorageError:
            # Deleted or replaced since it was looked up, or indeed lost.
            newest, document = self._content_of(kb_id, document_id, sha256)
            if newest == wanted:
                raise
        return self._blobs.whole(newest, repr(document.name)), document

    def _content_of(self, kb_id: str, document_id: str, sha256: str | None) -> tuple[str, Document]:
        with self._database.read() as connection:
            row = require_document_row(connection, kb_id, document_id)
            if sha256 is not None and sha256 != row.sha256:
                sha256 = _find_revision(connection, kb_id, document_id, sha256).sha256
            return sha256 or row.sha256, read_documents(connection, [row])[0]

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return where the words of a span of revision text stand; reads only the pages it meets.

        () when the revision does not exist any more.
        """
        with self._database.read() as connection:
            return read_regions(connection, [(revision_id, span)])[0]


def _matching(kb_id: str, name: str | None, name_contains: str | None) -> ColumnElement[bool]:
    which = [documents.c.kb_id == kb_id]
    if name is not None:
        which.append(documents.c.name.in_(forms_of(name)))
    if name_contains is not None:
        parts = forms_of(name_contains)
        which.append(or_(*(documents.c.name.icontains(part, autoescape=True) for part in parts)))
    return and_(*which)


def _find_revision(
    connection: Connection, kb_id: str, document_id: str, sha256: str | None
) -> Revision:
    require_document_row(connection, kb_id, document_id)
    statement = select(*REVISION_COLUMNS).where(revisions.c.document_id == document_id)
    which = revisions.c.is_current if sha256 is None else revisions.c.sha256 == sha256
    row = connection.execute(statement.where(which)).first()
    if row is None:
        wanted = "searchable revision" if sha256 is None else f"revision {sha256!r}"
        raise NotFound(f"document {document_id} has no {wanted}", code="revision_not_found")
    return revision_of(row)


def _refuse_taken_name(connection: Connection, name: str, kb_id: str) -> None:
    statement = select(knowledge_bases.c.id).where(
        knowledge_bases.c.name.in_(forms_of(name)), knowledge_bases.c.id != kb_id
    )
    if connection.execute(statement).first() is not None:
        raise Conflict(
            f"a knowledge base named {name!r} exists", code="kb_name_taken", details={"name": name}
        )


def _check_kb(name: str | None, description: str | None) -> None:
    if name is not None and not (name.strip() and len(name) <= MAX_KB_NAME_CHARS):
        raise InvalidRequest(
            f"knowledge base name has {len(name)} characters; "
            f"1 to {MAX_KB_NAME_CHARS}, not only spaces, are accepted",
            code="invalid_kb_name",
        )
    if name is not None and not _CONTROL.isdisjoint(name):
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
