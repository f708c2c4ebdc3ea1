"""Notices of offices: first report, follow-up, correction and findings on one incident.

The papers are written for these tests; the shape is that of duty rooms and councils.
"""

import pytest

from kb_service.domain.facts import Fact, FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked

FIRST = """青岭市应急管理局值班快报

青应急值〔2027〕8号

2月16日23时05分，榆河区鼎盛木业有限公司二车间一台砂光机在除尘作业中发生爆炸，随即起火。截至17日1时，造成4人受伤，1人失联，损失正在统计。

区长滕学民现场指挥。

2027年2月17日1时20分
"""
LATER = """关于鼎盛木业“2·16”爆炸的续报

青应急值〔2027〕9号

失联人员于17日6时找到，已无生命体征。4名伤者中1人经抢救无效于2月18日去世，死亡人数升至2人，受伤人数为3人。

青岭市应急管理局　2027年2月18日
"""
FINDINGS = """关于榆河区鼎盛木业有限公司“2·16”爆炸事故的调查通报

青安委〔2027〕30号

2027年2月16日，榆河区鼎盛木业有限公司发生一起粉尘爆炸事故，共造成2人死亡、3人受伤，直接经济损失168万元。粉尘长期未清扫、除尘管道未接地是事故主要原因。调查组组长由滕学民担任。

2027年5月20日
"""
BUS = """值班信息

1月9日6时50分，一辆由安塬县开往市区的客车行驶至柏川县境内G319线老鸦口路段时侧翻，3名乘客在撤离时被玻璃划伤。

柏川县人民政府办公室　2027年1月9日
"""
WRONG = """关于北门街起火情况的更正

柏应急〔2027〕4号

我局1月21日《柏川县突发事件快报》（柏应急〔2027〕3号）所报受伤人数有误，实际受伤人数应为2人，其余内容不变。

2027年1月22日
"""
YEAR_END = """关于枣坪县兴旺货场“12·30”火灾的通报

枣政办〔2027〕2号

货场火灾已于当日扑灭，无人员伤亡。

2027年1月6日
"""
COUNCIL = """Harrow Vale Council, incident notice

Notice HV-27-014

On 4 March 2027 at 07:40 a coach left the A417 near Wenlow in Torrey County and
overturned. Nine passengers were trapped and 12 people were injured.

5 March 2027
"""


def of(text: str) -> dict[str, Fact]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return {fact.field: fact for fact in reversed(found)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FIRST, {
            "area": "榆河区", "place": "榆河区鼎盛木业有限公司二车间", "kind": "explosion",
            "time": "2027-02-16T23:05", "reported": "2027-02-17T01:20", "injured": "4",
            "missing": "1", "person": "滕学民",
        }),
        (LATER, {
            "place": "鼎盛木业", "kind": "explosion", "time": "2027-02-16T00:00", "dead": "2",
            "injured": "3", "status": "follow-up", "reported": "2027-02-18T00:00",
        }),
        (FINDINGS, {
            "area": "榆河区", "place": "榆河区鼎盛木业有限公司", "time": "2027-02-16T00:00",
            "dead": "2", "injured": "3", "loss": "1680000", "person": "滕学民", "status": "final",
            "cause": "粉尘长期未清扫、除尘管道未接地",
        }),
        (BUS, {
            "area": "柏川县", "place": "柏川县g319线老鸦口路段", "kind": "capsizing",
            "time": "2027-01-09T06:50", "injured": "3",
        }),
        (WRONG, {
            "place": "柏川县北门街", "follows": "柏应急〔2027〕3号", "injured": "2",
            "status": "corrected", "reported": "2027-01-21T00:00",
        }),
        (YEAR_END, {
            "area": "枣坪县", "place": "枣坪县兴旺货场", "time": "2026-12-30T00:00",
            "dead": "0", "reported": "2027-01-06T00:00",
        }),
        (COUNCIL, {
            "area": "torrey county", "time": "2027-03-04T07:40", "trapped": "9", "injured": "12",
            "number": "hv-27-014", "reported": "2027-03-05T00:00",
        }),
    ],
)  # fmt: skip
def test_a_notice_states_what_happened_and_not_when_it_was_signed(
    text: str, expected: dict[str, str]
) -> None:
    found = of(text)
    assert {field: found[field].text for field in expected if field in found} == expected


def test_a_fine_stands_among_measures() -> None:
    measures = "2027年3月2日仓库起火。\n\n处理情况：对该公司罚款95万元；责令停产。"
    assert of(measures)["fine"].number == 950_000


