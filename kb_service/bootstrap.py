"""The composition root: builds every concrete object from Settings. Decides nothing else.

`Application` is what entry points use. Nothing connects, loads a model or starts a process before
the part that needs it is first asked for.
"""

import os
from functools import cached_property
from pathlib import Path

from ingest.chunking import SentenceChunker
from ingest.media_types import detect_media_type
from ingest.pictures import PagePictures
from ingest.sandbox import ParseLimits, SandboxedLoader
from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.ports import Embedder, Generator
from kb_service.generation.extractive import ExtractiveReader
from kb_service.services.answering import AnsweringService
from kb_service.services.ingestion import IngestionService
from kb_service.services.sync import SyncService
from kb_service.services.uploads import UploadService
from kb_service.services.worker import IngestWorker
from kb_service.settings import IngestSettings, Settings
from kb_service.storage.answers import AnswerStore
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database, open_database
from kb_service.storage.index_source import SqlIndexSource
from kb_service.storage.job_queue import JobQueue
from kb_service.storage.publishing import RevisionPublisher
from kb_service.storage.verification import Verifier
from retrievers.embedding import load_embedder
from retrievers.hybrid import HybridRetriever


class Application:
    """The running service's parts, each built once and on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def database(self) -> Database:
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        database = open_database(self.settings.effective_database_url)
        database.migrate()
        return database

    @cached_property
    def blobs(self) -> BlobStore:
        return BlobStore(self.settings.data_dir.resolve() / "blobs")

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(self.database, self.blobs)

    @cached_property
    def jobs(self) -> JobQueue:
        ingest = self.settings.ingest
        return JobQueue(self.database, lease_s=ingest.lease_s, max_attempts=ingest.max_attempts)

    @cached_property
    def answers(self) -> AnswerStore:
        return AnswerStore(self.database)

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(self.database, self.blobs)

    @cached_property
    def embedder(self) -> Embedder:
        return load_embedder(self.settings.embedding.model)

    @cached_property
    def retriever(self) -> HybridRetriever:
        return HybridRetriever(
            SqlIndexSource(self.database),
            self.embedder,
            self.settings.data_dir.resolve() / "index",
            candidates=self.settings.retrieval.candidates,
        )

    @cached_property
    def generator(self) -> Generator:
        llm = self.settings.llm
        if not llm.model:
            return ExtractiveReader()
        from kb_service.generation.chatglm import ChatGlmGenerator

        return ChatGlmGenerator.load(
            llm.model,
            device=llm.device,
            dtype=llm.dtype,
            max_tokens=llm.max_tokens,
            temperature=llm.temperature,
        )

    @cached_property
    def uploads(self) -> UploadService:
        limit = self.settings.ingest.max_file_bytes
        return UploadService(self.catalog, self.blobs, detect_media_type, limit)

    @cached_property
    def sync(self) -> SyncService:
        return SyncService(self.catalog, self.uploads, self.settings.data_dir.resolve() / "tmp")

    @cached_property
    def answering(self) -> AnsweringService:
        return AnsweringService(
            retriever=self.retriever,
            catalog=self.catalog,
            generator=self.generator,
            answers=self.answers,
            settings=self.settings.retrieval,
        )

    @cached_property
    def pictures(self) -> PagePictures:
        return PagePictures(parse_limits(self.settings.ingest))

    def generator_info(self) -> GeneratorInfo:
        """Return which model answers."""
        return self.generator.info

    def worker(self) -> IngestWorker:
        """Build an ingest worker with a parsing child of its own."""
        ingestion = IngestionService(
            blobs=self.blobs,
            loader=SandboxedLoader(parse_limits(self.settings.ingest)),
            chunker=SentenceChunker(),
            embedder=self.embedder,
            publisher=RevisionPublisher(self.database, self.blobs),
            retriever=self.retriever,
        )
        return IngestWorker(self.jobs, ingestion, worker_id(), self.settings.ingest.lease_s)

    def close(self) -> None:
        """Release what was opened; safe to call twice."""
        for name in ("pictures", "retriever", "database"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()


def open_application(settings: Settings | None = None) -> Application:
    """Return the application for the given settings, or for the environment's."""
    return Application(settings or Settings())


def worker_id() -> str:
    """Return a name for this process that its successor can recognise as dead."""
    return f"{os.uname().nodename}:{os.getpid()}"


def parse_limits(ingest: IngestSettings) -> ParseLimits:
    """Return the parser's limits from the settings."""
    return ParseLimits(
        max_file_bytes=ingest.max_file_bytes,
        max_pages=ingest.max_pages,
        max_page_points=ingest.max_page_points,
        max_text_chars=ingest.max_text_chars,
        max_decompressed_bytes=ingest.max_decompressed_bytes,
        timeout_s=ingest.timeout_s,
        memory_bytes=ingest.memory_bytes,
    )


DEMO_FOLDER = Path(__file__).parent / "demo"
