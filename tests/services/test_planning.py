"""Questions over many documents as typed queries: what they select, what is made of it."""

from datetime import date
from typing import Any

import pytest

from kb_service.domain.facts import Role
from kb_service.domain.queries import Filters
from kb_service.domain.query_json import query_json
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import Planned, planned_for
from tests.services.known_values import KnownValues

TODAY = date(2024, 9, 10)
ROLES: dict[str, frozenset[Role | None]] = {
    "项丽华": frozenset({Role.REPORTER}),
    "荆涛": frozenset({Role.HANDLER, Role.REPORTER}),
}
WRITTEN_KINDS = {"leak": ["燃气泄漏", "漏水"], "fall": ["高空坠落"]}
VALUES: dict[str, tuple[str, ...]] = {
    "place": ("mill lane", "oak street 4", "东港区码头路12号", "西山区"),
    "person": ("boone", "王磊", *ROLES),
    "organisation": ("harbour line", "东港消防站"),
    "shift": ("night", "day"),
    "response minutes": ("7", "12"),
}
UNKNOWN_VALUES = (
    *("number", "kind", "time", "duration", "dead", "injured", "loss"),
    *("cause", "measure", "status"),
)
BASE = KnownValues(
    dict.fromkeys(UNKNOWN_VALUES, ()) | VALUES,
    {"response minutes"},
    ROLES,
    written=WRITTEN_KINDS,
)


def plan(text: str) -> Planned | None:
    question = parse_question(text)
    named = named_in(question, TODAY)
    return planned_for(question, named, Filters(), "kb_1", BASE, TODAY)


AUGUST = {"time_from": "2024-08-01T00:00:00", "time_to": "2024-09-01T00:00:00"}
YEAR = {"time_from": "2024-01-01T00:00:00", "time_to": "2025-01-01T00:00:00"}

QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("上个月几起火灾", {"op": "count", "filters": {"kind": ["fire"]} | AUGUST}),
    ("8月份发生了多少起火灾？", {"op": "count", "filters": {"kind": ["fire"]} | AUGUST}),
    ("How many fires were there in August 2024?",
     {"op": "count", "filters": {"kind": ["fire"]} | AUGUST}),
    ("how many incidents last month", {"op": "count", "filters": AUGUST}),
    ("列出上个月的所有事故", {"op": "list", "filters": AUGUST}),
    ("上个月有哪些火灾", {"op": "list", "filters": {"kind": ["fire"]} | AUGUST}),
    ("Which incidents did Sgt. Boone handle?",
     {"op": "list", "filters": {"person": ["boone"]}}),
    ("王磊处理了哪些案件", {"op": "list", "filters": {"person": ["王磊"]}}),
    ("今年各区火灾数量", {"op": "group", "by": "place", "filters": {"kind": ["fire"]} | YEAR}),
    ("按月统计2024年的盗窃案", {"op": "group", "by": "month",
                          "filters": {"kind": ["theft"]} | YEAR}),
    ("incidents per month in 2024", {"op": "group", "by": "month", "filters": YEAR}),
    ("哪个月火灾最多", {"op": "group", "by": "month", "filters": {"kind": ["fire"]}}),
    ("Which month had the most fires?",
     {"op": "group", "by": "month", "filters": {"kind": ["fire"]}}),
    ("损失最大的前三起火灾", {"op": "top", "field": "loss", "filters": {"kind": ["fire"]},
                      "limit": 3}),
    ("top 5 fires by loss", {"op": "top", "field": "loss", "filters": {"kind": ["fire"]},
                             "limit": 5}),
    ("2024年火灾平均损失是多少", {"op": "average", "field": "loss",
                       "filters": {"kind": ["fire"]} | YEAR}),
    ("上个月火灾一共多少人受伤", {"op": "sum", "field": "injured",
                      "filters": {"kind": ["fire"]} | AUGUST}),
    ("How many people were injured in fires last month?",
     {"op": "sum", "field": "injured", "filters": {"kind": ["fire"]} | AUGUST}),
    ("死亡3人以上的事故有哪些", {"op": "list", "filters": {"fields": {"dead": {"min": 3.0}}}}),
    ("一共有多少起涉及死亡的事故？", {"op": "count", "filters": {"fields": {"dead": {"min": 1}}}}),
    ("incidents with at least 2 deaths: list them",
     {"op": "list", "filters": {"fields": {"dead": {"min": 2.0}}}}),
    ("去年有没有发生过爆炸", {"op": "exists", "filters": {
        "kind": ["explosion"],
        "time_from": "2023-01-01T00:00:00", "time_to": "2024-01-01T00:00:00"}}),
    ("6月和7月哪个月火灾多，比较一下", {"op": "compare", "filters": {"kind": ["fire"]}}),
    ("最近一起火灾是什么时候", {"op": "top", "field": "time", "filters": {"kind": ["fire"]},
                     "limit": 1}),
    ("2024年火灾的变化趋势", {"op": "trend", "by": "month", "filters": {"kind": ["fire"]} | YEAR}),
    ("how many incidents per shift", {"op": "group", "by": "shift", "filters": {}}),
    ("average response minutes last month", {"op": "average", "field": "response minutes",
                                             "filters": AUGUST}),
    ("How many fires were there on oak street?",
     {"op": "count", "filters": {"kind": ["fire"], "place": ["oak"]}}),
    ("接了多少起火灾警情", {"op": "count", "filters": {"kind": ["fire"]}}),
    ("哪些警情是项丽华报的", {"op": "list", "filters": {"fields": {"reporter": "项丽华"}}}),
    ("荆涛处理了几起", {"op": "count", "filters": {"fields": {"handler": "荆涛"}}}),
    ("跟荆涛有关的有几起", {"op": "count", "filters": {"person": ["荆涛"]}}),
    ("谁处理的警情最多", {"op": "group", "by": "handler"}),
    ("5月10号以后有几起", {"op": "count", "filters": {"time_from": "2024-05-11T00:00:00"}}),
    ("今年上半年有几起", {"op": "count", "filters": {
        "time_from": "2024-01-01T00:00:00", "time_to": "2024-07-01T00:00:00"}}),
    ("高空坠落有几起", {"op": "count", "filters": {"kind": ["fall"]}}),
    ("燃气泄漏有几起", {"op": "count", "filters": {
        "kind": ["leak"], "fields": {"kind": "燃气泄漏"}}}),
    ("When was the last fire?", {"op": "top", "field": "time", "limit": 1}),
    ("the three most recent fires", {"op": "top", "field": "time", "limit": 3}),
    ("项丽华处理了几起", {"op": "count", "filters": {"fields": {"handler": "项丽华"}}}),
    ("火灾比爆炸多几起",
     {"op": "compare", "groups": [{"kind": ["fire"]}, {"kind": ["explosion"]}]}),
    ("除了火灾还有几起", {"op": "count", "filters": {"fields": {"kind": {"none_of": ["fire"]}}}}),
    ("how many fires were not at night",
     {"op": "count", "filters": {"kind": ["fire"], "fields": {"shift": {"none_of": ["night"]}}}}),
    ("list the incidents other than fires and thefts",
     {"op": "list", "filters": {"fields": {"kind": {"none_of": ["fire", "theft"]}}}}),
    ("how many at night or day",
     {"op": "count", "filters": {"fields": {"shift": {"any_of": ["night", "day"]}}}}),
    ("项丽华或者荆涛报的警有几起",
     {"op": "count", "filters": {"fields": {"reporter": {"any_of": ["项丽华", "荆涛"]}}}}),
    ("how many had between 2 and 5 injured",
     {"op": "count", "filters": {"fields": {"injured": {"min": 2, "max": 5}}}}),
    ("损失在10万到50万之间的有几起",
     {"op": "count", "filters": {"fields": {"loss": {"min": 100_000, "max": 500_000}}}}),
    ("three most expensive fires", {"op": "top", "field": "loss", "limit": 3}),
    ("fires month by month", {"op": "group", "by": "month"}),
    ("fires with more than one death", {"op": "list"}),
    ("how many incidents lasted at least two hours",
     {"op": "count", "filters": {"fields": {"duration": {"min": 120}}}}),
    ("第一起火灾是哪天", {"op": "top", "field": "time", "descending": False}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), QUERIES, ids=[text for text, _ in QUERIES])
def test_a_question_becomes_the_query_that_it_means(text: str, expected: dict[str, Any]) -> None:
    planned = plan(text)
    assert planned and planned.query, planned
    told = query_json(planned.query)
    assert {name: told.get(name) for name in expected} == expected


def test_what_is_asked_beside_is_shown_and_summed_up() -> None:
    planned = plan("上个月几起火灾，在哪里，伤亡多少")
    assert planned and planned.query
    assert planned.query.op == "count"
    assert {"place", "dead", "injured"} <= set(planned.query.columns)
    assert [one.field for one in planned.also] == ["dead", "injured"]


@pytest.mark.parametrize(
    "text",
    [
        *("电动车引发的火灾有几起", "死亡事故中有多少起火灾"),
        *("how many incidents were caused by DNS", "how many people called"),
        *(
            "有多少人报警",
            "有多少个单位出过事",
            "how many fires near mill lane",
        ),
        *("平均每个月几起火灾", "3月和5月一共几起火灾"),
        *("伤亡超过3人的有几起", "项丽华和荆涛处理了几起"),
    ],
)
def test_a_word_that_nothing_was_made_of_leaves_a_question_without_a_query(text: str) -> None:
    planned = plan(text)
    assert planned is None or (planned.query is None and (planned.unread or planned.unknown))


