"""Questions: the type of their answer, their content terms, their coverage by a text."""

import pytest

from kb_service.language.questions import (
    AnswerType,
    answer_type,
    asks_across_documents,
    content_terms,
    coverage,
    text_terms,
)
from kb_service.language.text import normalise


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("泄漏发生在哪一天？", AnswerType.DATE),
        ("When did the accident happen?", AnswerType.DATE),
        ("几点发现的？", AnswerType.TIME),
        ("处置历时多久？", AnswerType.DURATION),
        ("直接经济损失是多少？", AnswerType.MONEY),
        ("How much did the repair cost?", AnswerType.MONEY),
        ("造成多少人死亡？", AnswerType.NUMBER),
        ("How many people were hurt?", AnswerType.NUMBER),
        ("值班负责人是谁？", AnswerType.PERSON),
        ("事故发生在哪个城市？", AnswerType.PLACE),
        ("Where did it happen?", AnswerType.PLACE),
        ("承保的是哪家公司？", AnswerType.ORGANISATION),
        ("直接原因是什么？", AnswerType.CAUSE),
        ("Why did the pump stop?", AnswerType.CAUSE),
        ("第2条整改措施是什么？", AnswerType.ITEM),
        ("What was the registration of the aircraft?", AnswerType.IDENTIFIER),
        ("迷鳄以什么为食？", AnswerType.OTHER),
    ],
)
def test_the_wording_tells_the_type_of_the_answer(question: str, kind: AnswerType) -> None:
    assert answer_type(normalise(question)) is kind


def test_counts_and_extremes_over_many_reports_are_recognised() -> None:
    assert asks_across_documents(normalise("2021年共有几起火灾？"))
    assert asks_across_documents(normalise("所有火灾报告中，损失最大的是哪一起？"))
    assert asks_across_documents(normalise("How many accidents happened in 2021?"))
    assert not asks_across_documents(normalise("事故共造成几人死亡？"))


def test_question_words_are_no_content() -> None:
    assert content_terms(normalise("直接原因是什么？"))[:3] == ("直", "直接", "接")
    assert content_terms(normalise("What type of aircraft was involved?")) == ("aircraft",)
    assert content_terms(normalise("那是什么时候？")) == ()


def test_coverage_meets_other_forms_of_a_word() -> None:
    terms = content_terms(normalise("How badly was the aircraft damaged?"))
    assert coverage(terms, text_terms("Aircraft Damage: Substantial"), {}) == 1.0
    assert coverage(("stopped",), text_terms("it stops"), {}) == 1.0
    assert coverage((), text_terms("anything"), {}) == 0.0


def test_a_term_without_a_rarity_counts_as_the_rarest() -> None:
    idf = {"aircraft": 1.0, "colour": 3.0}
    assert coverage(("aircraft", "painted"), text_terms("aircraft"), idf) == pytest.approx(0.25)


@pytest.mark.parametrize(
    "question",
    [
        "哪一起事故的直接经济损失最大？",
        "中环数据中心发生了几起事故？",
        "历时最长的是哪次事故？",
        "哪份报告里的罚款最多？",
        "最早的事故是什么时候？",
        "今年停机了多少次事故？",
        "Which incident had the most fatalities?",
        "Which outage lasted the longest?",
        "What was the earliest incident?",
        "How many aviation accidents happened in 2007?",
    ],
)
def test_a_count_or_an_extreme_over_reports_is_asked_across_documents(question: str) -> None:
    assert asks_across_documents(normalise(question))


@pytest.mark.parametrize(
    "question",
    [
        "世界上最大的沙漠是哪一个？",
        "事故造成几人受伤？",
        "最近一次检查是哪天？",
        "他最后在哪家公司任职？",
        "事故最后是怎么处理的？",
        "What is the longest river of France?",
        "How many people were hurt in the accident?",
        "How many events were lost?",
        "How long did the outage last?",
    ],
)
def test_extremes_and_counts_inside_one_subject_are_not(question: str) -> None:
    assert not asks_across_documents(normalise(question))
