"""What happens to a document: it comes in under a name, is listed and read, and is deleted.

Each public method is one transaction. An upload or a delete that returns is committed. Knows
nothing of what the bytes contain.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select

from kb_service.domain.documents import Document, DocumentStatus
from kb_service.domain.errors import StorageError
from kb_service.domain.lists import EVERY, DocumentOrder, Folder, Wanted
from kb_service.domain.names import OnConflict
from kb_service.storage.bases import require_kb
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.change_log import next_event
from kb_service.storage.counts import Noun, counted
from kb_service.storage.database import Database
from kb_service.storage.documents.folders import folder_of, folders_in
from kb_service.storage.documents.listing import (
    cursor_after,
    matching,
    part_of_list,
)
from kb_service.storage.documents.registration import (
    REVISED,
    Upload,
    UploadOutcome,
    read_again,
    register,
    revise,
)
from kb_service.storage.documents.removal import remove_document
from kb_service.storage.documents.rows import (
    count_by_status,
    find_document_row,
    find_synced_row,
    ids_here,
    read_documents,
    require_document_row,
    require_documents,
)
from kb_service.storage.documents.tags import change_tags, set_tags, tags_of
from kb_service.storage.documents.versions import Content, require_content
from kb_service.storage.documents.within import Family, family_of, ids_within, with_all_within
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_cursor,
    encode_cursor,
    utc_now,
)
from kb_service.storage.labels.tables import change_labels, marks_of
from kb_service.storage.references import sent, sweep_blobs
from kb_service.storage.rows import batches
from kb_service.storage.tables import documents

DELETED_AT_ONCE = 50
"""Documents of one transaction: some 0.2 s that other writers wait."""


class Documents:
    """The documents of all bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock = utc_now) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def register(
        self,
        kb_id: str,
        name: str,
        staged: StagedBlob,
        media_type: str,
        tags: Sequence[str] = (),
        origin: str | None = None,
        on_conflict: OnConflict = OnConflict.REVISE,
        path: str | None = None,
        encoding: str = "",
        labels: Sequence[str] = (),
    ) -> UploadOutcome:
        """Take staged bytes in under a name, in one transaction.

        Empty `tags` and `encoding` and a None `origin` keep what the document has. `path`: what its
        origin calls it, None where that is the name. `labels`: ids of labels to carry beside those
        that it has. Raises NotFound, Conflict (name_taken), StorageError.
        """
        content = Content(staged.sha256, staged.size_bytes, media_type)
        upload = Upload(
            kb_id, name, content, tags, origin, on_conflict, path, encoding=encoding, labels=labels
        )
        with (
            sent(self._database, self._blobs, [staged]) as sending,
            self._database.write(base=kb_id) as connection,
        ):
            outcome, document_id, job = register(connection, upload, self._clock())
            # Also for unchanged content: the same bytes again heal a blob that was damaged on disk.
            sending.publish(connection)
            row = require_document_row(connection, kb_id, document_id)
            return UploadOutcome(outcome, read_documents(connection, [row])[0], job)

    def restore(self, kb_id: str, document_id: str, sha256: str) -> UploadOutcome:
        """Make the bytes of an earlier version the newest content, a version of its own.

        Raises NotFound (document_not_found, revision_not_found), StorageError (blob_missing).
        """
        with self._database.write(base=kb_id) as connection:
            row = require_document_row(connection, kb_id, document_id)
            content = require_content(connection, document_id, sha256)
            if not self._blobs.exists(sha256):
                raise StorageError(f"the bytes {sha256} are gone", code="blob_missing")
            outcome, job = revise(connection, row, content, self._clock())
            row = require_document_row(connection, kb_id, document_id)
            return UploadOutcome(outcome, read_documents(connection, [row])[0], job)

    def read_as(self, kb_id: str, document_id: str, encoding: str) -> UploadOutcome:
        """Read the newest content again as text in an encoding, and what comes later.

        Empty: in the one that the bytes tell. Raises NotFound.
        """
        with self._database.write(base=kb_id) as connection:
            row = require_document_row(connection, kb_id, document_id)
            job = read_again(connection, row, encoding, self._clock())
            row = require_document_row(connection, kb_id, document_id)
            return UploadOutcome(REVISED, read_documents(connection, [row])[0], job)

    def get(self, kb_id: str, document_id: str) -> Document:
        """Return a document. Raises NotFound (kb_not_found, document_not_found)."""
        with self._database.read() as connection:
            row = require_document_row(connection, kb_id, document_id)
            return read_documents(connection, [row])[0]

    def find(self, kb_id: str, name: str) -> Document | None:
        """Return the document with that name in any Unicode form, None when there is none."""
        with self._database.read() as connection:
            row = find_document_row(connection, kb_id, name, by="name")
            return read_documents(connection, [row])[0] if row is not None else None

    def find_synced(self, kb_id: str, origin: str, path: str) -> Document | None:
        """Return the document that a folder calls so, None when there is none."""
        with self._database.read() as connection:
            row = find_synced_row(connection, kb_id, origin, path)
            return read_documents(connection, [row])[0] if row is not None else None

    def list(
        self,
        kb_id: str,
        cursor: str | None = None,
        limit: int = 100,
        wanted: Wanted = EVERY,
        order: DocumentOrder = DocumentOrder.NAME,
    ) -> Listing[Document]:
        """Return wanted documents in order, after the cursor. Raises NotFound, InvalidRequest."""
        check_limit(limit)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            statement = part_of_list(connection, kb_id, wanted, order, cursor)
            rows = connection.execute(statement.limit(limit + 1)).all()
            items = read_documents(connection, rows[:limit])
        return Listing(items, cursor_after(rows[limit - 1], order) if len(rows) > limit else None)

    def count(self, kb_id: str, wanted: Wanted = EVERY) -> dict[str, int]:
        """Return how many documents there are by status, of any status. Raises NotFound."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            if wanted == EVERY:
                return counted(connection, Noun.DOCUMENTS, DocumentStatus, kb_id)
            return count_by_status(connection, matching(connection, kb_id, wanted))

    def folders(
        self, kb_id: str, within: str, cursor: str | None = None, limit: int = 100
    ) -> Listing[Folder]:
        """Return the folders right in a folder ("": the base) by name, after the cursor.

        Counted by the database. Raises NotFound, InvalidRequest.
        """
        after = None if cursor is None else decode_cursor(cursor, 1)[0]
        statement = folders_in(kb_id, within, after).limit(check_limit(limit) + 1)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            rows = connection.execute(statement).all()
        more = encode_cursor(rows[limit - 1].part) if len(rows) > limit else None
        return Listing(tuple(folder_of(row, within) for row in rows[:limit]), more)

    def tags(self, kb_id: str) -> dict[str, int]:
        """Return the tags of a base, with how many documents carry each. Raises NotFound."""
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return tags_of(connection, kb_id)

    def mark(
        self,
        kb_id: str,
        document_id: str,
        tags: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
    ) -> Document:
        """Give a document, and what came out of it, these tags and labels, by label id.

        Tags are in place of theirs, labels in place of the document's own; None: as they are.
        Raises NotFound.
        """
        with self._database.write(base=kb_id) as connection:
            row = require_document_row(connection, kb_id, document_id)
            next_event(connection, kb_id)
            every = (document_id, *ids_within(connection, document_id))
            if tags is not None:
                set_tags(connection, every, tags)
            if labels is not None:
                own = marks_of(connection, [document_id]).get(document_id, ())
                others = {mark.id for mark in own} - set(labels)
                change_labels(connection, kb_id, every, labels, others)
            return read_documents(connection, [row])[0]

    def retag(
        self,
        kb_id: str,
        document_ids: Sequence[str],
        add: Sequence[str],
        remove: Sequence[str],
        most: int,
    ) -> int:
        """Give documents tags and take others away; return of how many documents.

        What came out of a document goes with it and is counted. Nothing is changed where a document
        is not there (NotFound), or would carry more than `most` tags (InvalidRequest).
        """
        with self._database.write(base=kb_id) as connection:
            require_documents(connection, kb_id, document_ids)
            next_event(connection, kb_id)
            every = with_all_within(connection, document_ids)
            change_tags(connection, every, add, remove, most)
            return len(every)

    def known_hashes(self, kb_id: str, origin: str | None = None) -> dict[str, str]:
        """Return name -> SHA-256 of the newest content sent in, whether or not it was readable.

        `origin`: only the documents that came from that folder, by what it calls them; None means
        all. Raises NotFound.
        """
        statement = select(documents.c.name, documents.c.sha256)
        if origin is not None:
            path = func.coalesce(documents.c.path, documents.c.name)
            statement = select(path, documents.c.sha256).where(documents.c.origin == origin)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            known = connection.execute(statement.where(documents.c.kb_id == kb_id))
            return dict(known.tuples().all())

    def delete(self, kb_id: str, document_id: str) -> None:
        """Delete a document and what came out of it; afterwards nothing of them is found or quoted.

        A receipt of each is written in the same transaction (`Erasures`). Raises NotFound.
        """
        blobs = self._database.freeing(lambda: self._remove(kb_id, document_id))
        sweep_blobs(self._database, self._blobs, blobs)

    def _remove(self, kb_id: str, document_id: str) -> set[str]:
        with self._database.write(needs_room=False) as connection:
            require_document_row(connection, kb_id, document_id)
            next_event(connection, kb_id)
            return remove_document(connection, kb_id, document_id, self._clock())

    def delete_all(self, kb_id: str, document_ids: Sequence[str]) -> int:
        """Delete documents as `delete` does; return how many of these were there.

        Several are one transaction, so that other writers wait for few, and go one by one where the
        disk has no room for that; what was deleted stays so where a later one fails. Raises
        NotFound for a base that is not there.
        """
        with self._database.read() as connection:
            require_kb(connection, kb_id)
        steps = batches(dict.fromkeys(document_ids), DELETED_AT_ONCE)
        return sum(self._delete_step(kb_id, step) for step in steps)

    def _delete_step(self, kb_id: str, document_ids: Sequence[str]) -> int:
        try:
            number, blobs = self._database.freeing(lambda: self._remove_all(kb_id, document_ids))
        except StorageError as error:
            if error.code != "disk_full" or len(document_ids) == 1:
                raise
            return sum(self._delete_step(kb_id, [key]) for key in document_ids)
        sweep_blobs(self._database, self._blobs, blobs)
        return number

    def _remove_all(self, kb_id: str, document_ids: Sequence[str]) -> tuple[int, set[str]]:
        blobs: set[str] = set()
        with self._database.write(needs_room=False) as connection:
            here = ids_here(connection, kb_id, document_ids)
            if here:
                next_event(connection, kb_id)
            for key in document_ids:
                # One that lay in another of them has gone with it.
                if ids_here(connection, kb_id, [key]):
                    blobs |= remove_document(connection, kb_id, key, self._clock())
        return len(here), blobs

    def family(self, document_id: str) -> Family:
        """Return how deep a document lies in containers, and how much is in the outermost one."""
        with self._database.read() as connection:
            return family_of(connection, document_id)

    def content(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Path, Document]:
        """Return where the original bytes lie: of that version, or the newest content sent in.

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
                sha256 = require_content(connection, document_id, sha256).sha256
            return sha256 or row.sha256, read_documents(connection, [row])[0]
