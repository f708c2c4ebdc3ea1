"""A clause that a question names by its number is told from those beside it."""

import pytest

from kb_service.language.clause_numbers import clauses_named, in_clauses
from kb_service.language.text import normalise
from kb_service.language.units import marked

RULES = """夜间作业规定

4 气体检测

4.1 检测点按三层布置。

4.2 作业前检测应在30分钟内完成。不合格的不得进入。

第五条 呼叫铃须在3分钟内应答。

第六条 值班电话每班试一次。

# Handbook

## 3.1 Keys

Keys are signed by tally.

## 3.2 Radios

Radios are charged daily.

Clause 7 Visitors sign in.
"""


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("规定4.2里多少分钟内完成？", "4.2 作业前检测应在30分钟内完成。不合格的不得进入。"),
        ("第5条规定多久应答？", "第五条 呼叫铃须在3分钟内应答。"),
        ("第六条多久试一次电话？", "第六条 值班电话每班试一次。"),
        ("What does section 3.1 say about keys?", "## 3.1 KeysKeys are signed by tally."),
        ("Who signs in under clause 7?", "Clause 7 Visitors sign in."),
        ("第八条讲什么？", ""),
    ],
)
def test_a_clause_ends_where_the_next_one_begins(question: str, told: str) -> None:
    units = marked(RULES).units
    inside = in_clauses(units, RULES, clauses_named(normalise(question)))
    assert "".join(units[place].span.of(RULES) for place in sorted(inside)) == told


def test_the_parts_of_a_clause_belong_to_it() -> None:
    units = marked(RULES).units
    inside = in_clauses(units, RULES, clauses_named(normalise("第4条说什么？")))
    assert {units[place].span.of(RULES)[:3].strip() for place in inside} >= {"4.1", "4.2"}


@pytest.mark.parametrize(
    "question",
    ["4.2米高的架子是谁搭的？", "第三条线路几点停电？", "第一节课谁上的？", "How far is 4.2 km?"],
)
def test_what_is_measured_or_counted_names_no_clause(question: str) -> None:
    assert clauses_named(normalise(question)) == ()
