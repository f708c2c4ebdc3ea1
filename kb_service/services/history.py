"""Stored answers and conversations: show, rate, list, delete. Answers are made in `answering`."""

from dataclasses import dataclass

from kb_service.domain.answers import Answer, AnswerAudit, Channel, Conversation
from kb_service.domain.people import Principal
from kb_service.storage.answers.conversations import no_conversation
from kb_service.storage.answers.store import AnswerStore, no_answer
from kb_service.storage.bases import no_kb
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Listing


@dataclass(frozen=True, slots=True)
class AuditedAnswer:
    """An answer, what explains it, and how it was rated: (rating, comment)."""

    answer: Answer
    audit: AnswerAudit
    feedback: tuple[str, str] | None


class HistoryService:
    """What was answered, as far as it is there for who looks: one's own in the bases that one sees.

    Every method raises StorageError, and NotFound for what is not there.
    """

    def __init__(self, answers: AnswerStore, catalog: Catalog) -> None:
        self._answers = answers
        self._catalog = catalog

    def answer(self, who: Principal, answer_id: str) -> AuditedAnswer:
        """Return a stored answer."""
        answer, audit = self._answers.get(answer_id)
        if not (who.owns(answer.owner) and who.sees(answer.kb_id)):
            raise no_answer(answer_id)
        return AuditedAnswer(answer, audit, self._answers.get_feedback(answer_id))

    def rate(self, who: Principal, answer_id: str, rating: str, comment: str) -> None:
        """Rate an answer; the latest rating counts. Raises InvalidRequest."""
        self.answer(who, answer_id)
        self._answers.feedback(answer_id, rating, comment)

    def conversations(
        self,
        who: Principal,
        kb: str | None,
        cursor: str | None,
        limit: int,
        *,
        channel: Channel | None = None,
        contains: str | None = None,
        is_mine: bool = False,
    ) -> Listing[Conversation]:
        """Return a part of the conversations, the latest first: of a base (id or name), or all.

        `contains`: those with that in their title or in what was said, in any case. `is_mine`: for
        administrators too without those of other keys.
        """
        kb_id = None if kb is None else self._catalog.bases.get(kb).id
        if kb is not None and not who.sees(kb_id or ""):
            raise no_kb(kb)
        return self._answers.list_conversations(
            kb_id, cursor, limit, channel=channel, contains=contains, who=who, is_mine=is_mine
        )

    def latest(self, who: Principal, kb_id: str, limit: int) -> tuple[tuple[object, ...], ...]:
        """Return what tells that the list of the page's conversations is another one."""
        return self._answers.latest_on_page(kb_id, who, limit)

    def conversation(self, who: Principal, conversation_id: str) -> Conversation:
        """Return a conversation, messages in order."""
        found = self._answers.get_conversation(conversation_id)
        if not (who.owns(found.owner) and who.sees(found.kb_id)):
            raise no_conversation(conversation_id)
        return found

    def rename_conversation(self, who: Principal, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title. Raises InvalidRequest."""
        self.conversation(who, conversation_id)
        return self._answers.rename_conversation(conversation_id, title)

    def delete_conversation(self, who: Principal, conversation_id: str) -> None:
        """Delete a conversation with its answers."""
        self.conversation(who, conversation_id)
        self._answers.delete_conversation(conversation_id)
