"""Receipts of deleted documents, and the search for what may be left of one.

Looks at every table, the files and the staged ones; index files are the retrievers' to look at.
Keeps hashes and numbers, no words.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from kb_service.domain.erasure import Place, Receipt
from kb_service.domain.hashing import sha256_of_file
from kb_service.language.plurals import num_of
from kb_service.storage.blobs import STAGED_PREFIX, BlobStore
from kb_service.storage.database import Database
from kb_service.storage.identity import Clock, utc_now
from kb_service.storage.past_tables import deletions, past_chunks
from kb_service.storage.references import still_referred
from kb_service.storage.rows import batches
from kb_service.storage.tables import (
    answers,
    changes,
    chunks,
    documents,
    embeddings,
    metadata,
    revisions,
    versions,
)
from kb_service.storage.watches.tables import watch_answers

_DIGEST_BYTES = 32
_COUNTED = (versions, revisions, chunks, past_chunks)


def record_deletions(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """Write the receipts of matching documents, which are about to be deleted."""
    owners = {row.id: row.kb_id for row in connection.execute(select(documents).where(which))}
    if not owners:
        return
    files = _by_document(connection, versions.c.sha256, which)
    for document_id, values in _by_document(connection, revisions.c.sha256, which).items():
        files[document_id] |= values
    ids = _by_document(connection, revisions.c.id, which)
    texts = _by_document(connection, chunks.c.text_sha256, which)
    for document_id, values in _by_document(connection, past_chunks.c.text_sha256, which).items():
        texts[document_id] |= values
    counts = {table.name: _counts(connection, table, which) for table in _COUNTED}
    connection.execute(
        delete(deletions).where(deletions.c.id.in_(select(documents.c.id).where(which)))
    )
    connection.execute(
        insert(deletions),
        [
            {
                "id": document_id,
                "kb_id": kb_id,
                "deleted_at": now,
                "what": {
                    "files": sorted(files[document_id]),
                    "revisions": sorted(ids[document_id]),
                    "rows": {name: count[document_id] for name, count in counts.items()},
                },
                "texts": b"".join(bytes.fromhex(text) for text in sorted(texts[document_id])),
            }
            for document_id, kb_id in owners.items()
        ],
    )


class Erasures:
    """What is known of deleted documents. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock = utc_now) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def receipt(self, document_id: str) -> Receipt | None:
        """Return the receipt of a deleted document, None where there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(deletions).where(deletions.c.id == document_id)).first()
        return _receipt_of(row) if row is not None else None

    def look(self, document_id: str, receipt: Receipt | None) -> tuple[Place, ...]:
        """Look for what is left of a document in the database and among the files."""
        with self._database.read() as connection:
            places = (
                _rows(connection, document_id, receipt.revision_ids if receipt else ()),
                _vectors(connection, receipt.texts if receipt else ()),
                _answers(connection, document_id),
            )
        files = receipt.files if receipt else ()
        return (*places, self._files(files), self._readings(files), self._staged(files))

    def unfinished(self) -> dict[str, datetime]:
        """Return the bases whose index files may hold deleted documents, with the last delete."""
        statement = select(deletions.c.kb_id, func.max(deletions.c.deleted_at).label("last"))
        waiting = statement.where(deletions.c.erased_at.is_(None)).group_by(deletions.c.kb_id)
        with self._database.read() as connection:
            # The aggregate of a time has the column's type on both databases.
            return {row.kb_id: row.last for row in connection.execute(waiting)}

    def waiting(self, kb_id: str) -> tuple[str, ...]:
        """Return the deleted documents that index files of a base may still hold."""
        mine = (deletions.c.kb_id == kb_id, deletions.c.erased_at.is_(None))
        with self._database.read() as connection:
            return tuple(connection.execute(select(deletions.c.id).where(*mine)).scalars())

    def finish(self, document_ids: Collection[str]) -> None:
        """Note that no index file holds these; what SQLite's log still has of them goes too."""
        with self._database.write(needs_room=False) as connection:
            for batch in batches(document_ids):
                connection.execute(
                    update(deletions)
                    .where(deletions.c.id.in_(batch))
                    .values(erased_at=self._clock())
                )
        self._database.give_log_back()

    def _files(self, files: Sequence[str]) -> Place:
        present = [sha256 for sha256 in files if self._blobs.exists(sha256)]
        others = self._owners(present)
        return Place(
            "files",
            len(files),
            found=tuple(f"original file {item}" for item in present if item not in others),
            shared=tuple(f"file {item} of {others[item]}" for item in present if item in others),
        )

    def _readings(self, files: Sequence[str]) -> Place:
        present = [sha256 for sha256 in files if self._blobs.readings(sha256).exists()]
        others = self._owners(present)
        found = tuple(f"what OCR read of {item}" for item in present if item not in others)
        return Place("readings", len(files), found)

    def _staged(self, files: Sequence[str]) -> Place:
        staged = sorted(self._blobs.staging.glob(f"{STAGED_PREFIX}*"))
        found = tuple(str(path) for path in staged if files and _hash_of(path) in files)
        return Place("staged files", len(staged), found)

    def _owners(self, files: Sequence[str]) -> dict[str, str]:
        with self._database.read() as connection:
            return still_referred(connection, files)


