"""Times told from today or by half mean what people mean; what only looks so means nothing."""

from datetime import date

import pytest

from kb_service.domain.spans import TextSpan
from kb_service.domain.times import TimeWindow
from kb_service.language.time_words import explicit, time_windows

WEDNESDAY = date(2025, 8, 13)
MONDAY = date(2025, 9, 1)
NEW_YEAR = date(2026, 1, 2)  # a Friday
LEAP_DAY = date(2024, 2, 29)  # a Thursday
LAST_OF_MARCH = date(2025, 3, 31)  # a Monday
SUNDAY = date(2025, 12, 28)

CHINESE = """
今天谁值班 | 今天 8-13
昨天的停电 | 昨天 8-12
昨晚仓库报警 | 昨晚 8-12
前天漏水 | 前天 8-11
大前天的巡检 | 大前天 8-10
上周三哪里着火 | 上周三 8-6
上周的工单 | 上周 8-4..8-10
上上周的工单 | 上上周 7-28..8-3
上个星期二 | 上个星期二 8-5
上礼拜天 | 上礼拜天 8-10
上周日断电 | 上周日 8-10
上周末加班 | 上周末 8-9..8-10
上周六晚上 | 上周六 8-9
本周一的例会 | 本周一 8-11
这周五停机吗 | 这周五 8-15
这个星期 | 这个星期 8-11..8-17
下周二演练 | 下周二 8-19
上上周五 | 上上周五 8-1
本月3号的检查 | 本月3号 8-3
上个月的事故 | 上个月 7-1..7-31
上月15日谁签字 | 上月15日 7-15
上上个月 | 上上个月 6-1..6-30
上个月底 | 上个月底 7-21..7-31
本月初 | 本月初 8-1..8-10
上月下旬 | 上月下旬 7-21..7-31
这个月 | 这个月 8-1..8-31
6月上旬塌方 | 6月上旬 6-1..6-10
6月上半月塌方 | 6月上半月 6-1..6-15
六月份的下半个月 | 六月份的下半个月 6-16..6-30
去年2月后半月 | 去年2月后半月 2024-2-16..2024-2-29
上个月前半个月 | 上个月前半个月 7-1..7-15
6月中下旬 | 6月中下旬 6-11..6-30
6月前十天 | 6月前十天 6-1..6-10
6月头两周 | 6月头两周 6-1..6-14
6月最后5天 | 6月最后5天 6-26..6-30
6月前三起事故 | 6月 6-1..6-30
上旬接警几次 | 上旬 8-1..8-10
下半月接警几次 | 下半月 7-16..7-31
6月上半月和下半月 | 6月上半月 6-1..6-15; 下半月 6-16..6-30
五月和六月两个月里 | 五月 5-1..5-31; 六月两个月里 6-1..6-30
3月、4月这两个月内 | 3月 3-1..3-31; 4月这两个月内 4-1..4-30
3月和4月，这两个月里 | 3月 3-1..3-31; 4月，这两个月里 4-1..4-30
三月的头三天 | 三月的头三天 3-1..3-3
三月份,三天内办结的工单 | 三月份 3-1..3-31
今年3月,3天内的火灾有几起 | 今年3月 3-1..3-31
上周，3天内修好的 | 上周 8-4..8-10
3月 两天内办结的 | 3月 3-1..3-31
6月，三个月内整改完的 | 6月 6-1..6-30
3、4月份的工单 | 3、4月 3-1..4-30
三四月份的工单 | 三四月 3-1..4-30
3、5月份 | 5月份 5-1..5-31
今年前半年 | 今年前半年 1-1..6-30
6月中旬塌方 | 6月中旬 6-11..6-20
六月下旬塌方 | 六月下旬 6-21..6-30
10月下旬 | 10月下旬 2024-10-21..2024-10-31
十二月的通报 | 十二月 2024-12-1..2024-12-31
8月份的通报 | 8月份 8-1..8-31
3月哪里爆炸 | 3月 3-1..3-31
今年7月 | 今年7月 7-1..7-31
去年11月 | 去年11月 2024-11-1..2024-11-30
去年2月下旬 | 去年2月下旬 2024-2-21..2024-2-29
前年2月底 | 前年2月底 2023-2-21..2023-2-28
去年10月8日 | 去年10月8日 2024-10-8
今年的5月20号 | 今年的5月20号 5-20
2023年6月的暴雨 | 2023年6月 2023-6-1..2023-6-30
2023年6月初 | 2023年6月初 2023-6-1..2023-6-10
二〇二三年九月 | 二〇二三年九月 2023-9-1..2023-9-30
23年4月 | 23年4月 2023-4-1..2023-4-30
去年发生几起 | 去年 2024-1-1..2024-12-31
前年 | 前年 2023-1-1..2023-12-31
今年以来 | 今年 2025-1-1..2025-12-31
本年度预算 | 本年度 2025-1-1..2025-12-31
去年底 | 去年底 2024-11-1..2024-12-31
今年年初 | 今年年初 2025-1-1..2025-2-28
2022年年底 | 2022年年底 2022-11-1..2022-12-31
年初的会 | 年初 2025-1-1..2025-2-28
去年国庆前后 | 去年国庆前后 2024-9-28..2024-10-4
去年国庆节 | 去年国庆节 2024-10-1..2024-10-7
国庆期间 | 国庆期间 2024-10-1..2024-10-7
国庆节以后的工单 | 国庆节 2024-10-1
去年春节之后 | 去年春节 2024-2-10
国庆假期之后的工单 | 国庆假期 2024-10-1..2024-10-7
春节之前停电 | 春节 1-29..2-4
事故发生于国庆期间 | 国庆期间 2024-10-1..2024-10-7
元旦停水 | 元旦 2025-1-1..2025-1-3
五一假期 | 五一假期 2025-5-1..2025-5-5
今年春节 | 今年春节 2025-1-29..2025-2-4
春节前后 | 春节前后 2025-1-26..2025-2-1
2020年春节期间 | 2020年春节期间 2020-1-25..2020-1-31
今年清明节期间 | 今年清明节期间 4-4..4-6
去年中秋 | 去年中秋 2024-9-17..2024-9-19
去年除夕 | 去年除夕 2024-2-9
今年春天 | 今年春天 3-1..5-31
今年夏季 | 今年夏季 6-1..8-31
去年秋天 | 去年秋天 2024-9-1..2024-11-30
去年冬天 | 去年冬天 2024-12-1..2025-2-28
2023年冬季 | 2023年冬季 2023-12-1..2024-2-29
上半年的统计 | 上半年 1-1..6-30
下半年 | 下半年 7-1..12-31
去年下半年 | 去年下半年 2024-7-1..2024-12-31
第三季度 | 第三季度 7-1..9-30
四季度 | 四季度 2024-10-1..2024-12-31
今年第一季度 | 今年第一季度 1-1..3-31
2024年二季度 | 2024年二季度 2024-4-1..2024-6-30
去年前三季度 | 去年前三季度 2024-1-1..2024-9-30
2024年Q2 | 2024年Q2 2024-4-1..2024-6-30
上季度 | 上季度 4-1..6-30
本季度 | 本季度 7-1..9-30
近三天 | 近三天 8-10..8-13
最近一周 | 最近一周 8-6..8-13
过去两个月 | 过去两个月 6-13..8-13
最近半年 | 最近半年 2-13..8-13
过去24小时 | 过去24小时 8-12..8-13
近三年 | 近三年 2022-8-13..2025-8-13
最近十天 | 最近十天 8-3..8-13
三天前 | 三天前 8-10
两周前 | 两周前 7-28..8-3
两个月前 | 两个月前 6-1..6-30
三年前 | 三年前 2022-1-1..2022-12-31
1至3月 | 1至3月 1-1..3-31
去年11月至2月 | 去年11月至2月 2024-11-1..2025-2-28
今年3月到5月 | 今年3月到5月 3-1..5-31
去年6月到今年3月 | 去年6月到今年3月 2024-6-1..2025-3-31
昨天和上周五 | 昨天 8-12; 上周五 8-8
上周一至上周三 | 上周一至上周三 8-4..8-6
上周三起火 | 上周三 8-6
上周五人民路 | 上周五 8-8
上周三起事故 | 上周 8-4..8-10
上周一起追尾 | 上周 8-4..8-10
上周三人受伤 | 上周 8-4..8-10
上周日均产量 | 上周 8-4..8-10
６月上旬 | ６月上旬 6-1..6-10
上週三的會 | 上週三 8-6
去年國慶節 | 去年國慶節 2024-10-1..2024-10-7
"""

