"""`kb verify`: every invariant of database and blobs, checked from the outside; and the sweep.

`verify` only reads. What looks wrong on disk is looked at again under the write lock, so that
uploads and deletes under way are not reported. `sweep` removes what nothing refers to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from kb_service.storage.blobs import BlobStore
from kb_service.storage.consistency import Finding, Flaw, revision_findings, structure_findings
from kb_service.storage.database import Database
from kb_service.storage.removal import sweep_blobs
from kb_service.storage.tables import (
    chunks,
    documents,
    embeddings,
    jobs,
    knowledge_bases,
    pages,
    revisions,
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


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, counted, and what breaks an invariant, in words."""

    num_knowledge_bases: int
    num_documents: int
    num_revisions: int
    num_pages: int
    num_chunks: int
    num_embeddings: int
    num_jobs: int
    num_blobs: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    orphaned: tuple[str, ...]
    mismatched: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """True when nothing is lost, doubled, orphaned or mismatched."""
        return not (self.lost or self.doubled or self.orphaned or self.mismatched)


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

    def verify(self) -> VerifyReport:
        """Check every invariant; reads all text, boxes and blobs."""
        with self._database.read() as connection:
            counts = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in _COUNTED.items()
            }
            findings = [*structure_findings(connection), *_all_revisions(connection)]
        stored = list(self._blobs.iter_sha256())
        findings.extend(self._blob_findings(stored))
        return VerifyReport(
            **counts,
            num_blobs=len(stored),
            lost=_messages(findings, Flaw.LOST),
            doubled=_messages(findings, Flaw.DOUBLED),
            orphaned=_messages(findings, Flaw.ORPHANED),
            mismatched=_messages(findings, Flaw.MISMATCHED),
        )

    def sweep(self, stale_after_s: float = STALE_AFTER_S) -> SweepReport:
        """Remove unreferenced blobs and staged files untouched for `stale_after_s` seconds.

        Safe beside running uploads; meant for start-up, after a crash.
        """
        with self._database.read() as connection:
            referenced = _references(connection)
        # Only what looks unreferenced is asked for again, under the write lock.
        candidates = [sha256 for sha256 in self._blobs.iter_sha256() if sha256 not in referenced]
        num_blobs = sweep_blobs(self._database, self._blobs, candidates)
        return SweepReport(num_blobs, self._blobs.discard_stale(stale_after_s))

    def _blob_findings(self, stored: list[str]) -> Iterator[Finding]:
        with self._database.read() as connection:
            referenced = _references(connection)
        damaged = {sha256 for sha256 in stored if self._blobs.hash_of(sha256) != sha256}
        suspects = damaged | (referenced.keys() ^ set(stored))
        if not suspects:
            return
        with self._database.write() as connection:
            referenced = _references(connection)
            for sha256 in sorted(suspects):
                yield from self._suspect_findings(sha256, referenced.get(sha256))

    def _suspect_findings(self, sha256: str, owner: str | None) -> Iterator[Finding]:
        actual = self._blobs.hash_of(sha256)
        if owner is None and actual is not None:
            yield Finding(Flaw.ORPHANED, f"blob {sha256}")
        elif owner is not None and actual is None:
            yield Finding(Flaw.LOST, f"blob {sha256} of {owner}")
        elif owner is not None and actual != sha256:
            yield Finding(Flaw.MISMATCHED, f"blob {sha256} of {owner} has other bytes")


def _messages(findings: Iterable[Finding], flaw: Flaw) -> tuple[str, ...]:
    return tuple(found.message for found in findings if found.flaw is flaw)


def _references(connection: Connection) -> dict[str, str]:
    """Return blob hash -> id of a document that refers to it."""
    referenced: dict[str, str] = {}
    for statement in (
        select(revisions.c.sha256, revisions.c.document_id),
        select(documents.c.sha256, documents.c.id),
    ):
        referenced.update((sha256, owner) for sha256, owner in connection.execute(statement))
    return referenced


def _all_revisions(connection: Connection) -> Iterator[Finding]:
    for revision_id in connection.execute(select(revisions.c.id)).scalars().all():
        row = connection.execute(select(revisions).where(revisions.c.id == revision_id)).one()
        yield from revision_findings(connection, row)
