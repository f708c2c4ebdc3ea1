"""What is said about standing questions and how their answers changed, made from domain values."""

from kb_service.domain.query_json import query_json
from kb_service.domain.watches import AnswerChange, StandingAnswer, Watch
from kb_service.schemas.answers import CitationBody, citation_body
from kb_service.schemas.documents import ErrorValue, ListBody, Shape, Time
from kb_service.schemas.tables import CountedBody, TableBody, tabled_values


class StandingAnswerBody(Shape):
    """What was said at a moment, when the base was at `change`.

    `is_redacted`: a document that it quoted was deleted since, and the words went with it.
    """

    status: str
    reason: str | None
    answer: str
    citations: list[CitationBody]
    table: TableBody | None
    counted: CountedBody | None
    asked_at: Time
    change: int
    is_redacted: bool


class WatchBody(Shape):
    """A standing question; `answer` is null until it was asked for the first time."""

    id: str
    kb_id: str
    name: str
    question: str | None
    query: dict[str, object] | None
    language: str
    schedule: str
    webhook: str
    created_at: Time
    checked_at: Time | None
    error: ErrorValue | None
    answer: StandingAnswerBody | None
    is_paused: bool
    num_changes: int


class WatchListBody(ListBody[WatchBody]):
    """Standing questions by name."""


class AnswerChangeBody(Shape):
    """An answer that changed, as it was and as it is, each with its citations."""

    id: int
    watch_id: str
    watch_name: str
    at: Time
    old: StandingAnswerBody
    new: StandingAnswerBody
    told_at: Time | None
    posted_at: Time | None


class AnswerChangeListBody(ListBody[AnswerChangeBody]):
    """Changes of an answer, the latest first."""


def watch_body(watch: Watch) -> WatchBody:
    """Convert a standing question."""
    asked = watch.asked
    return WatchBody.of(
        watch,
        question=asked.question or None,
        query=asked.query and query_json(asked.query),
        language=asked.language,
        answer=watch.answer and _answer_body(watch.answer),
    )


def answer_change_body(change: AnswerChange) -> AnswerChangeBody:
    """Convert a change."""
    return AnswerChangeBody.of(change, old=_answer_body(change.old), new=_answer_body(change.new))


def posted_json(change: AnswerChange) -> dict[str, object]:
    """Return what a webhook is sent: the change, without when it was told."""
    body = answer_change_body(change)
    return body.model_dump(mode="json", exclude={"told_at", "posted_at"})


def _answer_body(answer: StandingAnswer) -> StandingAnswerBody:
    tabled = tabled_values(answer.tabled)
    return StandingAnswerBody.of(
        answer,
        answer=answer.text,
        citations=[citation_body(citation) for citation in answer.citations],
        table=tabled["table"],
        counted=tabled["counted"],
        change=answer.base_change,
    )
