"""Questions over registers and logs: counts of what was paid, who signed what, states, totals."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from kb_service.domain.queries import Filters
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from tests.services.known_values import KnownValues, assert_asks, plan

TODAY = date(2026, 11, 30)
CLAIMS = KnownValues(
    {
        "number": (),
        "time": (),
        "fine": (),
        "person": ("s. voss", "m. lindqvist"),
        "claimed (eur)": ("12000",),
        "paid out (eur)": ("9500", "71000"),
        "state": ("settled", "rejected", "open"),
    },
    {"claimed (eur)", "paid out (eur)"},
    {"s. voss": frozenset({None}), "m. lindqvist": frozenset({None})},
    frozenset({"assessor", "signed off by"}),
    {"Claim no.": "number"},
)
PAYOUTS = KnownValues(
    {
        "number": (),
        "time": (),
        "person": ("王磊", "许静"),
        "险种": ("车险", "火灾险"),
        "赔付金额（元）": ("48000", "6700"),
        "处理状态": ("已赔付", "拒赔", "处理中"),
    },
    {"赔付金额（元）"},
    {"王磊": frozenset({None}), "许静": frozenset({None})},
    frozenset({"定损员"}),
    {"案号": "number"},
)
SHIFTS = KnownValues(
    {
        "time": (),
        "kind": ("fire",),
        "person": ("王磊",),
        "设备": ("空压机", "回转窑"),
        "班次": ("夜班", "早班"),
        "异常情况": ("漏油", "红窑"),
        "处理结果": ("停机", "带病运行"),
        "停机时长（分钟）": ("35", "240"),
    },
    {"停机时长（分钟）"},
    {"王磊": frozenset({None})},
    frozenset({"验收人"}),
)


def of(**fields: object) -> dict[str, Any]:
    return {"filters": {"fields": fields}}


ANY = {"min": 1e-06}
BY_VOSS = {"filters": {"fields": {"assessor": "s. voss"}}}
SIGNED = {"filters": {"fields": {"signed off by": "lindqvist"}}}
QUERIES: list[tuple[KnownValues, str, dict[str, Any]]] = [
    # How many: never a sum of money.
    (CLAIMS, "How many claims were paid out?",
     {"op": "count", "filters": {"fields": {"paid out (eur)": ANY}}}),
    (CLAIMS, "how many were paid out",
     {"op": "count", "filters": {"fields": {"paid out (eur)": ANY}}}),
    (CLAIMS, "how many fines were there?", {"op": "count"} | of(fine=ANY)),
    (CLAIMS, "How much was paid out?", {"op": "sum", "field": "paid out (eur)", "filters": {}}),
    (PAYOUTS, "几笔赔付了", {"op": "count"} | of(处理状态="已赔付")),
    (PAYOUTS, "几笔拒赔了", {"op": "count"} | of(处理状态="拒赔")),
    (PAYOUTS, "车险有几笔", {"op": "count"} | of(险种="车险")),
    # Who does what, under a label of the base.
    (CLAIMS, "Which claims did S. Voss assess?", {"op": "list"} | BY_VOSS),
    (CLAIMS, "How many claims did S. Voss assess?", {"op": "count"} | BY_VOSS),
    (CLAIMS, "how many claims were assessed by S. Voss", {"op": "count"} | BY_VOSS),
    (CLAIMS, "what did Lindqvist sign off", {"op": "list"} | SIGNED),
    (CLAIMS, "which claims were signed off by Lindqvist", {"op": "list"} | SIGNED),
    (PAYOUTS, "王磊定损的有几笔", {"op": "count"} | of(定损员="王磊")),
    (PAYOUTS, "王磊定损的案子有哪些", {"op": "list"} | of(定损员="王磊")),
    (SHIFTS, "王磊验收了什么", {"op": "list"} | of(验收人="王磊")),
    (SHIFTS, "哪几份是王磊验收的", {"op": "count"} | of(验收人="王磊")),
    # A state is a value, also where elsewhere it is a kind of happening or what somebody does.
    (SHIFTS, "停机的有几台", {"op": "count"} | of(处理结果="停机")),
    (SHIFTS, "几台停机了", {"op": "count"} | of(处理结果="停机")),
    (SHIFTS, "漏油的有几台", {"op": "count"} | of(异常情况="漏油")),
    (SHIFTS, "夜班有几起异常", {"op": "count"} | of(班次="夜班")),
    (PAYOUTS, "处理中的有哪些", {"op": "list"} | of(处理状态="处理中")),
    (CLAIMS, "how many are open", {"op": "count"} | of(state="open")),
    # Totals in other words.
    (CLAIMS, "Paid out altogether?", {"op": "sum", "field": "paid out (eur)"}),
    (CLAIMS, "claimed all in all?", {"op": "sum", "field": "claimed (eur)"}),
    (CLAIMS, "fines taken together?", {"op": "sum", "field": "fine"}),
    (PAYOUTS, "赔付金额加起来多少", {"op": "sum", "field": "赔付金额（元）"}),
    (PAYOUTS, "赔付金额合在一起多少", {"op": "sum", "field": "赔付金额（元）"}),
    (PAYOUTS, "车险赔付加起来多少", {"op": "sum", "field": "赔付金额（元）"} | of(险种="车险")),
]  # fmt: skip


@pytest.mark.parametrize(("base", "text", "expected"), QUERIES, ids=[one[1] for one in QUERIES])
def test_a_question_over_a_register_becomes_the_query_that_it_means(
    base: KnownValues, text: str, expected: dict[str, Any]
) -> None:
    assert_asks(plan(base, text, TODAY), expected)


@pytest.mark.parametrize(
    ("base", "text"),
    [
        (CLAIMS, "how many claims were withdrawn?"),
        (CLAIMS, "Which claims did S. Voss appeal?"),
        (PAYOUTS, "几笔撤案了"),
        (PAYOUTS, "王磊复核的有几笔"),
        (SHIFTS, "空压机停了几次"),
    ],
)
def test_a_word_that_nothing_states_leaves_it_without_a_query(base: KnownValues, text: str) -> None:
    planned = plan(base, text, TODAY)
    assert planned is None or planned.query is None


@pytest.mark.parametrize("text", ["赔付金额加起来多少", "Paid out altogether?"])
def test_words_that_add_up_ask_for_a_total(text: str) -> None:
    planned = plan(CLAIMS if text.isascii() else PAYOUTS, text, TODAY)
    assert planned and planned.sums_up and planned.is_over_many


class Unasked(KnownValues):
    def registers(self, kb_id: str, is_so: Callable[[str], object]) -> tuple[str, ...]:
        raise AssertionError(is_so)


LIFTS = KnownValues(
    {
        "number": (),
        "time": (),
        "place": ("望江大厦", "滨湖商场"),
        "person": ("柏文涛",),
        "被困人数": ("2", "8"),
        "维保单位": ("通力达", "恒升电梯"),
    },
    {"被困人数"},
    {"柏文涛": frozenset({None})},
    frozenset({"处置人"}),
    titles={"2025年上半年电梯困人登记": "doc_lifts", "lift entrapment register 2025": "doc_en"},
)


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("望江大厦发生了几起困人？", "doc_lifts"),
        ("2025年有几次困人？", "doc_lifts"),
        ("how many entrapments in 2025", "doc_en"),
    ],
)
def test_what_a_register_is_called_counts_its_rows(question: str, document: str) -> None:
    planned = plan(LIFTS, question, TODAY)
    assert planned is not None and planned.query is not None, planned
    assert planned.query.filters.document_ids == (document,)


@pytest.mark.parametrize(
    "question", ["望江大厦发生了几起拥堵？", "How many penguins happened in 2025?"]
)
def test_what_no_register_is_called_is_left_unread(question: str) -> None:
    planned = plan(LIFTS, question, TODAY)
    assert planned is None or planned.query is None


@pytest.mark.parametrize("question", ["困人的原因是什么？", "谁处置了3月1日的困人？"])
def test_a_question_that_does_not_count_asks_for_no_register(question: str) -> None:
    """One paper may tell it; and no title is looked through for it."""
    base = Unasked(LIFTS.values, LIFTS.numbers, LIFTS.roles_by_name, LIFTS.people_labels)
    plan(base, question, TODAY)


def test_a_register_that_was_not_picked_is_not_counted() -> None:
    asked = parse_question("望江大厦发生了几起困人？")
    picked = Filters(document_ids=("doc_other",))
    planned = planned_for(asked, named_in(asked, TODAY), picked, "kb", LIFTS, TODAY)
    assert planned is None or planned.query is None
