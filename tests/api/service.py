"""The application that API tests run against: real storage and uploads, scripted answering."""

import struct
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from ingest.encodings import encoding_named
from ingest.media_types import SUPPORTED_SUFFIXES, detect_media_type
from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    AnswerStatus,
    Citation,
    CitationStatus,
    GeneratorInfo,
    NotStored,
    Understood,
)
from kb_service.domain.chats import (
    ChatEnd,
    ChatEvent,
    ChatPiece,
    ChatRequest,
    TokenScore,
    ToolCall,
    Usage,
)
from kb_service.domain.documents import Revision
from kb_service.domain.errors import KbError
from kb_service.domain.ports import EmbeddingProfile
from kb_service.domain.queries import Passage, Query, Reranking, RetrievalResult
from kb_service.domain.spans import Box, PageRegion, TextSpan
from kb_service.domain.watches import StandingAnswer, Watch
from kb_service.operations import Services
from kb_service.services.across import AcrossDocuments
from kb_service.services.as_of import states_of
from kb_service.services.asking import (
    AskEvent,
    AskRequest,
    CitationEvent,
    DoneEvent,
    Phase,
    PhaseEvent,
    TokenEvent,
    check_request,
)
from kb_service.services.bases import BaseService
from kb_service.services.chatting import ChattingService
from kb_service.services.columns import ColumnService
from kb_service.services.documents import DocumentService
from kb_service.services.erasing import ErasureService
from kb_service.services.facts import FactService
from kb_service.services.history import HistoryService
from kb_service.services.jobs import JobService
from kb_service.services.keys import KeyService
from kb_service.services.labels import LabelService
from kb_service.services.models import ModelService
from kb_service.services.pictures import PictureService
from kb_service.services.readiness import ReadinessService
from kb_service.services.reports import ReportService
from kb_service.services.searching import SearchService
from kb_service.services.setup import SetupService
from kb_service.services.similar import SimilarIncidents
from kb_service.services.suggesting import SuggestionService
from kb_service.services.transfer import TransferService
from kb_service.services.uploads import UploadService
from kb_service.services.veils import MaskingService, places_of
from kb_service.services.watching import WatchService
from kb_service.settings import RetrievalSettings, Settings
from kb_service.storage.answers.buffered import BufferedAnswers
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import open_database
from kb_service.storage.embeddings import Embeddings
from kb_service.storage.erasure import Erasures
from kb_service.storage.facts.columns import Columns
from kb_service.storage.facts.store import Facts
from kb_service.storage.history import History
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.maskings import Maskings
from kb_service.storage.people.store import Keys
from kb_service.storage.records.store import RecordStore
from kb_service.storage.revisions.publishing import RevisionPublisher
from kb_service.storage.statistics import Statistics
from kb_service.storage.suggestions import Suggestions
from kb_service.storage.watches.store import Watches
from retrievers.upkeep import IndexFiles
from tests.storage.world import PROFILE, parsed_of, vectors_of

DATABASE_FILE = "kb.sqlite3"
CHAT_WORDS = ("Hello", " there", "。")
WORDS = ("The pump ", "failed at 07:42. ", "泵在 07:42 失效。")


