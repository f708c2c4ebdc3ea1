"""What can be asked and what comes back while it is answered: AskRequest, Inquiry, AskEvent.

Knows the accepted range of every value of a request. Knows nothing of retrieval, models, storage.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from time import perf_counter
from typing import Protocol

from kb_service.domain.answers import Answer, AnswerAudit, Channel, Citation, Conversation
from kb_service.domain.chats import ChatMessage, SamplingOptions, never
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.history import AsOf
from kb_service.domain.people import OPERATOR, Principal
from kb_service.domain.queries import Filters
from kb_service.domain.storable import check_storable
from kb_service.services.as_of import Moment
from kb_service.services.ranges import MAX_TEMPERATURE, check_range, check_text
from kb_service.settings import RetrievalSettings

MAX_SEED = 2**31 - 1
MAX_TOKENS = 32768


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question to one knowledge base (id or exact name). None means the service's default.

    `top_k`: number of chunks retrieved. `conversation_id`: continue that conversation; None starts
    a new one, to which `history` was said before, elsewhere, and which is listed under `channel`.
    `as_of`: from the base as it was then; None: as it is. `cancelled` may be asked from another
    thread at any time. `base`: the one that `kb_id` names, where it has been read already. `who`
    asks: a conversation that begins is its own, and it continues no other's. `today`: the day that
    "yesterday" is told from; None: this day, or that of `as_of`.
    """

    kb_id: str
    question: str
    conversation_id: str | None = None
    top_k: int | None = None
    filters: Filters = field(default_factory=Filters)
    options: SamplingOptions = field(default_factory=SamplingOptions)
    history: tuple[ChatMessage, ...] = ()
    channel: Channel = Channel.API
    as_of: Moment | None = None
    cancelled: Callable[[], bool] = field(default=never, compare=False)
    base: KnowledgeBase | None = field(default=None, compare=False)
    who: Principal = field(default=OPERATOR, compare=False)
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request that was checked, with what was said before it: all of it but the documents.

    `base` as it is, or was at `state`. `today`: by which its days are told. `conversation`: the one
    it goes on with; `earlier`: the last answers of that, the latest first. `started`: when the
    question came in, in seconds of the clock that all processes of a machine share.
    """

    request: AskRequest
    base: KnowledgeBase
    today: date
    state: AsOf | None = None
    conversation: Conversation | None = None
    earlier: tuple[Answer, ...] = ()
    started: float = field(default_factory=perf_counter)


class Phase(StrEnum):
    """What is done for a question now; `waiting`: others are answered first."""

    WAITING = "waiting"
    RETRIEVING = "retrieving"
    READING = "reading"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class PhaseEvent:
    """The answer comes into a phase; the first event, and one before each change.

    `place`: of a waiting one, how many are answered until it is (1: it is next); `about_s`: about
    so many seconds.
    """

    phase: Phase
    place: int | None = None
    about_s: int | None = None


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """The next piece of the answer; the pieces joined are exactly `Answer.answer`."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationEvent:
    """A citation of words already sent; the events in order are exactly `Answer.citations`."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The last event: the whole answer, already saved."""

    answer: Answer


AskEvent = PhaseEvent | TokenEvent | CitationEvent | DoneEvent
DraftEvent = PhaseEvent | TokenEvent | CitationEvent


@dataclass(frozen=True, slots=True)
class Drafted:
    """An answer that is made and not kept yet."""

    answer: Answer
    audit: AnswerAudit


Drafting = Generator[DraftEvent, None, Drafted]
"""What is told while an answer is made, and the answer. Closing it cancels the work."""


class Answering(Protocol):
    """What answers questions; what becomes of a request is told in `AnsweringService`."""

    def ask(self, request: AskRequest) -> Answer:
        """Return the answer."""

    def stream(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        """Check the request now, then yield the events of its answer."""


def check_request(request: AskRequest, limits: RetrievalSettings) -> None:
    """Raise InvalidRequest that names the value and its accepted range.

    A question that could not be kept with its answer is refused before anything is written.
    """
    check_text("question", request.question, limits.max_question_chars)
    check_storable(request.question)
    check_range("top_k", request.top_k, 1, limits.max_top_k)
    check_range("temperature", request.options.temperature, 0.0, MAX_TEMPERATURE)
    check_range("max_tokens", request.options.max_tokens, 1, MAX_TOKENS)
    check_range("seed", request.options.seed, 0, MAX_SEED)