ENGLISH = """
What broke yesterday? | yesterday 8-12
what broke the day before yesterday | the day before yesterday 8-11
Who is on call today? | today 8-13
last night's alarm | last night 8-12
Yesterday the pump failed | Yesterday 8-12
last Tuesday | last Tuesday 8-5
this Friday | this Friday 8-15
on Tuesday of last week | Tuesday of last week 8-5
LAST SUNDAY | LAST SUNDAY 8-10
last weekend | last weekend 8-9..8-10
last week | last week 8-4..8-10
the week before last | the week before last 7-28..8-3
this week | this week 8-11..8-17
next Monday | next Monday 8-18
last month | last month 7-1..7-31
late last month | late last month 7-21..7-31
the January outage | January 1-1..1-31
Who led June's audit? | June 6-1..6-30
the outage of March | March 3-1..3-31
on the 3rd of this month | the 3rd of this month 8-3
early June | early June 6-1..6-10
in mid-June | mid-June 6-11..6-20
in March or April | March 3-1..3-31; April 4-1..4-30
more in June than in July | June 6-1..6-30; July 7-1..7-31
in the first half of June | the first half of June 6-1..6-15
the second half of last month | the second half of last month 7-16..7-31
the latter half of February 2024 | the latter half of February 2024 2024-2-16..2024-2-29
in the first two weeks of June | the first two weeks of June 6-1..6-14
the last ten days of June | the last ten days of June 6-21..6-30
the last week of June | the last week of June 6-24..6-30
jobs for the year to date | the year to date 1-1..12-31
in late June 2024 | late June 2024 2024-6-21..2024-6-30
middle of June | middle of June 6-11..6-20
end of last month | end of last month 7-21..7-31
last couple of weeks | last couple of weeks 7-30..8-13
the end of February | the end of February 2-21..2-28
in March | March 3-1..3-31
In October, what burned? | October 2024-10-1..2024-10-31
since may | may 5-1..5-31
last March | last March 3-1..3-31
last August | last August 2024-8-1..2024-8-31
this June | this June 6-1..6-30
June 2026 | June 2026 2026-6-1..2026-6-30
in Sept. 2023 | Sept. 2023 2023-9-1..2023-9-30
in March last year | March last year 2024-3-1..2024-3-31
on 3 March last year | 3 March last year 2024-3-3
between March and May | March and May 3-1..5-31
Q3 | Q3 7-1..9-30
Q4 | Q4 2024-10-1..2024-12-31
Q2 2025 | Q2 2025 4-1..6-30
2024 Q1 | 2024 Q1 2024-1-1..2024-3-31
the third quarter of 2024 | third quarter of 2024 2024-7-1..2024-9-30
last quarter | last quarter 4-1..6-30
first half of 2026 | first half of 2026 2026-1-1..2026-6-30
the second half of last year | second half of last year 2024-7-1..2024-12-31
this spring | this spring 3-1..5-31
last summer | last summer 2024-6-1..2024-8-31
last winter | last winter 2024-12-1..2025-2-28
in the spring of 2023 | spring of 2023 2023-3-1..2023-5-31
last year | last year 2024-1-1..2024-12-31
this year | this year 2025-1-1..2025-12-31
the year before last | the year before last 2023-1-1..2023-12-31
in late 2024 | late 2024 2024-9-1..2024-12-31
the past three days | the past three days 8-10..8-13
over the last 2 weeks | the last 2 weeks 7-30..8-13
in the past week | the past week 8-6..8-13
the last 24 hours | the last 24 hours 8-12..8-13
five days ago | five days ago 8-8
a week ago | a week ago 8-4..8-10
two months ago | two months ago 6-1..6-30
last Christmas | last Christmas 2024-12-24..2024-12-26
after Christmas 2023 | Christmas 2023 2023-12-25
before Christmas 2023 | Christmas 2023 2023-12-24..2023-12-26
around Christmas 2023 | around Christmas 2023 2023-12-22..2023-12-28
from last Monday to yesterday | last Monday to yesterday 8-4..8-12
yesterday or last Friday | yesterday 8-12; last Friday 8-8
"""

