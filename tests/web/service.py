"""The application that the page runs on in tests: the real API over real storage.

Only what is slow is scripted: answers are prepared, pictures drawn, and documents read when a test
says so. What the page gets is therefore what the service sends.
"""

import io
import re
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from kb_service.domain.answers import Answer, AnswerAudit, GeneratorInfo, NotStored
from kb_service.domain.documents import (
    Document,
    KnowledgeBase,
    Page,
    PageKind,
    ParsedDocument,
    Revision,
)
from kb_service.domain.errors import DocumentError, KbError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.spans import TextSpan
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
from kb_service.settings import Settings
from kb_service.storage.answers.store import AnswerStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import new_id
from kb_service.storage.jobs.queue import Claim
from kb_service.storage.revisions.publishing import RevisionPublisher
from tests.api.service import ApiService
from tests.storage.world import PROFILE, parsed_of, vectors_of
from tests.web.answers import SENTENCES, answer
from tests.web.pictures import PAGE, DrawnPictures

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@dataclass
class PreparedAnswering:
    """Gives `answer` in pieces, cited from the first readable document, and stores it as asked.

    `is_silent`: not a word comes; `is_held`: not its end. `refuses_with`: before the first word,
    `fails_with`: after it.
    """

    store: AnswerStore
    catalog: Catalog
    answer: Answer = field(default_factory=lambda: answer("Nothing.", []))
    delay_s: float = 0.0
    is_held: bool = False
    is_silent: bool = False
    fails_with: KbError | None = None
    refuses_with: KbError | None = None
    not_stored: NotStored | None = None
    requests: list[AskRequest] = field(default_factory=list)

    def stream(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        self.requests.append(request)
        check_request(request, Settings().retrieval)
        if request.conversation_id is not None:
            self.store.get_conversation(request.conversation_id)
        return self._events(request)

    def _events(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        yield PhaseEvent(Phase.RETRIEVING)
        if self.refuses_with is not None:
            raise self.refuses_with
        while self.is_silent and not request.cancelled():
            time.sleep(0.02)
        yield PhaseEvent(Phase.WRITING)
        for piece in re.findall(r"\S*\s*", self.answer.answer):
            yield TokenEvent(piece)
            if self.fails_with is not None:
                raise self.fails_with
            time.sleep(self.delay_s)
        while self.is_held and not request.cancelled():
            time.sleep(0.02)
        if request.cancelled():
            return
        made = self._made_for(request)
        yield from map(CitationEvent, made.citations)
        if self.not_stored is not None:
            yield DoneEvent(replace(made, not_stored=self.not_stored))
        else:
            audit = AnswerAudit("", "", (), {}, None, "", None)
            yield DoneEvent(self.store.save_turn(made, audit))

    def _made_for(self, request: AskRequest) -> Answer:
        answer_id, prepared = self.store.new_answer_id(), self.answer
        documents = self.catalog.documents.list(request.kb_id).items
        cited = next((item for item in documents if item.revision), None)
        names = {}
        if cited is not None and cited.revision is not None:
            names = {"document_id": cited.id, "sha256": cited.revision.sha256}
        return replace(
            prepared,
            id=answer_id,
            kb_id=request.kb_id,
            question=request.question,
            conversation_id=request.conversation_id or new_id("conv"),
            channel=request.channel,
            owner=request.who.key_id,
            citations=tuple(replace(item, **names) for item in prepared.citations),
            passages=tuple(replace(item, **names) for item in prepared.passages if names),
        )


class PageService(ApiService):
    """What `create_app` needs, and what tests do to it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.prepared = PreparedAnswering(self.answers, self.catalog)
        self.answering = self.prepared  # type: ignore[assignment]  # another scripted one
        self.drawn = DrawnPictures()
        self.pictures = self.drawn  # type: ignore[assignment]  # another scripted one
        self.info = super().generator_info()
        self.publisher = RevisionPublisher(self.database, self.blobs)

    def generator_info(self) -> GeneratorInfo:
        return self.info

    def add_base(self, name: str, description: str = "") -> KnowledgeBase:
        return self.catalog.bases.create(name, description)

    def upload(self, kb_id: str, name: str, content: bytes = PDF) -> Document:
        item = self.uploads.accept(kb_id, name, io.BytesIO(content))
        assert item.document is not None, item.error
        return item.document

    def claim(self) -> Claim:
        claim = self.jobs.claim("worker-1")
        assert claim is not None
        return claim

    def add_document(
        self, kb_id: str, name: str, sentences: Sequence[str] = SENTENCES, content: bytes = PDF
    ) -> Document:
        """A readable document, one page a sentence."""
        document = self.upload(kb_id, name, content)
        self.publish(self.claim(), sentences)
        return self.catalog.documents.get(kb_id, document.id)

    def publish(
        self,
        claim: Claim,
        sentences: Sequence[str],
        unread: str = "",
        *,
        has_vectors: bool = True,
        scores: bytes = b"",
    ) -> Revision:
        """Make a claimed document searchable; `unread`: why one more page gave no text.

        `scores`: how sure OCR is of the characters of the first page.
        """
        parsed, drafts = parsed_of(sentences)
        width, height = map(float, PAGE)
        sized = tuple(replace(page, width=width, height=height) for page in parsed.pages)
        parsed = replace(parsed, pages=sized)
        if scores:
            read = replace(parsed.pages[0], kind=PageKind.OCR, char_scores=scores)
            parsed = replace(parsed, pages=(read, *parsed.pages[1:]))
        if unread:
            empty = Page(len(parsed.pages) + 1, TextSpan(0, 0), PageKind.EMPTY, unread)
            parsed = ParsedDocument(parsed.text, (*parsed.pages, empty))
        revision = self.publisher.publish(claim, parsed, drafts)
        if has_vectors:
            self.add_vectors(sentences)
        return revision

    def add_vectors(self, sentences: Sequence[str]) -> None:
        self.embeddings.add(PROFILE, vectors_of(parsed_of(sentences)[1]))

    def progress(self, claim: Claim, done: int, total: int) -> None:
        self.jobs.heartbeat(claim, Progress(JobStage.LOAD, done, total))

    def add_failed(self, kb_id: str, name: str, error: KbError | None = None) -> Document:
        document = self.upload(kb_id, name)
        self.jobs.fail(self.claim(), error or DocumentError(f"{name} is cut off"), retry=False)
        return document
