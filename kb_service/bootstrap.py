"""The composition root: builds every service from Settings. Decides nothing else.

Services are what the doors use; what they are built of stands in `parts`, the models in
`model_parts`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from ingest import ocr
from ingest.chunking import SentenceChunker
from ingest.converters import convertible, find_converters
from ingest.converters import told as converters_told
from ingest.encodings import encoding_named
from ingest.media_types import accepted_suffixes, detect_media_type
from kb_service.domain.ports import ChatGenerator, Embedder, Generator, MediaTypeDetector
from kb_service.generation.extractive import ExtractiveReader
from kb_service.ingest_limits import lane_limits
from kb_service.model_parts import build_models, configured_models, dense_weight, model_names
from kb_service.model_report import model_checks
from kb_service.operations import Services
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.across import AcrossDocuments
from kb_service.services.answering import AnsweringService
from kb_service.services.as_of import States, states_of
from kb_service.services.bases import BaseService
from kb_service.services.chatting import ChattingService
from kb_service.services.columns import ColumnService
from kb_service.services.diagnosis import Diagnosis, diagnose
from kb_service.services.documents import DocumentService
from kb_service.services.erasing import ErasureService
from kb_service.services.facts import FactService
from kb_service.services.history import HistoryService
from kb_service.services.ingest_run import IngestRun, run_jobs
from kb_service.services.ingestion import IngestionService
from kb_service.services.intake import IntakeService
from kb_service.services.jobs import JobService
from kb_service.services.keeping import IndexKeeper
from kb_service.services.keys import KeyService
from kb_service.services.labels import LabelService
from kb_service.services.members import MemberIntake
from kb_service.services.models import ModelService
from kb_service.services.parts import Part
from kb_service.services.pictures import PictureService
from kb_service.services.purging import PurgeService
from kb_service.services.readiness import ReadinessService
from kb_service.services.reindexing import ReindexService
from kb_service.services.reports import ReportService
from kb_service.services.searching import SearchService
from kb_service.services.setup import SetupService
from kb_service.services.similar import SimilarIncidents
from kb_service.services.sketching import SketchService
from kb_service.services.starting import StartService
from kb_service.services.suggesting import SuggestionService
from kb_service.services.sync import SyncService
from kb_service.services.transfer import TransferService
from kb_service.services.turns import AnswerLog
from kb_service.services.unkept import UnkeptAnswers
from kb_service.services.upkeep import UpkeepService
from kb_service.services.uploads import UploadService
from kb_service.services.vectors import VectorService
from kb_service.services.veiled import masked_bodies
from kb_service.services.veils import MaskingService, places_of
from kb_service.services.watching import WatchService, asker_of
from kb_service.services.webhooks import BodyOf, HttpPost, WebhookService
from kb_service.services.worker import IngestWorker, new_worker_id
from kb_service.settings import Settings
from kb_service.source_parts import open_source
from kb_service.storage.catalog import Catalog
from kb_service.storage.embeddings import Embeddings
from kb_service.storage.erasure import Erasures
from kb_service.storage.facts.columns import Columns
from kb_service.storage.facts.store import Facts
from kb_service.storage.history import History
from kb_service.storage.identity import utc_now
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.maskings import Maskings
from kb_service.storage.people.store import Keys
from kb_service.storage.records.store import RecordStore
from kb_service.storage.revisions.publishing import RevisionPublisher
from kb_service.storage.revisions.store import Revisions
from kb_service.storage.statistics import Statistics
from kb_service.storage.suggestions import Suggestions
from kb_service.storage.watches.outbox import Outbox
from kb_service.storage.watches.store import Watches

if TYPE_CHECKING:
    from kb_service.evaluation.measuring import MeasuringService


def open_services(settings: Settings | None = None, write_wait_s: float | None = None) -> Services:
    """Return the services for the given settings, or for the environment's.

    `write_wait_s`: how long a write waits for another one, instead of the setting. Opens the
    database; raises StorageError, ConfigurationError.
    """
    settings = settings or Settings()
    return compose(build_parts(settings, build_models(settings), write_wait_s))


@contextmanager
def open_upkeep(settings: Settings) -> Iterator[UpkeepService]:
    """Yield what checks a service, and opens its database when that is first needed."""
    parts = build_parts(settings, build_models(settings))
    try:
        yield upkeep_of(parts)
    finally:
        parts.close()


def find_faults(settings: Settings) -> list[Diagnosis]:
    """Return the settings in force and what is wrong with them, or with the parts they name."""
    parts = build_parts(settings, build_models(settings))
    checks = {
        "database": lambda: f"{upkeep_of(parts).database_text()}; {parts.storage().describe()}",
        "blobs": parts.blobs.describe,
        "ocr": ocr.told,
        "converters": lambda: converters_told(settings.ingest.converter),
        **parts.compute_checks(),
        **model_checks(settings, parts.models),
    }
    try:
        return diagnose(settings, checks)
    finally:
        parts.close()


def compose(parts: ServiceParts) -> Services:
    """Return the services over these parts, with the database opened."""
    settings, storage, models = parts.settings, parts.storage(), parts.models
    catalog, jobs = Catalog(storage.database, parts.blobs), _queue(parts)
    facts, bases = FactService(parts.stated()), BaseService(catalog, parts.drop_index)
    documents = DocumentService(catalog, jobs, makes_vectors=settings.retrieval.dense_weight > 0)
    max_file_bytes, in_their_words = settings.ingest.max_file_bytes, _in_their_words(parts)
    detect = _detector(settings)
    uploads = UploadService(catalog, parts.blobs, detect, max_file_bytes, encoding_named)
    chatting, keeper = Part(lambda: _chatting(parts)), _keeper(parts)
    readiness, make_worker = _readiness(parts, catalog), partial(_worker, parts, jobs, keeper)
    masking = _masking(parts)
    searching = SearchService(catalog, parts.retriever, settings.retrieval, _states(parts))
    return Services(
        settings=settings,
        accepted_suffixes=accepted_suffixes(_convertible(settings)),
        bases=bases,
        transfer=TransferService(catalog, storage.database, parts.blobs, max_file_bytes),
        documents=documents,
        erasing=_erasing(parts),
        facts=facts,
        columns=ColumnService(Columns(storage.database), catalog, parts.facts),
        uploads=uploads,
        intake=_intake(
            parts, bases, documents, uploads, lambda ids: run_jobs(jobs, make_worker, ids)
        ),
        jobs=JobService(jobs),
        keys=KeyService(Keys(storage.database), catalog.bases, settings.api_keys),
        labels=LabelService(catalog),
        pictures=PictureService(catalog, parts.pictures),
        searching=searching,
        similar=SimilarIncidents(Facts(storage.database), searching.search),
        querying=_across(parts, catalog),
        watching=_watching(parts, in_their_words),
        suggesting=_suggesting(parts, in_their_words),
        answering=Part(lambda: _answering(parts, models.generator().model, parts.answers())),
        history=HistoryService(parts.answers(), catalog),
        chatting=chatting,
        models=ModelService(bases, readiness, chatting, lambda: models.embedder().model),
        readiness=readiness,
        reports=ReportService(catalog, masking),
        masking=masking,
        statistics=(statistics := Statistics(storage.database)),
        setup=SetupService(settings, model_names(models, settings), readiness, statistics),
        reindexing=_reindexing(parts, catalog),
        upkeep=upkeep_of(parts),
        starting=_starting(parts, uploads, jobs, make_worker, keeper),
        measuring=lambda: _measuring(parts, catalog),
        close=parts.close,
    )


def _convertible(settings: Settings) -> frozenset[str]:
    return convertible(find_converters(settings.ingest.converter))


def _detector(settings: Settings) -> MediaTypeDetector:
    return partial(detect_media_type, convertible=_convertible(settings))


def _starting(
    parts: ServiceParts,
    uploads: UploadService,
    jobs: JobQueue,
    make_worker: Callable[[], IngestWorker],
    keeper: IndexKeeper,
) -> StartService:
    storage = parts.storage()
    return StartService(
        storage,
        upkeep_of(parts),
        Catalog(storage.database, parts.blobs),
        uploads,
        jobs,
        make_worker,
        lambda: parts.loader().warm_up(),
        partial(_post_changes, parts),
        keeper.begin,
    )


def _readiness(parts: ServiceParts, catalog: Catalog) -> ReadinessService:
    return ReadinessService(
        configured_models(parts.models, parts.settings),
        parts.models.generator,
        parts.outage,
        parts.storage(),
        catalog,
        parts.retriever,
        parts.outages,
    )


def upkeep_of(parts: ServiceParts) -> UpkeepService:
    """Return the service that checks these parts; opens none of them."""
    return UpkeepService(
        parts.settings,
        lambda: parts.storage().database,
        parts.blobs,
        parts.index_files,
        lambda kb_id: parts.retriever().counts(kb_id).num_chunks,
    )


def _queue(parts: ServiceParts) -> JobQueue:
    ingest = parts.settings.ingest
    return JobQueue(parts.storage().database, ingest.lease_s, ingest.max_attempts)


def _keeper(parts: ServiceParts) -> IndexKeeper:
    return IndexKeeper(
        lambda kb_id: parts.retriever().refresh(kb_id), lambda kb_id: parts.retriever().tend(kb_id)
    )


def _worker(parts: ServiceParts, jobs: JobQueue, keeper: IndexKeeper) -> IngestWorker:
    database = parts.storage().database
    ingestion = IngestionService(
        blobs=parts.blobs,
        loader=parts.loader(),
        chunker=SentenceChunker(),
        publisher=RevisionPublisher(database, parts.blobs, reader=parts.facts),
        indexes=keeper,
        members=MemberIntake(
            Catalog(database, parts.blobs).documents.family,
            parts.blobs,
            _detector(parts.settings),
            parts.settings.ingest.max_file_bytes,
        ),
    )
    ingest = parts.settings.ingest
    vectors = _vectors(parts, lambda: parts.models.embedder().model, keeper.refresh)
    lanes = lane_limits(ingest, parts.settings.ray)
    is_dense = dense_weight(parts.settings.retrieval, parts.models) > 0
    facts, sketching = FactService(parts.stated()), SketchService(Revisions(database))
    purge = PurgeService(History(database), parts.settings.history.keep_days)
    steps = (_erasing(parts).step, facts.step, purge.step, sketching.step)
    # What stands is asked last, so that vectors and facts are there.
    answering = _in_their_words(parts)
    asking = (_watching(parts, answering).step, _suggesting(parts, answering).step)
    tasks = (*((vectors.step,) if is_dense else ()), *steps, *asking)

    def spare() -> bool:
        return any(step() for step in tasks)

    return IngestWorker(jobs, ingestion, new_worker_id(), ingest.lease_s, lanes, spare)


def _erasing(parts: ServiceParts) -> ErasureService:
    return ErasureService(
        lambda: Erasures(parts.storage().database, parts.blobs),
        parts.index_files,
        lambda kb_id: parts.retriever().forget(kb_id),
    )


def _vectors(
    parts: ServiceParts, embedder: Callable[[], Embedder], refresh: Callable[[str], None]
) -> VectorService:
    embeddings, by = Embeddings(parts.storage().database), parts.passages_by
    return VectorService(embeddings, lambda: by(embedder()), refresh, parts.num_embedders)


def _intake(
    parts: ServiceParts,
    bases: BaseService,
    documents: DocumentService,
    uploads: UploadService,
    run: Callable[[Sequence[str]], IngestRun],
) -> IntakeService:
    settings, catalog = parts.settings, Catalog(parts.storage().database, parts.blobs)
    data_dir = settings.data_dir.resolve()
    return IntakeService(
        bases,
        documents,
        uploads,
        LabelService(catalog),
        SyncService(catalog, uploads, data_dir),
        run,
        partial(_embed_waiting, parts),
        lambda order: open_source(order, settings.sync, data_dir),
        data_dir,
    )


def _embed_waiting(parts: ServiceParts, kb_id: str) -> int:
    """Give what waits in a base its vectors here; return how many texts that were."""
    if not dense_weight(parts.settings.retrieval, parts.models):
        return 0
    model = parts.models.embedder().model
    return _vectors(parts, lambda: model, parts.retriever().refresh).catch_up(kb_id)


def _reindexing(parts: ServiceParts, catalog: Catalog) -> ReindexService:
    embedder, refresh = parts.models.embedder, lambda kb_id: parts.retriever().refresh(kb_id)
    vectors = _vectors(parts, lambda: embedder().configured(), refresh)
    return ReindexService(catalog, vectors, parts.retriever)


def _answering(parts: ServiceParts, generator: Generator, answers: AnswerLog) -> AnsweringService:
    catalog = Catalog(parts.storage().database, parts.blobs)
    return AnsweringService(
        retriever=parts.retriever(),
        find_base=catalog.bases.get,
        library=catalog.revisions,
        reader=parts.models.reader().model,
        generator=generator,
        answers=answers,
        settings=parts.settings.retrieval,
        across=_across(parts, catalog),
        states=_states(parts),
    )


def _in_their_words(parts: ServiceParts) -> Part[AnsweringService]:
    """Answering in the words of the documents, whichever model answers people."""
    return Part(lambda: _answering(parts, ExtractiveReader(), UnkeptAnswers()))


def _suggesting(parts: ServiceParts, answering: Part[AnsweringService]) -> SuggestionService:
    database, settle_s = parts.storage().database, parts.settings.watch.settle_s
    return SuggestionService(Suggestions(database), Facts(database), answering, monotonic, settle_s)


def _watching(parts: ServiceParts, answering: Part[AnsweringService]) -> WatchService:
    """In the words of the documents, so that no model's wording is taken for a change."""
    asker = asker_of(_across(parts, Catalog(parts.storage().database, parts.blobs)), answering)
    return WatchService(Watches(parts.storage().database), asker, parts.settings, monotonic)


