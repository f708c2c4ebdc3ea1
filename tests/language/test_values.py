"""Values of a sentence: equal when they mean the same, different when they do not."""

import pytest

from kb_service.language.dates import dates_in_title
from kb_service.language.identifiers import identifiers_in, without_fixed_values
from kb_service.language.text import normalise
from kb_service.language.values import (
    missing_values,
    stated_values,
    supporting_values,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2024年8月17日18时12分", {"date:2024-8-17", "time:18:12"}),
        ("二〇二一年三月，三十五人", {"date:2021-3", "num:35"}),
        ("损失560万元，占百分之三十五", {"num:5600000", "num:35%"}),
        ("12/08/2007, 1730", {"date:2007-12-8", "num:1730"}),
        ("December 8, 2007 at 6:12 pm", {"date:2007-12-8", "time:18:12"}),
        ("It rang at 2.20 pm.", {"time:14:20"}),
        ("It rang at 2.20.", {"num:2.2"}),
        ("8 Dec 2007", {"date:2007-12-8"}),
        ("锅炉于2024-05-03爆炸，2024/5/4扑灭", {"date:2024-5-3", "date:2024-5-4"}),
        ("1,500-foot strip, 5.6 million", {"num:1500", "num:5600000"}),
        ("2013/14 赛季", {"num:2013", "num:14"}),
        ("编号SG-2024-001，N5921D", {"id:sg-2024-001", "id:n5921d"}),
        ("负责人钱某作出检查", {"name:钱某"}),
        ("the pilot Willis Forman left", {"name:willis", "name:forman"}),
        ("The valve failed in July", set()),
        ("02-Nov-26", {"date:2026-11-2"}),
        ("3-Nov-2026", {"date:2026-11-3"}),
        ("03/Nov/2026, 03NOV26", {"date:2026-11-3"}),
        ("Nov 3, 26", {"date:2026-11-3"}),
        ("3 Nov ’26", {"date:2026-11-3"}),
        ("2026-Nov-03, Nov-03-2026", {"date:2026-11-3"}),
        ("due 3-Nov", {"date:11-3"}),
        ("03.11.26", {"date:2026-11-3"}),
        ("3.11.2026, 03-11-2026", {"date:2026-11-3"}),
        ("2026.11.3", {"date:2026-11-3"}),
        ("26年11月3日", {"date:2026-11-3"}),
        ("11/3当天停机", {"date:11-3"}),
        ("since 11/3", {"date:11-3"}),
        ("25/12/2026", {"date:2026-12-25"}),
        ("on 3 November 26 people came", {"date:11-3", "num:26"}),
        ("on November 3, 26 and 30", {"date:11-3", "num:26", "num:30"}),
        ("part 4.2.10", {"num:4.2"}),
        ("10.0.0.1", {"num:10"}),
    ],
)
def test_values_are_read_in_one_form(text: str, values: set[str]) -> None:
    assert stated_values(text) == values


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("在2024年", "2024-08-17 发生"),
        ("8月17日发生", "2024年8月17日18时12分发生"),
        ("in December 2007", "12/08/2007, 1730 EST"),
        ("损失5600000元", "损失560万元"),
        ("Forman left", "Willis O\nForman"),
        ("three men", "3 men"),
    ],
)
def test_a_source_supports_what_it_implies(sentence: str, source: str) -> None:
    assert missing_values(sentence, source) == frozenset()


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("损失560元", "损失560万元"),
        ("2024年8月18日", "2024年8月17日"),
        ("2023年8月17日", "8月17日"),
        ("35%", "35人"),
        ("SG-2024-002", "SG-2024-001"),
        ("负责人钱某", "负责人孙某"),
    ],
)
def test_another_value_is_missing(sentence: str, source: str) -> None:
    assert missing_values(sentence, source)


def test_numbers_with_units_and_ordinals_are_no_identifiers() -> None:
    assert identifiers_in(normalise("10km 3rd 9000ft NYC08CA055 db1042.eqiad v2-beta")) == (
        "nyc08ca055",
        "db1042.eqiad",
        "v2-beta",
    )


def test_identifiers_and_dates_can_be_taken_out() -> None:
    assert without_fixed_values(normalise("SG-2024-001 在2024年8月17日的损失")).split() == [
        "在",
        "的损失",
    ]
    assert without_fixed_values(normalise("2021年的损失")) == "2021年的损失"


def test_a_title_states_dates_run_together_in_file_names() -> None:
    assert "date:2015-8" in dates_in_title("Incidents/20150803-Pump")
    assert "num:2024" in dates_in_title("报告2024年8月17日")
    assert dates_in_title("serial 21057478, “8·17”, 8月17日") == frozenset()


def test_a_date_before_its_time_in_one_token_is_read() -> None:
    assert {"date:2015-8-3", "time:17:21"} <= supporting_values("At 2015-08-03T17:21 it began")


def test_a_year_of_two_digits_is_the_whole_one_where_a_month_stands_behind_it() -> None:
    assert not missing_values("24年8月17日", "2024-08-17")
    assert supporting_values("98年5月") >= {"date:1998-5", "num:1998"}
    assert "num:2020" not in supporting_values("用了20年")
