"""Answers and their evidence: Answer, Citation, generation requests. Values only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from kb_service.domain.chats import ChatMessage, SamplingOptions, Usage, never
from kb_service.domain.queries import Filters, Passage, Reranking
from kb_service.domain.questions import Question, QuestionKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.tables import Tabled
from kb_service.domain.times import Period


class AnswerStatus(StrEnum):
    """`partial`: some sentences are supported by the documents, others were marked."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    REFUSED = "refused"


class Channel(StrEnum):
    """Through what a question came: a person's page, or a program."""

    PAGE = "page"
    API = "api"


class CitationStatus(StrEnum):
    """`verified`: the answer sentence says nothing that the cited words do not."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Citation:
    """Made by the system from stored text, never by a model.

    `cited_text == revision_text[source.start:source.end]`. `answer`: range in the answer text that
    it supports. `regions`: where the cited words stand. `score`: 0..1, the share of what that range
    says which these words hold. `unsupported`: the places in the answer text, inside that range,
    of what none of its cited words say; empty when it is verified. `document_name`,
    `document_date`, `document_line`: as of its Passage.
    """

    id: str
    number: int
    document_id: str
    sha256: str
    title: str
    cited_text: str
    source: TextSpan
    regions: tuple[PageRegion, ...]
    answer: TextSpan
    score: float
    status: CitationStatus
    unsupported: tuple[TextSpan, ...] = ()
    document_name: str = ""
    document_date: date | None = None
    document_line: str | None = None

    @property
    def method(self) -> str:
        """`ocr` when any of the cited words was read from a picture, else `text`."""
        return "text" if self.confidence is None else "ocr"

    @property
    def confidence(self) -> float | None:
        """How sure OCR is where it is least sure, page by page; None for words of a text."""
        read = [place.confidence for place in self.regions if place.confidence is not None]
        return min(read, default=None)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a Generator needs: the question, the numbered passages, and the same as chat messages.

    A chat model reads `messages` (system with passages, history, question); the extractive reader
    reads `question` and quotes `readings`. `tenant`: whose cached prompts may be used again.
    `cancelled` may be asked from another thread at any time.
    """

    question: Question
    passages: tuple[Passage, ...]
    messages: tuple[ChatMessage, ...]
    options: SamplingOptions = field(default_factory=SamplingOptions)
    readings: tuple[Reading, ...] = ()
    tenant: str = ""
    cancelled: Callable[[], bool] = field(default=never, compare=False)


@dataclass(frozen=True, slots=True)
class Generation:
    """The end of a generation: the audit record that makes it repeatable.

    `text`: the whole raw output. `prompt_token_ids` is empty for readers without a tokenizer.
    `sampling`: the parameters in force, after defaults. `finish_reason`: `stop` or `length`.
    `answer_words`: words of `text` that answer a typed question (a date, a name), "" when none.
    """

    text: str
    usage: Usage
    prompt_token_ids: tuple[int, ...] = ()
    sampling: dict[str, float | int | None] = field(default_factory=dict)
    finish_reason: str = "stop"
    answer_words: str = ""


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """Which generator answers. `kind`: `extractive`, `chatglm` or `remote`.

    `name`: shown to users and in `Answer.model`. `notice_en`, `notice_zh`: what a user should know
    about it (how to point KB_LLM__MODEL at a ChatGLM3 folder), "" when nothing.
    """

    kind: str
    name: str
    model_sha256: str = ""
    tokenizer_sha256: str = ""
    notice_en: str = ""
    notice_zh: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """As what a question was read, before anything was searched.

    `question`: the full one, which was answered. `subjects`: what it names, as written. `time`: the
    days it speaks of. `filters`: those in force. `carried`: its words that come from the
    conversation, and `documents` those that these come from. `about`: what the typed words do not
    say themselves, for the user; None when they say it all.
    """

    question: str
    subjects: tuple[str, ...] = ()
    time: Period | None = None
    filters: Filters = field(default_factory=Filters)
    carried: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    about: str | None = None


@dataclass(frozen=True, slots=True)
class NotStored:
    """Why an answer that was given could not be kept: the code and message of a StorageError."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a question. `reason`: a stable code when refused or partial, else None.

    `question`: as it was typed. `highlight`: the words inside `answer` that a typed question asks
    for (a date, a name), if any. `missing`: what the question names and no document meets.
    `nearest`: numbers of the passages that come nearest to what was not found. `not_stored`: None
    for an answer that is kept. `tabled`: what an answer over many documents has beside its words.
    `channel`: through what it was asked. `as_of`: the change of the base that was asked; None: the
    present. `owner`: the id of the key whose conversation it is, "" for nobody's.
    """

    id: str
    kb_id: str
    question: str
    status: AnswerStatus
    answer: str
    reason: str | None
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    conversation_id: str
    model: str
    usage: Usage
    timings: dict[str, float]
    created_at: datetime
    understood: Understood
    highlight: TextSpan | None = None
    missing: tuple[str, ...] = ()
    nearest: tuple[int, ...] = ()
    not_stored: NotStored | None = None
    kind: QuestionKind = QuestionKind.FACT
    tabled: Tabled | None = None
    channel: Channel = Channel.API
    as_of: int | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class AnswerAudit:
    """What GET /answers/{id} adds: enough to explain an answer and to repeat it.

    `reranking`: what a reranker read before the passages were chosen; None when none was asked.
    """

    model_sha256: str
    tokenizer_sha256: str
    prompt_token_ids: tuple[int, ...]
    sampling: dict[str, float | int | None]
    seed: int | None
    raw_output: str
    reranking: Reranking | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, in order; `answer_id` for the assistant's turns."""

    role: str
    content: str
    answer_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A sequence of questions and answers on one knowledge base; `channel`: where it began.

    `owner`: the id of the key that began it, "" for nobody's.
    """

    id: str
    kb_id: str
    title: str
    messages: tuple[Message, ...]
    created_at: datetime
    updated_at: datetime
    channel: Channel = Channel.API
    owner: str = ""
