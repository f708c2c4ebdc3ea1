"""Entries of a log are records, whatever its lines look like; steps of one happening are not."""

import pytest

from kb_service.domain.facts import FactField, Record, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def records(text: str) -> dict[int, Record]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return {record.number: record for record in records_of(found)}


def said(text: str, field: str) -> list[str]:
    told = [record.first(field) for number, record in records(text).items() if number]
    return [fact.text if fact else "" for fact in told]


BOOK = """Calder Quay control room - occurrence book
March 2026

Wednesday 4 March
0640  Day shift on. Nothing to report.
0912  Forklift clipped the racking in Shed 2. Driver shaken, no injuries. Area taped
      off until the rack was inspected.
1800  Handover to night shift.

Thursday 5 March
0205  Intruder alarm at Gate 7. Fence cut.
1420  Small fire in a skip behind the canteen. 2 people were injured.
"""


def test_times_of_day_are_of_the_day_above_and_quiet_entries_are_records() -> None:
    assert said(BOOK, "time") == [
        "2026-03-04T06:40",
        "2026-03-04T09:12",
        "2026-03-04T18:00",
        "2026-03-05T02:05",
        "2026-03-05T14:20",
    ]
    assert said(BOOK, "kind") == ["", "", "", "", "fire"]
    assert said(BOOK, "place") == ["", "shed 2", "", "gate 7", ""]
    assert said(BOOK, "injured") == ["", "0", "", "", "2"]
    assert 0 not in records(BOOK)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            (
                "Site diary 2026\n\n2 May Crane hit the scaffold.\n\n5 May Main burst.\n\n"
                "They came; cost about £4,000.\n\n9 May At 07:10 theft found.\n"
            ),
            ["2026-05-02T00:00", "2026-05-05T00:00", "2026-05-09T07:10"],
        ),
        (
            (
                "Ward 6: night notes\n\n2026-02-03 23:10\nPatient fell. No injury seen.\n\n"
                "2026-02-04 02:45\nPower failure for 12 minutes.\n\n2026-02-05 22:55\nQuiet.\n"
            ),
            ["2026-02-03T23:10", "2026-02-04T02:45", "2026-02-05T22:55"],
        ),
        (
            (
                "Shift handover notes\n\nNight shift, 14 to 15 September 2026\n\n"
                "21:30 Took over.\n\n03:10 Oil alarm.\n\nDay shift, 15 September 2026\n\n"
                "07:00 Took over.\n\n10:22 Contractor received an electric shock.\n"
            ),
            ["2026-09-14T21:30", "2026-09-15T03:10", "2026-09-15T07:00", "2026-09-15T10:22"],
        ),
        (
            (
                "值班日志\n2026年3月\n\n3月4日 08:00 交接班，正常。\n3月4日 10:25 泵房起火。\n"
                "3月5日 02:40 加氯间发生泄漏，\n2人送医。\n3月5日 20:00 无事。\n"
            ),
            ["2026-03-04T08:00", "2026-03-04T10:25", "2026-03-05T02:40", "2026-03-05T20:00"],
        ),
        (
            (
                "保安部交接班记录\n\n2026年5月11日 夜班（当班：孙浩）\n\n• 23:40 北门有人滋事。\n\n"
                "• 02:15 电梯困人。\n\n2026年5月12日 白班\n\n• 07:30 接班。无异常。\n"
            ),
            ["2026-05-11T23:40", "2026-05-12T02:15", "2026-05-12T07:30"],
        ),
        (
            (
                "安全员记事（2026）\n\n■ 3月27日 周五\n11:40，麻醉机停止通气。\n  厂家没来。\n\n"
                "■ 5月11日 周一\n消防演练。\n\n■ 9月15日 周二\n下午2:20，针扎到手。\n"
            ),
            ["2026-03-27T11:40", "2026-05-11T00:00", "2026-09-15T14:20"],
        ),
        (
            (
                "Gate log 2025/26\n\n28/12/2025 22:10 Van hit a gate.\n31 December 23:50 Quiet.\n"
                "2 January 01:20 Theft of a bike.\n"
            ),
            ["2025-12-28T22:10", "2025-12-31T23:50", "2026-01-02T01:20"],
        ),
        (
            "机房值班记录 2026年\n\n5/6 09:00 巡检。\n5/9 03:17 漏水。\n5/12 10:10 门禁故障。\n",
            ["2026-05-06T09:00", "2026-05-09T03:17", "2026-05-12T10:10"],
        ),
        (
            "Log, May 2026\n\n4th - Fire in the store.\n7th - Nothing to report.\n9th - A leak.\n",
            ["2026-05-04T00:00", "2026-05-07T00:00", "2026-05-09T00:00"],
        ),
        (
            (
                "Site log\n\n4 May 2026\n\n• Fire in the store.\n\n• Visit at 15:10.\n\n5 May\n\n"
                "• A leak in the yard.\n"
            ),
            ["2026-05-04T00:00", "2026-05-04T15:10", "2026-05-05T00:00"],
        ),
        (
            (
                "PORTER'S BOOK\n\nMARCH 2026\n\nMon 2nd   0815 JM: van clipped the railing.\n"
                "          1530 JM: fuse blown.\nTue 3rd   0700 RS: nothing to report.\n"
            ),
            ["2026-03-02T08:15", "2026-03-02T15:30", "2026-03-03T07:00"],
        ),
        (
            (
                "Gate log 2026\n\n4 March 08:15 JM: van hit the gate.\n\nPolice informed\n\n"
                "They came at nine.\n\n4 March 15:30 JM: fuse.\n\n7 March 07:00 JM: theft.\n"
            ),
            ["2026-03-04T08:15", "2026-03-04T15:30", "2026-03-07T07:00"],
        ),
        (
            (
                "Kiln shift report\nWeek 19/2026\n\nMon 4/5  OK\nTue 5/5  02:30 conveyor jam\n"
                "Wed 6/5  crane rope frayed\n"
            ),
            ["2026-05-04T00:00", "2026-05-05T02:30", "2026-05-06T00:00"],
        ),
        (
            (
                "Shift log 2026\n\n4 March\n\n• 08:40 Pump tripped\n\n• checked the valve\n\n"
                "• started again\n\n• told control\n\n• and the foreman\n\n• 11:15 Small fire\n\n"
                "• 18:00 Handover\n"
            ),
            ["2026-03-04T08:40", "2026-03-04T11:15", "2026-03-04T18:00"],
        ),
        (
            (
                "Vessel log, MV Corrie\n\nDecember 2025\n28 Dec 1410  A finger was crushed.\n"
                "31 Dec 2355  All quiet.\nJanuary 2026\n2 Jan 0320  Oil spill at the pier.\n"
            ),
            ["2025-12-28T14:10", "2025-12-31T23:55", "2026-01-02T03:20"],
        ),
        (
            (
                "变电站值班日志　2026年6月\n\n一、6月3日　星期三　晴　值班员：吴敏\n08:10　接班。\n"
                "13:27　跳闸，查为吊车碰线，\n线路无损。\n二、6月4日　星期四\n05:50　雷击。\n"
            ),
            ["2026-06-03T08:10", "2026-06-03T13:27", "2026-06-04T05:50"],
        ),
        (
            (
                "交接班日志\n\n2026年4月2日\n\n早班 1号泵轴承过热。\n\n夜班 23:50 法兰泄漏。\n\n"
                "2026年4月3日\n\n早班 正常。\n"
            ),
            ["2026-04-02T00:00", "2026-04-02T23:50", "2026-04-03T00:00"],
        ),
        (
            (
                "Site diary 2024\n12 December Scaffold collapse.\n20 November Fire in a skip.\n"
                "29 February Theft.\n3 January Water leak.\n"
            ),
            ["2024-12-12T00:00", "2024-11-20T00:00", "2024-02-29T00:00", "2024-01-03T00:00"],
        ),
        (
            "值班日志 2026年\n\n12月12日 起火。\n11月20日 被盗。\n2月15日 漏水。\n1月3日 停电。\n",
            ["2026-12-12T00:00", "2026-11-20T00:00", "2026-02-15T00:00", "2026-01-03T00:00"],
        ),
        (
            "Site diary 2025\n3 November A fire.\n20 December A theft.\n3 January A leak.\n",
            ["2025-11-03T00:00", "2025-12-20T00:00", "2026-01-03T00:00"],
        ),
        (
            "Site diary 2024\n3 November A fire.\n20 December A theft.\n29 February A leak.\n",
            ["2024-11-03T00:00", "2024-12-20T00:00", "2024-02-29T00:00"],
        ),
        (
            "2026年3月 值班日志\n\n3号 2号泵起火。\n5号上午8:20 停电。\n7号，被盗。\n9日漏水。\n",
            ["2026-03-03T00:00", "2026-03-05T08:20", "2026-03-07T00:00", "2026-03-09T00:00"],
        ),
        (
            "2026年3月 宿舍楼值班记录\n\n4日  22:40  用电。\n5日  无异常。\n8日  01:20  起火。\n",
            ["2026-03-04T22:40", "2026-03-05T00:00", "2026-03-08T01:20"],
        ),
    ],
)
def test_days_and_years_are_told_by_what_stands_above(text: str, times: list[str]) -> None:
    assert said(text, "time") == times


