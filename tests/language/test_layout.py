"""How a page is set out: list marks, headings, fields, page numbers, ends of lines."""

import pytest

from kb_service.language.layout import LAYOUT as PAGE
from kb_service.language.layout import Layout
from kb_service.language.lexicon import Lexicon, read_language


@pytest.mark.parametrize("mark", ["•", "2.", "(3)", "（四）", "十二、", "1.2.3"])
def test_a_mark_of_a_list_alone_is_known(mark: str) -> None:
    assert PAGE.is_item_mark(mark)
    assert not PAGE.is_item_mark(f"{mark} 泵")


@pytest.mark.parametrize("line", ["• 泵", "2) pump", "2. pump", "（四）泵", "十二、泵", "第3条 泵"])
def test_a_line_of_a_list_is_known(line: str) -> None:
    assert PAGE.begins_item(line)


@pytest.mark.parametrize("line", ["2.5 MW", "泵", "-5 °C", "二〇二四年"])
def test_other_lines_are_none_of_a_list(line: str) -> None:
    assert not PAGE.begins_item(line)


def test_running_text_sets_a_heading_off_by_a_space_and_a_page_by_its_line() -> None:
    levels = {"第一章 概况": 1, "第2节 原因": 2, "一、概况": 3, "第五节车厢起火": 0}
    assert {line: PAGE.section_level(line) for line in levels} == levels
    assert all(PAGE.is_section_mark(line) for line in levels)


@pytest.mark.parametrize("line", ["一、概况。", "一、他说：", "一、" + "泵" * 40])
def test_a_sentence_that_begins_like_a_heading_is_none(line: str) -> None:
    assert PAGE.section_level(line) == 0
    assert not PAGE.is_section_mark(line)


def test_a_pause_at_its_end_keeps_a_line_of_running_text_from_being_a_heading() -> None:
    assert PAGE.section_level("一、泵，") == PAGE.section_level("一、pump,") == 0


def test_a_line_ends_with_its_mark_or_the_quotation_behind_it() -> None:
    assert all(map(PAGE.ends_line, ("Done.", "完。", "“完。”", "如下：", "(Done.)")))
    assert not any(map(PAGE.ends_line, ("Done", "完", "完，", "完”")))


def test_a_page_runs_on_inside_a_sentence_only() -> None:
    assert PAGE.runs_on("the pump", "failed")
    assert PAGE.runs_on("水", "泵")
    assert PAGE.runs_on("ポンプの", "こわれた")
    assert not PAGE.runs_on("the pump.", "failed")
    assert not PAGE.runs_on("the pump", "Failed")
    assert not PAGE.runs_on("“水泵”", "失效")


def test_page_numbers_and_fields_are_known() -> None:
    assert all(map(PAGE.is_page_number, ("Page 3 of 12", "第 3 页 共 12 页", "- 3 -")))
    assert not PAGE.is_page_number("Page three")
    assert PAGE.begins_field("Location: Hall 3")
    assert not PAGE.begins_field("location: Hall 3")


def test_a_language_without_sections_of_its_own_has_lists_and_ends() -> None:
    german = Layout(Lexicon([read_language(r"layout = { page_numbers = ['seite \d+'] }")]))
    assert german.begins_item("2. Pumpe") and german.is_page_number("Seite 3")
    assert german.section_level("Abschnitt 2") == 0
    assert german.ends_line("Fertig.")
