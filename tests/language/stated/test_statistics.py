"""A paper that counts the happenings of a month or a year happened at no time itself."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked

SUMMED = (
    "2026年上半年全市火灾形势分析\n上半年全市共接报火灾412起，死亡7人。\n"
    "居民住宅火灾231起；厂房仓库火灾64起。\n电气火灾一百八十七起。\n"
)
YEAR = (
    "Incidents in March 2026\n\nThere were 412 fires in March 2026, among them 231 house fires and "
    "64 warehouse fires. Seven people died. The crews answered 1,204 calls.\n"
)
ONE = (
    "关于2026年3月某厂火灾的通报\n2026年3月，某厂仓库发生火灾1起，死亡2人。"
    "这是今年第3起火灾，去年同期2起。\n"
)


def times(text: str) -> list[str]:
    return [f.value for f in facts_in(marked(text)) if f.field == FactField.TIME]


@pytest.mark.parametrize("text", [SUMMED, YEAR])
def test_what_is_counted_over_a_stretch_has_no_time(text: str) -> None:
    assert times(text) == []


def test_a_report_that_counts_those_before_it_has_its_month() -> None:
    assert times(ONE)


def test_a_day_is_the_time_of_what_happened_whatever_is_counted_beside() -> None:
    text = YEAR.replace("Incidents in March 2026", "Warehouse fire of 3 March 2026")
    assert times(text)


def test_the_engines_of_one_fire_are_no_happenings() -> None:
    text = (
        "Barn fire, March 2026\n\nIn March 2026 a fire destroyed the barn of a farm. Two fire "
        "engines and three fire crews came. Four fire hydrants were used.\n"
    )
    assert times(text)