def _post_changes(parts: ServiceParts, body_of: BodyOf, is_stopped: Callable[[], bool]) -> None:
    settings = parts.settings.watch
    if settings.webhook_hosts:
        outbox, post = Outbox(parts.storage().database), HttpPost(settings)
        masked = masked_bodies(_masking(parts), body_of, outbox.base_of)
        WebhookService(outbox, post, masked, utc_now).run_until(is_stopped)


def _masking(parts: ServiceParts) -> MaskingService:
    maskings = Maskings(parts.storage().database)
    return MaskingService(maskings, lambda answer_id: places_of(parts.answers(), answer_id))


def _across(parts: ServiceParts, catalog: Catalog) -> AcrossDocuments:
    return AcrossDocuments(RecordStore(parts.storage().database), catalog.revisions)


def _states(parts: ServiceParts) -> States:
    return states_of(lambda: History(parts.storage().database))


def _chatting(parts: ServiceParts) -> ChattingService:
    generator = parts.models.generator().model
    return ChattingService(generator if isinstance(generator, ChatGenerator) else None)


def _measuring(parts: ServiceParts, catalog: Catalog) -> "MeasuringService":
    from kb_service.evaluation.measuring import MeasuringService

    return MeasuringService(
        catalog,
        parts.models.embedder,
        parts.models.generator,
        configured_models(parts.models, parts.settings),
        parts.retriever,
        lambda generator, answers: _answering(parts, generator, answers),
        ExtractiveReader,
    )
