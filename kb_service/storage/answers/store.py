"""Stored answers with their audit records, feedback on them, and conversations.

An answer that saw words of a document that is gone is stored, and read back, without any of them.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from kb_service.domain.answers import Answer, AnswerAudit, Channel, Conversation, Message
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.people import OPERATOR, Principal
from kb_service.storage.answers.codec import (
    answer_from,
    answer_json,
    audit_from,
    audit_json,
    redacted,
    seen_documents,
)
from kb_service.storage.answers.conversations import (
    are_of,
    read_conversations,
    require_conversation,
    says,
)
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_time_cursor,
    encode_cursor,
    new_id,
    utc_now,
)
from kb_service.storage.people.tables import conversation_owners
from kb_service.storage.rows import batches
from kb_service.storage.tables import (
    answer_documents,
    answers,
    conversations,
    documents,
    feedback,
    messages,
)

RATINGS = ("up", "down")
MAX_COMMENT_CHARS = 10_000
MAX_TITLE_CHARS = 100


class AnswerStore:
    """Answers and conversations. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def new_answer_id(self) -> str:
        """Return an id for an answer that is about to be made."""
        return new_id("ans")

    def save_turn(self, answer: Answer, audit: AnswerAudit, wait_s: float | None = None) -> Answer:
        """Store an answer, and question and answer as the next messages of its conversation.

        One transaction; a conversation that does not exist yet begins with it. Returns the answer
        as stored: without any words when a document that it saw was deleted meanwhile. Raises
        NotFound when the knowledge base was deleted, StorageError also when the turn to write does
        not come within `wait_s` seconds.
        """
        now = self._clock()
        with self._database.write(wait_s, base=answer.kb_id) as connection:
            stored = _save(connection, answer, audit)
            _begin_conversation(connection, answer, now)
            turn = (
                Message("user", answer.question, None, now),
                Message("assistant", stored.answer, answer.id, now),
            )
            for message in turn:
                _append(connection, answer.conversation_id, message)
        return stored

    def as_it_may_be_shown(self, answer: Answer, audit: AnswerAudit) -> tuple[Answer, AnswerAudit]:
        """Return an answer that is not stored as `save_turn` would: without any words when a
        document that it saw is gone. Raises NotFound when the knowledge base is."""
        seen = seen_documents(answer)
        with self._database.read() as connection:
            require_kb(connection, answer.kb_id)
            is_whole = _existing(connection, seen) == seen
        if is_whole:
            return answer, audit
        payload, record = redacted(answer_json(answer), audit_json(audit))
        kept = replace(answer_from(payload), not_stored=answer.not_stored, owner=answer.owner)
        return kept, audit_from(record)

    def get(self, answer_id: str) -> tuple[Answer, AnswerAudit]:
        """Return an answer and its audit record. Raises NotFound (answer_not_found)."""
        talk = conversation_owners.c.conversation_id == answers.c.conversation_id
        statement = (
            select(answers.c.payload, answers.c.audit, conversation_owners.c.key_id)
            .outerjoin(conversation_owners, talk)
            .where(answers.c.id == answer_id)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise no_answer(answer_id)
        return replace(answer_from(row.payload), owner=row.key_id or ""), audit_from(row.audit)

    def latest_answers(self, conversation_id: str, limit: int) -> tuple[Answer, ...]:
        """Return the last answers of a conversation, the latest first."""
        statement = (
            select(answers.c.payload)
            .join(messages, messages.c.answer_id == answers.c.id)
            .where(messages.c.conversation_id == conversation_id)
            .order_by(messages.c.number.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(map(answer_from, connection.execute(statement).scalars()))

    def feedback(self, answer_id: str, rating: str, comment: str = "") -> None:
        """Keep the latest rating of an answer. Raises NotFound, InvalidRequest."""
        if rating not in RATINGS:
            raise InvalidRequest(
                f"rating is {rating[:50]!r}; 'up' or 'down' are accepted", code="invalid_rating"
            )
        if len(comment) > MAX_COMMENT_CHARS:
            raise InvalidRequest(
                f"comment has {len(comment)} characters; at most {MAX_COMMENT_CHARS} are accepted",
                code="invalid_comment",
            )
        with self._database.write() as connection:
            found = connection.execute(select(answers.c.id).where(answers.c.id == answer_id))
            if found.first() is None:
                raise no_answer(answer_id)
            connection.execute(delete(feedback).where(feedback.c.answer_id == answer_id))
            connection.execute(
                insert(feedback).values(
                    answer_id=answer_id, rating=rating, comment=comment, created_at=self._clock()
                )
            )

    def get_feedback(self, answer_id: str) -> tuple[str, str] | None:
        """Return (rating, comment) of an answer, None when nobody rated it."""
        statement = select(feedback.c.rating, feedback.c.comment).where(
            feedback.c.answer_id == answer_id
        )
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        return (row.rating, row.comment) if row is not None else None

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation with its messages in order. Raises NotFound."""
        with self._database.read() as connection:
            require_conversation(connection, conversation_id)
            return read_conversations(connection, [conversation_id])[0]

    def list_conversations(
        self,
        kb_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
        *,
        channel: Channel | None = None,
        contains: str | None = None,
        who: Principal = OPERATOR,
        is_mine: bool = False,
    ) -> Listing[Conversation]:
        """Return conversations, the latest first, after the cursor, of one base or of all.

        `contains`: those with that in their title or in what was said, in any case. `who`: those
        that are there for this one; `is_mine`: without those of other keys.
        """
        updated_at, key = conversations.c.updated_at, conversations.c.id
        statement = select(key, updated_at).order_by(updated_at.desc(), key.desc())
        statement = statement.limit(check_limit(limit) + 1).where(are_of(who, is_mine=is_mine))
        if kb_id is not None:
            statement = statement.where(conversations.c.kb_id == kb_id)
        if channel is not None:
            statement = statement.where(conversations.c.channel == channel)
        if contains is not None:
            statement = statement.where(says(contains))
        if cursor is not None:
            before, last = decode_time_cursor(cursor)
            same_time = and_(updated_at == before, key < last)
            statement = statement.where(or_(updated_at < before, same_time))
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
            items = read_conversations(connection, [row.id for row in rows[:limit]])
        if len(rows) <= limit:
            return Listing(items, None)
        return Listing(items, encode_cursor(items[-1].updated_at.isoformat(), items[-1].id))

    def latest_on_page(
        self, kb_id: str, who: Principal, limit: int
    ) -> tuple[tuple[str, str, datetime], ...]:
        """Return id, title and time of the latest conversations of the page in a base, of `who`."""
        column = conversations.c
        statement = (
            select(column.id, column.title, column.updated_at)
            .where(column.kb_id == kb_id, column.channel == Channel.PAGE)
            .where(are_of(who, is_mine=True))
            .order_by(column.updated_at.desc(), column.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(connection.execute(statement).tuples())

    def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title; its place in the list stays. Raises NotFound and
        InvalidRequest (invalid_conversation_title)."""
        named = title.strip()
        if not 1 <= len(named) <= MAX_TITLE_CHARS:
            raise InvalidRequest(
                f"the title has {len(named)} characters; 1 to {MAX_TITLE_CHARS} are accepted",
                code="invalid_conversation_title",
            )
        with self._database.write() as connection:
            require_conversation(connection, conversation_id)
            which = conversations.c.id == conversation_id
            connection.execute(update(conversations).where(which).values(title=named))
            return read_conversations(connection, [conversation_id])[0]

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with its messages and answers. Raises NotFound."""

        def remove() -> None:
            with self._database.write(needs_room=False) as connection:
                require_conversation(connection, conversation_id)
                own = answers.c.conversation_id == conversation_id
                connection.execute(delete(answers).where(own))
                connection.execute(
                    delete(conversations).where(conversations.c.id == conversation_id)
                )

        self._database.freeing(remove)


def redact_answers(connection: Connection, document_id: str) -> None:
    """Take the words out of every stored answer that saw text of the document."""
    quoting = select(answer_documents.c.answer_id).where(
        answer_documents.c.document_id == document_id
    )
    rows = connection.execute(select(answers).where(answers.c.id.in_(quoting))).all()
    for row in rows:
        payload, audit = redacted(row.payload, row.audit)
        connection.execute(
            update(answers).where(answers.c.id == row.id).values(payload=payload, audit=audit)
        )
    for batch in batches(row.id for row in rows):
        connection.execute(
            update(messages).where(messages.c.answer_id.in_(batch)).values(content="")
        )
        connection.execute(
            update(feedback).where(feedback.c.answer_id.in_(batch)).values(comment="")
        )
        connection.execute(delete(answer_documents).where(answer_documents.c.answer_id.in_(batch)))


def _save(connection: Connection, answer: Answer, audit: AnswerAudit) -> Answer:
    payload, record = answer_json(answer), audit_json(audit)
    seen = seen_documents(answer)
    require_kb(connection, answer.kb_id)
    if _existing(connection, seen) != seen:
        seen = set()
        payload, record = redacted(payload, record)
    connection.execute(
        insert(answers).values(
            id=answer.id,
            kb_id=answer.kb_id,
            conversation_id=answer.conversation_id,
            payload=payload,
            audit=record,
            created_at=answer.created_at,
        )
    )
    if seen:
        values = [{"answer_id": answer.id, "document_id": item} for item in sorted(seen)]
        connection.execute(insert(answer_documents), values)
    return replace(answer_from(payload), owner=answer.owner)


def _begin_conversation(connection: Connection, answer: Answer, now: datetime) -> None:
    statement = select(conversations.c.id).where(conversations.c.id == answer.conversation_id)
    if connection.execute(statement).first() is None:
        connection.execute(
            insert(conversations).values(
                id=answer.conversation_id,
                kb_id=answer.kb_id,
                title=answer.question[:MAX_TITLE_CHARS],
                channel=answer.channel,
                created_at=now,
                updated_at=now,
            )
        )
        if answer.owner:
            values = {"conversation_id": answer.conversation_id, "key_id": answer.owner}
            connection.execute(insert(conversation_owners).values(values))


def _append(connection: Connection, conversation_id: str, message: Message) -> None:
    number = select(func.coalesce(func.max(messages.c.number), 0) + 1).where(
        messages.c.conversation_id == conversation_id
    )
    connection.execute(
        insert(messages).values(
            conversation_id=conversation_id,
            number=connection.execute(number).scalar_one(),
            role=message.role,
            content=message.content,
            answer_id=message.answer_id,
            created_at=message.created_at,
        )
    )
    connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(updated_at=message.created_at)
    )


def _existing(connection: Connection, document_ids: set[str]) -> set[str]:
    found: set[str] = set()
    for batch in batches(document_ids):
        statement = select(documents.c.id).where(documents.c.id.in_(batch))
        found |= set(connection.execute(statement).scalars())
    return found


def no_answer(answer_id: str) -> NotFound:
    """Return the error for an answer that is not there, or not for who asks."""
    return NotFound(f"no answer {answer_id!r}", code="answer_not_found")
