"""Columns of days and times of day are known by what stands in them, whatever they are called."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.stated.columns import columns_in
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.moments import year_of
from kb_service.language.units import marked

POINTS = [("4.3", "08：15"), ("4.6", "13：40"), ("4.9", "19：05"), ("4.12", "09:00")]


def table(title: str, rows: list[str]) -> str:
    return "\n\n".join((title, *rows))


def times(text: str) -> list[str]:
    found = facts_in(marked(text))
    return [
        f"{f.time_from:%Y %m-%d %H:%M}" for f in found if f.field == FactField.TIME and f.record
    ]


def fields(text: str) -> dict[str, str]:
    return {c.name: c.field for one in columns_in(text, {}) for c in one.columns}


APRIL = table(
    "2026年4月抢修记录表",
    [f"№: {n}; 月.日: {d}; 时分: {c}; 内容: 水管漏水第{n}处" for n, (d, c) in enumerate(POINTS)],
)
CALLS = table(
    "Call book 2026",
    [
        f"Ref: {n}; Call in: {day}; Said: fuel on the ground {n}"
        for n, day in enumerate(("5/1 09:22", "5/4 17:45", "5/8 06:55", "5/11 11:30"))
    ],
)
MARCH = table(
    "来电登记（二〇二六年三月上旬）",
    [
        "日: 2日; 几点来的: 07:35; 说的啥: 路面往外冒水",
        "几点来的: 16:10; 说的啥: 自来水发黄",
        "日: 5日; 几点来的: 20:48; 说的啥: 井盖没了",
        "日: 9日; 几点来的: 06:20; 说的啥: 主管爆了",
    ],
)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (APRIL, ["04-03 08:15", "04-06 13:40", "04-09 19:05", "04-12 09:00"]),
        (CALLS, ["05-01 09:22", "05-04 17:45", "05-08 06:55", "05-11 11:30"]),
        (MARCH, ["03-02 07:35", "03-02 16:10", "03-05 20:48", "03-09 06:20"]),
    ],
)
def test_days_without_a_year_that_go_on_from_row_to_row_are_times(
    text: str, days: list[str]
) -> None:
    assert times(text) == [f"2026 {day}" for day in days]


def test_a_day_alone_without_a_month_above_is_none() -> None:
    assert times(MARCH.replace("（二〇二六年三月上旬）", "")) == []


def test_what_is_measured_beside_a_time_of_day_is_no_day() -> None:
    rows = [f"点: {n}; 读数: {d}; 时刻: {c}; 说明: 正常" for n, (d, c) in enumerate(POINTS)]
    assert fields(table("2026年4月温度表", rows))["读数"] not in ("time", "reported")


def test_a_time_of_day_beside_a_whole_time_keeps_its_own_name() -> None:
    rows = [
        f"编号: A-{n}; 时间: 2026-04-0{n + 1} 08:15; 到场: 08:3{n}; 说明: 漏水{n}" for n in range(4)
    ]
    assert fields(table("登记表", rows))["到场"] == "column"


def test_days_that_do_not_go_on_are_no_times() -> None:
    days = ["5/11 09:22", "1/4 17:45", "3/8 06:55", "2/1 11:30"]
    rows = [f"Ref: {n}; Pair: {day}; Said: fuel {n}" for n, day in enumerate(days)]
    assert fields(table("Call book 2026", rows))["Pair"] == "column"


@pytest.mark.parametrize("title", ["calls_2026_05", "Calls 2026", "2026-05 calls"])
def test_a_year_that_only_the_name_of_the_file_says_is_that_of_its_days(title: str) -> None:
    text = CALLS.replace("Call book 2026", "Call book")
    assert times(text) == []
    found = facts_in(marked(text), title=title)
    dated = [f for f in found if f.field == FactField.TIME]
    assert [f"{f.time_from:%Y-%m-%d}" for f in dated][:2] == ["2026-05-01", "2026-05-04"]


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (("02/07/26", "13/07/26", "31/07/26"), "2026-07-02"),
        (("05/01/2026", "11/01/2026", "20/01/2026"), "2026-01-05"),
        (("04-Sep-26", "10-Sep-26", "18-Sep-26"), "2026-09-04"),
        (("3.6.2026", "11.6.2026", "27.6.2026"), "2026-06-03"),
    ],
)
def test_a_column_of_whole_days_is_the_time_however_it_is_called(
    days: tuple[str, ...], first: str
) -> None:
    rows = [f"Dt: {day}; Tm: 1{n}:25; Remarks: fuel {n}" for n, day in enumerate(days)]
    assert times(table("Ramp", rows))[0].replace(" ", "-", 1)[:10] == first
    assert times(table("Ramp", rows))[0].endswith("10:25")


def test_sheets_of_one_register_are_understood_together_however_few_rows_one_has() -> None:
    names = "Day; Rang in; Said"
    rows = [
        f"Day: {d}/01/2026; Rang in: 0{n}:42; Said: fuel {n}" for n, d in enumerate((5, 20, 27))
    ]
    early, late = "\n\n".join((names, *rows[:2])), "\n\n".join((names, rows[2]))
    whole = f"Earlies\n\n{early}\n\nLates\n\n{late}"
    assert times(whole) == ["2026 01-05 00:42", "2026 01-20 01:42", "2026 01-27 02:42"]


def test_one_row_without_a_line_of_names_above_is_no_table() -> None:
    assert times("Lates\n\nDay: 27/01/2026; Rang in: 02:42; Said: fuel") == []


@pytest.mark.parametrize(
    ("head", "year"),
    [
        ("Call book 2026", 2026),
        ("登记表（2026年）", 2026),
        ("2026 incident log", 2026),
        ("Week 19/2026", 2026),
        ("Night watch, shift 2000 to 0600", None),
        ("Shift 1900-0700 log", None),
        ("Site 2044 night log", None),
        ("值班日志 2008房间", None),
    ],
)
def test_a_year_in_a_title_is_no_hour_and_no_room(head: str, year: int | None) -> None:
    assert year_of(head.lower()) == year


def test_the_numbers_of_things_in_the_first_column_are_no_days() -> None:
    rows = [f"泵: {n}号; 钟点: 08:0{n}; 说明: 正常运转{n}" for n in (1, 2, 3, 4)]
    assert times(table("泵房记录 2026年3月", rows)) == []


def log_of(title: str, days: list[str], label: str, rest: str) -> str:
    return table(
        title, [f"{label}: {day}; {rest.format(n=n)}" for n, day in enumerate(days, start=1)]
    )


ZH, EN = "时间: 0{n}：15; 事项: 水管漏水第{n}处", "Time: 0{n}:15; Event: leak {n} at the north gate"


@pytest.mark.parametrize(
    ("title", "label", "days", "rest"),
    [
        ("日志　2026年4月15日至21日", "日期", ["4.15 星期三", "4.16 星期四", "4.17 星期五"], ZH),
        ("日志　2026年4月15日至21日", "日期", ["周三 4/15", "周四 4/16", "周五 4/17"], ZH),
        ("日志　2026年4月15日至21日", "日期", ["15日（三）", "16日（四）", "17日（五）"], ZH),
        ("日志　2026年4月15日至21日", "日期", ["15 三", "16 四", "17 五"], ZH),
        ("2026年4月日志\n\n填表日期：2026年5月3日", "日期", ["15", "16", "17"], ZH),
        ("Log 15 to 21 April 2026", "Date", ["Wed 15", "Thu 16", "Fri 17"], EN),
        ("Log 15 to 21 April 2026", "Date", ["Wed 15/4", "Thu 16/4", "Fri 17/4"], EN),
        ("Log 15 to 21 April 2026", "Date", ["15.4.", "16.4.", "17.4."], EN),
        ("Log for April 2026", "Date", ["15", "16", "17"], EN),
    ],
)
def test_a_day_beside_its_day_of_the_week_or_alone_is_of_the_month_above(
    title: str, label: str, days: list[str], rest: str
) -> None:
    text = log_of(title, days, label, rest)
    assert times(text) == [f"2026 04-{14 + n} 0{n}:15" for n in (1, 2, 3)]


def test_a_stretch_over_two_months_tells_which_of_them_a_day_is_of() -> None:
    text = log_of("Log, 28 April to 4 May 2026", ["Tue 28", "Thu 30", "Sat 2"], "Date", EN)
    assert times(text) == ["2026 04-28 01:15", "2026 04-30 02:15", "2026 05-02 03:15"]


@pytest.mark.parametrize(
    ("title", "days", "rest", "told"),
    [
        ("2026年4月日志\n\n填表日期：2026年5月3日", ["周三", "周四", "周五"], ZH, []),
        ("日志\n\n填表日期：2026年5月3日", ["15", "16", "17"], ZH, []),
        ("日志\n\n填表日期：2026年5月3日", ["4.15-16", "4.17-18", "4.19-20"], ZH, []),
        ("Log, 28 April 2026", ["overnight", "late shift", "early"], EN, []),
        ("日志　2026年5月3日", ["同上", "当日"], ZH, ["05-03 01:15", "05-03 02:15"]),
        ("Log, 28 April 2026", ["ditto", '"'], EN, ["04-28 01:15", "04-28 02:15"]),
    ],
)
def test_a_row_whose_day_nobody_can_read_is_not_of_the_day_above(
    title: str, days: list[str], rest: str, told: list[str]
) -> None:
    """It was dated by the day of the title, or by that on which the paper was filled in."""
    label = "日期" if rest is ZH else "Date"
    assert times(log_of(title, days, label, rest)) == [f"2026 {one}" for one in told]
