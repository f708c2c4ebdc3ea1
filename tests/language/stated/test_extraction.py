"""What a document states: by its forms, tables, title and sentences; nothing is invented."""

import pytest

from kb_service.domain.facts import UNKNOWN, Fact
from kb_service.language.lexicon import shipped_languages
from kb_service.language.stated.extraction import FACT_RULES, fact_rules, facts_in
from kb_service.language.units import marked


def found(text: str) -> tuple[Fact, ...]:
    facts = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in facts)
    return facts


def told(text: str, record: int = 0) -> dict[str, str]:
    """Return the compared value of each field of a record."""
    return {fact.field: fact.text for fact in found(text) if fact.record == record}


def test_a_form_states_its_fields() -> None:
    facts = told(
        "Incident No.: IR-2024-331\nDate: 17 August 2024\nTime: 14:20\n"
        "Location: 12 Mill Lane, Westford\nType: Structure fire\nInjured: 3\n"
        "Fatalities: none\nEstimated loss: $45,000\nReported by: Ann Cole\n"
    )
    assert facts == {
        "number": "ir-2024-331",
        "time": "2024-08-17T14:20",
        "place": "12 mill lane, westford",
        "kind": "fire",
        "injured": "3",
        "dead": "0",
        "loss": "45000",
        "person": "ann cole",
    }


def test_a_notice_in_chinese_prose_states_the_same() -> None:
    facts = told(
        "青石镇火灾事故通报（续报）\n2024年8月17日下午2时20分许，青石镇锦程化工有限公司2号仓库发生火灾。\n"
        "火灾造成1人死亡、3人受伤，直接经济损失约一百二十万元。起火原因初步判断为电气线路短路。\n"
        "报警人王建国，电话138 1234 5678。\n"
    )
    assert facts["status"] == "follow-up"
    assert facts["time"] == "2024-08-17T14:20"
    assert facts["kind"] == "fire"
    assert (facts["dead"], facts["injured"], facts["loss"]) == ("1", "3", "1200000")
    assert facts["cause"] == "电气线路短路"
    assert (facts["person"], facts["phone"]) == ("王建国", "13812345678")


def test_a_sentence_over_two_lines_is_quoted_with_its_line_end() -> None:
    facts = found("2024年5月2日，东湖路发生火灾，造成3名员\n工受伤。")
    assert [fact.value for fact in facts if fact.field == "injured"] == ["3名员\n工受伤"]


@pytest.mark.parametrize(
    ("sentence", "dead", "injured"),
    [
        ("火灾未造成人员伤亡。", "0", "0"),
        ("事故中无人员死亡，2人受伤。", "0", "2"),
        ("人员伤亡情况正在核实中。", UNKNOWN, UNKNOWN),
        ("事故造成五至八人受伤。", None, "5-8"),
        ("No one was hurt in the fire.", None, "0"),
        ("There were no casualties.", "0", "0"),
        ("Two people were killed and twenty-one injured.", "2", "21"),
        ("经搜救，3人溺亡，2人受伤。", "3", "2"),
        ("1人经抢救无效身亡，4人受伤。", "1", "4"),
        ("One worker, Dana Kowalski, lost her life and four others were injured.", "1", "4"),
        ("Three passengers drowned and two people were hurt.", "3", "2"),
        ("The number of injured is not yet known.", None, UNKNOWN),
        ("The fire burned for three hours.", None, None),
        ("将受伤人数由6人更正为5人。", None, "5"),
    ],
)
def test_nobody_unknown_and_not_said_are_told_apart(
    sentence: str, dead: str | None, injured: str | None
) -> None:
    facts = told(sentence)
    assert (facts.get("dead"), facts.get("injured")) == (dead, injured)


def test_each_row_of_a_ledger_is_a_record_with_typed_columns() -> None:
    text = (
        "接处警登记表\n"
        "序号; 警情编号; 接警时间; 警情类别; 地点; 受伤人数; 直接经济损失（万元）; 备注\n"
        "序号: 1; 警情编号: JQ01; 接警时间: 2024-08-01 08:12; 警情类别: 火灾; 地点: 锦江路12号; "
        "受伤人数: 2; 直接经济损失（万元）: 3.5; 备注: 已扑灭; 复查\n"
        "序号: 2; 警情编号: JQ02; 接警时间: 2024-08-02; 警情类别: 盗窃; 地点: 滨河小区; "
        "受伤人数: /; 直接经济损失（万元）: 不详; 备注: 立案\n"
    )
    first, second = told(text, 1), told(text, 2)
    assert (first["number"], first["reported"]) == ("jq01", "2024-08-01T08:12")
    assert (first["loss"], first["injured"], first["备注"]) == ("35000", "2", "已扑灭; 复查")
    assert (second["kind"], second["loss"]) == ("theft", UNKNOWN)
    assert "injured" not in second