def _hash_of(path: Any) -> str | None:  # noqa: ANN401  a path
    try:
        return sha256_of_file(path)
    except FileNotFoundError:  # published or discarded meanwhile
        return None


def _by_document(
    connection: Connection, column: ColumnElement[Any], which: ColumnElement[bool]
) -> defaultdict[str, set[Any]]:
    table: Any = column.table
    statement = select(table.c.document_id, column).join(
        documents, documents.c.id == table.c.document_id
    )
    found: defaultdict[str, set[Any]] = defaultdict(set)
    for document_id, value in connection.execute(statement.where(which)):
        found[document_id].add(value)
    return found


def _counts(connection: Connection, table: Table, which: ColumnElement[bool]) -> Counter[str]:
    statement = (
        select(table.c.document_id, func.count())
        .join(documents, documents.c.id == table.c.document_id)
        .where(which)
        .group_by(table.c.document_id)
    )
    return Counter(dict(connection.execute(statement).tuples().all()))


def _receipt_of(row: Row[Any]) -> Receipt:
    ends = range(_DIGEST_BYTES, len(row.texts) + 1, _DIGEST_BYTES)
    return Receipt(
        document_id=row.id,
        kb_id=row.kb_id,
        deleted_at=row.deleted_at,
        files=tuple(row.what["files"]),
        texts=tuple(row.texts[end - _DIGEST_BYTES : end].hex() for end in ends),
        revision_ids=tuple(row.what["revisions"]),
        num_rows=row.what["rows"],
    )


def _rows(connection: Connection, document_id: str, revision_ids: Sequence[int]) -> Place:
    found, num_looked = [], 0
    for table, statement in _row_searches(document_id, revision_ids):
        num_looked += 1
        if number := connection.execute(statement).scalar_one():
            found.append(f"{num_of(number, 'row')} of {table.name}")
    return Place("rows", num_looked, tuple(found))


def _row_searches(
    document_id: str, revision_ids: Sequence[int]
) -> Iterator[tuple[Table, Select[Any]]]:
    """Yield for each table that can hold something of a document how much it holds."""
    for table in metadata.sorted_tables:
        count = select(func.count()).select_from(table)
        if table is documents:
            yield table, count.where(table.c.id == document_id)
        elif "document_id" in table.c:
            yield table, count.where(table.c.document_id == document_id)
        elif "revision_id" in table.c and table is not changes:  # which outlive what they tell of
            own = select(revisions.c.id).where(revisions.c.document_id == document_id)
            gone = table.c.revision_id.in_(revision_ids)
            yield table, count.where(gone | table.c.revision_id.in_(own))


def _vectors(connection: Connection, texts: Sequence[str]) -> Place:
    """A vector belongs to words: one that another document's words have stays."""
    is_used = or_(
        *(
            exists().where(t.c.text_sha256 == embeddings.c.text_sha256)
            for t in (chunks, past_chunks)
        )
    )
    found: list[str] = []
    num_shared = 0
    for batch in batches(texts):
        mine = select(embeddings.c.text_sha256, is_used.label("is_used")).where(
            embeddings.c.text_sha256.in_(batch)
        )
        rows = connection.execute(mine).all()
        found += [f"vector of text {row.text_sha256}" for row in rows if not row.is_used]
        num_shared += sum(bool(row.is_used) for row in rows)
    shared = (
        (f"{num_of(num_shared, 'vector')} of texts that other documents have",)
        if num_shared
        else ()
    )
    return Place("vectors", len(texts), tuple(found), shared)


def _answers(connection: Connection, document_id: str) -> Place:
    """Quotes, passages and prompts name the document whose words they are."""
    holds = [
        cast(column, Text).contains(document_id, autoescape=True)
        for column in (answers.c.payload, answers.c.audit)
    ]
    standing = cast(watch_answers.c.payload, Text).contains(document_id, autoescape=True)
    num_looked = sum(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (answers, watch_answers)
    )
    ids = connection.execute(select(answers.c.id).where(holds[0] | holds[1])).scalars()
    found = [f"answer {answer_id}" for answer_id in ids]
    ids = connection.execute(select(watch_answers.c.id).where(standing)).scalars()
    found += [f"answer {answer_id} to a standing question" for answer_id in ids]
    return Place("answers", num_looked, tuple(found))
