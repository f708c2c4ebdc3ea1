"""The services over real storage in a temporary folder, with fakes for parsing and models."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import DocumentError
from kb_service.services.ingest_run import IngestRun, run_jobs
from kb_service.services.ingestion import IngestionService
from kb_service.services.members import MemberIntake
from kb_service.services.sync import SyncService
from kb_service.services.uploads import UploadItem, UploadService
from kb_service.services.vectors import VectorService
from kb_service.services.worker import IngestWorker, new_worker_id
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database, open_database
from kb_service.storage.embeddings import Embeddings
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.revisions.publishing import RevisionPublisher
from tests.services.fakes import HashEmbedder, NoIndex, ParagraphChunker, TextLoader

MAX_FILE_BYTES = 1000


@dataclass
class Desk:
    """Everything a test of the services touches."""

    database: Database
    blobs: BlobStore
    catalog: Catalog
    jobs: JobQueue
    uploads: UploadService
    sync: SyncService
    embedder: HashEmbedder
    worker: IngestWorker
    embeddings: Embeddings
    vectors: VectorService
    index: NoIndex
    base: KnowledgeBase

    def upload(self, name: str, text: str) -> UploadItem:
        return self.uploads.accept(self.base.id, name, io.BytesIO(text.encode()))

    def run(self, *items: UploadItem) -> IngestRun:
        ids = [item.job.id for item in items if item.job]
        return run_jobs(self.jobs, lambda: self.worker, ids)

    def embed(self) -> None:
        """Give every text its vector."""
        while self.vectors.step():
            pass


def text_or_refused(name: str, head: bytes) -> str:
    """A detector to which everything but a video is a text."""
    if head.startswith(b"VIDEO"):
        raise DocumentError(f"{name} is a video", code="unsupported_media_type")
    return "text/plain"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    blobs = BlobStore(tmp_path / "blobs")
    catalog = Catalog(database, blobs)
    jobs = JobQueue(database, lease_s=5, max_attempts=1)
    uploads = UploadService(catalog, blobs, text_or_refused, MAX_FILE_BYTES)
    embedder = HashEmbedder()
    embeddings, publisher = Embeddings(database), RevisionPublisher(database, blobs)
    members = MemberIntake(catalog.documents.family, blobs, text_or_refused, MAX_FILE_BYTES)
    ingestion = IngestionService(
        blobs, TextLoader(), ParagraphChunker(), publisher, NoIndex(), members
    )
    index = NoIndex()
    vectors = VectorService(embeddings, lambda: embedder, index.refresh)
    yield Desk(
        database=database,
        blobs=blobs,
        catalog=catalog,
        jobs=jobs,
        uploads=uploads,
        sync=SyncService(catalog, uploads, tmp_path),
        embedder=embedder,
        worker=IngestWorker(jobs, ingestion, new_worker_id(), lease_s=5, spare=vectors.step),
        embeddings=embeddings,
        vectors=vectors,
        index=index,
        base=catalog.bases.create("reports"),
    )
    vectors.close()
