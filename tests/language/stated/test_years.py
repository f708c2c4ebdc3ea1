"""Papers whose days say no year: records are of the latest one that had begun when they came."""

from datetime import date

import pytest

from kb_service.domain.facts import HAPPENED, FactField
from kb_service.domain.time_roles import OF_ARRIVAL, marks_of
from kb_service.language.stated.columns import columns_in
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.moments import names_year
from kb_service.language.stated.plain import plain
from kb_service.language.units import marked

CAME = date(2026, 5, 20)


def table(title: str, *rows: str) -> str:
    return "\n\n".join((title, *rows))


def times(text: str, came: date | None = CAME, title: str = "", *, is_marked: bool = True) -> list:
    """When the records of a text happened or were reported; all are marked, or none is."""
    found = facts_in(marked(text), title=title, came=came)
    told = [f for f in found if f.time_from and f.field in (FactField.TIME, FactField.REPORTED)]
    assert all((OF_ARRIVAL in marks_of(one.role)) == is_marked for one in told)
    return [f"{one.time_from:%Y-%m-%d %H:%M}" for one in told]


REGISTER = table(
    "四月抢修记录表",
    "月.日: 4.3; 时分: 08：15; 地址: 桂花路19号; 内容: 水表井里咕嘟咕嘟冒水",
    "月.日: 4.6; 时分: 13：40; 地址: 公墓路; 内容: PE管爆，水柱两米多高",
    "月.日: 4.9; 时分: 19：05; 地址: 锦绣家园7栋; 内容: 七点以后高层没水压",
)
CALLS = table(
    "Call sheet",
    "Ref: 1; Date: 3 May; Time: 09:22; Caller said: fuel on the ground by stand 4",
    "Ref: 2; Date: 4 May; Time: 17:45; Caller said: a dog ran across the apron",
)
CALL_BOOK = table(
    "值班来电本",
    "—— 5月1日 ——",
    "时刻: 06:50; 地址: 实验小学门口; 事由: 校门口积水，孩子踩水进校",
    "时刻: 19:15; 地址: 云顶花园2栋; 事由: 做饭没水",
)
FORM = "Incident report\n\nDate of incident: 3 May, 08:15\nPlace: Mill Lane\nInjured: 2\n"
LOG = """Duty log

3 May 08:15 Water pump failed at the lower lock, two people hurt.
4 May 17:40 Fire in the bin store, put out with one extinguisher.
9 May 21:05 Theft of diesel from the yard."""
BOOK = """值班日志

5月3日 08:15 桂花路水管爆裂，抢修队到场。
5月4日 17:40 锦绣家园配电房起火，扑灭。
5月9日 21:05 工地柴油被盗。"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (REGISTER, ["2026-04-03 08:15", "2026-04-06 13:40", "2026-04-09 19:05"]),
        (CALLS, ["2026-05-03 09:22", "2026-05-04 17:45"]),
        (CALL_BOOK, ["2026-05-01 06:50", "2026-05-01 19:15"]),
        (FORM, ["2026-05-03 08:15"]),
        (LOG, ["2026-05-03 08:15", "2026-05-04 17:40", "2026-05-09 21:05"]),
        (BOOK, ["2026-05-03 08:15", "2026-05-04 17:40", "2026-05-09 21:05"]),
    ],
)
def test_records_without_a_year_are_of_that_of_their_arrival(text: str, told: list[str]) -> None:
    assert times(text) == told
    assert times(text, None) == []


@pytest.mark.parametrize(
    ("came", "year"),
    [
        (date(2026, 4, 8), 2025),
        (date(2026, 4, 9), 2026),
        (date(2026, 12, 31), 2026),
        (date(2027, 1, 1), 2026),
    ],
)
def test_the_last_day_of_a_text_is_not_after_that_on_which_it_came(came: date, year: int) -> None:
    assert times(REGISTER, came)[-1] == f"{year}-04-09 19:05"
    assert {moment[:4] for moment in times(REGISTER, came)} == {str(year)}


def test_a_log_goes_on_past_new_year() -> None:
    log = """Duty log