def test_a_field_that_the_base_does_not_have_is_named() -> None:
    planned = plan("2024年火灾罚款总额是多少")
    assert planned and planned.query is None and planned.lacking == ("fine",)


@pytest.mark.parametrize("text", ["东城区上个月几起火灾", "How many fires did Sgt. Miller handle?"])
def test_a_name_that_no_record_states_is_told(text: str) -> None:
    planned = plan(text)
    assert planned and planned.query is None and planned.unknown


@pytest.mark.parametrize("text", ["你好", "谁签发了这份通知", "What pressure did the pump have?"])
def test_a_question_about_one_thing_gets_no_query(text: str) -> None:
    planned = plan(text)
    assert planned is None or not planned.is_over_many or planned.query is None


@pytest.mark.parametrize(
    "text",
    [
        (
            "家长们都在说有几起事故，孩子在车上关了好几个小时，有人说是司机的问题，也有人说是照管员没来，"
            "那天照管员到底为什么不在车上？"
        ),
        (
            "我们单位去年有多少起火灾我大概知道，领导也开会讲过很多次了，这次只想请教一件事，"
            "东港消防站那天为什么晚到？"
        ),
        (
            "We had several incidents of this kind over the years and everybody remembers how "
            "many fires there were in each of them, but what I need today is one thing only: why "
            "did the pump at Mill Lane run without any oil?"
        ),
    ],
)
def test_what_a_long_question_only_tells_beforehand_counts_nothing(text: str) -> None:
    assert plan(text) is None


def test_a_long_question_that_counts_in_the_end_is_counted() -> None:
    told = "领导下午要听汇报，我们科里的人都出去了，电脑也只有我会用，"
    found = plan(f"{told}{told}所以想请问2024年一共有多少起火灾？")
    assert found is not None and found.is_over_many


@pytest.mark.parametrize(
    ("text", "written", "narrowed"),
    [
        ("燃气泄漏有几起", ["天然气泄漏", "漏水"], "天然气泄漏"),
        ("煤气泄漏有几起", ["天然气泄漏", "燃气泄漏", "漏水"],
         {"any_of": ["燃气泄漏", "天然气泄漏"]}),
        ("how many gas leaks", ["gas leak", "water leak"], "gas leak"),
        ("how many gas leaks", ["natural gas leak", "lpg leak", "water leak"],
         {"any_of": ["gas leak", "lpg leak"]}),
        ("天然气泄漏有几起", ["燃气泄漏", "天然气泄漏"], None),
    ],
)  # fmt: skip
def test_a_kind_is_found_in_all_words_for_the_same(
    text: str, written: list[str], narrowed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WRITTEN_KINDS, "leak", written)
    planned = plan(text)
    assert planned and planned.query, planned
    filters = query_json(planned.query)["filters"]
    assert filters["kind"] == ["leak"]
    assert filters.get("fields", {}).get("kind") == narrowed


def test_words_that_no_record_has_for_a_kind_are_not_taken_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(WRITTEN_KINDS, "leak", ["漏水", "油品泄漏"])
    planned = plan("燃气泄漏有几起")
    assert planned and planned.query is None
    assert planned.unread


def test_a_total_that_is_asked_for_counts_incidents_only_where_they_are_meant() -> None:
    of_one, of_many = (
        plan("东升路那起火灾一共影响了多少户，什么时候恢复的"),
        plan("今年火灾一共有多少起"),
    )
    assert of_one and of_one.sums_up and not of_one.counts
    assert of_many and of_many.counts


@pytest.mark.parametrize(
    ("text", "is_of_units"),
    [
        ("How many fires were there?", True),
        ("2024年有几起", True),
        ("How often does the padlock training have to be renewed?", False),
        ("When is the first drill?", False),
    ],
)
def test_a_count_of_what_is_no_incident_may_be_told_in_one_paper(
    text: str, is_of_units: bool
) -> None:
    planned = plan(text)
    assert planned and planned.is_explicit
    assert planned.is_of_units is is_of_units


@pytest.mark.parametrize(
    ("text", "field"),
    [("What was the total damage?", "loss"), ("What is the average age?", "age")],
)
def test_a_column_is_named_by_its_whole_word(text: str, field: str) -> None:
    """Of the total damage the "age" was read, and nothing could be counted by "dam"."""
    question = parse_question(text)
    aged = KnownValues({**BASE.values, "age": ("7", "50")}, {"age"})
    found = planned_for(question, named_in(question, TODAY), Filters(), "kb_1", aged, TODAY)
    assert found is not None and found.unread == ()
    assert found.query is not None and found.query.field == field
