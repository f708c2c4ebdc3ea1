"""Stored answers with their audit record, feedback, conversations.

Reads and rates what is stored; answers are made in `asking`.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.attachments import docx_attachment, page_attachment
from api.dependencies import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    PrincipalParam,
    ServicesParam,
    ShownParam,
)
from api.inputs import ConversationChange, FeedbackInput
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.domain.answers import Channel
from kb_service.schemas.answers import (
    AuditedAnswerBody,
    ConversationBody,
    audited_answer_body,
)
from kb_service.schemas.documents import ListBody, list_body

router = APIRouter(route_class=JsonRoute, tags=["answers"])


@router.get("/answers/{answer}")
def show_answer(answer: Id, who: PrincipalParam, services: ServicesParam) -> AuditedAnswerBody:
    """Show an answer with what explains it, and how it was rated."""
    return audited_answer_body(services.history.answer(who, answer))


@router.get("/answers/{answer}/report", response_class=Response)
def report_answer(
    answer: Id, who: PrincipalParam, services: ServicesParam, shown: ShownParam
) -> Response:
    """Return an answer with its table and quotes as one HTML file to hand over."""
    found = services.history.answer(who, answer).answer
    page = services.reports.of_answer(found, shown.report(found.kb_id))
    return page_attachment(page, f"{answer}.html")


@router.get("/answers/{answer}/report.docx", response_class=Response)
def report_answer_docx(
    answer: Id, who: PrincipalParam, services: ServicesParam, shown: ShownParam
) -> Response:
    """Return the same as a Word document."""
    found = services.history.answer(who, answer).answer
    document = services.reports.docx_of_answer(found, shown.report(found.kb_id))
    return docx_attachment(document, f"{answer}.docx")


@router.post("/answers/{answer}/feedback", status_code=204)
def rate_answer(
    answer: Id, body: FeedbackInput, who: PrincipalParam, services: ServicesParam
) -> None:
    """Rate an answer; the latest rating counts."""
    services.history.rate(who, answer, body.rating, body.comment)


@router.get("/conversations")
def list_conversations(
    who: PrincipalParam,
    services: ServicesParam,
    kb: Annotated[Id | None, Query(description="Id or exact name of a knowledge base.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    channel: Annotated[
        Literal["page", "api"] | None, Query(description="Where they began.")
    ] = None,
    contains: Annotated[
        Id | None, Query(description="Part of the title or of what was said, any case.")
    ] = None,
    mine: Annotated[
        bool, Query(description="For administrators too without those of other keys.")
    ] = False,
) -> ListBody[ConversationBody]:
    """List conversations, the latest first."""
    via = Channel(channel) if channel else None
    found = services.history.conversations(
        who, kb, cursor, limit, channel=via, contains=contains, is_mine=mine
    )
    return list_body(found, ConversationBody.of)


@router.get("/conversations/{conversation}")
def show_conversation(
    conversation: Id, who: PrincipalParam, services: ServicesParam
) -> ConversationBody:
    """Show a conversation, messages in order."""
    return ConversationBody.of(services.history.conversation(who, conversation))


@router.patch("/conversations/{conversation}")
def rename_conversation(
    conversation: Id, body: ConversationChange, who: PrincipalParam, services: ServicesParam
) -> ConversationBody:
    """Give a conversation another title."""
    return ConversationBody.of(services.history.rename_conversation(who, conversation, body.title))


@router.delete("/conversations/{conversation}", status_code=204)
def delete_conversation(conversation: Id, who: PrincipalParam, services: ServicesParam) -> None:
    """Delete a conversation with its answers."""
    services.history.delete_conversation(who, conversation)
