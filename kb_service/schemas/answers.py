"""What the API says of answers, citations and conversations, made from domain values. Pure."""

from collections.abc import Sequence
from datetime import date

from pydantic import ConfigDict, Field

from kb_service.domain.answers import (
    Answer,
    Citation,
)
from kb_service.domain.queries import Filters, Passage
from kb_service.domain.query_json import filters_json
from kb_service.domain.questions import QuestionKind
from kb_service.domain.tables import Tabled
from kb_service.schemas.documents import (
    Shape,
    SpanBody,
    Time,
    iso_time,
)
from kb_service.schemas.search import RegionBody, RerankBody, rerank_body
from kb_service.schemas.tables import TabledBody, tabled_values
from kb_service.services.history import AuditedAnswer


class SourceBody(Shape):
    """Where cited words stand: a range of the stored text and boxes on its pages."""

    start: int
    end: int
    pages: list[RegionBody]


class CitationBody(Shape):
    """Words of a document that support a range of the answer; `revision` is a SHA-256.

    `unsupported`: the places in the answer of what no words cited for that range say. `method`:
    `ocr` when any of the words was read from a picture, else `text`; `confidence`: how sure it is.
    """

    id: str
    number: int
    document_id: str
    revision: str
    title: str
    document_name: str
    document_date: date | None
    document_line: str | None
    cited_text: str
    source: SourceBody
    answer: SpanBody
    score: float
    status: str
    unsupported: list[SpanBody]
    method: str
    confidence: float | None


class PassageBody(Shape):
    """A passage that was given to the generator."""

    number: int
    chunk_id: int
    document_id: str
    revision: str
    title: str
    document_name: str
    document_date: date | None
    document_line: str | None
    span: SpanBody
    text: str
    score: float


class NearPassageBody(PassageBody):
    """A passage that comes near, and where it stands on its pages."""

    pages: list[RegionBody]


class UsageBody(Shape):
    """Tokens of one generation."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


class PeriodBody(Shape):
    """Days, the first and the last, as `from` and `to`."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="to")


class UnderstoodBody(Shape):
    """As what a question was read: the full `question` was answered.

    `about`: what the typed words do not say themselves, for people; `carried`: the words that come
    from the conversation. `filters`: those in force, by name.
    """

    question: str
    kind: str
    subjects: list[str]
    time: PeriodBody | None
    filters: dict[str, list[str] | str | dict[str, str | dict[str, float]]]
    carried: list[str]
    about: str | None


class NotStoredBody(Shape):
    """Why an answer is not kept: a code of the error table and a message for people."""

    code: str
    message: str


class AnswerBody(TabledBody):
    """An answer with its evidence; `not_stored` is null for one that is kept (`stored`).

    `missing`: what the question names and no document meets. `nearest`: passages that come nearest
    to what was not found. `table`, `counted`, `query`, `chart`: of an answer over many documents.
    """

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
    as_of: int | None
    created_at: Time
    stored: bool
    not_stored: NotStoredBody | None
    kind: str
    understood: UnderstoodBody
    missing: list[str]
    nearest: list[NearPassageBody]


class QueryAnswerBody(TabledBody):
    """The answer to a typed query: in words, as a table, and with what each cell rests on."""

    answer: str
    citations: list[CitationBody]


class RevisionNameBody(Shape):
    """A revision that an answer was made from."""

    document_id: str
    revision: str


class AuditBody(Shape):
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


class FeedbackBody(Shape):
    """The latest rating of an answer: `up` or `down`."""

    rating: str
    comment: str


class AuditedAnswerBody(AnswerBody):
    """An answer with its audit record; `feedback` is null until somebody rates it."""

    audit: AuditBody
    feedback: FeedbackBody | None


class MessageBody(Shape):
    """One message of a conversation; `answer_id` for the assistant's."""

    role: str
    content: str
    answer_id: str | None
    created_at: Time


class ConversationBody(Shape):
    """A conversation, messages in order; `channel`: `page` or `api`, where it began."""

    id: str
    kb_id: str
    title: str
    channel: str
    messages: list[MessageBody]
    created_at: Time
    updated_at: Time


def citation_body(citation: Citation) -> CitationBody:
    """Convert a citation."""
    source = SourceBody.of(citation.source, pages=citation.regions)
    return CitationBody.of(citation, revision=citation.sha256, source=source)


def answer_body(answer: Answer) -> AnswerBody:
    """Convert an answer."""
    return AnswerBody.of(
        answer,
        citations=[citation_body(citation) for citation in answer.citations],
        passages=[_passage_body(item) for item in answer.passages],
        nearest=[
            NearPassageBody.of(item, revision=item.sha256, pages=item.regions)
            for item in answer.passages
            if item.number in answer.nearest
        ],
        stored=answer.not_stored is None,
        understood=understood_body(answer),
        **tabled_values(answer.tabled),
    )


def query_answer_body(text: str, citations: Sequence[Citation], tabled: Tabled) -> QueryAnswerBody:
    """Convert the answer to a typed query."""
    cited = [citation_body(citation) for citation in citations]
    values = {"answer": text, "citations": cited, **tabled_values(tabled)}
    return QueryAnswerBody.model_validate(values)


def understood_body(answer: Answer) -> UnderstoodBody:
    """Convert how the question of an answer was read."""
    read = answer.understood
    kind = _KINDS.get(answer.kind, answer.kind.value)
    time = PeriodBody.of(read.time) if read.time else None
    return UnderstoodBody.of(read, kind=kind, time=time, filters=_in_force(read.filters))


_KINDS = {
    QuestionKind.LIST_DOCUMENTS: "list",
    QuestionKind.COMPARISON: "compare",
    QuestionKind.ABOUT_DOCUMENT: "document",
    QuestionKind.SMALL_TALK: "chat",
}
"""Kinds under the names of the contract, where these are others than ours."""


def _in_force(filters: Filters) -> dict[str, object]:
    """Filters as they may be sent again, moments of this service in UTC as everywhere."""
    moments = {"date_from": filters.date_from, "date_to": filters.date_to}
    told = {name: iso_time(moment) for name, moment in moments.items() if moment}
    return filters_json(filters) | told


def _passage_body(passage: Passage) -> PassageBody:
    return PassageBody.of(passage, revision=passage.sha256)


def audited_answer_body(found: AuditedAnswer) -> AuditedAnswerBody:
    """Convert an answer, its audit record and its (rating, comment)."""
    answer, audit, feedback = found.answer, found.audit, found.feedback
    names = dict.fromkeys((passage.document_id, passage.sha256) for passage in answer.passages)
    body = AuditBody.of(
        audit,
        model=answer.model,
        revisions=[RevisionNameBody(document_id=name, revision=sha) for name, sha in names],
        rerank=rerank_body(audit.reranking),
    )
    rated = FeedbackBody(rating=feedback[0], comment=feedback[1]) if feedback else None
    return AuditedAnswerBody(**dict(answer_body(answer)), audit=body, feedback=rated)
