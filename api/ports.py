"""What the routes need of the application: the methods they call, and no more.

`kb_service.bootstrap.Application` fulfils `Service`; a test may pass anything that does.
"""

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from kb_service.domain.answers import Answer, AnswerAudit, Conversation, GeneratorInfo
from kb_service.domain.chats import ChatEvent, ChatRequest
from kb_service.domain.documents import Document, KnowledgeBase, Revision
from kb_service.domain.errors import KbError
from kb_service.domain.jobs import IngestJob
from kb_service.domain.ports import Embedder, Retriever
from kb_service.domain.spans import Box
from kb_service.schemas.documents import Listing
from kb_service.services.asking import AskEvent, AskRequest
from kb_service.services.uploads import UploadItem
from kb_service.settings import Settings


class Catalog(Protocol):
    """Knowledge bases and documents; each method is one transaction."""

    def create_kb(self, name: str, description: str = "") -> KnowledgeBase: ...

    def get_kb(self, key: str) -> KnowledgeBase: ...

    def list_kbs(self, cursor: str | None, limit: int) -> Listing[KnowledgeBase]: ...

    def update_kb(
        self, kb_id: str, name: str | None = None, description: str | None = None
    ) -> KnowledgeBase: ...

    def get_document(self, kb_id: str, document_id: str) -> Document: ...

    def list_documents(
        self,
        kb_id: str,
        cursor: str | None,
        limit: int,
        name: str | None = None,
        name_contains: str | None = None,
    ) -> Listing[Document]: ...

    def count_documents(
        self, kb_id: str, name: str | None = None, name_contains: str | None = None
    ) -> dict[str, int]: ...

    def delete_document(self, kb_id: str, document_id: str) -> None: ...

    def revision(self, kb_id: str, document_id: str, sha256: str | None = None) -> Revision: ...

    def revision_text(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Revision, str]: ...

    def content_path(
        self, kb_id: str, document_id: str, sha256: str | None = None
    ) -> tuple[Path, Document]: ...


class JobEvents(Protocol):
    """Jobs that changed after a version; `version` also grows when a document is deleted."""

    @property
    def version(self) -> int: ...

    @property
    def jobs(self) -> Sequence[IngestJob]: ...


class Jobs(Protocol):
    """The ingest queue as a watcher sees it."""

    def get(self, job_id: str) -> IngestJob: ...

    def newest_of(self, document_ids: Sequence[str]) -> dict[str, IngestJob]: ...

    def retry(self, job_id: str) -> IngestJob: ...

    def cancel(self, job_id: str) -> IngestJob: ...

    def events_since(self, kb_id: str, version: int) -> JobEvents: ...


class Answers(Protocol):
    """Stored answers and conversations."""

    def get(self, answer_id: str) -> tuple[Answer, AnswerAudit]: ...

    def feedback(self, answer_id: str, rating: str, comment: str) -> None: ...

    def get_feedback(self, answer_id: str) -> tuple[str, str] | None: ...

    def list_conversations(
        self, kb_id: str | None, cursor: str | None, limit: int
    ) -> Listing[Conversation]: ...

    def get_conversation(self, conversation_id: str) -> Conversation: ...

    def delete_conversation(self, conversation_id: str) -> None: ...


class Answering(Protocol):
    """Answers questions; `stream` is a generator, and closing it cancels the work."""

    def stream(self, request: AskRequest) -> Generator[AskEvent, None, None]: ...


class Chatting(Protocol):
    """Chats without documents; closing the generator cancels the work."""

    @property
    def info(self) -> GeneratorInfo | None: ...

    def stream(self, name: str, request: ChatRequest) -> Generator[ChatEvent, None, None]: ...


class Uploads(Protocol):
    """Takes files in, one by one."""

    def accept(
        self, kb_id: str, name: str, stream: BinaryIO, tags: Iterable[str] = ()
    ) -> UploadItem: ...


class Pictures(Protocol):
    """Draws pages of stored files as PNG."""

    def render(self, path: Path, page_number: int, boxes: Sequence[Box], scale: float) -> bytes: ...


class Statistics(Protocol):
    """Counts for the metrics."""

    def jobs_by_status(self) -> dict[str, int]: ...

    def pages_by_kind(self) -> dict[str, int]: ...


class Storage(Protocol):
    """How what is stored fares."""

    def trouble(self) -> KbError | None: ...


class Service(Protocol):
    """The application as the API sees it."""

    @property
    def settings(self) -> Settings: ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def retriever(self) -> Retriever: ...

    @property
    def answering(self) -> Answering: ...

    @property
    def chatting(self) -> Chatting: ...

    @property
    def embedder(self) -> Embedder: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def pictures(self) -> Pictures: ...

    @property
    def statistics(self) -> Statistics: ...

    @property
    def storage(self) -> Storage: ...

    @property
    def accepted_suffixes(self) -> Sequence[str]: ...

    def delete_base(self, kb_id: str) -> None: ...

    def generator_info(self) -> GeneratorInfo: ...

    def readiness(self) -> dict[str, KbError]: ...

    def degraded(self) -> dict[str, KbError]: ...