def test_the_number_of_a_thing_at_the_head_of_a_line_is_no_day() -> None:
    log = (
        "2026年3月 值班日志\n\n3月9日 08:10 起火。\n2号变压器温度高\n3号车间停电\n3号床跌倒\n"
        "3月11日 09:20 被盗。\n"
    )
    assert said(log, "time") == ["2026-03-09T08:10", "2026-03-11T09:20"]


NOTES = """Depot notes

2026-01-08 16:40 - Bus 127 collided with a van in Mill Lane.
2026-01-11 05:50 - nothing special
2026-01-19 09:05 - Diesel spill at pump 2.
2026-01-26 22:10 - Break-in at the ticket office.
"""


def test_entries_of_several_days_and_things_are_records_under_any_title() -> None:
    assert said(NOTES, "kind") == ["collision", "", "leak", "theft"]


def test_running_heads_and_page_numbers_are_in_no_entry() -> None:
    paged = BOOK.replace(
        "\nThursday", "\n- 1 -\nCalder Quay control room - occurrence book\n\nThursday"
    )
    assert said(paged, "time") == said(BOOK, "time")


def test_what_was_a_drill_or_did_not_happen_is_no_happening() -> None:
    text = BOOK.replace("Small fire in", "Fire drill, nothing like a fire in")
    assert said(text, "kind")[-1] == ""
    assert said(NOTES.replace("Diesel spill", "Smell, but no spill"), "kind")[2] == ""
    assert said("值班日志\n2026年5月4日\n08:10 火灾误报。\n09:20 接班，正常。\n", "kind") == [
        "",
        "",
    ]