def test_when_a_register_was_told_of_something_is_no_time_of_the_happening() -> None:
    row = "编号: JQ0{n}; 接警时间: 2024-08-0{n} 08:12; {more}警情类别: 火灾; 地点: 锦江路{n}号\n"

    def times(more: str) -> tuple[str | None, str]:
        facts = told("接处警登记表\n" + "".join(row.format(n=n, more=more) for n in (1, 2)), 2)
        return facts.get("time"), facts["reported"]

    assert times("") == (None, "2024-08-02T08:12")  # queries date it by that
    assert times("发生时间: 2024-08-01 07:30; ") == ("2024-08-01T07:30", "2024-08-02T08:12")


def test_a_column_without_a_telling_name_is_told_by_its_values() -> None:
    text = "\n".join(
        f"Ref: A-{n}; Reach at: desk{n}@fire.example; Place: Mill Lane {n}" for n in range(1, 5)
    )
    assert told(text, 3)["email"] == "desk3@fire.example"


def test_what_a_document_goes_on_from_is_not_its_own_number() -> None:
    facts = told(
        "Notice N-2024-12 (Correction)\n\nThis notice corrects N-2024-11. The fire started on "
        "3 May 2024 at Harbour Street.\n"
    )
    assert (facts["number"], facts["follows"]) == ("n-2024-12", "n-2024-11")
    assert facts["status"] == "corrected"


def test_a_time_belongs_to_the_verb_beside_it() -> None:
    facts = told(
        "The alarm was received on 4 May 2024 at 02:10. The fire broke out on 4 May 2024 at about "
        "1:55 am and was extinguished on 4 May 2024 at 05:00."
    )
    assert (facts["time"], facts["reported"]) == ("2024-05-04T01:55", "2024-05-04T02:10")


def test_a_text_without_happenings_states_none() -> None:
    assert told("The quick brown fox jumps over the lazy dog. It was fun.") == {}


def test_a_form_in_columns_states_each_value_alone() -> None:
    facts = told(
        "Location:\tWausau, WI\tAccident Number:\tCHI08CA047\n"
        "Date & Time:\t12/08/2007, 1630 CST\tRegistration:\tN2151J\n"
        "Injuries:\t1 Fatal, 2 Serious, 1 Minor\tFlight Conducted Under:\tPart 91\n"
    )
    assert (facts["place"], facts["number"]) == ("wausau, wi", "chi08ca047")
    assert (facts["time"], facts["vehicle"]) == ("2007-12-08T16:30", "n2151j")
    assert (facts["dead"], facts["injured"]) == ("1", "3")


def test_a_heading_of_a_part_names_no_person() -> None:
    assert "person" not in told("Pilot Information\n\nCertificate: Private\n")
    assert told("The call was handled by Sgt. Boone, who was on duty.")["person"] == "boone"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Aircraft Fire: None", None),
        ("Explosion: N/A", None),
        ("有无火灾：无", None),
        ("Fire at Mill Lane", "fire"),
        ("Fire: two pallets burned", "fire"),
    ],
)
def test_a_field_that_says_there_was_none_tells_of_nothing(line: str, kind: str | None) -> None:
    assert told(f"{line}\n").get("kind") == kind


def test_a_time_of_day_before_a_name_counts_nobody() -> None:
    assert "dead" not in told("15:10 Lucia Ferro killed the migration session.")


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("08年5月12日14时28分", "2008-05-12T14:28"),
        ("十二年三月五日", "2012-03-05T00:00"),
        ("98年5月1日", "1998-05-01T00:00"),
    ],
)
def test_a_year_of_two_digits_beside_a_whole_one_is_read(written: str, time: str) -> None:
    """Of a year up to twelve its month was taken for another number, and the text was not read."""
    assert told(f"2020年度汇编。\n{written}，厂房发生火灾。")["time"] == time


def test_a_length_in_years_is_no_time() -> None:
    assert "time" not in told("汇编：二〇二〇。\n电线用了20年，发生火灾。")


def test_a_field_above_a_long_table_is_no_title() -> None:
    rows = "".join(f"Ref: A-{n}; Place: Mill Lane {n}\n" for n in range(1, 120))
    assert told(f"Caller: Fire Desk\n{rows}") == {"person": "fire desk"}


@pytest.mark.parametrize("table", ["numerals", "calendar", "names", "stated"])
def test_other_words_of_a_language_are_other_rules(table: str) -> None:
    languages = shipped_languages()
    changed = {code: {**tables, table: {}} for code, tables in languages.items()}
    assert fact_rules(languages) == FACT_RULES != fact_rules(changed)


def test_an_amount_has_its_currency_whole() -> None:
    def losses(text: str) -> list[tuple[str, str]]:
        return [(fact.text, fact.unit) for fact in found(text) if fact.field == "loss"]

    assert losses("火灾造成财产损失约3万圆。") == [("30000", "cny")]
    assert losses("The damage was put at 5 euros.") == [("5", "eur")]
    assert losses("Damage to the hall kept 5 european workers away.") == []


