"""Values and labels that a narrow page breaks over two lines, and lines that only stand below."""

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked

NARROW = """突发事件信息报告单
报告编号：KD-2025-2072
发生地点：云栖巷11号
报告人：汤志刚    联系电话
：13782997878
死亡人数：1人    受伤人数
：不详
事件原因：雨天路滑制动不
及
已采取措施：安排专人值守
"""


def stated(text: str, field: str) -> list[str]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.text for fact in found if fact.field == field]


def test_a_value_goes_on_in_the_next_line_of_a_narrow_page() -> None:
    assert [text.replace(" ", "") for text in stated(NARROW, FactField.CAUSE)] == [
        "雨天路滑制动不及"
    ]


def test_a_label_may_be_broken_before_its_colon() -> None:
    assert stated(NARROW, FactField.PERSON) == ["汤志刚"]
    assert stated(NARROW, FactField.PHONE) == ["13782997878"]
    assert stated(NARROW, FactField.INJURED) == ["unknown"]


def test_what_stands_below_a_short_line_is_none_of_its_value() -> None:
    text = NARROW.replace("雨天路滑制动不\n及", "路滑\n现场已清理")
    assert stated(text, FactField.CAUSE) == ["路滑"]


def test_a_page_of_long_lines_breaks_no_values() -> None:
    text = f"{NARROW}\n{'本页末行写得很长，' * 8}\n"
    assert stated(text, FactField.CAUSE) == ["雨天路滑制动不"]
