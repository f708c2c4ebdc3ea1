"""Asking a file: earlier turns go first; an error is its question's outcome."""

from dataclasses import replace
from datetime import date

import pytest

from kb_service.domain.answers import Answer, AnswerAudit
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.evaluation.questions import LabelledQuestion
from kb_service.evaluation.trials import ask_all, to_retrieve
from kb_service.services.asking import AskRequest
from kb_service.services.unkept import UnkeptAnswers
from tests.evaluation.test_judging import ASKED, GOOD, SENTENCE, stored

AUDIT = AnswerAudit("", "", (), {}, None, "")
FOLLOW_UP = replace(ASKED, id="f", text="And how long?", after=("When did it leak?", "Who saw it?"))


class Echo:
    """Answers what was asked, keeps the turns in a log, and fails on request."""

    def __init__(self, fails_on: str = "") -> None:
        self.log = UnkeptAnswers()
        self.requests: list[AskRequest] = []
        self.heard: list[list[str]] = []
        self._fails_on = fails_on

    def ask(self, request: AskRequest) -> Answer:
        self.requests.append(request)
        if request.question == self._fails_on:
            raise InvalidRequest("broken", code="broken")
        known = request.conversation_id
        said = self.log.get_conversation(known).messages if known else ()
        self.heard.append([message.content for message in said])
        conversation = known or f"conv_{len(self.requests)}"
        answer = replace(GOOD, question=request.question, conversation_id=conversation)
        return self.log.save_turn(answer, AUDIT)


def test_earlier_turns_are_asked_first_in_one_conversation() -> None:
    answering = Echo()
    outcomes = ask_all([FOLLOW_UP, ASKED], answering, "kb", stored)
    assert [outcome.question.id for outcome in outcomes] == ["f", "q"]
    assert answering.heard == [
        [],
        ["When did it leak?", SENTENCE],
        ["When did it leak?", SENTENCE, "Who saw it?", SENTENCE],
        [],
    ]
    assert [request.conversation_id for request in answering.requests] == [
        None, "conv_1", "conv_1", None,
    ]  # fmt: skip
    assert {request.today for request in answering.requests} == {None}


def test_every_turn_is_asked_as_on_the_day_that_is_given() -> None:
    answering = Echo()
    ask_all([FOLLOW_UP, ASKED], answering, "kb", stored, today=date(2024, 5, 2))
    assert [request.today for request in answering.requests] == [date(2024, 5, 2)] * 4


def test_an_error_in_an_earlier_turn_is_the_outcome_of_the_question() -> None:
    answering = Echo(fails_on="Who saw it?")
    failed, answered = ask_all([FOLLOW_UP, ASKED], answering, "kb", stored)
    assert (failed.status, failed.reason) == ("failed", "broken")
    assert answered.status == "answered"
    assert [r.question for r in answering.requests] == [*FOLLOW_UP.after, ASKED.text]


def test_only_the_last_conversation_is_remembered() -> None:
    log = UnkeptAnswers()
    for conversation in ("conv_1", "conv_2"):
        log.save_turn(replace(GOOD, conversation_id=conversation), AUDIT)
    assert [m.role for m in log.get_conversation("conv_2").messages] == ["user", "assistant"]
    with pytest.raises(NotFound):
        log.get_conversation("conv_1")


def test_a_ranking_is_judged_for_what_has_an_answer_and_stands_alone() -> None:
    without = LabelledQuestion("u", "Why?", is_answerable=False)
    assert to_retrieve([ASKED, FOLLOW_UP, without]) == [ASKED]