def test_a_time_that_a_wrapped_line_begins_with_is_no_entry() -> None:
    text = BOOK.replace(
        "until the rack was inspected", "and the bay closed until\n17:30, as agreed"
    )
    assert said(text, "time") == said(BOOK, "time")


@pytest.mark.parametrize(
    "text",
    [
        (
            "# Outage of 11 February 2026\n\nTimeline\n\n2026-02-11 09:14 First errors.\n"
            "2026-02-11 09:41 Second outage.\n2026-02-12 10:02 A fire.\n2026-02-13 11:00 Theft.\n"
        ),
        (
            "Incident log: warehouse fire, Harlow Road, 7 March 2026\n\n02:14 Fire reported.\n"
            "02:40 Explosion in the paint store.\n03:10 Gas leak isolated.\n"
        ),
        (
            "Report on the collapse of the car park\n\nSequence of events\n\n"
            "1 June 2026: a crack was seen.\n2 June 2026: a water leak was found.\n"
            "3 June 2026: the deck collapsed.\n4 June 2026: fire brigade left.\n"
        ),
        (
            "关于陈某诈骗案的侦破情况\n\n2026年2月3日，王女士报案被骗。\n2月5日，专案组成立。\n"
            "2月11日，抓获嫌疑人。\n2月20日，批准逮捕。\n"
        ),
        (
            "总值班记录摘抄\n日期：2026-04-25 星期六\n\n14:30 19床病人不见了。\n14:50 调监控。\n"
            "15:20 报警。\n20:10 在三公里外的公园长椅上找到，已送回。\n陪护公司未交接。\n"
        ),
        (
            "爆炸事故调查报告\n\n一、处置经过\n2026年7月18日16:25 爆炸。\n7月18日17:10 泄漏。\n"
            "7月19日20:10 火灾扑灭。\n7月22日09:00 正常。\n"
        ),
        (
            "Claim 4471: water damage at 12 Mill Lane\n\n12 Jan 2026 A leak was reported.\n"
            "15 Jan 2026 The ceiling collapsed.\n21 Jan 2026 Theft from the empty flat.\n"
            "3 Feb 2026 A fire in the kitchen.\n"
        ),
        "Project plan 2026\n\n12 January: kick-off\n2 February: fire safety\n9 March: leak test\n",
        (
            "Chat log\n\n[2026-03-04 08:40] Ann: pump 2 is down\n[2026-03-04 08:42] Bob: a leak?\n"
            "[2026-03-05 08:50] Ann: yes, a fire too\n[2026-03-06 09:00] Bob: fixed\n"
        ),
        "Training day, 9 April 2026\n\n09:00 Welcome\n09:30 Fire safety\n14:00 Chemical spill\n",
        (
            "Release notes\n\n2026-01-08 - a crash.\n2026-01-29 - a leak.\n2026-02-20 - outage.\n"
            "2026-03-13 - a crash.\n"
        ),
        (
            "公司简介\n\n1998年3月1日，成立。\n2003年5月1日，投产。\n2011年6月9日，认证。\n"
            "2019年8月20日，仓库发生火灾。\n"
        ),
    ],
)
def test_steps_programmes_and_histories_stay_whole(text: str) -> None:
    assert set(records(text)) <= {0}


