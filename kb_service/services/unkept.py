"""Answers that are no part of a base: those to what is measured, or asked again by itself."""

from dataclasses import replace

from kb_service.domain.answers import Answer, AnswerAudit, Conversation, Message
from kb_service.domain.errors import NotFound


class UnkeptAnswers:
    """An AnswerLog of the last conversation alone: what is asked so is no part of the base.

    For questions that are asked one after the other.
    """

    def __init__(self) -> None:
        self._last: Conversation | None = None
        self._answers: tuple[Answer, ...] = ()

    def new_answer_id(self) -> str:
        """Return a constant."""
        return "ans_unkept"

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Return the last conversation. Raises NotFound for any other."""
        if self._last is None or self._last.id != conversation_id:
            raise NotFound(f"no conversation {conversation_id}", code="conversation_not_found")
        return self._last

    def latest_answers(self, conversation_id: str, limit: int) -> tuple[Answer, ...]:
        """Return the last answers of the last conversation, the latest first."""
        return tuple(reversed(self._answers))[:limit]

    def save_turn(self, answer: Answer, audit: AnswerAudit) -> Answer:
        """Return the answer as it is; a conversation that begins takes the place of the last."""
        now = answer.created_at
        turn = (
            Message("user", answer.question, None, now),
            Message("assistant", answer.answer, answer.id, now),
        )
        last = self._last
        if last is None or last.id != answer.conversation_id:
            last = Conversation(answer.conversation_id, answer.kb_id, answer.question, (), now, now)
            self._answers = ()
        self._answers = (*self._answers, answer)
        self._last = replace(last, messages=last.messages + turn, updated_at=now)
        return answer