BORDERS = [
    (MONDAY, "昨天", "昨天 8-31"),
    (MONDAY, "上周日", "上周日 8-31"),
    (MONDAY, "上周一", "上周一 8-25"),
    (MONDAY, "本周", "本周 9-1..9-7"),
    (MONDAY, "last Sunday", "last Sunday 8-31"),
    (MONDAY, "last weekend", "last weekend 8-30..8-31"),
    (SUNDAY, "本周日", "本周日 12-28"),
    (SUNDAY, "上周日", "上周日 12-21"),
    (SUNDAY, "this week", "this week 12-22..12-28"),
    (SUNDAY, "下个月", "下个月 2026-1-1..2026-1-31"),
    (SUNDAY, "下周五", "下周五 2026-1-2"),
    (NEW_YEAR, "前天", "前天 2025-12-31"),
    (NEW_YEAR, "上周三", "上周三 2025-12-24"),
    (NEW_YEAR, "本周二", "本周二 2025-12-30"),
    (NEW_YEAR, "上个月", "上个月 2025-12-1..2025-12-31"),
    (NEW_YEAR, "上季度", "上季度 2025-10-1..2025-12-31"),
    (NEW_YEAR, "12月下旬", "12月下旬 2025-12-21..2025-12-31"),
    (NEW_YEAR, "1月", "1月 2026-1-1..2026-1-31"),
    (NEW_YEAR, "今年冬天", "今年冬天 2025-12-1..2026-2-28"),
    (NEW_YEAR, "元旦", "元旦 2026-1-1..2026-1-3"),
    (NEW_YEAR, "the past three days", "the past three days 2025-12-30..2026-1-2"),
    (NEW_YEAR, "in December", "December 2025-12-1..2025-12-31"),
    (NEW_YEAR, "a month ago", "a month ago 2025-12-1..2025-12-31"),
    (LEAP_DAY, "上周四", "上周四 2024-2-22"),
    (LEAP_DAY, "2月下旬", "2月下旬 2024-2-21..2024-2-29"),
    (LEAP_DAY, "本月29号", "本月29号 2024-2-29"),
    (LEAP_DAY, "过去一年", "过去一年 2023-2-28..2024-2-29"),
    (LEAP_DAY, "去年2月29日", "去年 2023-1-1..2023-12-31"),
    (LAST_OF_MARCH, "过去一个月", "过去一个月 2025-2-28..2025-3-31"),
    (LAST_OF_MARCH, "上月31日", ""),
    (LAST_OF_MARCH, "late last month", "late last month 2025-2-21..2025-2-28"),
    (date(2040, 5, 1), "春节", ""),
]

