"""Which cell of a table a question asks for, and when that is not sure."""

import pytest

from kb_service.language.cells import cells_asked, is_of_another
from kb_service.language.text import normalise

DAY, NIGHT = "甲班（08:00–20:00）", "乙班（20:00–次日08:00）"
PUMPS = [
    f"泵号: {pump}; {DAY} 流量 m³/h: {a}; {DAY} 压力 MPa: {b}; {NIGHT} 流量 m³/h: {c}; "
    f"{NIGHT} 压力 MPa: {d}; 运行小时: {e}"
    for pump, a, b, c, d, e in (
        ("1号泵", 412, 2.85, 405, 2.81, 11830),
        ("2号泵", 398, 2.79, 376, 2.62, 9475),
    )
]
FILTERS = [
    "滤池: 1号; 冲洗时间: 7月5日21:00; 浊度峰值(NTU): 0.12; 滤料高度(厘米): 118",
    "滤池: 2号; 冲洗时间: 7月5日23:30; 浊度峰值(NTU): 0.14; 滤料高度(厘米): 117",
    "序号: 6-2; 内容: 4号滤池补充石英砂32吨; 牵头: 城南水厂",
]
LIFTS = [
    "Lift no.: 3; Shift A Load kg: 410; Shift B Load kg: 395; Inspector: Kay Hollis",
    "Lift no.: 13; Shift A Load kg: 380; Shift B Load kg: 405; Inspector: Lee Brandt",
]


EVENTS = [
    "Ref: AP-611; Date: 02/11/26; Stand: 14; Delay min: 95",
    "Ref: AP-612; Date: 03/11/26; Stand: 31R; Delay min: 48",
    "Ref: AP-622; Date: 26/11/26; Stand: 22; Delay min: 55",
]
SHIFTS = ["日期: 11/3; 值班长: 聂海涛; 负荷: 410", "日期: 11/25; 值班长: 尤小满; 负荷: 395"]


def asked(question: str, rows: list[str]) -> list[str]:
    return [cell.span.of(rows[cell.row]) for cell in cells_asked(normalise(question), rows)]


@pytest.mark.parametrize(
    ("question", "rows", "cells"),
    [
        ("乙班2号泵的压力是多少？", PUMPS, ["2.62"]),
        ("甲班时1号泵的流量是多少？", PUMPS, ["412"]),
        ("2号泵的压力是多少？", PUMPS, ["2.79", "2.62"]),
        ("哪台泵的运行小时是9475？", PUMPS, ["2号泵"]),
        ("城南水厂2号滤池的滤料高度是多少厘米？", FILTERS, ["117"]),
        ("1号滤池浊度峰值是多少？", FILTERS, ["0.12"]),
        ("2号滤池的冲洗时间？", FILTERS, ["7月5日23:30"]),
        ("What was the load of lift 13 on shift B?", LIFTS, ["405"]),
        ("Who was the inspector of lift no. 3?", LIFTS, ["Kay Hollis"]),
        ("Which lift did inspector Lee Brandt see?", LIFTS, ["13"]),
        ("What load did lift 3 carry?", LIFTS, ["410", "395"]),
        ("What was the delay on 3 November?", EVENTS, ["48"]),
        ("What was the delay on 26 November 2026?", EVENTS, ["55"]),
        ("11月3日的值班长是谁？", SHIFTS, ["聂海涛"]),
        ("2026年11月25日的负荷是多少？", SHIFTS, ["395"]),
    ],
)
def test_a_cell_is_asked_for_by_its_row_and_its_column(
    question: str, rows: list[str], cells: list[str]
) -> None:
    assert asked(question, rows) == cells


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("6号滤池的滤料高度是多少？", FILTERS),
        ("滤料高度是多少？", FILTERS),
        ("2号滤池的滤料粒径是多少？", FILTERS),
        ("12号泵的压力是多少？", PUMPS),
        ("What was the load of lift 1 on shift B?", LIFTS),
        ("Who repaired lift 3?", LIFTS),
        ("What was the delay on 3 November 2025?", EVENTS),
        ("What was the delay on 11 February?", EVENTS),
        ("11月4日的值班长是谁？", SHIFTS),
        ("What was the load at 3 p.m.?", LIFTS),
        ("乙班2号泵的压力是多少？", []),
    ],
)
def test_no_cell_is_told_where_row_or_column_are_not_sure(question: str, rows: list[str]) -> None:
    assert asked(question, rows) == []


STOCKS = [
    "药品: 肾上腺素; 规格: 1mg; 基数: 10; 实数: 8",
    "药品: 肾上腺素; 规格: 1mg; 基数: 6; 实数: 5",
]
HEADS = ["惠民医院药品盘点\n内科三病区", "儿科二病区"]
VESSELS = ["Length (m); MV Sorrel: 112; MV Tansy: 98", "Master; MV Sorrel: Breck; MV Tansy: Stray"]


@pytest.mark.parametrize(
    ("question", "cells"),
    [
        ("惠民医院儿科二病区肾上腺素的基数是多少？", ["6"]),
        ("惠民医院内科三病区肾上腺素的实数是多少？", ["8"]),
        ("惠民医院肾上腺素的基数是多少？", []),
        ("外科一病区肾上腺素的基数是多少？", []),
    ],
)
def test_rows_of_alike_tables_are_told_apart_by_what_stands_above(
    question: str, cells: list[str]
) -> None:
    found = cells_asked(normalise(question), STOCKS, HEADS)
    assert [cell.span.of(STOCKS[cell.row]) for cell in found] == cells


@pytest.mark.parametrize(
    ("question", "cells"),
    [
        ("What is the length of MV Tansy?", ["98"]),
        ("Who is the master of MV Sorrel?", ["Breck"]),
        ("What is the draught of MV Tansy?", []),
    ],
)
def test_a_name_beside_a_row_names_it(question: str, cells: list[str]) -> None:
    assert asked(question, VESSELS) == cells


def test_no_column_is_meant_behind_words_that_the_paper_does_not_have() -> None:
    known = normalise("; ".join(FILTERS))
    assert cells_asked(normalise("2号滤池的滤料高度"), FILTERS, (), known)
    assert not cells_asked(normalise("2号滤池的设计滤料高度"), FILTERS, (), known)
    assert not cells_asked("what was the average delay of ap-612?", EVENTS, (), "ap-612 delay")


PERMITS = "条款: 3.1 一级票有效期; 第2版: 12小时; 第3版: 8小时"
LEVELS = "permit: level 1 permit validity; rev 2: 12 h; rev 3: 8 h"


@pytest.mark.parametrize(
    ("question", "row", "known", "is_another"),
    [
        ("动火作业票有效期是多久？", PERMITS, "一级作业票的规定", True),
        ("规定里动火作业票有效期是多久？", PERMITS, "动火作业另有规定", False),
        ("一级作业票有效期是多久？", PERMITS, "", False),
        ("作业票的有效期是多久？", PERMITS, "作业", False),
        ("票有效期是多久？", PERMITS, "", False),
        ("How long is the hot work permit validity?", LEVELS, "permit rules", True),
        ("How long is the level 1 permit validity?", LEVELS, "", False),
        ("How long is the permit validity?", LEVELS, "", False),
        ("动火作业票有效期是多久？", "一级票有效期为8小时。", "", False),
        ("Where was the flight dented?", "ref: ap-616; stand: 14; event: dent", "", False),
    ],
)
def test_a_row_about_its_like_is_told_from_one_about_what_is_asked(
    question: str, row: str, known: str, *, is_another: bool
) -> None:
    assert is_of_another(normalise(question), normalise(row), known) is is_another
