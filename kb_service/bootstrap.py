"""The composition root: builds every concrete object from Settings. Decides nothing else.

`Application` is what entry points use. Nothing connects, loads a model or starts a process before
the part that needs it is first asked for.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from ingest.chunking import SentenceChunker
from ingest.media_types import SUPPORTED_SUFFIXES, detect_media_type
from ingest.pictures import PagePictures
from ingest.sandbox import SandboxedLoader
from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.errors import ConfigurationError, KbError, StorageError
from kb_service.domain.ports import ChatGenerator, Embedder, Generator, Reranker
from kb_service.evaluation.base_trial import BaseUnderTest
from kb_service.evaluation.baselines import LexicalSentence, RandomSentence
from kb_service.evaluation.trials import UnkeptAnswers
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.remote import RemoteGenerator, is_remote, open_remote
from kb_service.ingest_limits import lane_limits, parse_limits
from kb_service.model_parts import Chosen, choose_embedder, choose_generator, choose_reranker
from kb_service.model_report import (
    embedder_text,
    generator_text,
    gpu_text,
    kernel_text,
    reranker_text,
    retrieval_text,
    span_model_text,
)
from kb_service.services import upkeep
from kb_service.services.answering import AnsweringService
from kb_service.services.chatting import ChattingService
from kb_service.services.ingest_run import IngestRun, run_jobs
from kb_service.services.ingestion import IngestionService
from kb_service.services.lookup import every_document
from kb_service.services.reindexing import reindex
from kb_service.services.sync import SyncService
from kb_service.services.uploads import UploadService
from kb_service.services.worker import IngestWorker, new_worker_id
from kb_service.settings import Settings
from kb_service.storage.blobs import BlobStore
from kb_service.storage.buffered_answers import BufferedAnswers
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database
from kb_service.storage.index_source import SqlIndexSource
from kb_service.storage.integrity import migrate_own
from kb_service.storage.job_queue import JobQueue
from kb_service.storage.opening import Storage, open_storage
from kb_service.storage.publishing import RevisionPublisher
from kb_service.storage.statistics import Statistics
from kb_service.storage.verification import Verifier
from retrievers.fusion import FusionPolicy
from retrievers.hybrid import HybridRetriever
from retrievers.reranking import RerankPolicy
from retrievers.upkeep import IndexFiles

log = structlog.get_logger("bootstrap")

Built = TypeVar("Built")
_OPENED = ("pictures", "loader", "retriever", "reranker", "answers", "database", "storage")
MAX_WARM_BASES = 8
"""Bases whose indexes are opened at the start; others open with their first question."""


class _Part(Generic[Built]):
    """A part of the application, built once even when several threads are the first to ask.

    `functools.cached_property` promised that up to Python 3.11 only.
    """

    def __init__(self, build: Callable[["Application"], Built]) -> None:
        self._build = build
        self._name = build.__name__
        self._lock = threading.RLock()

    def __get__(self, application: "Application", owner: type["Application"]) -> Built:
        with self._lock:
            if self._name not in application.__dict__:
                application.__dict__[self._name] = self._build(application)
            built: Built = application.__dict__[self._name]
            return built


class Application:
    """The running service's parts, each built once and on first use."""

    accepted_suffixes = SUPPORTED_SUFFIXES

    def __init__(self, settings: Settings, write_wait_s: float | None = None) -> None:
        """`write_wait_s`: how long a write waits for another one, instead of the setting."""
        self.settings = settings
        self._wait_s = write_wait_s
        self._not_loaded: dict[str, KbError] = {}
        self._degraded: dict[str, ConfigurationError] = {}

    @_Part
    def storage(self) -> Storage:
        return open_storage(self.settings, lambda db: migrate_own(db, self.blobs), self._wait_s)

    @_Part
    def database(self) -> Database:
        return self.storage.database

    @_Part
    def blobs(self) -> BlobStore:
        return BlobStore(self.settings.data_dir.resolve() / "blobs")

    @_Part
    def catalog(self) -> Catalog:
        return Catalog(self.database, self.blobs)

    @_Part
    def jobs(self) -> JobQueue:
        ingest = self.settings.ingest
        return JobQueue(self.database, lease_s=ingest.lease_s, max_attempts=ingest.max_attempts)

    @_Part
    def answers(self) -> BufferedAnswers:
        return BufferedAnswers(self.database)

    @_Part
    def verifier(self) -> Verifier:
        return Verifier(self.database, self.blobs)

    @_Part
    def statistics(self) -> Statistics:
        return Statistics(self.database)

    @_Part
    def embedder(self) -> Embedder:
        return self._kept("embedder", choose_embedder(self.settings.embedding))

    @_Part
    def reranker(self) -> Reranker | None:
        return self._kept("reranker", choose_reranker(self.settings.rerank))

    @_Part
    def index_source(self) -> SqlIndexSource:
        return SqlIndexSource(self.database)

    @_Part
    def retriever(self) -> HybridRetriever:
        rerank = self.settings.rerank
        return HybridRetriever(
            self.index_source,
            self.embedder,
            self._index_root(),
            candidates=self.settings.retrieval.candidates,
            policy=FusionPolicy(dense_weight=self._dense_weight()),
            reranker=lambda: self.reranker,
            rerank_policy=RerankPolicy(rerank.candidates, rerank.budget_ms / 1000, rerank.weight),
        )

    def _index_root(self) -> Path:
        return self.settings.data_dir.resolve() / "index"

    @_Part
    def index_files(self) -> IndexFiles:
        return IndexFiles(self._index_root())

    def _dense_weight(self) -> float:
        """The weight in force: without vectors the dense leg is not asked."""
        has_vectors = self.embedder.profile.dimension > 0
        return self.settings.retrieval.dense_weight if has_vectors else 0.0

    @_Part
    def generator(self) -> Generator:
        if is_remote(self.settings.llm.model):
            return self.remote
        return self._kept("generator", choose_generator(self.settings.llm))

    def _kept(self, part: str, chosen: Chosen[Built]) -> Built:
        """Keep and log why a part is not the configured one; return it."""
        if chosen.problem:
            self._degraded[part] = chosen.problem
            log.error(
                "next best model", part=part, code=chosen.problem.code, error=chosen.problem.message
            )
        return chosen.model

    @_Part
    def remote(self) -> RemoteGenerator:
        llm = self.settings.llm
        return open_remote(
            llm.model,
            llm.name,
            api_key=llm.api_key.get_secret_value(),
            timeout_s=llm.timeout_s,
            max_tokens=llm.max_tokens,
            temperature=llm.temperature,
            max_context=llm.max_context,
        )

    @_Part
    def chatting(self) -> ChattingService:
        generator = self.generator
        return ChattingService(generator if isinstance(generator, ChatGenerator) else None)

    @_Part
    def uploads(self) -> UploadService:
        limit = self.settings.ingest.max_file_bytes
        return UploadService(self.catalog, self.blobs, detect_media_type, limit)

    @_Part
    def sync(self) -> SyncService:
        return SyncService(self.catalog, self.uploads, self.settings.data_dir.resolve())

    @_Part
    def answering(self) -> AnsweringService:
        return AnsweringService(
            retriever=self.retriever,
            catalog=self.catalog,
            generator=self.generator,
            answers=self.answers,
            settings=self.settings.retrieval,
        )

    @_Part
    def pictures(self) -> PagePictures:
        ingest = self.settings.ingest
        return PagePictures(parse_limits(ingest), ingest.picture_s)

    def generator_info(self) -> GeneratorInfo:
        """Return which model answers."""
        return self.generator.info

    @_Part
    def loader(self) -> SandboxedLoader:
        return SandboxedLoader(parse_limits(self.settings.ingest))

    @_Part
    def publisher(self) -> RevisionPublisher:
        return RevisionPublisher(self.database, self.blobs)

    def worker(self) -> IngestWorker:
        """Build an ingest worker of this process; its sandbox is shared."""
        ingestion = IngestionService(
            blobs=self.blobs,
            loader=self.loader,
            chunker=SentenceChunker(),
            embedder=self.embedder,
            publisher=self.publisher,
            retriever=self.retriever,
        )
        ingest = self.settings.ingest
        return IngestWorker(
            self.jobs, ingestion, new_worker_id(), ingest.lease_s, lane_limits(ingest)
        )

    def ingest_jobs(self, job_ids: Sequence[str]) -> IngestRun:
        """Bring these jobs to their end in this process."""
        return run_jobs(self.jobs, self.worker, job_ids)

    def base_under_test(self, key: str, baseline_seed: int | None) -> BaseUnderTest:
        """Return a base (id or name) with the reader in force, ready to be measured.

        With a seed the simple readers stand before it. What they answer is not kept.
        """
        for part in self._models():
            getattr(self, part)
            self._require_configured(part)
        readers: list[Generator] = [self.generator]
        if baseline_seed is not None:
            readers[:0] = [RandomSentence(baseline_seed), LexicalSentence(), ExtractiveReader()]
        base = self.catalog.get_kb(key)
        return BaseUnderTest(
            kb=base,
            documents={item.id: item.name for item in every_document(self.catalog, base.id)},
            retriever=self._configured_retriever(),
            readers={reader.info.name: self._unkept_answering(reader) for reader in readers},
            stored_text=lambda document_id, sha256: self.catalog.revision_text(
                base.id, document_id, sha256
            )[1],
        )

    def _configured_retriever(self) -> HybridRetriever:
        _ = self.reranker  # loads it, or keeps why not
        self._require_configured("reranker")
        return self.retriever

    def _require_configured(self, part: str) -> None:
        """Raise why another model took the part's place: it must not be taken for it."""
        if problem := self._degraded.get(part):
            raise problem

    def _unkept_answering(self, generator: Generator) -> AnsweringService:
        return AnsweringService(
            retriever=self.retriever,
            catalog=self.catalog,
            generator=generator,
            answers=UnkeptAnswers(),
            settings=self.settings.retrieval,
        )

    def reindex(self, kb_id: str) -> int:
        """Embed what has no vector of the present model, rebuild the indexes; count of new ones."""
        return reindex(self.index_source, self.publisher, self.embedder, self.retriever, kb_id)

    def verify(self) -> dict[str, object]:
        """Check storage and indexes, damaged or not; return the flaws by kind, and the counts."""
        url = self.settings.effective_database_url
        return upkeep.verify(
            upkeep.opened(lambda: self.verifier, lambda: Verifier.unopened(url, self.blobs)),
            lambda: (self.catalog, self.index_files),
            lambda kb_id: self.retriever.counts(kb_id).num_chunks,
        )

    def sweep(self) -> None:
        """Remove what killed processes and deleted bases left behind."""
        upkeep.sweep(self.verifier, self.catalog, self.index_files)

    def delete_base(self, kb_id: str) -> None:
        """Delete a base with everything in it; no model is loaded for that."""
        is_searching = "retriever" in self.__dict__
        drop_index = self.retriever.drop if is_searching else self.index_files.drop
        upkeep.delete_base(self.catalog, drop_index, kb_id)

    def warm_up(self) -> None:
        """Load what the first question would otherwise wait for; `readiness` says what failed."""
        for part in self._models():
            try:
                getattr(self, part)
            except KbError as error:
                self._not_loaded[part] = error
                log.error("not loaded", part=part, code=error.code, error=error.message)
        if self._not_loaded:
            return
        upkeep.look_for_damage(self.database)
        upkeep.refresh(self.catalog.list_kbs(limit=MAX_WARM_BASES).items, self.retriever)

    def _models(self) -> list[str]:
        """The parts that load a model of the settings."""
        return ["embedder", *(["reranker"] if self.settings.rerank.model else []), "generator"]

    def readiness(self) -> dict[str, KbError]:
        """Return why a part is not ready yet (`loading`, or what failed); empty when all are."""
        waiting: dict[str, KbError] = {}
        for part in self._models():
            if part not in self.__dict__:
                waiting[part] = self._not_loaded.get(part) or KbError("loading", code="loading")
        if "remote" in self.__dict__ and (problem := self.remote.outage()):
            waiting["generator"] = problem
        if "database" in self.__dict__ and self.database.is_damaged:
            waiting["database"] = StorageError(upkeep.DAMAGED_TEXT, code="database_damaged")
        return waiting

    def degraded(self) -> dict[str, KbError]:
        """Return why a part in use is not the configured one; empty when all are."""
        return dict(self._degraded)

    def checks(self) -> dict[str, Callable[[], str]]:
        """Return the checks of `kb doctor` that need the parts themselves."""
        return {
            "database": lambda: f"{upkeep.database_text(self.database)}; {self.storage.describe()}",
            "retrieval": lambda: retrieval_text(self._dense_weight()),
            "embedding model": self._check_embedder,
            "reranking model": self._check_reranker,
            "span model": span_model_text,
            "answering model": self._check_generator,
            "int8 and int4 products": kernel_text,
            "gpu": gpu_text,
        }

    def _check_embedder(self) -> str:
        embedder = self.embedder
        self._require_configured("embedder")
        return embedder_text(self.settings.embedding, embedder)

    def _check_reranker(self) -> str:
        reranker = self.reranker
        self._require_configured("reranker")
        return reranker_text(self.settings.rerank, reranker)

    def _check_generator(self) -> str:
        model = self.settings.llm.model
        if is_remote(model):
            return self.remote.check()
        generator = self.generator
        self._require_configured("generator")
        return generator_text(model, generator)

    def close(self) -> None:
        """Release what was opened; safe to call twice."""
        for name in _OPENED:
            if (part := self.__dict__.pop(name, None)) is not None:
                part.close()


def open_application(settings: Settings | None = None, wait_s: float | None = None) -> Application:
    """Return the application for the given settings, or for the environment's."""
    return Application(settings or Settings(), wait_s)
