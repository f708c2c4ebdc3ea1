"""The life of an upload in one screen: load → chunk → commit → index.

Vectors follow, and the files inside it.

Knows the order of the steps and how progress is reported. The steps themselves stand behind ports;
the queue and its retries are the worker's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

import structlog

from kb_service.domain.documents import ParsedDocument, Revision
from kb_service.domain.errors import StorageError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.ports import Chunker, Loader
from kb_service.services.members import MemberIntake
from kb_service.storage.blobs import BlobStore
from kb_service.storage.documents.members import StagedMember
from kb_service.storage.jobs.queue import Claim
from kb_service.storage.revisions.publishing import RevisionPublisher

log = structlog.get_logger("ingestion")

ProgressReport = Callable[[Progress], None]
"""Told of every step; raises LeaseLost when the job was cancelled or taken over."""


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """What one job did: the revision that is now searchable."""

    revision: Revision


class Indexes(Protocol):
    """Keeps the indexes current."""

    def refresh(self, kb_id: str) -> None:
        """Publish a snapshot when that is worth it. Raises StorageError."""


class IngestionService:
    """Brings the bytes of one claimed job into the searchable knowledge base."""

    def __init__(  # one parameter for each step of the pipeline
        self,
        blobs: BlobStore,
        loader: Loader,
        chunker: Chunker,
        publisher: RevisionPublisher,
        indexes: Indexes,
        members: MemberIntake,
    ) -> None:
        self._blobs = blobs
        self._loader = loader
        self._chunker = chunker
        self._publisher = publisher
        self._indexes = indexes
        self._members = members

    def run(self, claim: Claim, report: ProgressReport) -> IngestOutcome:
        """Do the job. Raises DocumentError, ParseInterrupted, LeaseLost or StorageError."""
        parsed, members = self._load(claim, report)
        try:
            report(Progress(JobStage.CHUNK, 0, 1))
            chunks = self._chunker.chunk(parsed, title_of(claim.document_name, parsed))
            report(Progress(JobStage.COMMIT, 0, len(chunks)))
            revision = self._publisher.publish(claim, parsed, chunks, members)
        finally:
            self._members.discard(members)
        self._index(claim.job.kb_id)
        return IngestOutcome(revision)

    def _index(self, kb_id: str) -> None:
        """Publish an index snapshot if worth it; the commit stands even when that fails."""
        try:
            self._indexes.refresh(kb_id)
        except StorageError as error:
            log.warning("index not published", kb_id=kb_id, code=error.code, error=error.message)

    def _load(
        self, claim: Claim, report: ProgressReport
    ) -> tuple[ParsedDocument, tuple[StagedMember, ...]]:
        """Return the document, and the files inside it: they are the loader's until it goes on."""
        path = self._blobs.whole(claim.job.blob_sha256, repr(claim.document_name))
        media_type = claim.job.media_type
        if claim.encoding:
            media_type = f"{media_type}; charset={claim.encoding}"
        for event in self._loader.load(path, claim.document_name, media_type):
            if isinstance(event, ParsedDocument):
                name = claim.document_name
                staged, losses = self._members.stage(claim.job.document_id, name, event)
                return replace(event, losses=(*event.losses, *losses)), staged
            self._blobs.in_use(path)
            report(event)
        raise RuntimeError("the loader ended without a document")


def title_of(name: str, parsed: ParsedDocument) -> str:
    """Return the title of a document: its own, else its name without folder and extension."""
    return parsed.title.strip() or PurePosixPath(name).stem
