"""`kb verify`: every invariant of database and blobs, checked from the outside; and the sweep.

`verify` only reads, and reads on past damage. What looks wrong on disk is looked at again under the
write lock, so that uploads and deletes under way are not reported. `sweep` removes what nothing
refers to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from kb_service.domain.errors import StorageError
from kb_service.storage.blobs import BlobState, BlobStore
from kb_service.storage.checks.damage import (
    CarefulReader,
    Flaw,
    FlawFinding,
    read_all_rows,
    structure_flaws,
)
from kb_service.storage.checks.invariants import revision_findings, structure_checks
from kb_service.storage.database import Database, open_database
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.references import referring_documents, sweep_blobs
from kb_service.storage.tables import (
    chunks,
    documents,
    embeddings,
    jobs,
    knowledge_bases,
    metadata,
    pages,
    revisions,
    text_pieces,
)

STALE_AFTER_S = 3600.0
_COUNTED = {
    "num_knowledge_bases": knowledge_bases,
    "num_documents": documents,
    "num_revisions": revisions,
    "num_pages": pages,
    "num_chunks": chunks,
    "num_embeddings": embeddings,
    "num_jobs": jobs,
}
_READ_BY_REVISION = (revisions, text_pieces, pages, chunks, past_chunks)
"""Read whole by the checks of each revision, which name the document."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, counted (None: could not be), and what is wrong, in words.

    `damaged`: what cannot be read, or is not what was written. `pending`: known work to come.
    """

    num_knowledge_bases: int | None
    num_documents: int | None
    num_revisions: int | None
    num_pages: int | None
    num_chunks: int | None
    num_embeddings: int | None
    num_jobs: int | None
    num_blobs: int
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """True when nothing is lost, doubled, orphaned, mismatched or damaged."""
        return not (self.lost or self.doubled or self.orphaned or self.mismatched or self.damaged)


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep removed: blobs that nothing refers to, staged files nobody writes to."""

    num_blobs: int
    num_staged: int


class Verifier:
    """Checks one database and its blob folder. Every method raises StorageError."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    @classmethod
    def unopened(cls, url: str, blobs: BlobStore) -> "Verifier":
        """Return the verifier of a database that is too damaged to be opened as usual."""
        return cls(open_database(url), blobs)

    def verify(self) -> VerifyReport:
        """Check every invariant; reads every row and every blob.

        Damage is a finding, and the rest is checked all the same. Raises StorageError for an
        outage only.
        """
        counts: dict[str, int | None] = dict.fromkeys(_COUNTED)
        findings: list[FlawFinding] = []
        try:
            with self._database.read() as connection:
                reader = CarefulReader(self._database, connection)
                counts |= {name: _count(reader, table) for name, table in _COUNTED.items()}
                _check_database(reader)
                findings = reader.findings
        except StorageError as error:
            if error.code != "database_damaged":
                raise
            findings.append(FlawFinding(Flaw.DAMAGED, f"nothing could be read: {error.message}"))
        stored = list(self._blobs.iter_sha256())
        findings.extend(self._blob_findings(stored))
        said: dict[Flaw, tuple[str, ...]] = {
            flaw: tuple(found.message for found in findings if found.flaw is flaw) for flaw in Flaw
        }
        return VerifyReport(
            num_blobs=len(stored),
            lost=said[Flaw.LOST],
            doubled=said[Flaw.DOUBLED],
            orphaned=said[Flaw.ORPHANED],
            mismatched=said[Flaw.MISMATCHED],
            damaged=said[Flaw.DAMAGED],
            pending=said[Flaw.PENDING],
            **counts,
        )

    def sweep(self, stale_after_s: float = STALE_AFTER_S) -> SweepReport:
        """Remove unreferenced blobs and staged files untouched for `stale_after_s` seconds.

        Safe beside running uploads; meant for start-up, after a crash.
        """
        with self._database.read() as connection:
            referenced = referring_documents(connection)
        # Only what looks unreferenced is asked for again, under the write lock.
        others = [sha256 for sha256 in self._blobs.iter_sha256() if sha256 not in referenced]
        candidates = [sha256 for sha256 in others if not self._blobs.is_under_way(sha256)]
        num_blobs = sweep_blobs(self._database, self._blobs, candidates)
        self._blobs.discard_readings_without_blob()
        return SweepReport(num_blobs, self._blobs.discard_stale(stale_after_s))

    def _blob_findings(self, stored: list[str]) -> Iterator[FlawFinding]:
        referenced = self._known_references()
        if referenced is None:
            yield FlawFinding(Flaw.DAMAGED, "which blobs are referred to cannot be read")
        suspects = {
            sha256 for sha256 in stored if self._blobs.state_of(sha256) is not BlobState.WHOLE
        }
        if referenced is not None:
            suspects |= referenced.keys() ^ set(stored)
        if suspects:
            yield from self._settled(sorted(suspects))

    def _known_references(self) -> dict[str, str] | None:
        try:
            with self._database.read() as connection:
                return referring_documents(connection)
        except StorageError as error:
            if error.is_outage:
                raise
            return None

    def _settled(self, suspects: list[str]) -> list[FlawFinding]:
        """Look again while no upload and no delete is half done; as it is where nobody writes."""
        try:
            with self._database.write(needs_room=False) as connection:
                return list(self._suspects(suspects, referring_documents(connection)))
        except StorageError as error:
            if error.is_outage and error.code != "storage_read_only":
                raise
        return list(self._suspects(suspects, self._known_references()))

    def _suspects(
        self, suspects: list[str], referenced: dict[str, str] | None
    ) -> Iterator[FlawFinding]:
        for sha256 in suspects:
            state = self._blobs.state_of(sha256)
            owner = "an unknown document" if referenced is None else referenced.get(sha256)
            if owner is None:
                if state is not BlobState.ABSENT and not self._blobs.is_under_way(sha256):
                    yield FlawFinding(Flaw.ORPHANED, f"blob {sha256}")
            elif state is BlobState.ABSENT:
                yield FlawFinding(Flaw.LOST, f"blob {sha256} of {owner}")
            elif state is BlobState.CHANGED:
                yield FlawFinding(Flaw.MISMATCHED, f"blob {sha256} of {owner} has other bytes")
            elif state is BlobState.UNREADABLE:
                yield FlawFinding(Flaw.DAMAGED, f"blob {sha256} of {owner} cannot be read")


def _check_database(reader: CarefulReader) -> None:
    reader.check("the structure of the database file", structure_flaws)
    for what, check in structure_checks():
        reader.check(what, check)
    for table in metadata.sorted_tables:
        if table not in _READ_BY_REVISION:
            read_all_rows(reader, table)
    names = reader.read("the list of revisions", _revision_names) or ()
    for revision_id, name in names:
        row = reader.read(name, partial(_revision_row, revision_id))
        if row is not None:
            reader.check(name, partial(revision_findings, revision=row))


def _revision_row(revision_id: int, connection: Connection) -> Row[Any]:
    return connection.execute(select(revisions).where(revisions.c.id == revision_id)).one()


def _revision_names(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(select(revisions.c.id, revisions.c.document_id))
    return [(row.id, f"revision {row.id} of document {row.document_id}") for row in rows]


def _count(reader: CarefulReader, table: Table) -> int | None:
    statement = select(func.count()).select_from(table)
    return reader.read(
        f"the number of {table.name}",
        lambda connection: connection.execute(statement).scalar_one(),
    )