def test_what_stands_below_the_entries_is_of_none_of_them() -> None:
    text = f"{NOTES}\nRemarks\n\nDamage is put at $3,000.\n"
    assert [fact.field for fact in records(text)[0].facts] == [FactField.LOSS]
    assert said(text, "loss") == ["", "", "", ""]


def test_what_a_text_is_called_says_its_day_its_year_and_that_it_is_a_log() -> None:
    lines = "08:40 Shift on.\n09:15 Fire in a skip.\n11:05 Theft of a bike.\n"

    def times(text: str, title: str) -> list[str]:
        found = records_of(facts_in(marked(text), title=title))
        told = [record.first("time") for record in found if record.number]
        return [fact.text for fact in told if fact]

    day = ["2026-03-04T08:40", "2026-03-04T09:15", "2026-03-04T11:05"]
    assert times(lines, "gate log 2026-03-04") == day
    assert times(lines, "Gate_log_20260304") == day
    assert times(f"4 March\n{lines}", "gate log 2026") == day
    assert times(f"Gate log\n{lines}", "2026-03-04") == day
    assert times(lines, "gate log") == []
    assert times(f"Gate log\n{lines}", "Timeline of the fire 2026-03-04") == []


ACCIDENTS = """Accident book 2026

12.01.2026, 10:40 Scald from the tea urn, taken to hospital.
14.01.2026, 12:25 Collision of two pupils.
02.02.2026, 09:10 False alarm, nobody hurt.
03.02.2026, 08:00 Nothing to report.
"""


def test_in_a_log_of_accidents_each_entry_is_called_by_its_first_words() -> None:
    assert said(ACCIDENTS, "kind") == ["scald from the tea urn", "collision", "", ""]
    of_all = ACCIDENTS.replace("Accident book", "Log")
    assert said(of_all, "kind") == ["", "collision", "", ""]
    calls = (
        "派出所2026年出警登记\n\n4月2日21时15分，烧烤店门口打架，2人受伤。\n4月6日，巡逻无异常。\n"
        "4月9日，老人走失。\n"
    )
    assert said(calls, "kind") == ["烧烤店门口打架", "", "老人走失"]


