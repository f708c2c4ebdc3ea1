"""As what a question was read, as clients get it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kb_service.domain.answers import Understood
from kb_service.domain.queries import Filters
from kb_service.domain.questions import QuestionKind
from kb_service.domain.times import Period
from kb_service.schemas.answers import understood_body
from tests.api.service import sample_answer

PLAIN = sample_answer("kb_1")


def test_a_plain_question_is_told_too() -> None:
    assert understood_body(PLAIN).model_dump(mode="json") == {
        "question": PLAIN.question,
        "kind": "fact",
        "subjects": [],
        "time": None,
        "filters": {},
        "carried": [],
        "about": None,
    }


def test_days_filters_and_what_was_carried_are_told() -> None:
    read = Understood(
        question="About Kafka: what broke on 18 November 2026?",
        subjects=("Kafka", "18 November 2026"),
        time=Period(date(2026, 11, 18), date(2026, 11, 18)),
        filters=Filters(tags=("x",), date_from=datetime(2026, 1, 1, tzinfo=UTC)),
        carried=("Kafka",),
        documents=("doc_1",),
        about="about Kafka",
    )
    told = understood_body(replace(PLAIN, understood=read)).model_dump(mode="json")
    assert told["time"] == {"from": "2026-11-18", "to": "2026-11-18"}
    assert told["filters"] == {"tags": ["x"], "date_from": "2026-01-01T00:00:00.000000Z"}
    assert (told["carried"], told["about"]) == (["Kafka"], "about Kafka")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (QuestionKind.FACT, "fact"),
        (QuestionKind.YES_NO, "yes_no"),
        (QuestionKind.LIST, "list"),
        (QuestionKind.LIST_DOCUMENTS, "list"),
        (QuestionKind.COUNT, "count"),
        (QuestionKind.COMPARISON, "compare"),
        (QuestionKind.SUMMARY, "summary"),
        (QuestionKind.ABOUT_DOCUMENT, "document"),
        (QuestionKind.SMALL_TALK, "chat"),
    ],
)
def test_each_kind_has_a_name_for_clients(kind: QuestionKind, told: str) -> None:
    assert understood_body(replace(PLAIN, kind=kind)).kind == told