class ScriptedRetriever:
    """Finds nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.dropped: list[str] = []
        self.states: list[tuple[str, int]] = []

    def retrieve(self, query: Query) -> RetrievalResult:
        self.queries.append(query)
        return RetrievalResult((), {"total_s": 0.0})

    def as_of(self, kb_id: str, change: int) -> "ScriptedRetriever":
        self.states.append((kb_id, change))
        return self

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        return {}

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        return dict.fromkeys(terms, 1.0)

    def refresh(self, kb_id: str) -> None:
        return None

    def rebuild(self, kb_id: str) -> None:
        return None

    def drop(self, kb_id: str) -> None:
        self.dropped.append(kb_id)


@dataclass
class ScriptedStorage:
    """Fares as it is told."""

    worry: KbError | None = None

    def trouble(self) -> KbError | None:
        return self.worry


@dataclass
class ScriptedAnswering:
    """Streams its words; can fail after some tokens, and notices when it is closed."""

    limits: RetrievalSettings = field(default_factory=RetrievalSettings)
    fails_with: Exception | None = None
    not_stored: NotStored | None = None
    waits_for: Event | None = None
    wait_s: float = 0.05
    starts_with: Event | None = None
    began: Event = field(default_factory=Event)
    was_closed: Event = field(default_factory=Event)
    requests: list[AskRequest] = field(default_factory=list)
    words: tuple[str, ...] = WORDS
    title: str = "report.pdf"

    def stream(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        self.requests.append(request)
        check_request(request, self.limits)
        return self._events(request)

    def _events(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        try:
            yield PhaseEvent(Phase.RETRIEVING)
            self.began.set()
            if self.starts_with is not None:
                self.starts_with.wait(30)
            for word in self.words:
                yield TokenEvent(word)
                if self.fails_with is not None:
                    raise self.fails_with
                if self.waits_for is not None:
                    self.waits_for.wait(self.wait_s)
            answer = sample_answer(request.kb_id, request.question, self.words, self.title)
            answer = replace(answer, not_stored=self.not_stored)
            yield CitationEvent(answer.citations[0])
            yield DoneEvent(answer)
        except GeneratorExit:
            self.was_closed.set()
            raise


@dataclass
class ScriptedChat:
    """A ChatGenerator that says CHAT_WORDS, keeps its requests, and notices when it is closed."""

    requests: list[ChatRequest] = field(default_factory=list)
    tool_calls: tuple[ToolCall, ...] = ()
    fails_with: Exception | None = None
    waits_for: Event | None = None
    starts_with: Event | None = None
    began: Event = field(default_factory=Event)
    was_closed: Event = field(default_factory=Event)
    info: GeneratorInfo = field(default_factory=lambda: GeneratorInfo("chatglm", "tiny"))

    def chat(self, request: ChatRequest) -> Generator[ChatEvent, None, None]:
        self.requests.append(request)
        try:
            self.began.set()
            if self.starts_with is not None:
                self.starts_with.wait(30)
            for word in () if self.tool_calls else CHAT_WORDS:
                is_scored = request.top_logprobs is not None
                scores = (TokenScore(word.encode(), -0.5),) if is_scored else ()
                yield ChatPiece(word, scores)
                if self.fails_with is not None:
                    raise self.fails_with
                if self.waits_for is not None:
                    self.waits_for.wait(0.05)
            reason = "tool_calls" if self.tool_calls else "stop"
            yield ChatEnd(reason, Usage(5, 3, 4), self.tool_calls)
        except GeneratorExit:
            self.was_closed.set()
            raise


class CountingEmbedder:
    """The vector of a text is its length and 1."""

    profile = EmbeddingProfile("counting", 2, "f" * 64)

    def embed_passages(self, texts: Sequence[str]) -> list[bytes]:
        return [struct.pack("<2f", len(text), 1.0) for text in texts]

    def embed_query(self, text: str) -> bytes:
        return self.embed_passages([text])[0]


class ScriptedPictures:
    """Returns the parameters instead of a picture, or raises what it is told to."""

    def __init__(self) -> None:
        self.fails_with: KbError | None = None

    def render(
        self,
        path: Path,
        page_number: int,
        boxes: Sequence[Box],
        scale: float,
        hidden: Sequence[Box] = (),
    ) -> bytes:
        if self.fails_with is not None:
            raise self.fails_with
        drawn = (path.exists(), page_number, tuple(boxes), scale)
        return repr((*drawn, tuple(hidden)) if hidden else drawn).encode()


class ScriptedReadiness(ReadinessService):
    """Says of its models what it is told."""

    def __init__(self, service: "ApiService") -> None:
        unused: Any = None
        super().__init__({}, unused, unused, service.storage, service.catalog, unused)  # type: ignore[arg-type]  # scripted
        self._service = service

    def waiting(self) -> dict[str, KbError]:
        return dict(self._service.waiting)

    def replaced(self) -> dict[str, KbError]:
        return self._service.replaced

    def generator_info(self) -> GeneratorInfo:
        return self._service.generator_info()


class ApiService:
    """What tests do to a service: the real ones over real storage, the slow parts scripted."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = open_database(settings.effective_database_url)
        if not (settings.data_dir / DATABASE_FILE).exists():
            self.database.migrate()
        self.blobs = BlobStore(settings.data_dir / "blobs")
        self.catalog = Catalog(self.database, self.blobs)
        self.jobs = JobQueue(self.database)
        self.embeddings = Embeddings(self.database)
        self.answers = BufferedAnswers(self.database)
        self.statistics = Statistics(self.database)
        self.keys = KeyService(Keys(self.database), self.catalog.bases, settings.api_keys)
        self.retriever = ScriptedRetriever()
        self.answering = ScriptedAnswering()
        self.chat = ScriptedChat()
        self.chatting = ChattingService(self.chat)
        self.embedder = CountingEmbedder()
        self.pictures = ScriptedPictures()
        limit = settings.ingest.max_file_bytes
        self.uploads = UploadService(
            self.catalog, self.blobs, detect_media_type, limit, encoding_named
        )
        self.waiting: dict[str, KbError] = {}
        self.replaced: dict[str, KbError] = {}
        self.storage = ScriptedStorage()

    def ingest(self, sentences: Sequence[str]) -> Revision:
        """Make the oldest queued upload searchable, one page a sentence."""
        claim = self.jobs.claim("worker-1")
        assert claim is not None
        parsed, drafts = parsed_of(sentences)
        publisher = RevisionPublisher(self.database, self.blobs)
        revision = publisher.publish(claim, parsed, drafts)
        self.embeddings.add(PROFILE, vectors_of(drafts))
        return revision

    @property
    def searching(self) -> SearchService:
        """Search with the scripted retriever."""
        limits, states = self.settings.retrieval, states_of(lambda: History(self.database))
        return SearchService(self.catalog, lambda: self.retriever, limits, states)

    @property
    def services(self) -> Services:
        """What `create_app` is given; it hears of what is exchanged here afterwards."""
        bases, readiness = BaseService(self.catalog, self.retriever.drop), ScriptedReadiness(self)
        documents = DocumentService(self.catalog, self.jobs, makes_vectors=True)
        unused: Any = None
        return Services(
            settings=self.settings,
            accepted_suffixes=SUPPORTED_SUFFIXES,
            bases=bases,
            transfer=TransferService(self.catalog, self.database, self.blobs, 10_000_000),
            documents=documents,
            erasing=ErasureService(
                lambda: Erasures(self.database, self.blobs),
                IndexFiles(self.settings.data_dir / "index"),
                lambda _: None,
            ),
            facts=FactService(Facts(self.database)),
            columns=ColumnService(Columns(self.database), self.catalog),
            querying=AcrossDocuments(RecordStore(self.database), self.catalog.revisions),
            suggesting=SuggestionService(
                Suggestions(self.database), Facts(self.database), unused, monotonic, 0.0
            ),
            watching=WatchService(Watches(self.database), no_asker, self.settings, monotonic),
            uploads=self.uploads,
            jobs=JobService(self.jobs),
            keys=self.keys,
            labels=LabelService(self.catalog),
            pictures=PictureService(self.catalog, lambda: self.pictures),
            searching=self.searching,
            similar=SimilarIncidents(Facts(self.database), self.searching.search),
            answering=lambda: self.answering,  # type: ignore[arg-type,return-value]  # scripted
            history=HistoryService(self.answers, self.catalog),
            chatting=lambda: self.chatting,
            models=ModelService(bases, readiness, lambda: self.chatting, lambda: self.embedder),
            readiness=readiness,
            reports=ReportService(self.catalog, self.masking),
            masking=self.masking,
            statistics=self.statistics,
            setup=self.setup(readiness),
            intake=unused,
            reindexing=unused,
            upkeep=unused,
            starting=unused,
            measuring=unused,
            close=self.database.close,
        )

    @property
    def masking(self) -> MaskingService:
        """What hides personal data."""
        return MaskingService(Maskings(self.database), partial(places_of, self.answers))

    def setup(self, readiness: ReadinessService) -> SetupService:
        names = {
            "generator": lambda: self.generator_info().name,
            "embedder": lambda: self.embedder.profile.name,
        }
        return SetupService(self.settings, names, readiness, self.statistics)

    def generator_info(self) -> GeneratorInfo:
        return GeneratorInfo("extractive", "scripted", notice_en="a script answers")


