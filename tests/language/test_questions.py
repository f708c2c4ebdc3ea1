"""Questions: the type of their answer, their content terms, their coverage by a text."""

import pytest

from kb_service.language.questions import (
    AnswerType,
    answer_type,
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
