"""Questions name what happened, in the words that people would use of it."""

import pytest

from kb_service.domain.facts import DOCUMENT_RECORD, Fact, FactField, FactMethod
from kb_service.domain.spans import TextSpan
from kb_service.language.suggesting import questions_about, questions_over


def fact(field: FactField, value: str, text: str = "x") -> Fact:
    span = TextSpan(0, len(value))
    return Fact(DOCUMENT_RECORD, field, value, span, text, FactMethod.FORM, 1.0)


CAUSE = fact(FactField.CAUSE, "a worn cable")
NUMBER = fact(FactField.NUMBER, "G42")


@pytest.mark.parametrize(
    ("title", "facts", "asked"),
    [
        ("青石岭隧道多车相撞事故调查报告", [CAUSE, NUMBER], "青石岭隧道多车相撞事故的原因是什么？"),
        ("锦绣广场工地塌方救援情况", [CAUSE], "锦绣广场工地塌方的原因是什么？"),
        ("Mill Lane fire - final report", [CAUSE], "What was the cause of Mill Lane fire?"),
        ("Warehouse fire", [CAUSE], "What was the cause of Warehouse fire?"),
        ("Accident report", [CAUSE], None),
        ("Minutes", [CAUSE, NUMBER], "What was the cause of G42?"),
        ("Minutes", [CAUSE], None),
        ("Sheet1", [CAUSE], None),
    ],
)
def test_a_question_about_one_document_names_what_happened(
    title: str, facts: list[Fact], asked: str | None
) -> None:
    found = [question for question, _ in questions_about(title, facts)]
    assert found == ([asked] if asked else [])


def test_only_what_happens_is_asked_for_by_kind() -> None:
    kinds = [fact(FactField.KIND, words) for words in ("gas leak", "Incident documentation")]
    assert [question for question, _ in questions_over(kinds)] == [
        "How many reports of gas leak are there?"
    ]