def no_asker(watch: Watch) -> StandingAnswer:
    """The server asks no standing question; the worker does."""
    raise NotImplementedError(watch.name)


def sample_answer(
    kb_id: str,
    question: str = "When did the pump fail?",
    words: Sequence[str] = WORDS,
    title: str = "report.pdf",
) -> Answer:
    """An answer with one citation and one passage."""
    text = "".join(words)
    passage = Passage(1, 7, "doc_1", 3, "ab" * 32, title, TextSpan(0, len(text)), text, score=0.5)
    citation = Citation(
        id="cit_1",
        number=1,
        document_id="doc_1",
        sha256="ab" * 32,
        title=title,
        cited_text=text[:25],
        source=TextSpan(0, 25),
        regions=(PageRegion(2, ((1.0, 2.0, 3.0, 4.0),)),),
        answer=TextSpan(0, 25),
        score=0.9,
        status=CitationStatus.VERIFIED,
    )
    return Answer(
        id="ans_1",
        kb_id=kb_id,
        question=question,
        status=AnswerStatus.ANSWERED,
        answer=text,
        reason=None,
        citations=(citation,),
        passages=(passage,),
        conversation_id="conv_1",
        model="scripted",
        usage=Usage(3, 4, 0),
        timings={"total_s": 0.1},
        created_at=datetime(2024, 5, 1, 12, tzinfo=UTC),
        understood=Understood(question),
    )


def sample_audit() -> AnswerAudit:
    """The audit record beside `sample_answer`."""
    read = Reranking("cross", 20, 15)
    return AnswerAudit("m" * 64, "t" * 64, (1, 2, 3), {"temperature": 0.0}, 7, "raw", read)