def test_an_entry_that_tells_of_people_hurt_tells_of_a_happening() -> None:
    text = BOOK.replace("Forklift clipped the racking", "Forklift hit a man. 1 person was injured")
    times = [record.first("time") for record in records(text).values()]
    assert [fact.role for fact in times if fact] == ["", "happened", "", "", "happened"]
    drill = text.replace("Forklift hit a man. 1 person was injured", "Drill: loss of £90")
    told = records(drill)[2].first("time")
    assert told is not None and not told.role
    duty = records(BOOK.replace("Nothing to report", "Keys of cabinet 4 are missing"))[1]
    assert [fact.role for fact in duty.facts if fact.field == "time"] == [""]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("3号电梯不能正常启动，更换接触器", "3号电梯不能正常启动"),
        ("巡检发现2号泵轴承异响，已更换", "巡检发现2号泵轴承异响"),
        ("3号机未恢复正常", "3号机未恢复正常"),
        ("巡检时锅炉爆管，1人受伤", "巡检时锅炉爆管"),
        ("Patrol found water pouring from ceiling", "patrol found water pouring from ceiling"),
        ("Patrol dog bit a visitor", "patrol dog bit a visitor"),
        ("Guard bitten by a dog on patrol", "guard bitten by a dog on patrol"),
        ("1-4号机组运行正常，参数稳定", ""),
        ("到岗", ""),
        ("夜间巡逻，一切正常", ""),
        ("早班 正常", ""),
        ("值班员李明：巡检正常", ""),
        ("与李四交接班，门已锁", ""),
        ("Patrol of the yard completed, all in order", ""),
        ("Guard Smith relieved Guard Jones", ""),
        ("RS: nothing to report", ""),
        ("Hourly rounds, nothing found", ""),
    ],
)
def test_an_entry_is_of_the_duty_where_its_whole_first_clause_is(first: str, kind: str) -> None:
    text = f"事故日志 2026年\n\n3月4日 08:10 {first}。\n3月9日 09:20 门卡被盗。\n"
    assert said(text, "kind") == [kind, "theft"]


def test_who_is_hurt_on_duty_is_hurt() -> None:
    text = "门卫日志 2026年\n\n3月4日 08:10 巡检。锅炉爆管，1人受伤。\n3月9日 09:20 接班。\n"
    times = [record.first("time") for record in records(text).values()]
    assert [fact.role for fact in times if fact] == ["happened", ""]


def test_what_a_long_first_clause_calls_begins_with_its_first_word() -> None:
    clause = "Loose tile on the roof of the east wing " + "fell past the windows of the hall " * 3
    text = f"Accident book 2026\n\n4 March 08:10 {clause}\n9 March 09:20 Scald from an urn.\n"
    called = said(text, "kind")[0]
    assert clause.lower().startswith(f"{called} ") and 60 < len(called) <= 80
    unbroken = "某" * 90
    log = f"事故日志 2026年\n\n3月4日 08:10 {unbroken}，停。\n3月9日 09:20 门卡被盗。\n"
    assert said(log, "kind") == ["", "theft"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Contractor's drill went through a gas main, gas leak, 2 injured.", "leak"),
        ("Contractor's drill went through a gas main, gas leak.", "leak"),
        ("Fight in the exercise yard, one inmate injured.", "fight in the exercise yard"),
        ("Fire in bin store, put out. Fire exercise planned for June.", "fire"),
        ("Power drill caught fire in the shop.", "fire"),
        ("锅炉房起火，烧伤1人。事后组织全员消防演练。", "fire"),
        ("按演练预案扑救火灾，烧伤1人。", "fire"),
        ("Gas leak during a fire drill.", "leak"),
        ("Theft of a drill, lock broken.", "theft"),
        ("Stolen drill, lock broken.", "theft"),
        ("Fire drill at ten in all wards.", ""),
        ("Planned evacuation drill.", ""),
        ("Drill: fire in the bin store.", ""),
        ("The fire in the store was only a drill.", ""),
        ("Evacuation drill held, all out in 4 minutes.", ""),
        ("Fire alarm in block B. Brigade came. False alarm, burnt toast.", ""),
        ("A fire was reported, it was a false alarm.", ""),
        ("火灾应急演练。", ""),
        ("报告起火，经查系误报。", ""),
        ("演练：仓库起火。", ""),
    ],
)
def test_only_the_clause_that_tells_of_it_can_call_it_a_drill(words: str, kind: str) -> None:
    text = f"Incident log 2026\n\n4 March 08:10 {words}\n9 March 09:20 Theft.\n"
    assert said(text, "kind") == [kind, "theft"]
