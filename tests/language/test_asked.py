"""A question is read as it was meant and kept as it was typed."""

from dataclasses import replace

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.subjects import subjects_in


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("建国路追 尾事故的 责任怎么 认定?", "建国路追尾事故的责任怎么认定?"),
        ("石门县\u3000火灾\n原因", "石门县火灾原因"),
        ("YS-2 026- 0412 的根因是 什么?", "YS-2026-0412 的根因是什么?"),
        ("“8·1 7”电信 诈骗案追 回多 少?", "“8·17”电信诈骗案追回多少?"),
        ("10月1 2日青石 岭谁值 班?", "10月12日青石岭谁值班?"),
        ("建國路追尾事故的責任怎麼認定?", "建国路追尾事故的责任怎么认定?"),
        ("WHO DROVE THE FORKLIFT AT HARLOW ROAD?", "who drove the forklift at harlow road?"),
    ],
)
def test_its_typing_changes_nothing(typed: str, meant: str) -> None:
    assert parse_question(typed) == replace(parse_question(meant), text=typed)


@pytest.mark.parametrize(
    "typed",
    [
        "kb 服务 v2 何时 发布",
        "who drove the crane",
        "서울 화재 원인",
        "2024 年 3 号 井",
        "2024 2025 火 灾 pump 3 4",
    ],
)
def test_spaces_that_part_words_or_numbers_stay(typed: str) -> None:
    question = parse_question(typed)
    assert question.text == typed
    assert question.normalised.count(" ") >= 2


def test_capitals_throughout_name_no_one() -> None:
    assert subjects_in(parse_question("WHO IS WILLIS FORMAN?")) == ()
    (subject,) = subjects_in(parse_question("Who is Willis Forman?"))
    assert subject.text == "Willis Forman"
    assert parse_question("WHAT IS IR-2025-0042?").identifiers == ("ir-2025-0042",)


@pytest.mark.parametrize(
    ("typed", "named"),
    [("青石 岭隧 道谁负 责?", "青石 岭隧 道"), ("YS-2 026- 0412 的根 因?", "YS-2 026- 0412")],
)
def test_a_name_with_stray_spaces_is_found_where_it_was_typed(typed: str, named: str) -> None:
    assert named in [subject.text for subject in subjects_in(parse_question(typed))]
