"""A thing told by its number is another one than its neighbour, however the number is written."""

import pytest

from kb_service.domain.questions import SubjectKind
from kb_service.language.asked import parse_question
from kb_service.language.mentions import mentions
from kb_service.language.numbered import columns_of, tells_others, writings_across
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise


def things(question: str) -> list[str]:
    found = subjects_in(parse_question(question))
    return [subject.text for subject in found if subject.kind is SubjectKind.NAME]


@pytest.mark.parametrize(
    ("question", "thing", "text", "other"),
    [
        ("9路公交车的司机是谁", "9路", "九路车司机张某", "6路公交车司机张某，19路"),
        ("3号楼为什么停水", "3号楼", "三号楼水管破裂", "5号楼和13号楼停水，共3人"),
        ("三号楼的电梯", "三号楼", "3#楼、4#楼电梯停用", "三人被困于二号楼"),
        ("3号教学楼的损失", "3号教学楼", "3号楼受损", "8号教学楼受损"),
        ("二期工程何时完工", "二期", "项目二期于五月完工", "一期工程于五月完工"),
        ("5号线停运多久", "5号线", "地铁五号线停运", "地铁15号线停运"),
        ("第三食堂的负责人", "第三食堂", "第3食堂负责人", "第二食堂负责人"),
        ("三食堂的负责人", "三食堂", "第三食堂负责人", "一食堂三名工人"),
        ("2班的班长是谁", "2班", "(2)班班长", "3班班长"),
        ("一二年级几点放学", "一二年级", "一、二年级走东门", "三、四年级走南门"),
        ("二三年级几点放学", "二三年级", "3年级走东门", "23年级走南门"),
        ("1号机组的出力", "1号机组", "1、2号机组出力", "2号机组出力"),
        ("4号机组的出力", "4号机组", "3至5号机组", "6至8号机组"),
        ("三号高炉的炉温", "三号高炉", "3号高炉", "二号高炉"),
        ("502室的住户是谁", "502室", "住户在502房", "住户在501室"),
        ("A座的住户是谁", "A座", "住户在A栋", "住户在B座"),
        ("地铁站C口的电梯", "C口", "C出口的电梯", "D口的电梯"),
        ("Who closed gate C?", "gate C", "gate C was shut", "gate D was shut"),
        ("第二车间的产量", "第二车间", "二车间", "一车间"),
        ("What stopped on Line 9?", "Line 9", "lines 8, 9 and 10 were shut", "line 6 was shut"),
        ("What failed in Unit 4?", "Unit 4", "unit no. 4 tripped", "Unit 5 tripped in 4 hours"),
        ("Who was in bay 6?", "bay 6", "bays 4 to 7", "bay 16"),
        ("Who was in room 12?", "room 12", "Room: 12", "room 21, 12 guests"),
        ("Who drove the route 9 bus?", "route 9", "the number 9 route", "route 19"),
        ("Who opened gate B12?", "gate B12", "gates B11 and B12", "gate B11"),
        ("Who heads No. 3 Middle School?", "No. 3 Middle School", "school no. 3", "No. 5 School"),
        ("What failed in the No. 2 engine?", "No. 2 engine", "engine 2 failed", "engine 1 failed"),
        ("What happened in Unit IV?", "Unit IV", "unit 4", "unit 5"),
        ("3号滤池的滤料高度", "3号滤池", "滤池: 3号; 高度: 115", "滤池: 4号; 高度: 96；取水点3处"),
        ("5号冷库的温度", "5号冷库", "5号冷库-18度", "2号冷库-18度"),
        ("Which pump feeds filter 3?", "filter 3", "filter no. 3", "filter 13"),
        ("Which lock is on pump 2?", "pump 2", "2号泵挂牌上锁", "3号泵投入运行"),
        ("2号泵的锁牌编号", "2号泵", "Pump 2 was isolated", "Pump 3 was isolated"),
    ],
)
def test_a_numbered_thing_is_met_by_itself_only(
    question: str, thing: str, text: str, other: str
) -> None:
    subjects = subjects_in(parse_question(question))
    (subject,) = [s for s in subjects if s.text == thing]
    assert mentions(normalise(text), subject)
    assert not mentions(normalise(other), subject)


@pytest.mark.parametrize(
    "question",
    [
        "3号发生了什么",
        "8月3号教学楼里发生了什么",
        "第一次检查发现了什么",
        "两辆车受损的原因",
        "前三名是谁",
        "第3条规定了什么",
        "第四章讲什么",
        "兵分三路的是谁",
        "两路人马何时到",
        "工人三班倒的原因",
        "每天2班的时间",
        "每个月3号仓库盘点吗",
        "Who built a block a week?",
        "烧毁三栋楼的损失",
        "分三期付款的金额",
        "What does chapter 3 say?",
        "What does section 12 of the act say?",
        "Did they leave the gate 5 minutes later?",
        "Did the line 3 people deep move?",
    ],
)
def test_what_is_counted_dated_or_a_part_of_a_paper_is_no_thing(question: str) -> None:
    assert things(question) == []


def test_a_numbered_name_is_met_with_the_number_in_other_characters() -> None:
    (subject,) = subjects_in(parse_question("城东三号仓库的面积"))
    assert mentions("城东3号仓库", subject)
    assert not mentions("城西3号仓库", subject)


@pytest.mark.parametrize(
    ("text", "names", "is_of_others"),
    [
        ("2号制冷车间于2015年投用。", ["1号制冷车间"], True),
        ("1号制冷车间于2009年投用。", ["1号制冷车间"], False),
        ("1号、2号制冷车间同时停产。", ["1号制冷车间"], False),
        ("制冷车间于2009年投用。", ["1号制冷车间"], False),
        ("翠庭苑6幢1102室被盗。", ["201室"], True),
        ("crane no. 4 was hit.", ["crane 5"], True),
        ("crane 5 was repaired.", ["crane no. 5"], False),
        ("rooms 12 and 14 burned.", ["room 14"], False),
        ("bay 6 burned.", ["room 14"], False),
        ("crane 6 carries 9 t.", ["crane 5", "crane 6"], False),
        ("crane 7 carries 9 t.", ["crane 5", "crane 6"], True),
        ("2号楼3单元停水。", ["1号楼", "3单元"], True),
        ("anything", [], False),
    ],
)
def test_a_text_tells_of_others_of_a_series(
    text: str, names: list[str], *, is_of_others: bool
) -> None:
    assert tells_others(text, names) is is_of_others


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("which lock was put on pump 2?", ("2号泵",)),
        ("6号泊位停用多久", ("berth 6", "dock 6", "pier 6")),
        ("three pumps were out", ()),
        ("共有3处取水点", ()),
    ],
)
def test_a_numbered_thing_is_written_as_in_the_other_language(
    question: str, written: tuple[str, ...]
) -> None:
    assert writings_across(normalise(question)) == written


@pytest.mark.parametrize(
    ("name", "column", "number"),
    [
        ("stand 4", "stand no.", "4"),
        ("stand no. 4", "stand", "4"),
        ("pump p-2", "pump number", "p-2"),
        ("3号机位", "机位编号", "3"),
        ("机位3", "机位", "3"),
    ],
)
def test_a_thing_may_stand_by_its_number_under_its_name(
    name: str, column: str, number: str
) -> None:
    columns, label = columns_of(name)
    assert column in columns
    assert label == number


@pytest.mark.parametrize("name", ["stand", "4", "stand 40.5", "3 people on stand", "三号"])
def test_other_words_stand_under_no_number(name: str) -> None:
    assert columns_of(name) == ((), "")
