"""Answers that the disk or the database would not take: given all the same, kept in memory until
they can be stored.

Knows when to store and when to keep; how answers are stored is AnswerStore's. What is kept dies
with the process, which is why such an answer says that it is not stored.
"""

import threading
import time
from dataclasses import dataclass, replace

import structlog

from kb_service.domain.answers import Answer, AnswerAudit, Conversation, Message, NotStored
from kb_service.domain.errors import KbError, NotFound, StorageError
from kb_service.storage.answers.store import MAX_TITLE_CHARS, AnswerStore
from kb_service.storage.database import Database
from kb_service.storage.identity import Clock, utc_now

ANSWER_WAIT_S = 2.0
"""How long an answer that is ready waits for the turn to be written."""

MAX_KEPT = 100
"""Turns in memory; the oldest make room."""

log = structlog.get_logger("answers")


@dataclass(frozen=True, slots=True)
class _Turn:
    answer: Answer
    audit: AnswerAudit


class BufferedAnswers(AnswerStore):
    """An AnswerStore that lets no answer be lost to the person who asked. Safe between threads."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        super().__init__(database, clock)
        self._kept: tuple[_Turn, ...] = ()
        self._turns = threading.Lock()

    def save_turn(
        self, answer: Answer, audit: AnswerAudit, wait_s: float | None = ANSWER_WAIT_S
    ) -> Answer:
        """Store the turn, after those that still wait; an answer that cannot be is given with
        `not_stored`.

        Raises NotFound when the knowledge base was deleted, and StorageError when not even what it
        quotes can be looked up: a deleted document must not be quoted.
        """
        deadline = time.monotonic() + (ANSWER_WAIT_S if wait_s is None else wait_s)
        try:
            self._store_kept(deadline)
            return super().save_turn(answer, audit, _left(deadline))
        except StorageError as error:
            reason = NotStored(error.code, error.message)
            given, audit = self.as_it_may_be_shown(replace(answer, not_stored=reason), audit)
            with self._turns:
                self._kept = (*self._kept, _Turn(given, audit))[-MAX_KEPT:]
            log.warning("answer not stored", answer=answer.id, code=error.code)
            return given

    def get(self, answer_id: str) -> tuple[Answer, AnswerAudit]:
        """Return an answer, stored or kept, with its audit record. Raises NotFound."""
        self._try_to_store_kept()
        for turn in self._kept:
            if turn.answer.id == answer_id:
                return self.as_it_may_be_shown(turn.answer, turn.audit)
        return super().get(answer_id)

    def feedback(self, answer_id: str, rating: str, comment: str = "") -> None:
        """Keep the latest rating. Raises StorageError for an answer that still cannot be stored."""
        if any(turn.answer.id == answer_id for turn in self._kept):
            self._store_kept(time.monotonic() + ANSWER_WAIT_S)
        super().feedback(answer_id, rating, comment)

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation with the turns that are only kept at its end. Raises NotFound."""
        self._try_to_store_kept()
        kept = [turn for turn in self._kept if turn.answer.conversation_id == conversation_id]
        if not kept:
            return super().get_conversation(conversation_id)
        shown = [self.as_it_may_be_shown(turn.answer, turn.audit)[0] for turn in kept]
        try:
            stored = super().get_conversation(conversation_id)
        except NotFound:
            stored = _begun_by(shown[0])
        messages = (*stored.messages, *(message for item in shown for message in _messages(item)))
        return replace(stored, messages=messages, updated_at=shown[-1].created_at)

    def latest_answers(self, conversation_id: str, limit: int) -> tuple[Answer, ...]:
        """Return the last answers of a conversation, kept ones first, the latest first."""
        turns = [turn for turn in self._kept if turn.answer.conversation_id == conversation_id]
        shown = [self.as_it_may_be_shown(turn.answer, turn.audit)[0] for turn in reversed(turns)]
        return (*shown, *super().latest_answers(conversation_id, limit))[:limit]

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with its messages and answers, kept ones too. Raises NotFound."""
        with self._turns:
            before = self._kept
            self._kept = tuple(t for t in before if t.answer.conversation_id != conversation_id)
            was_kept = len(self._kept) < len(before)
        try:
            super().delete_conversation(conversation_id)
        except NotFound:
            if not was_kept:
                raise

    def close(self) -> None:
        """Store what is kept, as far as it goes: afterwards it is lost."""
        self._try_to_store_kept()

    def _try_to_store_kept(self) -> None:
        try:
            self._store_kept(time.monotonic())
        except StorageError:
            return  # told with each of the answers already

    def _store_kept(self, deadline: float) -> None:
        """Store the kept turns in the order they were asked in. Raises StorageError."""
        if not self._kept:
            return
        if not self._turns.acquire(timeout=_left(deadline)):
            raise StorageError("other answers are being stored", code="database_locked")
        try:
            while self._kept:
                self._store(self._kept[0], deadline)
                self._kept = self._kept[1:]
        finally:
            self._turns.release()

    def _store(self, turn: _Turn, deadline: float) -> None:
        try:
            super().save_turn(replace(turn.answer, not_stored=None), turn.audit, _left(deadline))
        except StorageError:
            raise
        except KbError as error:  # its base is gone: nobody can ask for it any more
            log.info("answer dropped", answer=turn.answer.id, code=error.code)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _begun_by(answer: Answer) -> Conversation:
    """Return the conversation that an answer begins, still without messages."""
    title = answer.question[:MAX_TITLE_CHARS]
    began = answer.created_at
    return Conversation(
        answer.conversation_id, answer.kb_id, title, (), began, began, answer.channel, answer.owner
    )


def _messages(answer: Answer) -> tuple[Message, Message]:
    """Return a turn as messages, as `save_turn` stores them."""
    return (
        Message("user", answer.question, None, answer.created_at),
        Message("assistant", answer.answer, answer.id, answer.created_at),
    )
