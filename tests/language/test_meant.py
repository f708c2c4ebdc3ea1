"""What a document says of others than those a question names is not read for it."""

from datetime import date

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.meant import units_meant
from kb_service.language.subjects import subjects_in
from kb_service.language.time_words import time_windows
from kb_service.language.units import marked

TODAY = date(2026, 1, 10)
PEOPLE = (
    "伤者名单如下。\n姓名: 任俊杰; 岗位: 司机; 赔偿: 6万元\n姓名: 戚彩霞; 岗位: 厨师; 赔偿: 3万元\n"
    "姓名: 周志强; 岗位: 焊工; 赔偿: 9万元"
)
SITES = "Name: Kay Hollis; Site: Redford\nName: Lee Brandt; Site: Millport\n"
LIFTS = (
    "日期: 2025-03-01; 地点: 滨湖商场; 编号: DT-3302; 人数: 8\n"
    "日期: 2025-06-26; 地点: 滨湖商场; 编号: DT-3303; 人数: 6\n"
)
MORE_LIFTS = "日期: 2025-02-09; 地点: 望江大厦; 编号: DT-2007; 人数: 5; 备注: 头晕\n"
LEVELS = (
    "Date: 2025-11-04; Time: 08:00; Level: 144.7\nDate: 2025-11-04; Time: 20:00; Level: 144.0\n"
)
OUTAGE = (
    "Time: 09:14; Event: pool exhausted, requests failed\nTime: 10:17; Event: stuck on a lock\n"
    "Time: 10:41; Event: incident closed\n"
)
ALARMS = "Alarm: fire; Place: Hall 2\nAlarm: flood; Place: Hall 3\n"
PROSE = (
    "4 November 2025 was a day of rain and\nthe pump failed. 5 November 2025 brought\nthe divers. "
    "In all four died."
)
PROSE_ZH = "2025年11月4日上午，某厂发生\n火灾。2025年11月5日救援\n结束。共造成4人死亡。"
LOG = (
    "2025年5月12日 星期一 晴\n在场：木工46人。\n罚款：木工班组200元。\n\n"
    "2025年5月13日 星期二 阴\n在场：木工44人。\n罚款：无。\n"
)
DIARY = (
    "3 November 2025, night shift\nThe pump ran hot.\n\n"
    "4 November 2025, day shift\nA seal was changed.\n"
)


def kept(question: str, *texts: str) -> list[str]:
    """The units of the texts, each a part of one document, that are read for a question."""
    asked = parse_question(question)
    parts = [(text, list(marked(text).quotable())) for text in texts]
    windows = time_windows(question, TODAY)
    meant = units_meant(parts, asked.normalised, subjects_in(asked), list(windows))
    return [u.span.of(text) for (text, _), units in zip(parts, meant, strict=True) for u in units]


@pytest.mark.parametrize(
    ("texts", "question", "has", "lacks"),
    [
        ([PEOPLE], "戚彩霞的岗位是什么？", "厨师", "司机"),
        ([SITES], "At which site is Lee Brandt?", "Millport", "Redford"),
        ([LIFTS], "2025年3月1日滨湖商场困了几个人？", "人数: 8", "人数: 6"),
        ([LIFTS, MORE_LIFTS], "DT-3303号电梯困了几个人？", "人数: 6", "人数: 5"),
        ([MORE_LIFTS, LIFTS], "6月26日滨湖商场困了几人？", "人数: 6", "人数: 5"),
        ([LEVELS], "What was the level at 20:00 on 4 November?", "144.0", "144.7"),
        ([OUTAGE], "What was stuck at 10:17 during the outage?", "lock", "closed"),
        ([ALARMS], "Where was the fire?", "Hall 2", "Hall 3"),
        ([LOG], "5月13日木工有多少人在场？", "木工44人", "木工46人"),
        ([LOG], "5月12日罚了谁？", "木工班组200元", "罚款：无"),
        ([DIARY], "What was changed on 4 November 2025?", "seal", "pump"),
    ],
)
def test_what_is_of_others_is_left_out(
    texts: list[str], question: str, has: str, lacks: str
) -> None:
    words = "\n".join(kept(question, *texts))
    assert has in words and lacks not in words


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (PEOPLE, "一共赔偿多少钱？"),
        ("Kay came first. Lee came last.", "When did Kay come?"),
        (LOG, "哪天罚了款？"),
        (LOG, "5月20日木工有多少人在场？"),  # of no day that the log has: the guarantee tells
        (DIARY, "What happened in November 2025?"),
        (LEVELS, "What was the level on 4 November?"),
        (PROSE, "How many died on 4 November 2025?"),
        (PROSE_ZH, "2025年11月4日死了几人？"),
    ],
)
def test_what_nothing_tells_apart_stays(text: str, question: str) -> None:
    assert kept(question, text) == [u.span.of(text) for u in marked(text).quotable()]


@pytest.mark.parametrize(
    ("texts", "question", "both"),
    [
        ([LIFTS, MORE_LIFTS], "DT-3303和DT-2007哪个困人多？", ["DT-3303", "DT-2007"]),
        ([LIFTS, MORE_LIFTS], "Who waited longer, at DT-3303 or DT-2007?", ["DT-3303", "DT-2007"]),
        ([LIFTS], "2025年3月1日和2025年6月26日各困了几人？", ["2025-03-01", "2025-06-26"]),
        ([DIARY], "What was done on 3 November 2025 and on 4 November 2025?", ["pump", "seal"]),
        ([LOG], "5月12日和5月13日木工各有多少人？", ["46人", "44人"]),
    ],
)
def test_a_question_that_names_two_is_read_from_both(
    texts: list[str], question: str, both: list[str]
) -> None:
    words = "\n".join(kept(question, *texts))
    assert all(one in words for one in both)


def test_rows_of_another_table_stay_where_the_subject_names_rows_of_one() -> None:
    losses = "Item: roof; Loss: EUR 900\nItem: van; Loss: EUR 70\n"
    words = kept("What was lost at Millport?", SITES, losses)
    assert "Item: roof; Loss: EUR 900" in words and "Name: Kay Hollis; Site: Redford" not in words


def test_a_line_of_labels_above_labelled_rows_is_not_read() -> None:
    text = "姓名; 岗位; 赔偿\n" + PEOPLE.split("\n", 1)[1]
    assert kept("戚彩霞的岗位是什么？", text) == ["姓名: 戚彩霞; 岗位: 厨师; 赔偿: 3万元"]