@pytest.mark.parametrize(
    "sentence",
    ["The caller can be reached at 641-2207.", "Call back on 641-2207.", "Desk, phone 641-2207."],
)
def test_a_short_phone_number_is_told_by_the_word_before_it(sentence: str) -> None:
    assert told(sentence)["phone"] == "641-2207"
    assert "phone" not in told("Parts 641-2207 and 555-1234 burned.")


def test_a_row_of_a_form_with_several_labels_states_each_and_no_more() -> None:
    facts = told(
        "姓名: 张三; 性别: 男; 民族: 汉\n\n电话: 13800138000; 单位: 甲公司; 备注: 无\n\n"
        "原因: 断缆; 后果: 停工"
    )
    assert facts["person"] == "张三"
    assert (facts["phone"], facts["organisation"]) == ("13800138000", "甲公司")
    assert facts["cause"] == "断缆"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("Duration: 95 minutes\nType: outage\n", "95"),
        ("Duration of outage: 1 h 20 min\nType: outage\n", "80"),
        ("Duration (hours): 2.5\nType: outage\n", "150"),
        ("停机时长：1小时20分钟\n事故类型：停机\n", "80"),
        ("持续时间（分钟）：45\n事故类型：停机\n", "45"),
        ("Duration: unknown\nType: outage\n", UNKNOWN),
        ("The outage lasted about 47 minutes.", "47"),
        ("服务中断了3小时。", "180"),
    ],
)
def test_how_long_it_lasted_is_told_in_minutes(text: str, minutes: str) -> None:
    assert told(text)["duration"] == minutes


def test_how_long_something_else_took_is_no_duration() -> None:
    assert "duration" not in told("The pump had run for 20 hours. 设备已运行20小时。")


def test_somebody_in_two_roles_is_stated_in_both() -> None:
    rows = "".join(f"报警人: 闻静; 处警人: 闻静; 警情类别: 火灾; 编号: A-{n}\n" for n in (1, 2))
    people = [(f.text, f.role) for f in found(rows) if f.field == "person" and f.record == 1]
    assert people == [("闻静", "报警人"), ("闻静", "处警人")]


@pytest.mark.parametrize(
    ("text", "person", "phone"),
    [
        ("Contact: Laura Quinn, tel. 555-1234\nType: fire\n", "laura quinn", "555-1234"),
        ("Caller: Ann Cole (mobile +44 20 7946 1234)\nType: fire\n", "ann cole", "+442079461234"),
        ("报警人：王建国（电话13812345678）\n事故类型：火灾\n", "王建国", "13812345678"),
        ("报警人：王建国\n事故类型：火灾\n", "王建国", None),
        ("报警人：13812345678\n事故类型：火灾\n", "13812345678", None),
    ],
)
def test_a_phone_behind_a_name_is_no_part_of_it(text: str, person: str, phone: str | None) -> None:
    facts = told(text)
    assert (facts["person"], facts.get("phone")) == (person, phone)


@pytest.mark.parametrize(
    ("sentence", "cause"),
    [
        ("2 hurt. Cause: brake failure; the driver fled.", "brake failure"),
        ("2 hurt. Cause unknown.", UNKNOWN),
        ("2 hurt. Because: nobody looked.", None),
    ],
)
def test_a_cause_within_a_line_is_read(sentence: str, cause: str | None) -> None:
    assert told(sentence).get("cause") == cause


def test_what_is_not_counted_yet_is_unknown() -> None:
    assert told("伤者人数尚未统计，仍在核实。")["injured"] == UNKNOWN
    assert told("Death toll: 3.")["dead"] == "3"


def test_a_reference_behind_a_bar_is_the_papers_own_number() -> None:
    facts = told("Interim update | Ref AQ-2021-17\nWhat: fire\nWhen: 2022-03-01\n")
    assert facts["number"] == "aq-2021-17" and "follows" not in facts


@pytest.mark.parametrize(
    ("sentence", "dead", "injured"),
    [
        ("8月9日7时05分，北苑街道两车相撞。截至目前亡1人，伤3人。", "1", "3"),
        ("8月9日，北苑街道两车相撞，已致死2人，目前伤1人。", "2", "1"),
        ("8月9日，北苑街道两车相撞，现场亡1人，另伤4人。", "1", "4"),
        ("8月9日，北苑街道两车相撞，一共伤亡3人。", None, None),
        ("8月9日，北苑街道两车相撞，驾驶员逃亡3人追赶。", None, None),
    ],
)
def test_deaths_are_told_as_tersely_as_a_wire_tells_them(
    sentence: str, dead: str | None, injured: str | None
) -> None:
    facts = told(sentence)
    assert (facts.get("dead"), facts.get("injured")) == (dead, injured)
