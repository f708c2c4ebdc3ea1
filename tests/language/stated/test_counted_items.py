"""A paper that says how many happenings it tells of, and has an item for each with its time."""

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.moments import clocks_in, moments_in
from kb_service.language.units import marked

THREE = (
    "护理部转报一季度漏报事件（三起）\n\n整理：马晓彤　2026年3月18日\n\n"
    "一、重症医学科，2月14日凌晨4:25。患者夜间挣脱约束带，将插管拔出。\n\n"
    "二、康复医学科，2月14日上午10:50。患者练习步行时跌坐在软垫上。\n\n"
    "三、老年医学科，3月5日清晨五点半。患者在过道跌倒，额部血肿。\n"
)
TWO = (
    "儿科上报材料两件（2026年8月5日整理）\n\n"
    "第一件。4月11日中午12:30，护士给患儿喂药，看错了剂量。\n\n"
    "第二件。7月16日16:45，患儿从病床掉下来。\n"
)
JOBS = (
    "Easter weekend 2026: two jobs\n\n"
    "1. Saturday 4 April 2026, 14:10. A walker turned her ankle below the crag.\n\n"
    "2. Monday 6 April 2026, 09:40. A ewe stuck on a ledge was lowered.\n"
)


def records(text: str) -> list[str]:
    found = facts_in(marked(text))
    return [f"{f.time_from:%m-%d %H:%M}" for f in found if f.record and f.field == FactField.TIME]


def test_as_many_items_as_are_counted_above_are_a_record_each() -> None:
    assert records(THREE) == ["02-14 04:25", "02-14 10:50", "03-05 05:30"]
    assert records(TWO) == ["04-11 12:30", "07-16 16:45"]
    assert records(JOBS) == ["04-04 14:10", "04-06 09:40"]


def test_items_that_are_not_as_many_or_have_no_time_are_none() -> None:
    assert records(THREE.replace("三起", "两起")) == []
    assert records(TWO.replace("7月16日16:45，", "")) == []
    assert records(JOBS.replace(": two jobs", "")) == []


def test_a_half_of_the_day_before_a_time_with_a_colon_is_meant() -> None:
    text = "3月19日晚上9:05，患者滑倒。2026年3月20日报。"
    assert next(f"{m.since:%m-%d %H:%M}" for m in moments_in(text, 2026)) == "03-19 21:05"
    assert len(clocks_in("晚上9:05")) == 1


def test_what_is_to_be_done_is_no_happening() -> None:
    text = (
        "车间安全周报（2026年5月8日）\n本周整改事项3件\n\n一、5月6日10:00，更换护栏。\n\n"
        "二、5月7日09:00，清理通道。\n\n三、5月8日15:00，检查灭火器。\n"
    )
    assert records(text) == []