FLOOD = """云台县沙岭镇人民政府
关于“6.11”山洪灾害的续报（第二期）

截至6月12日18时，我镇柳沟村共转移群众43户128人，2人失联，倒塌房屋5间。镇长卜庆林带队搜救。

2027年6月12日
"""
SCAFFOLD = """关于永川市西湖区农贸市场坍塌事故有关情况的通报

6月8日5时40分许，永川市西湖区城南农贸市场脚手架倒塌，其中1人送医后死亡，2人重伤，1人轻伤。

2027年7月1日
"""
AGAIN = """Correction: Quay Street fire

Ref HV-27-031

Our first report HV-27-030 of 9 June 2027 gave the number of injured as 7.
The number injured should be 6.

Harrow Vale Council, 10 June 2027
"""
BAKERY = """Quay Street fire: first report

Ref HV-27-030

On 8 June 2027 at 21:15 fire broke out in a bakery at 14 Quay Street, Wenlow. Seven people were
injured. Ruth Amory led the response.

Issued 9 June 2027 by Harrow Vale Council
"""


def test_a_township_lies_in_its_county() -> None:
    found = of(FLOOD)
    assert (found["area"].text, found["place"].text) == ("云台县", "云台县沙岭镇柳沟村")
    assert (found["time"].text, found["person"].text) == ("2027-06-11T00:00", "卜庆林")


def test_a_group_of_a_village_is_a_part_of_the_place() -> None:
    text = "青川县人民政府\n\n3月2日6时30分，我县石坪村三组屋后山体滑坡，1人受伤。"
    assert of(text)["place"].text == "青川县石坪村三组"


def test_badly_and_slightly_injured_are_the_injured() -> None:
    found = of(SCAFFOLD)
    assert (found["area"].text, found["dead"].number, found["injured"].number) == ("西湖区", 1, 3)


def test_a_correction_has_no_time_of_its_own_and_says_what_it_corrects() -> None:
    found = of(AGAIN)
    assert FactField.TIME not in found
    assert (found["follows"].text, found["injured"].number) == ("hv-27-030", 6)
    first = of(BAKERY)
    assert (first["time"].text, first["place"].text) == (
        "2027-06-08T21:15",
        "14 quay street, wenlow",
    )
    assert (first["person"].text, first["person"].role) == ("ruth amory", "led the response")


def test_a_report_of_something_is_no_paper_with_a_day() -> None:
    told = "Police attended after a report of a collision on 4 March 2027 at 07:40 at Quay Street."
    assert of(told)["time"].text == "2027-03-04T07:40"


def test_a_road_is_no_number_of_an_incident() -> None:
    assert FactField.NUMBER not in of(BUS)
    assert FactField.NUMBER not in of(
        "Follow-up: crash on the A417\n\nOn 4 March 2027 a coach crashed."
    )


def test_a_role_stands_on_either_side_of_a_name() -> None:
    told = [
        (fact.text, fact.role)
        for fact in facts_in(
            marked("贺敬之任调查组组长，副县长倪国栋主持善后，支队长阎立军指挥扑救。")
        )
        if fact.field == FactField.PERSON
    ]
    assert sorted(told) == [("倪国栋", "副县长"), ("贺敬之", "调查组组长"), ("阎立军", "支队长")]


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("青川县人民政府\n\n3月2日6时，我县石坪村三组屋后山体滑坡。", "青川县"),
        ("储罐区起火，无人受伤。", None),
        ("我区东湖小区配电室起火。", None),
        ("各区县要立即检查。3月2日作业区起火。", None),
        ("云溪市临浦区杨桥镇养殖场起火。", "临浦区"),
        ("大坝自治县三岔村发生滑坡。", "大坝自治县"),
    ],
)
def test_an_area_is_a_county_or_district_with_a_name(text: str, area: str | None) -> None:
    found = of(text).get("area")
    assert (found and found.text) == area


def test_a_site_of_a_form_is_the_area_of_its_place() -> None:
    rows = ("所属项目: 松风里; 具体位置: 2栋西侧客梯", "事件类别: 电梯困人; 被困人数: 2")
    form = "\n\n".join((*rows, "发生时间: 2027-02-11 19:40"))
    found = of(form)
    assert found["area"].text == "松风里"
    assert (found["place"].value, found["place"].text) == ("2栋西侧客梯", "松风里2栋西侧客梯")
    assert found["trapped"].number == 2
