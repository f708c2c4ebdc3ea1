"""How many items a list has is told by the list, which what it counts introduces."""

import pytest

from kb_service.domain.answers import AnswerStatus
from tests.services.answer_fakes import FakeShelf, asked_of

POSTMORTEM = (
    "Postmortem of the payment outage\n\nThe certificate had expired.\n\nAction items:\n"
    "1. Alert before any certificate expires.\n2. Renew the ledger's by a job.\n3. Test it.\n"
)
REPORT = (
    "黑水隧道火灾调查报告\n\n起火原因是电线短路。\n\n整改措施：\n\n"
    "1. 更换全部电线。\n\n2. 每月检查一次。\n\n二、责任人\n\n1. 张某。\n\n2. 李某。\n"
)


def told(question: str, **texts: str) -> str:
    answer = asked_of(question, FakeShelf(**texts), {})
    return "" if answer.status is AnswerStatus.REFUSED else answer.answer


@pytest.mark.parametrize(
    "question",
    [
        "How many action items does the payment postmortem have?",
        "how many action items are there after the payment outage",
    ],
)
def test_the_items_under_what_is_counted_are_told(question: str) -> None:
    words = told(question, **{"postmortem.txt": POSTMORTEM})
    assert "1. Alert" in words and "3. Test it." in words and "certificate had" not in words


@pytest.mark.parametrize(
    "question", ["黑水隧道火灾的整改措施有几条？", "黑水隧道提出了几项整改措施？"]
)
def test_chinese_measures_are_told_and_nobody_named_under_another_head(question: str) -> None:
    words = told(question, **{"report.txt": REPORT})
    assert "更换全部电线" in words and "每月检查一次" in words and "张某" not in words


@pytest.mark.parametrize(
    "question",
    [
        "How many certificates expired?",
        "How many people tested it?",
        "How many action items does the boiler postmortem of Leeds have?",
        "黑水隧道火灾的起火原因有几条？",
        "青石岭隧道的整改措施有几条？",
    ],
)
def test_what_introduces_no_list_or_another_papers_is_not(question: str) -> None:
    assert told(question, **{"postmortem.txt": POSTMORTEM, "report.txt": REPORT}) == ""


def test_a_time_of_day_is_no_number_of_points() -> None:
    text = "某厂事故通报\n\n事故发生的原因：\n\n1. 电线老化。\n\n2. 无人看管。\n"
    assert told("某厂事故发生在几点？", **{"plant.txt": text}) == ""
