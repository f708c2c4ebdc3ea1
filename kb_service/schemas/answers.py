"""What the API says of answers, citations and conversations, made from domain values. Pure."""

from pydantic import BaseModel

from kb_service.domain.answers import (
    Answer,
    Citation,
    Conversation,
    Message,
    NotStored,
)
from kb_service.domain.queries import Passage
from kb_service.schemas.documents import (
    RegionBody,
    RerankBody,
    SpanBody,
    Time,
    region_bodies,
    rerank_body,
    span_body,
)
from kb_service.services.history import AuditedAnswer


class SourceBody(BaseModel):
    """Where cited words stand: a range of the stored text and boxes on its pages."""

    start: int
    end: int
    pages: list[RegionBody]


class CitationBody(BaseModel):
    """Words of a document that support a range of the answer; `revision` is a SHA-256."""

    id: str
    number: int
    document_id: str
    revision: str
    title: str
    cited_text: str
    source: SourceBody
    answer: SpanBody
    score: float
    status: str


class PassageBody(BaseModel):
    """A passage that was given to the generator."""

    number: int
    chunk_id: int
    document_id: str
    revision: str
    title: str
    span: SpanBody
    text: str
    score: float


class UsageBody(BaseModel):
    """Tokens of one generation."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


class NotStoredBody(BaseModel):
    """Why an answer is not kept: a code of the error table and a message for people."""

    code: str
    message: str


class AnswerBody(BaseModel):
    """An answer with its evidence; `not_stored` is null for one that is kept (`stored`)."""

    id: str
    kb_id: str
    question: str
    status: str
    answer: str
    reason: str | None
    highlight: SpanBody | None
    citations: list[CitationBody]
    passages: list[PassageBody]
    conversation_id: str
    model: str
    usage: UsageBody
    timings: dict[str, float]
    created_at: Time
    stored: bool
    not_stored: NotStoredBody | None


class RevisionNameBody(BaseModel):
    """A revision that an answer was made from."""

    document_id: str
    revision: str


class AuditBody(BaseModel):
    """What explains an answer and makes it repeatable; `rerank` is null where nothing was read."""

    model: str
    model_sha256: str
    tokenizer_sha256: str
    prompt_token_ids: list[int]
    sampling: dict[str, float | int | None]
    seed: int | None
    raw_output: str
    revisions: list[RevisionNameBody]
    rerank: RerankBody | None


class FeedbackBody(BaseModel):
    """The latest rating of an answer: `up` or `down`."""

    rating: str
    comment: str


class AuditedAnswerBody(AnswerBody):
    """An answer with its audit record; `feedback` is null until somebody rates it."""

    audit: AuditBody
    feedback: FeedbackBody | None


class MessageBody(BaseModel):
    """One message of a conversation; `answer_id` for the assistant's."""

    role: str
    content: str
    answer_id: str | None
    created_at: Time


class ConversationBody(BaseModel):
    """A conversation, messages in order."""

    id: str
    kb_id: str
    title: str
    messages: list[MessageBody]
    created_at: Time
    updated_at: Time


def citation_body(citation: Citation) -> CitationBody:
    """Convert a citation."""
    return CitationBody(
        id=citation.id,
        number=citation.number,
        document_id=citation.document_id,
        revision=citation.sha256,
        title=citation.title,
        cited_text=citation.cited_text,
        source=SourceBody(
            start=citation.source.start,
            end=citation.source.end,
            pages=region_bodies(citation.regions),
        ),
        answer=span_body(citation.answer),
        score=citation.score,
        status=citation.status,
    )


def _passage_body(passage: Passage) -> PassageBody:
    return PassageBody(
        number=passage.number,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        revision=passage.sha256,
        title=passage.title,
        span=span_body(passage.span),
        text=passage.text,
        score=passage.score,
    )


def answer_body(answer: Answer) -> AnswerBody:
    """Convert an answer."""
    usage = answer.usage
    return AnswerBody(
        id=answer.id,
        kb_id=answer.kb_id,
        question=answer.question,
        status=answer.status,
        answer=answer.answer,
        reason=answer.reason,
        highlight=span_body(answer.highlight) if answer.highlight else None,
        citations=[citation_body(citation) for citation in answer.citations],
        passages=[_passage_body(passage) for passage in answer.passages],
        conversation_id=answer.conversation_id,
        model=answer.model,
        usage=UsageBody(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
        ),
        timings=answer.timings,
        created_at=answer.created_at,
        stored=answer.not_stored is None,
        not_stored=not_stored_body(answer.not_stored) if answer.not_stored else None,
    )


def not_stored_body(reason: NotStored) -> NotStoredBody:
    """Convert why an answer is not kept."""
    return NotStoredBody(code=reason.code, message=reason.message)


def audited_answer_body(found: AuditedAnswer) -> AuditedAnswerBody:
    """Convert an answer, its audit record and its (rating, comment)."""
    answer, audit, feedback = found.answer, found.audit, found.feedback
    names = dict.fromkeys((passage.document_id, passage.sha256) for passage in answer.passages)
    body = AuditBody(
        model=answer.model,
        model_sha256=audit.model_sha256,
        tokenizer_sha256=audit.tokenizer_sha256,
        prompt_token_ids=list(audit.prompt_token_ids),
        sampling=audit.sampling,
        seed=audit.seed,
        raw_output=audit.raw_output,
        revisions=[RevisionNameBody(document_id=name, revision=sha) for name, sha in names],
        rerank=rerank_body(audit.reranking),
    )
    rated = FeedbackBody(rating=feedback[0], comment=feedback[1]) if feedback else None
    return AuditedAnswerBody(**dict(answer_body(answer)), audit=body, feedback=rated)


def conversation_body(conversation: Conversation) -> ConversationBody:
    """Convert a conversation with its messages."""
    return ConversationBody(
        id=conversation.id,
        kb_id=conversation.kb_id,
        title=conversation.title,
        messages=[_message_body(message) for message in conversation.messages],
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _message_body(message: Message) -> MessageBody:
    return MessageBody(
        role=message.role,
        content=message.content,
        answer_id=message.answer_id,
        created_at=message.created_at,
    )
