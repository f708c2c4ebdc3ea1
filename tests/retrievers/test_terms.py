"""Terms of passages and questions, and what counts as an identifier."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.identifiers import pinning_terms
from kb_service.language.text import index_terms
from retrievers.terms import (
    FUNCTION_WORD_WEIGHT,
    NAMED_TITLE_WEIGHT,
    NUMBERED_PART_WEIGHT,
    across_weights,
    passage_terms,
    question_weights,
    title_terms,
)


def test_a_latin_word_brings_its_stem_and_a_chinese_pair_its_characters() -> None:
    assert passage_terms("Damaged 泄漏") == ["damaged", "~damag", "泄", "泄漏", "漏"]


def test_an_inflected_question_word_meets_the_passage_by_its_stem() -> None:
    assert "~damag" in set(question_weights(parse_question("was it damaging?"))) & set(
        passage_terms("damages")
    )


def test_question_words_weigh_less_than_content_words() -> None:
    weights = question_weights(parse_question("泄漏发生在哪一天？"))
    assert weights["泄漏"] == 1.0
    assert weights["哪"] == FUNCTION_WORD_WEIGHT
    assert question_weights(parse_question("Which valve leaked?"))["which"] == FUNCTION_WORD_WEIGHT


def test_a_question_of_function_words_only_keeps_them_at_full_weight() -> None:
    assert set(question_weights(parse_question("who is it?")).values()) == {1.0}


def test_a_numbered_article_is_one_term_however_it_is_written() -> None:
    assert "第427条" in passage_terms("第四百二十七条 滥用职权")
    weights = question_weights(parse_question("《刑法》第427条规定了什么？"))
    assert (weights["第427条"], weights["刑法"]) == (NUMBERED_PART_WEIGHT, 1.0)
    assert (
        question_weights(parse_question("第四百二十七条呢，刑法"))["四百"] == FUNCTION_WORD_WEIGHT
    )


@pytest.mark.parametrize(
    "name", ["SG-2024-001", "N5921D", "NYC08CA055", "db1042.eqiad", "10.192.0.17", "13800138000"]
)
def test_names_of_one_thing_are_identifiers(name: str) -> None:
    assert name.casefold() in pinning_terms(index_terms(f"What happened to {name} ?"))


def test_full_width_identifiers_are_found_in_their_plain_form() -> None:
    assert pinning_terms(index_terms("编号ＳＧ－２０２４－００１的报告"))[0] == "sg-2024-001"


@pytest.mark.parametrize("text", ["2024年", "the 19th", "in the 1990s", "100km", "3.5mg", "a 12%"])
def test_years_ordinals_and_quantities_are_not_identifiers(text: str) -> None:
    assert pinning_terms(index_terms(text)) == []


def test_a_title_in_book_marks_meets_the_whole_title_of_its_text_only() -> None:
    asked = question_weights(parse_question("《中华人民共和国消防法》第五条规定了什么内容？"))
    assert asked["《消防法》"] == NAMED_TITLE_WEIGHT
    assert "《消防法》" in title_terms("中华人民共和国消防法(2021-04-29) > 第一章 总则\n类别 法律")
    assert "《消防法》" not in title_terms("消防法实施细则")
    assert "《消防法》" not in passage_terms("依照《消防法》第五条处理")


def test_a_numbered_thing_is_looked_for_by_its_name_in_the_other_language() -> None:
    weights = across_weights(parse_question("Which lock was put on pump 2?"))
    assert set(weights) == {"号泵"}
    assert not across_weights(parse_question("Which lock was put on the pump?"))
