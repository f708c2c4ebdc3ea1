"""Which documents refer to which blobs, and the end of a blob that none refers to any more.

Rows go in one transaction, their blobs in a second one: a crash between the two leaves an
unreferenced file for the next sweep, never a reference without its file.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import ColumnElement, Connection, select, union

from kb_service.domain.errors import KbError
from kb_service.storage import sendings
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.database import ANY_BASE, Database
from kb_service.storage.identity import utc_now
from kb_service.storage.rows import batches
from kb_service.storage.tables import documents, revisions, versions


def blobs_of(connection: Connection, which: ColumnElement[bool]) -> set[str]:
    """Return the hashes of the blobs that matching documents refer to, by any version."""
    found = union(
        select(documents.c.sha256).where(which),
        select(revisions.c.sha256).select_from(revisions.join(documents)).where(which),
        select(versions.c.sha256).select_from(versions.join(documents)).where(which),
    )
    return set(connection.execute(found).scalars())


def referring_documents(connection: Connection) -> dict[str, str]:
    """Return blob hash -> id of a document that refers to it, of all blobs."""
    referenced: dict[str, str] = {}
    for statement in (
        select(versions.c.sha256, versions.c.document_id),
        select(revisions.c.sha256, revisions.c.document_id),
        select(documents.c.sha256, documents.c.id),
    ):
        referenced.update((sha256, owner) for sha256, owner in connection.execute(statement))
    return referenced


def still_referred(connection: Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Return blob hash -> id of a document that refers to it, of those that any refers to."""
    found: dict[str, str] = {}
    for batch in batches(hashes):
        for statement in (
            select(versions.c.sha256, versions.c.document_id).where(versions.c.sha256.in_(batch)),
            select(documents.c.sha256, documents.c.id).where(documents.c.sha256.in_(batch)),
        ):
            found.update((sha256, owner) for sha256, owner in connection.execute(statement))
    return found


def sweep_blobs(database: Database, blobs: BlobStore, candidates: Iterable[str]) -> int:
    """Remove those of the blobs that nothing refers to and nobody sends; return how many."""
    removed = 0
    for batch in batches(candidates, blobs.num_at_once):
        with database.write(needs_room=False) as connection:
            kept = _referenced_among(connection, batch)
            if blobs.is_far:
                kept |= sendings.being_sent(connection, batch, utc_now())
            for sha256 in sorted(set(batch) - kept):
                # The lock may be gone after a long silence; then this fails, before an upload that
                # relies on the blob loses it.
                connection.execute(select(1))
                blobs.unlink(sha256)
                removed += 1
    return removed


class Sending:
    """Staged bytes on their way into the store, from before they are sent."""

    def __init__(self, database: Database, blobs: BlobStore, staged: Sequence[StagedBlob]) -> None:
        self._blobs, self._staged = blobs, staged
        self._id: str | None = None
        if blobs.is_far and staged:
            with database.write(base=ANY_BASE) as connection:
                self._id = sendings.begin(connection, (blob.sha256 for blob in staged), utc_now())

    def publish(self, connection: Connection) -> None:
        """Let them be part of the store, in the write that refers to them. Raises StorageError.

        A store elsewhere is asked again only where the sending took so long that a sweep may have
        removed what was sent.
        """
        is_kept = self._end(connection)
        for blob in self._staged:
            self._blobs.publish(blob, is_kept=is_kept)
            if self._blobs.is_far and not is_kept:
                connection.execute(select(1))  # who asks a far store is not silent

    def give_up(self, database: Database) -> None:
        """Let others remove them. Raises StorageError."""
        if self._id is not None:
            with database.write(base=ANY_BASE, needs_room=False) as connection:
                self._end(connection)

    def _end(self, connection: Connection) -> bool:
        return self._id is not None and sendings.end(connection, self._id, utc_now())


@contextmanager
def sent(database: Database, blobs: BlobStore, staged: Sequence[StagedBlob]) -> Iterator[Sending]:
    """Send staged bytes to where they will be kept; what nothing refers to afterwards goes again.

    For the time of the transaction that publishes them.
    """
    new: list[str] = []
    sending = Sending(database, blobs, staged)
    try:
        for blob in staged:
            new.append(blob.sha256)  # one that fails may be there
            if not blobs.send(blob):
                new.pop()
        yield sending
    except BaseException:
        with suppress(KbError):  # a later sweep finds it
            sending.give_up(database)
            sweep_blobs(database, blobs, new)
        raise


def _referenced_among(connection: Connection, batch: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for column in (documents.c.sha256, revisions.c.sha256, versions.c.sha256):
        found |= set(connection.execute(select(column).where(column.in_(batch))).scalars())
    return found
