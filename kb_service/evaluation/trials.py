"""Asking a base every question of a file: the loop around retrieval and answering.

Knows the order of the steps and keeps an error of one question from ending the run. Knows no
metric and no table.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Protocol

from kb_service.domain.answers import Answer
from kb_service.domain.errors import KbError
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


def ask_all(
    questions: Sequence[LabelledQuestion],
    answering: Answering,
    kb_id: str,
    stored_text: StoredText,
    told: Callable[[], None] = nothing,
    today: date | None = None,
) -> list[Outcome]:
    """Ask every question as on the day `today`; judge its answer, or the error that came instead.

    What is asked before it goes first, in one conversation, and is neither judged nor timed.
    """
    outcomes = []
    for question in questions:
        began = perf_counter()
        try:
            conversation_id = _begun(question, answering, kb_id, today)
            began = perf_counter()
            request = AskRequest(kb_id, question.text, conversation_id, today=today)
            answer = answering.ask(request)
        except KbError as error:
            outcomes.append(judge_failure(question, error.code, perf_counter() - began))
        else:
            seconds = perf_counter() - began
            outcomes.append(judge_answer(question, answer, stored_text, seconds))
        told()
    return outcomes


def _begun(
    question: LabelledQuestion, answering: Answering, kb_id: str, today: date | None
) -> str | None:
    """Ask what comes before a question; return the conversation, None when nothing does."""
    conversation_id = None
    for turn in question.after:
        request = AskRequest(kb_id, turn, conversation_id, today=today)
        conversation_id = answering.ask(request).conversation_id
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
