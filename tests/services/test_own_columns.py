"""Questions in the words that a base has for its own columns and values."""

from datetime import date
from typing import Any

import pytest

from kb_service.domain.facts import Role
from tests.services.known_values import KnownValues, assert_asks, plan

TODAY = date(2025, 6, 1)
CLINIC = KnownValues(
    {
        "number": (),
        "kind": ("other", "fire"),
        "time": (),
        "injured": (),
        "person": ("ruth calder", "leo vance"),
        "ward": ("maple ward", "oncology", "ward 7", "ward 7b"),
        "harm level": ("low", "moderate", "severe"),
        "days to close": ("3", "12"),
        "visitors affected": ("0", "5"),
        "state": ("closed", "not closed", "under review"),
        "bill": ("paid", "unpaid"),
        "police called": ("yes", "no"),
        "case handler notes": ("report sent", "nothing to report"),
    },
    {"days to close", "visitors affected"},
    {"ruth calder": frozenset({None}), "leo vance": frozenset({None})},
    frozenset({"witness", "porter"}),
    {"Event type": "kind", "Patients harmed": "injured"},
)
WATER = KnownValues(
    {
        "number": (),
        "kind": ("other",),
        "time": (),
        "person": ("茅建业", "卞雨荷"),
        "片区": ("河东片", "老城片", "开发区"),
        "抢修班组": ("抢修一班", "管网三班"),
        "影响户数": ("12", "640"),
        "修复用时（小时）": ("3", "40"),
        "完成情况": ("已修复", "待复查", "转外协"),
        "报案": ("已立案", "不予立案"),
        "是否停水": ("是", "否"),
    },
    {"影响户数", "修复用时（小时）"},
    {"茅建业": frozenset({None}), "卞雨荷": frozenset({Role.REPORTER})},
    frozenset({"领工员"}),
    {"工单号": "number", "故障类别": "kind"},
)


def asked(**fields: object) -> dict[str, Any]:
    return {"filters": {"fields": {name.replace("_", " "): one for name, one in fields.items()}}}


QUERIES: list[tuple[KnownValues, str, dict[str, Any]]] = [
    (CLINIC, "how many are under review", {"op": "count"} | asked(state="under review")),
    (CLINIC, "how many events are closed", {"op": "count"} | asked(state="closed")),
    (CLINIC, "how many events were unpaid", {"op": "count"} | asked(bill="unpaid")),
    (CLINIC, "how many severe events on maple ward",
     {"op": "count"} | asked(ward="maple ward", harm_level="severe")),
    (CLINIC, "how many were low or moderate",
     {"op": "count"} | asked(harm_level={"any_of": ["low", "moderate"]})),
    (CLINIC, "how many were not severe",
     {"op": "count"} | asked(harm_level={"none_of": ["severe"]})),
    (CLINIC, "which ward has the most events", {"op": "group", "by": "ward"}),
    (CLINIC, "events per ward", {"op": "group", "by": "ward"}),
    (CLINIC, "average days to close", {"op": "average", "field": "days to close"}),
    (CLINIC, "which event took the longest to close", {"op": "max", "field": "days to close"}),
    (CLINIC, "events with more than 4 visitors affected",
     {"op": "list"} | asked(visitors_affected={"min": 4.000000000000001})),
    (CLINIC, "how many visitors were affected", {"op": "sum", "field": "visitors affected"}),
    (CLINIC, "how many patients were harmed", {"op": "sum", "field": "injured"}),
    (CLINIC, "how many events with police called",
     {"op": "count"} | asked(police_called="yes")),
    (CLINIC, "how many events without police called",
     {"op": "count"} | asked(police_called="no")),
    (CLINIC, "events with leo vance as a witness", {"op": "list"} | asked(witness="leo vance")),
    (CLINIC, "which porter had the most events", {"op": "group", "by": "porter"}),
    # Words of every question that are words of values as well.
    (CLINIC, "how many events were reported", {"op": "count", "filters": {}}),
    (CLINIC, "list the reports", {"op": "list", "of": "documents", "filters": {}}),
    (CLINIC, "how many fires", {"op": "count", "filters": {"kind": ["fire"]}}),
    (WATER, "老城片一共几单", {"op": "count"} | asked(片区="老城片")),
    (WATER, "哪个班组干的活最多", {"op": "group", "by": "抢修班组"}),
    (WATER, "各片区分别多少", {"op": "group", "by": "片区"}),
    (WATER, "影响超过五百户的工单",
     {"op": "list"} | asked(影响户数={"min": 500.00000000000006})),
    (WATER, "修得最久的是哪一单", {"op": "max", "field": "修复用时（小时）"}),
    (WATER, "已修复的有几起", {"op": "count"} | asked(完成情况="已修复")),
    (WATER, "修复的有几起", {"op": "count"} | asked(完成情况="已修复")),
    (WATER, "还没复查的有哪些", {"op": "list"} | asked(完成情况="待复查")),
    (WATER, "没修复的有几起", {"op": "count"} | asked(完成情况={"none_of": ["已修复"]})),
    (WATER, "立案的有几起", {"op": "count"} | asked(报案="已立案")),
    (WATER, "停水的有几起", {"op": "count"} | asked(是否停水="是")),
    (WATER, "没停水的有几起", {"op": "count"} | asked(是否停水="否")),
    (WATER, "茅建业领工的单子列一下", {"op": "list"} | asked(领工员="茅建业")),
    (WATER, "开发区待复查的有几起", {"op": "count"} | asked(片区="开发区", 完成情况="待复查")),
]  # fmt: skip


@pytest.mark.parametrize(("base", "text", "expected"), QUERIES, ids=[one[1] for one in QUERIES])
def test_a_base_is_asked_in_its_own_words(
    base: KnownValues, text: str, expected: dict[str, Any]
) -> None:
    assert_asks(plan(base, text, TODAY), expected)


@pytest.mark.parametrize(
    ("base", "text", "unread"),
    [
        (CLINIC, "how many events with sued surgeons", "surgeons"),
        (CLINIC, "how many severe events in the canteen", "canteen"),
        (CLINIC, "how many events had a witness", "witness"),
        (CLINIC, "events with more than 3 wards", "ward"),
        (CLINIC, "how many events with porter leo vance and witness ruth calder", "porter"),
        (WATER, "老城片电缆坏了几起", "电缆"),
        (WATER, "有几个工人中暑", "工人"),
    ],
)
def test_a_condition_that_nothing_meets_is_told_and_never_dropped(
    base: KnownValues, text: str, unread: str
) -> None:
    planned = plan(base, text, TODAY)
    assert planned and planned.query is None
    assert any(unread in words for words in (*planned.unread, *planned.unknown)), planned


@pytest.mark.parametrize("text", ["how many wards", "how many surgeons were sued"])
def test_what_is_no_number_and_no_record_is_not_counted(text: str) -> None:
    planned = plan(CLINIC, text, TODAY)
    assert planned is None or planned.query is None