NOTHING = [
    "2026年11月18日的事故",
    "11月18日的事故",
    "18 March 2024",
    "March 18, 2024",
    "on March 18",
    "the May Street fire",
    "the accident of May Smith",
    "what may fires do",
    "2024-03-18",
    "今天城酒店的火灾",
    "春天百货的火灾",
    "国庆路的追尾",
    "五一广场",
    "王国庆的职务",
    "如今天津港的情况",
    "事故前天气如何",
    "目前天然气泄漏",
    "马上周转",
    "上周口市的企业",
    "路上周围的人",
    "每年3月检修",
    "同年7月",
    "次年3月",
    "当年底",
    "3月龄的婴儿",
    "《昨天》的作者",
    "《去年夏天》这本书",
    "每周三例会",
    "事故发生三天前",
    "提前三天前往",
    "年前发生的",
    "几月发生的",
    "三个人受伤",
    "三季度假村着火",
    "五月花号的乘客",
    "did this fall hurt anyone?",
    "今年轻人多",
    "May Brandt's duties",
    "Who may enter?",
    "What did May say?",
    "the fire in May Street",
    "a report in USA Today",
    "the Today Hotel fire",
    "march to the exit",
    "the last week of the trial",
    "the last two days of the trial",
    "Ann and May Brandt",
    "上半月刊",
    "the last march of the strikers",
    "the last year of the lease",
    "server SG-Q3-01",
    "the second half of the flight",
    "the third quarter of the match",
    "did this spring break?",
    "Christmas Island",
    "a quarter of the staff",
    "the last few days",
    "Summer Street",
]


