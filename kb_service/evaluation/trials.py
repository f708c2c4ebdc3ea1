"""Asking a base every question of a file: the loop around retrieval and answering.

Knows the order of the steps and keeps an error of one question from ending the run. Knows no
metric and no table.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

from kb_service.domain.answers import Answer, AnswerAudit, Conversation, Message
from kb_service.domain.errors import KbError, NotFound
from kb_service.domain.ports import Retriever
from kb_service.domain.queries import Query
from kb_service.evaluation.grounding import StoredText
from kb_service.evaluation.judging import Outcome, judge_answer, judge_failure, judge_ranking
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.ranking import DEPTH, Scores
from kb_service.language.asked import parse_question
from kb_service.services.asking import AskRequest


def nothing() -> None:
    """Tell nobody of the progress."""


class Answering(Protocol):
    """The answering service, as far as it is needed here."""

    def ask(self, request: AskRequest) -> Answer:
        """Return an answer. Raises KbError."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One question's ranking. `scores` is empty when nothing is known about what is relevant."""

    question: LabelledQuestion
    seconds: float
    scores: Scores


class UnkeptAnswers:
    """An AnswerLog of the last conversation alone: what a measurement asks is no part of the base.

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


def ask_all(
    questions: Sequence[LabelledQuestion],
    answering: Answering,
    kb_id: str,
    stored_text: StoredText,
    told: Callable[[], None] = nothing,
) -> list[Outcome]:
    """Ask every question and judge its answer; an error is that question's outcome.

    What is asked before it goes first, in one conversation, and is neither judged nor timed.
    """
    outcomes = []
    for question in questions:
        began = perf_counter()
        try:
            conversation_id = _begun(question, answering, kb_id)
            began = perf_counter()
            answer = answering.ask(AskRequest(kb_id, question.text, conversation_id))
        except KbError as error:
            outcomes.append(judge_failure(question, error.code, perf_counter() - began))
        else:
            seconds = perf_counter() - began
            outcomes.append(judge_answer(question, answer, stored_text, seconds))
        told()
    return outcomes


def _begun(question: LabelledQuestion, answering: Answering, kb_id: str) -> str | None:
    """Ask what comes before a question; return the conversation, None when nothing does."""
    conversation_id = None
    for turn in question.after:
        conversation_id = answering.ask(AskRequest(kb_id, turn, conversation_id)).conversation_id
    return conversation_id


def to_retrieve(questions: Iterable[LabelledQuestion]) -> list[LabelledQuestion]:
    """Return the questions whose ranking can be judged: they have an answer and stand alone."""
    return [question for question in questions if question.is_answerable and not question.after]


def retrieve_all(
    questions: Iterable[LabelledQuestion],
    retriever: Retriever,
    kb_id: str,
    told: Callable[[], None] = nothing,
) -> list[Retrieved]:
    """Retrieve for every question whose ranking can be judged, and judge it."""
    found = []
    for question in to_retrieve(questions):
        began = perf_counter()
        items = retriever.retrieve(
            Query(kb_id, parse_question(question.text), DEPTH, with_regions=True)
        ).items
        seconds = perf_counter() - began
        found.append(Retrieved(question, seconds, judge_ranking(question, items)))
        told()
    return found
