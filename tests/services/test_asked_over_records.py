"""Questions whose form asks over records, in the words of people who file tickets and cases."""

from datetime import date
from typing import Any

import pytest

from tests.services.known_values import KnownValues, assert_asks, plan

TODAY = date(2026, 11, 28)
NOTES = tuple(f"{what} slow to open in {where}" for what in ("scans", "letters", "forms")
              for where in ("ward 1", "ward 2", "theatre", "the lab"))  # fmt: skip
DESK = KnownValues(
    {
        "number": (),
        "kind": (),
        "time": (),
        "duration": (),
        "place": ("riverside", "northgate"),
        "person": ("sofia lindqvist", "owen brandt"),
        "service": ("email", "wi-fi", "imaging"),
        "priority": ("p1", "p2"),
        "users affected": ("3", "640"),
        "summary": NOTES,
        "state": ("open", "on hold", "closed"),
    },
    {"users affected"},
    {"owen brandt": frozenset({None})},
    frozenset({"assigned to"}),
    {"Ticket": "number", "Opened": "time"},
)
CASES = KnownValues(
    {
        "number": (),
        "kind": ("电梯困人", "盗窃"),
        "time": (),
        "loss": (),
        "dead": (),
        "injured": (),
        "place": ("北湖里", "东城区"),
        "person": ("宋建勋",),
        "area": ("西湖里", "南苑"),
        "办理情况": ("处理中", "已办结", "待配件"),
        "经过": tuple(f"第{n}层住户来电称货梯停在{n}层不开门" for n in range(1, 14)),
    },
    people_labels=frozenset({"调查组组长"}),
    called={"工单号": "number"},
)


def of(**fields: object) -> dict[str, Any]:
    return {"filters": {"fields": {name.replace("_", " "): one for name, one in fields.items()}}}


