"""Questions over a register of calls: kinds that are joined, groups, values with their column."""

from datetime import date
from typing import Any

import pytest

from kb_service.domain.queries import Filters
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from tests.services.known_values import KnownValues, assert_asks, plan

TODAY = date(2026, 6, 15)
CALLS = KnownValues(
    {
        "number": (),
        "time": (),
        "kind": ("fire", "抢险救援", "社会救助"),
        "place": ("建设路12号",),
        "乡镇": ("青山", "柳河(镇)"),
        "出动队站": ("城南站", "东湖站"),
        "处置结果": ("处置完毕", "误报"),
        "出动人数": ("12", "20"),
        "营救人数": ("0", "2"),
        "出动车辆(辆)": ("2", "5"),
        "简要情况": tuple(f"电梯困人{n}次，两名老人被困" for n in range(50)),
    },
    numbers={"出动人数", "营救人数", "出动车辆(辆)"},
    called={"警情类别": "kind", "警情地址": "place"},
    written={"fire": ["火灾扑救"]},
)
JOBS = KnownValues(
    {
        "number": (),
        "time": (),
        "place": ("north block", "annex"),
        "trade": ("plumbing", "electrical"),
        "priority": ("p1", "p2"),
    },
    called={"Building": "place"},
)


MARCH = {"time_from": "2026-03-01T00:00:00", "time_to": "2026-04-01T00:00:00"}
APRIL = {"time_from": "2026-04-01T00:00:00", "time_to": "2026-05-01T00:00:00"}


def of(**fields: object) -> dict[str, Any]:
    return {"op": "count", "filters": {"fields": fields}}


QUERIES: list[tuple[KnownValues, str, dict[str, Any]]] = [
    # Two kinds are alternatives: no record is of both.
    (CALLS, "火灾扑救和抢险救援一共多少起", of(kind={"any_of": ["fire", "抢险救援"]})),
    (CALLS, "抢险救援或者火灾有几起", of(kind={"any_of": ["抢险救援", "fire"]})),
    (CALLS, "城南站的火灾有几起",
     {"op": "count", "filters": {"kind": ["fire"], "fields": {"出动队站": "城南站"}}}),
    (CALLS, "火灾和抢险救援哪个多",
     {"op": "compare", "groups": [{"fields": {"kind": "fire"}}, {"fields": {"kind": "抢险救援"}}]}),
    # What the papers call their records stands between "by" and the column.
    (CALLS, "按警情类别分别有多少起", {"op": "group", "by": "kind"}),
    (CALLS, "按警情类别分类统计", {"op": "group", "by": "kind"}),
    (CALLS, "各个乡镇的警情数分别是多少", {"op": "group", "by": "乡镇"}),
    (CALLS, "3月和4月哪个月警情多", {"op": "group", "by": "month"}),
    (CALLS, "哪个队站警情少", {"op": "group", "by": "出动队站", "descending": False}),
    # How many of something a column counts, by the verb and what is counted.
    (CALLS, "城南站一共出动了多少人",
     {"op": "sum", "field": "出动人数", "filters": {"fields": {"出动队站": "城南站"}}}),
    (CALLS, "营救了多少人", {"op": "sum", "field": "营救人数"}),
    (CALLS, "一共出动了多少辆车", {"op": "sum", "field": "出动车辆(辆)"}),
    (CALLS, "平均每次出动多少人", {"op": "average", "field": "出动人数"}),
    # A value with the end of its column's name behind it, or in brackets.
    (CALLS, "青山镇一共多少起警情", of(乡镇="青山")),
    (CALLS, "柳河镇一共多少起警情", of(乡镇="柳河")),
    (CALLS, "青山(镇)有多少起警情", of(乡镇="青山")),
    (CALLS, "社会救助类警情有多少起", of(kind="社会救助")),
    (JOBS, "How many jobs were in the North Block building?",
     {"op": "count", "filters": {"place": ["north block"]}}),
    (JOBS, "Were more jobs raised in March or April?", {"op": "compare", "groups": [MARCH, APRIL]}),
    (JOBS, "Were more plumbing jobs raised in March 2026 than in April 2026?",
     {"op": "compare", "filters": {"fields": {"trade": "plumbing"}}, "groups": [MARCH, APRIL]}),
    (JOBS, "Give me a breakdown of jobs by priority", {"op": "group", "by": "priority"}),
    (JOBS, "What is the split of jobs by trade?", {"op": "group", "by": "trade"}),
    (JOBS, "How are the jobs distributed across the trades?", {"op": "group", "by": "trade"}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "text", "asked"), QUERIES)
def test_what_a_question_over_calls_asks_for(
    base: KnownValues, text: str, asked: dict[str, Any]
) -> None:
    assert_asks(plan(base, text, TODAY), asked)


@pytest.mark.parametrize("text", ["火灾和电梯困人一共有几起", "火灾和误报一共有几起"])
def test_a_kind_joined_to_a_value_of_another_field_is_not_both(text: str) -> None:
    """Both conditions at once told that there was none of either."""
    question = parse_question(text)
    named = named_in(question, TODAY)
    planned = planned_for(question, named, Filters(), "base", CALLS, TODAY)
    assert planned is not None and planned.query is None
    assert planned.unread


def test_what_no_column_counts_is_not_counted() -> None:
    planned = plan(CALLS, "一共出动了多少条狗", TODAY)
    assert planned is None or planned.query is None
