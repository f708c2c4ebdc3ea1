"""Sentences that say the opposite of what is asked."""

import pytest

from kb_service.generation.contradictions import says_opposite
from kb_service.language.asked import parse_question
from tests.generation.test_extractive import passage, read


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Which pump did not leak?", "The second pump leaked in March."),
        ("Who never signed the form?", "Ann Lee signed the form."),
        ("What is the lowest pressure?", "The highest pressure is 12 bar."),
        ("What lies north of the plant?", "A depot lies south of the plant."),
        ("哪台水泵没有泄漏？", "二号水泵于三月泄漏。"),
        ("最低压力是多少？", "最高压力是12巴。"),
        ("厂房北部是什么？", "厂房南部是仓库。"),
    ],
)
def test_a_denied_or_opposite_word_of_the_question_contradicts(
    question: str, sentence: str
) -> None:
    assert says_opposite(parse_question(question), sentence)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Which pump did not leak?", "The second pump never leaked."),
        ("Which pump did not leak?", "The second pump was unharmed."),
        ("Which pump did not leak?", "All pumps leaked except the second."),
        ("What is the lowest pressure?", "The lowest pressure is 2, the highest 12 bar."),
        ("Is the north or the south wing higher?", "The south wing is higher."),
        ("Which pump leaked?", "The second pump did not hold and leaked."),
        ("哪台水泵没有泄漏？", "除二号水泵外均泄漏。"),
        ("有没有泄漏？", "二号水泵于三月泄漏。"),
        ("最低压力是多少？", "最低压力2巴，最高压力12巴。"),
    ],
)
def test_a_sentence_that_denies_too_or_has_both_words_does_not(
    question: str, sentence: str
) -> None:
    assert not says_opposite(parse_question(question), sentence)


def test_the_reader_abstains_rather_than_quote_the_opposite() -> None:
    text = "The highest pressure in the boiler was 12 bar."
    assert read("What was the highest pressure in the boiler?", passage(text)).text
    assert read("What was the lowest pressure in the boiler?", passage(text)).text == ""
