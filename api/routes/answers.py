"""Stored answers with their audit record, feedback, conversations.

Reads and rates what is stored; answers are made in `asking`.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import DEFAULT_LIMIT, Cursor, Limit, ServiceParam
from api.inputs import FeedbackInput
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.answers import (
    AuditedAnswerBody,
    ConversationBody,
    audited_answer_body,
    conversation_body,
)
from kb_service.schemas.documents import ListBody, list_body

router = APIRouter(route_class=JsonRoute, tags=["answers"])


@router.get("/answers/{answer}")
def show_answer(answer: Id, service: ServiceParam) -> AuditedAnswerBody:
    """Show an answer with what explains it, and how it was rated."""
    found, audit = service.answers.get(answer)
    return audited_answer_body(found, audit, service.answers.get_feedback(answer))


@router.post("/answers/{answer}/feedback", status_code=204)
def rate_answer(answer: Id, body: FeedbackInput, service: ServiceParam) -> None:
    """Rate an answer; the latest rating counts."""
    service.answers.feedback(answer, body.rating, body.comment)


@router.get("/conversations")
def list_conversations(
    service: ServiceParam,
    kb: Annotated[Id | None, Query(description="Id or exact name of a knowledge base.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ListBody[ConversationBody]:
    """List conversations, the latest first."""
    kb_id = None if kb is None else service.catalog.get_kb(kb).id
    return list_body(service.answers.list_conversations(kb_id, cursor, limit), conversation_body)


@router.get("/conversations/{conversation}")
def show_conversation(conversation: Id, service: ServiceParam) -> ConversationBody:
    """Show a conversation, messages in order."""
    return conversation_body(service.answers.get_conversation(conversation))


@router.delete("/conversations/{conversation}", status_code=204)
def delete_conversation(conversation: Id, service: ServiceParam) -> None:
    """Delete a conversation with its answers."""
    service.answers.delete_conversation(conversation)