28 December 08:15 Water pump failed at the lower lock.
31 December 23:40 Fire in the bin store, put out.
3 January 21:05 Theft of diesel from the yard."""
    days = ["2025-12-28 08:15", "2025-12-31 23:40", "2026-01-03 21:05"]
    assert times(log) == days
    assert times(log, date(2026, 1, 3)) == days
    assert times(log, date(2026, 1, 2))[-1] == "2025-01-03 21:05"


def test_records_of_29_february_are_of_a_leap_year() -> None:
    text = CALLS.replace("3 May", "29 February").replace("4 May", "1 March")
    assert times(text) == ["2024-02-29 09:22", "2024-03-01 17:45"]


def test_such_times_keep_what_else_is_known_of_them_and_are_less_sure() -> None:
    named, taken = (
        [one for one in facts_in(marked(text), came=CAME) if one.field == FactField.TIME]
        for text in (f"2026\n\n{LOG}", LOG)
    )
    assert [HAPPENED in marks_of(one.role) for one in taken] == [
        one.role == HAPPENED for one in named
    ]
    assert HAPPENED in marks_of(taken[0].role)
    assert taken[0].confidence < named[0].confidence


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        (f"2024年\n\n{REGISTER}", "", "2024"),
        (CALLS, "Calls 2023", "2023"),
        (CALL_BOOK.replace("5月1日", "2022年5月1日"), "", "2022"),
    ],
)
def test_a_year_that_is_named_holds(text: str, title: str, year: str) -> None:
    assert {moment[:4] for moment in times(text, title=title, is_marked=False)} == {year}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"Registers of 2023 and 2024\n2023\n2024\n\n{CALLS}", ""),
        (CALLS, "calls_20250503"),
        (CALLS, "Calls Apr-24"),
        (CALLS, "Last year's calls"),
        (REGISTER, "去年四月抢修"),
        (f"{CALLS}\n\nCounted on 3 May '24.", ""),
        (f"{REGISTER}\n\n制表：民国115年4月30日", ""),
    ],
)
def test_a_year_that_is_told_otherwise_is_no_reason_to_take_another(text: str, title: str) -> None:
    assert {moment[:4] for moment in times(text, title=title, is_marked=False)} <= {"2024"}


@pytest.mark.parametrize(
    "text",
    [
        "Safety handbook\n\nEvery year on 1 May there is a fire drill.",
        "消防手册\n\n每年5月1日检查灭火器，并组织火灾演练。",
        "Soup\n\nStir in 1/2 cup of milk, then 3/4 of the flour. Serves 4.",
        "Release notes\n\nVersion: 4.3\nBuild: 4.12\n\nFixes a crash of 4.2.",
        "杯赛\n\n甲队: 3-2; 乙队: 1-4\n\n甲队: 2-2; 乙队: 4-3",
        table("温度表", *(f"点: {n}; 读数: 4.{n}; 说明: 正常" for n in range(1, 5))),
        "The 9/11 attacks changed how airports are guarded.",
        "关于吸取“5·12”地震教训的学习材料\n\n各班组认真学习。",
        "The harbour pilot comes aboard at the outer buoy and leaves at the quay.",
    ],
)
def test_what_is_no_day_of_a_record_is_not_dated(text: str) -> None:
    assert times(text) == []
    assert facts_in(marked(text), came=CAME) == facts_in(marked(text))


def test_days_that_are_of_no_record_are_read_as_before() -> None:
    text = table("Staff", *(f"Name: Ann Cole {n}; Birthday: {n} May" for n in range(1, 4)))
    assert facts_in(marked(text), came=CAME) == facts_in(marked(text))


@pytest.mark.parametrize(
    "text",
    [
        "31 May 2024",
        "FY24 losses",
        "Calls May '24",
        "令和8年4月3日",
        "民國一百一十五年",
        "令和元年",
        "3.4.2024",
        "5/13/24",
    ],
)
def test_years_are_named_in_many_ways(text: str) -> None:
    assert names_year(plain(text))


@pytest.mark.parametrize(
    "text", ["3 May", "24-Apr", "4月3日", "room 2024 b", "1/2", "version 4.2.1"]
)
def test_and_by_no_other_number(text: str) -> None:
    assert not names_year(plain(text))


def test_the_labels_of_a_log_without_a_year_are_of_as_many_records_as_it_has() -> None:
    costs = LOG.replace("hurt.", "hurt.\nCost: 40 EUR").replace("yard.", "yard.\nCost: 9 EUR")
    assert {fact.record for fact in facts_in(marked(costs), came=CAME)} == {1, 2, 3}
    assert [(one.num_rows, len(one.columns)) for one in columns_in(costs, {})] == [(3, 1)]
