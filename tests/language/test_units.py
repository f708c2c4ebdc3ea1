"""Quotable units: sentences, form fields, list items and headings of real layouts."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.texts import UnitKind
from kb_service.language.lexicon import Lexicon, shipped_languages, shipped_lexicon
from kb_service.language.units import (
    UNIT_RULES,
    UnitCutter,
    item_number,
    marked,
    quotable_units,
    reflow,
)


def cut(text: str) -> list[tuple[str, str]]:
    return [(unit.kind.value, reflow(unit.span.of(text))) for unit in quotable_units(text)]


def test_a_form_with_values_on_the_next_line_is_cut_into_fields() -> None:
    text = (
        "Location:\nTallahassee, FL\nDefining Event:\nInjuries:\n1 Minor\nAnalysis\nThe pilot left."
    )
    assert cut(text) == [
        ("field", "Location: Tallahassee, FL"),
        ("field", "Defining Event:"),
        ("field", "Injuries: 1 Minor"),
        ("heading", "Analysis"),
        ("sentence", "The pilot left."),
    ]


def test_a_form_in_columns_is_cut_at_the_tabs_before_labels() -> None:
    text = "Location:\tTallahassee, FL\tAccident Number:\tNYC08CA055"
    assert cut(text) == [
        ("field", "Location: Tallahassee, FL"),
        ("field", "Accident Number: NYC08CA055"),
    ]


def test_a_wrapped_value_stays_in_its_field() -> None:
    assert cut("Restraint Used:\nSeatbelt, Shoulder\nharness\nAge:\n85") == [
        ("field", "Restraint Used: Seatbelt, Shoulder harness"),
        ("field", "Age: 85"),
    ]


def test_a_chinese_report_is_cut_into_fields_headings_sentences_and_items() -> None:
    text = (
        "编号 SG-2024-001\n一、概况\n位于石门县的机房发生泄\n漏。无人受伤。\n"
        "四、措施\n1. 增设报警；\n2. 演练。"
    )
    assert cut(text) == [
        ("field", "编号 SG-2024-001"),
        ("heading", "一、概况"),
        ("sentence", "位于石门县的机房发生泄漏。"),
        ("sentence", "无人受伤。"),
        ("heading", "四、措施"),
        ("sentence", "1. 增设报警；"),
        ("sentence", "2. 演练。"),
    ]


def test_long_text_without_end_marks_is_cut_at_line_ends() -> None:
    text = "\n".join(["单元格" * 30] * 6)
    assert [unit.kind for unit in quotable_units(text)] == [UnitKind.SENTENCE] * 6


def test_item_numbers_are_read_in_their_scripts() -> None:
    assert [item_number(t) for t in ("2. a", "（二）b", "(3) c", "第十二条 d", "12:30 e", "f")] == [
        2, 2, 3, 12, None, None,
    ]  # fmt: skip


def test_reflow_changes_white_space_only() -> None:
    assert reflow("造成5\n人受\n伤，in\nthe  room") == "造成5人受伤，in the room"


@settings(deadline=None)  # a shared machine pauses at will
@given(st.text(alphabet="Label: 值。一、\n\t1.a b；", max_size=120))
def test_every_character_lies_in_exactly_one_unit(text: str) -> None:
    units = quotable_units(text)
    assert "".join("".join(u.span.of(text).split()) for u in units) == "".join(text.split())
    assert all(a.span.end <= b.span.start for a, b in pairwise(units))
    assert all("".join(reflow(u.span.of(text)).split()) for u in units)


def test_the_rules_have_another_name_where_they_cut_otherwise() -> None:
    shipped = UnitCutter(shipped_lexicon())
    with_label = Lexicon([*shipped_languages().values(), {"layout": {"labels": ["^Etikett:"]}}])
    assert shipped.rules == UNIT_RULES
    assert UnitCutter(with_label).rules != UNIT_RULES


def test_a_long_field_is_marked_as_a_whole_and_by_its_sentences() -> None:
    long = "Note: " + "The pump failed. " * 30
    kinds = [unit.kind for unit in marked(f"Name: x\n{long}\nThe end.").units]
    assert kinds == [UnitKind.FIELD] * 2 + [UnitKind.PART] * 30 + [UnitKind.SENTENCE]


def test_a_title_is_no_part_of_the_sentence_under_it() -> None:
    for title, prose in (
        (
            "关于临港路口两车相撞的通报",
            "2025年3月2日7时40分，临港路与海关路交叉口两车相撞，一人受伤。",
        ),
        ("Night shift handover", "At 03:10 the second pump stopped, and the crew switched it off."),
        (
            "Cold store (east wing)",
            "“It smelled of ammonia for an hour,” the watchman told us later.",
        ),
    ):
        assert cut(f"{title}\n{prose}")[0] == ("heading", title)
        between = f"The pump was replaced in May.\n{title}\n{prose}"
        assert ("heading", title) in cut(between)


def test_wrapped_prose_has_no_titles() -> None:
    for wrapped in (
        "The crew reached the valve\nat 03:10 and found, as expected, that somebody had shut it.",
        "On the evening of 4 May the crew of the tug\nMarin reached the berth, which was on fire.",
        "当日下午，现场指挥部调集两台挖掘机和三十名\n消防员赶到现场，经过两个小时，险情得到控制。",
        "It was reported,\nThe Times wrote, that nobody had been hurt in the accident.",
    ):
        assert [kind for kind, _ in cut(wrapped)] == ["sentence"]


def test_short_lines_above_no_prose_are_no_titles() -> None:
    assert [kind for kind, _ in cut("王立\n应急管理局副局长兼总工程师办公室主任")] == ["sentence"]


def test_an_item_behind_a_bullet_is_no_heading_of_the_longer_one_after_it() -> None:
    text = "\u2022 Injured: 3\n\n\u2022 Lost revenue is put at EUR 214,000, as of today"
    assert UnitKind.HEADING not in {unit.kind for unit in quotable_units(text)}


def test_a_label_behind_a_bullet_begins_a_field() -> None:
    text = "• Location: Depot 4\n• The pump leaked at nine.\n• 地点：三号仓库"
    assert cut(text) == [
        ("field", "• Location: Depot 4"),
        ("sentence", "• The pump leaked at nine."),
        ("field", "• 地点：三号仓库"),
    ]


def test_lines_that_begin_with_a_time_are_no_one_sentence() -> None:
    log = "08:40 all quiet\n09:10 fire in the store,\nput out by hand\n4 May 11:30 a visitor fell"
    assert cut(log) == [
        ("sentence", "08:40 all quiet"),
        ("sentence", "09:10 fire in the store, put out by hand"),
        ("sentence", "4 May 11:30 a visitor fell"),
    ]
    days = "5月4日 一切正常\n5月5日 垃圾房起火\n5月7日 访客摔倒"
    assert [text for _, text in cut(days)] == days.split("\n")


def test_prose_of_which_a_line_begins_with_a_time_is_one_sentence() -> None:
    prose = (
        "On the night of the fourth the second pump of the mill stood still, it was told, until\n"
        "08:40 in the morning, and the first one, repaired meanwhile, ran until\n09:10 again."
    )
    assert [text for _, text in cut(prose)] == [prose.replace("\n", " ")]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("Action items:\n1. Alert the desk.\n2. Renew it.", "2. Renew it."),
        ("We did three things.\n  1. Close it.\n  2. Test it.", "2. Test it."),
        ("Steps\n\n9. Open it.\n10. Wait.", "10. Wait."),
        ("1. Close it. Then wait 3. After that", "After that"),
    ],
)
def test_the_number_of_an_item_is_no_sentence_of_its_own(text: str, last: str) -> None:
    assert quotable_units(text)[-1].span.of(text) == last