def _window(text: str, written: str, today: date) -> TimeWindow:
    words, days = written.rsplit(" ", 1)
    first, _, last = days.partition("..")
    start = text.index(words)
    return TimeWindow(
        TextSpan(start, start + len(words)), _day(first, today), _day(last or first, today)
    )


def _day(written: str, today: date) -> date:
    numbers = [int(part) for part in written.split("-")]
    return date(*numbers) if len(numbers) == 3 else date(today.year, *numbers)


def _windows(text: str, expected: str, today: date) -> list[TimeWindow]:
    return [_window(text, written, today) for written in expected.split("; ") if written]


@pytest.mark.parametrize("case", [*CHINESE.strip().split("\n"), *ENGLISH.strip().split("\n")])
def test_what_is_told_from_a_day_in_summer(case: str) -> None:
    text, expected = case.split(" | ")
    assert time_windows(text, WEDNESDAY) == _windows(text, expected, WEDNESDAY)


@pytest.mark.parametrize(("today", "text", "expected"), BORDERS)
def test_what_is_told_from_the_border_of_a_week_month_or_year(
    today: date, text: str, expected: str
) -> None:
    assert time_windows(text, today) == _windows(text, expected, today)


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_a_whole_date_or_only_looks_like_a_time_means_none(text: str) -> None:
    assert time_windows(text, WEDNESDAY) == []


def test_a_shop_that_is_called_spring_leaves_the_year_beside_it() -> None:
    text = "今年春天百货的火灾"
    assert time_windows(text, WEDNESDAY) == _windows(text, "今年 1-1..12-31", WEDNESDAY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("上周三哪里着火？", "上周三（2025年8月6日）哪里着火？"),
        ("6月下旬塌方", "6月下旬（2025年6月21日至30日）塌方"),
        ("去年国庆前后", "去年国庆前后（2024年9月28日至10月4日）"),
        ("去年冬天", "去年冬天（2024年12月至2025年2月）"),
        ("最近一年", "最近一年（2024年8月13日至2025年8月13日）"),
        ("前年的和上半年的", "前年（2023年）的和上半年（2025年1月至6月）的"),
        ("2026年06月的事故", "2026年06月的事故"),
        ("2026年11月18日", "2026年11月18日"),
        ("What burned last Tuesday?", "What burned last Tuesday (5 August 2025)?"),
        ("this spring", "this spring (March to May 2025)"),
        ("in late June", "in late June (21 to 30 June 2025)"),
        ("in March", "in March (March 2025)"),
        ("in June 2026", "in June 2026"),
        ("last winter", "last winter (December 2024 to February 2025)"),
        ("the past two weeks", "the past two weeks (30 July to 13 August 2025)"),
        ("last year", "last year (2024)"),
        ("around new year's day", "around new year's day (29 December 2024 to 4 January 2025)"),
    ],
)
def test_a_text_tells_its_times_back_in_its_own_language(text: str, told: str) -> None:
    assert explicit(text, WEDNESDAY) == told


def test_a_window_never_ends_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        TimeWindow(TextSpan(0, 1), date(2025, 1, 2), date(2025, 1, 1))