OCTOBER = {"time_from": "2026-10-01T00:00:00", "time_to": "2026-11-01T00:00:00"}
NOT_CLOSED = of(state={"none_of": ["closed"]})
UNFINISHED = of(办理情况={"none_of": ["已办结"]})
QUERIES: list[tuple[KnownValues, str, dict[str, Any]]] = [
    (DESK, "Total downtime for e-mail, in minutes?",
     {"op": "sum", "field": "duration"} | of(service="email")),
    (DESK, "Northgate lost how many minutes of service altogether?",
     {"op": "sum", "field": "duration", "filters": {"place": ["northgate"]}}),
    (DESK, "What is the highest number of users hit by a single ticket?",
     {"op": "max", "field": "users affected", "filters": {}}),
    (DESK, "Northgate v Riverside: who has more tickets, and how many each?",
     {"op": "compare", "groups": [{"place": ["northgate"]}, {"place": ["riverside"]}]}),
    (DESK, "Email v Imaging: which has more P1 tickets?",
     {"op": "compare", "groups": [{"fields": {"service": "email"}},
                                  {"fields": {"service": "imaging"}}]} | of(priority="p1")),
    (DESK, "List all imaging tickets with their dates.", {"op": "list"} | of(service="imaging")),
    # What is not closed: on hold is not.
    (DESK, "Which tickets are not closed yet?", {"op": "list"} | NOT_CLOSED),
    (DESK, "How many tickets haven't been resolved yet?", {"op": "count"} | NOT_CLOSED),
    (DESK, "List the tickets that are still open (not yet closed)", {"op": "list"} | NOT_CLOSED),
    (DESK, "how many tickets are open", {"op": "count"} | of(state="open")),
    (DESK, "How many tickets have been completed?",
     {"op": "count"} | of(state={"any_of": ["closed"]})),
    (CASES, "哪几起还没关？", {"op": "count"} | UNFINISHED),
    (CASES, "未结案的有几起", {"op": "count"} | UNFINISHED),
    (CASES, "北湖里还没处理完的有哪些",
     {"op": "list", "filters": {"fields": {"办理情况": {"none_of": ["已办结"]}},
                                "place": ["北湖里"]}}),
    (CASES, "已经办完的有几起", {"op": "count"} | of(办理情况={"any_of": ["已办结"]})),
    # Words of asking and filing are no conditions, and never a cell of free text.
    (DESK, "How many tickets were opened last month?", {"op": "count", "filters": OCTOBER}),
    (DESK, "How many tickets did we log last month?", {"op": "count", "filters": OCTOBER}),
    (DESK, "how many tickets raised in October 2026", {"op": "count", "filters": OCTOBER}),
    (CASES, "把上个月的盗窃都列出来，写明时间地点。",
     {"op": "list", "filters": {"kind": ["theft"]} | OCTOBER}),
    (CASES, "上个月有没有丢东西的事", {"op": "exists", "filters": {"kind": ["theft"]} | OCTOBER}),
    (CASES, "上个月有没有丢东西的（盗窃）事？",
     {"op": "exists", "filters": {"kind": ["theft"]} | OCTOBER}),
    (CASES, "上个月登记的事件，注明地点", {"op": "list", "filters": OCTOBER}),
    (CASES, "这些事故一共死了多少人？", {"op": "sum", "field": "dead", "filters": {}}),
    (CASES, "两起盗窃平均损失多少万元？",
     {"op": "average", "field": "loss", "filters": {"kind": ["theft"]}}),
    (CASES, "几次盗窃平均每次损失多少钱？",
     {"op": "average", "field": "loss", "filters": {"kind": ["theft"]}}),
    (CASES, "损失最大的三起是哪三起？", {"op": "top", "field": "loss", "limit": 3}),
    (CASES, "损失最大的三起分别是什么，各多少？", {"op": "top", "field": "loss", "limit": 3}),
    (CASES, "损失最小的两起是哪两起？",
     {"op": "top", "field": "loss", "limit": 2, "descending": False}),
    (CASES, "填了损失金额的事件里，损失最少的是多少元，是哪一次？", {"op": "min", "field": "loss"}),
    (CASES, "截至目前一共出过多少起盗窃？", {"op": "count", "filters": {"kind": ["theft"]}}),
    (CASES, "今年出过盗窃的事吗？", {"op": "exists"}),
    (CASES, "北湖里和东城区相比，哪边出的事多？各几起？",
     {"op": "compare", "groups": [{"place": ["北湖里"]}, {"place": ["东城区"]}]}),
    (CASES, "西湖里今年出过多少起事？", {"op": "count"}),
    (CASES, "宋建勋当调查组组长的是哪几起事故？", {"op": "count"} | of(调查组组长="宋建勋")),
    (CASES, "按区县统计事故起数。", {"op": "group", "by": "area", "filters": {}}),
    (CASES, "按项目统计一下各有多少起", {"op": "group", "by": "area"}),
    (CASES, "上半年和下半年（截至目前）比，哪个事故多，各几起？", {"op": "compare"}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "text", "expected"), QUERIES, ids=[one[1] for one in QUERIES])
def test_what_asks_over_records_is_asked_of_them(
    base: KnownValues, text: str, expected: dict[str, Any]
) -> None:
    assert_asks(plan(base, text, TODAY), expected)


@pytest.mark.parametrize(
    ("base", "text", "unread"),
    [
        (CASES, "这些事故的善后赔偿金一共多少钱？", "善后赔偿金"),
        (CASES, "电梯困人总共困了多少人？", "trapped"),
        (CASES, "保险公司一共赔付了多少钱？", "赔付"),
        (DESK, "What was the average customer satisfaction score?", "customer satisfaction score"),
        (DESK, "What did the tickets cost the insurer in total?", "insurer"),
        (DESK, "Which tickets came with a broken seal?", "broken seal"),
        (DESK, "how many tickets ended with letters opened by mistake", "mistake"),
        (CASES, "钓鱼邮箱有几起", "钓鱼邮箱"),
    ],
)
def test_what_no_record_states_leaves_no_query_and_is_told(
    base: KnownValues, text: str, unread: str
) -> None:
    planned = plan(base, text, TODAY)
    assert planned and planned.query is None and planned.asks_of_records
    assert any(unread in words for words in (*planned.unread, *planned.lacking)), planned
