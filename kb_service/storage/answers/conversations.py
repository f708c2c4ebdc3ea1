"""Conversations as rows: whose they are, what they say, read with their messages.

Called inside a transaction only; builds statements.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    or_,
    select,
    true,
)

from kb_service.domain.answers import Channel, Conversation, Message
from kb_service.domain.errors import NotFound
from kb_service.domain.people import Principal
from kb_service.storage.people.tables import conversation_owners
from kb_service.storage.rows import value_of
from kb_service.storage.tables import conversations, messages


def are_of(who: Principal, *, is_mine: bool) -> ColumnElement[bool]:
    """Match the conversations that are there for somebody: what it began, in bases that it sees.

    For administrators all, or (`is_mine`) those that are no other key's.
    """
    if who.is_admin:
        others = select(conversation_owners.c.conversation_id).where(
            conversation_owners.c.key_id != who.key_id
        )
        return conversations.c.id.not_in(others) if is_mine else true()
    begun = select(conversation_owners.c.conversation_id).where(
        conversation_owners.c.key_id == who.key_id
    )
    own = conversations.c.id.in_(begun) if who.key_id else false()
    return own if who.bases is None else and_(own, conversations.c.kb_id.in_(who.bases))


def says(words: str) -> ColumnElement[bool]:
    """Match conversations with these words in their title or in what was said, in any case."""
    own = messages.c.conversation_id == conversations.c.id
    said = messages.c.content.icontains(words, autoescape=True)
    return or_(conversations.c.title.icontains(words, autoescape=True), exists().where(own, said))


def _conversation_rows() -> Select[Any]:
    """Select conversations with the key whose each one is."""
    whose = conversation_owners.c.conversation_id == conversations.c.id
    return select(conversations, conversation_owners.c.key_id).outerjoin(conversation_owners, whose)


def require_conversation(connection: Connection, conversation_id: str) -> None:
    """Raise NotFound (conversation_not_found) unless the conversation exists."""
    statement = select(conversations.c.id).where(conversations.c.id == conversation_id)
    if connection.execute(statement).first() is None:
        raise no_conversation(conversation_id)


def read_conversations(connection: Connection, ids: Sequence[str]) -> tuple[Conversation, ...]:
    """Return conversations in the order of the ids, with their messages, in two queries."""
    turns: dict[str, list[Message]] = {}
    rows = connection.execute(
        select(messages)
        .where(messages.c.conversation_id.in_(ids))
        .order_by(messages.c.conversation_id, messages.c.number)
    )
    for row in rows:
        turns.setdefault(row.conversation_id, []).append(value_of(Message, row))
    found = {
        row.id: value_of(
            Conversation,
            row,
            messages=tuple(turns.get(row.id, ())),
            channel=Channel(row.channel),
            owner=row.key_id or "",
        )
        for row in connection.execute(_conversation_rows().where(conversations.c.id.in_(ids)))
    }
    return tuple(found[conversation_id] for conversation_id in ids)


def no_conversation(conversation_id: str) -> NotFound:
    """Return the error for a conversation that is not there, or not for who asks."""
    return NotFound(f"no conversation {conversation_id!r}", code="conversation_not_found")
