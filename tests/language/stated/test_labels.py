"""Labels of forms mean the same in simplified and in traditional characters, here and elsewhere."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.facts import labelled_facts
from kb_service.language.furniture import is_furniture
from kb_service.language.layout import LAYOUT
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.labels import label_of, names_thing
from kb_service.language.units import marked

LABELS = [
    ("发生时间", "發生時間", FactField.TIME), ("肇事时间", "肇事時間", FactField.TIME),
    ("填表日期", "填表日期", FactField.REPORTED), ("通报时间", "通報時間", FactField.REPORTED),
    ("事发地点", "事發地點", FactField.PLACE), ("肇事地点", "肇事地點", FactField.PLACE),
    ("案件编号", "案件編號", FactField.NUMBER), ("灾害类型", "災害類型", FactField.KIND),
    ("填表人", "填表人", FactField.PERSON), ("驾驶人", "駕駛人", FactField.PERSON),
    ("通报人", "通報人", FactField.PERSON), ("涉事单位", "涉事單位", FactField.ORGANISATION),
    ("行动电话", "行動電話", FactField.PHONE), ("移动电话号码", "移動電話號碼", FactField.PHONE),
    ("电子信箱", "電子信箱", FactField.EMAIL), ("电邮地址", "電郵地址", FactField.EMAIL),
    ("车牌号码", "車牌號碼", FactField.VEHICLE), ("罹难人数", "罹難人數", FactField.DEAD),
    ("受伤人数", "受傷人數", FactField.INJURED), ("失踪人数", "失蹤人數", FactField.MISSING),
    ("财物损失", "財物損失", FactField.LOSS), ("罚锾金额", "罰鍰金額", FactField.FINE),
    ("肇事原因", "肇事原因", FactField.CAUSE), ("改善措施", "改善措施", FactField.MEASURE),
]  # fmt: skip
SIMPLIFIED = (
    "发生时间: 2026年3月5日14时\n\n肇事地点: 三号码头\n\n罹难人数: 1\n\n"
    "填表人: 王小明; 行动电话: 13800138000"
)
TRADITIONAL = (
    "發生時間: 2026年3月5日14時\n\n肇事地點: 三號碼頭\n\n罹難人數: 1\n\n"
    "填表人: 王小明; 行動電話: 13800138000"
)


@pytest.mark.parametrize(("simplified", "traditional", "field"), LABELS)
def test_a_label_means_the_same_in_either_script(
    simplified: str, traditional: str, field: FactField
) -> None:
    assert [label_of(label).field for label in (simplified, traditional)] == [field, field]


@pytest.mark.parametrize("label", ["通报", "行动", "罹难者家属", "改善", "驾驶", "罚锾制度"])
def test_a_word_that_only_begins_like_a_label_is_none(label: str) -> None:
    assert not label_of(label).is_standard


def test_a_form_states_the_same_in_either_script() -> None:
    one, other = (facts_in(marked(text)) for text in (SIMPLIFIED, TRADITIONAL))
    fields = [fact.field for fact in one]
    assert fields == ["time", "place", "dead", "person", "phone"]
    assert [(f.field, f.record, f.method, f.span) for f in one] == [
        (f.field, f.record, f.method, f.span) for f in other
    ]


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("第三编 总则", "第三編 總則"), ("第二章 处罚", "第二章 處罰"), ("第一节 罪", "第一節 罪"),
        ("第 3 页 共 9 页", "第 3 頁 共 9 頁"), ("第三条 本法", "第三條 本法"),
        ("三、事故经过", "三、事故經過"), ("(三)项", "(三)項"),
    ],
)  # fmt: skip
def test_a_line_is_set_out_the_same_in_either_script(simplified: str, traditional: str) -> None:
    ways = (
        LAYOUT.section_level, LAYOUT.begins_section, LAYOUT.is_section_mark, LAYOUT.begins_field,
        LAYOUT.is_page_number, LAYOUT.begins_item, LAYOUT.ends_line,
    )  # fmt: skip
    assert [way(simplified) for way in ways] == [way(traditional) for way in ways]
    assert any(way(simplified) for way in ways)


@pytest.mark.parametrize(
    "line",
    ["第 3 頁，共 9 頁", "共 9 頁", "本頁最後編輯於 2026年3月5日", "該頁面最近更新時間：昨天",
     "檢索自 example.org", "列印於 2026年", "版權所有 2026", "版权所有 2026",
     "本页最后编辑于 2026年"],
)  # fmt: skip
def test_page_furniture_is_known_in_either_script(line: str) -> None:
    assert is_furniture(line)


def test_the_head_of_a_report_is_read_in_either_script_and_quoted_as_written() -> None:
    written = "編號：AB-7\n類別：火災\n發生時間：2026年3月5日\n發生地點：三號碼頭\n單位：甲廠"
    found = list(labelled_facts(written))
    assert found == [tuple(line.split("：")) for line in written.split("\n")]
    assert [label for label, _ in labelled_facts("编号：AB-7\n单位：甲厂")] == ["编号", "单位"]


@pytest.mark.parametrize(
    "name",
    [
        "电梯编号",
        "電梯編號",
        "编号（电梯）",
        "床号",
        "航班号",
        "Lift no.",
        "No. (lift)",
        "asset.id",
    ],
)
def test_a_label_of_numbers_of_things_is_told_from_one_of_numbers_of_incidents(name: str) -> None:
    assert names_thing(name)


@pytest.mark.parametrize(
    "name",
    [
        "案件编号",
        "设备故障编号",
        "接警号",
        "No.",
        "Ticket",
        "Train incident no.",
        "vehicle.incident.id",
    ],
)
def test_a_label_of_numbers_of_incidents_names_no_thing(name: str) -> None:
    assert not names_thing(name)


@pytest.mark.parametrize("lift", ["Lift", "lift.id"])
def test_the_column_that_numbers_rows_goes_before_one_that_numbers_things(lift: str) -> None:
    rows = [f"Log: Q-{n}; {lift}: L-{n % 2}; Date: 2025-01-0{n}" for n in range(1, 5)]
    found = facts_in(marked("\n".join(rows)))
    assert [one.text for one in found if one.field == FactField.NUMBER] == [
        *("q-1", "q-2", "q-3", "q-4")
    ]
    assert {one.value for one in found if one.field == lift} == {"L-0", "L-1"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Problem: pump tripped\nDate: 2024-03-14\nType: fire\n", ["fire"]),
        ("Type: fire\nDate: 2024-03-14\nSymptom: pump tripped\n", ["fire"]),
        ("Fault: pump tripped\nDate: 2024-03-14\nPlace: Mill Lane 7\n", ["pump tripped"]),
        ("故障现象：水泵跳闸\n日期：2024年3月14日\n类型：火灾\n", ["fire"]),
        ("故障现象：水泵跳闸\n日期：2024年3月14日\n地点：望江大厦\n", ["水泵跳闸"]),
    ],
)
def test_a_symptom_tells_the_kind_where_no_label_of_kinds_does(text: str, kind: list[str]) -> None:
    found = facts_in(marked(text))
    assert [fact.text for fact in found if fact.field == FactField.KIND] == kind
