"""Words that no column states are a condition where texts mention them; else they are told."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kb_service.domain.queries import Filters
from kb_service.services.mentioning import mentioned_in
from kb_service.services.vocabulary import KnownBase
from tests.services.known_values import KnownValues, assert_asks, plan

TODAY = date(2026, 6, 15)
FILLING = tuple(f"shelf number {n} came off the wall" for n in range(50))
JOBS = KnownValues(
    {
        "number": (),
        "time": (),
        "trade": ("plumbing", "electrical"),
        "cost": ("20", "900"),
        "description": (
            *("toilet blocked on second floor", "blocked drain in yard", "socket sparking"),
            *("emergency light not working", "doors jammed", "sockets sparked again"),
            *FILLING,
        ),
    },
    {"cost"},
    titles={"maintenance register 2026": "doc_1"},
)
CALLS = KnownValues(
    {
        "number": (),
        "time": (),
        "kind": ("fire",),
        "简要情况": (
            *("摘除马蜂窝一处", "捅马蜂窝被蜇", "油锅起火", "摘下门牌后发现马蜂窝"),
            *(f"开门取钥匙{n}次，屋内有幼儿" for n in range(50)),
        ),
    },
    written={"fire": ["火灾扑救"]},
    titles={"消防救援出动登记台账": "doc_1"},
)


LINE = KnownValues(
    {
        "number": (),
        "time": (),
        "事项": (
            *("信号机灭灯，晚点5分钟", "站台门故障，晚点4分钟", "屏蔽门夹人，晚点2分钟"),
            *("信号楼告警，列车未受影响", *(f"乘客找包{n}次，正常" for n in range(50))),
        ),
    },
    titles={"行车日志": "doc_1"},
)
SHEETS = KnownValues(
    {
        "number": (),
        "time": (),
        "calls": ("5", "6"),
        "account": (
            "belt loader into the fuselage under door 2L, dent 6 cm across, flight cancelled",
            "fuel from the overwing vent, roughly 15 litres, pads and granules down",
        ),
        "story": (
            "dolly rolled off the slope with nobody aboard and left a dent in the door",
            "dolly brake found worn through at the morning check of the equipment",
        ),
        "state": ("closed", "pending insurer"),
    },
    {"calls"},
)


def mentions(**field: object) -> dict[str, Any]:
    return {"op": "count", "filters": {"fields": field}}


QUERIES: list[tuple[KnownValues, str, dict[str, Any]]] = [
    (JOBS, "How many jobs were there about a blocked toilet?",
     mentions(description={"any_of": ["toilet"], "text": "blocked"})),
    (JOBS, "how many jobs mention jammed doors",
     mentions(description={"any_of": ["doors"], "text": "jammed"})),
    (JOBS, "how many jobs were there about sparking sockets",
     mentions(description={"any_of": ["socket"], "text": "spark"})),
    (JOBS, "What did the plumbing work cost in total?",
     {"op": "sum", "field": "cost", "filters": {"fields": {"trade": "plumbing"}}}),
    (JOBS, "how many jobs were there in the maintenance register", {"op": "count", "filters": {}}),
    (CALLS, "摘马蜂窝出动了几次",
     mentions(简要情况={"any_of": ["摘除马蜂窝一处"]})),
    (CALLS, "简要情况里提到油锅的有几起", mentions(简要情况="油锅")),
    # A text may have both words; either is asked for only where the question joins them.
    (JOBS, "how many jobs with a toilet were on the second floor",
     mentions(description={"any_of": ["second floor"], "text": "toilet"})),
    (JOBS, "How many jobs with doors or sockets?",
     mentions(description={"any_of": ["doors", "sockets"]})),
    (LINE, "晚点的信号事件有几起？", mentions(事项={"any_of": ["信号"], "text": "晚点"})),
    (LINE, "屏蔽门造成晚点的有多少次", mentions(事项={"any_of": ["晚点"], "text": "屏蔽门"})),
    (LINE, "信号和屏蔽门的一共几次？", mentions(事项={"any_of": ["信号", "屏蔽门"]})),
    (LINE, "信号、屏蔽门的有几起？", mentions(事项={"any_of": ["信号", "屏蔽门"]})),
    # Sheets of one base call by different names what each of their rows tells.
    (SHEETS, "how many calls about a dent", {"op": "count", "filters": {"text": ["dent"]}}),
    (SHEETS, "how many calls about granules", mentions(account="granules")),
    # Of a column in which a summary numbers the records nothing is asked.
    (SHEETS, "how many calls over the whole of May",
     {"op": "count", "filters": {"time_from": "2026-05-01T00:00:00",
                                 "time_to": "2026-06-01T00:00:00"}}),
    # All fires are written so.
    (CALLS, "一共扑救了多少起火灾", {"op": "count", "filters": {"kind": ["fire"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "text", "asked"), QUERIES, ids=[one[1] for one in QUERIES])
def test_what_texts_mention_is_a_condition(
    base: KnownValues, text: str, asked: dict[str, Any]
) -> None:
    assert_asks(plan(base, text, TODAY), asked)


@pytest.mark.parametrize(
    ("base", "text", "unread"),
    [
        (JOBS, "how many jobs about a blocked chimney", "chimney"),
        (JOBS, "how many jobs about a work light", "work light"),
        (JOBS, "how many jobs with a helicopter", "helicopter"),
        (
            replace(JOBS, titles={"incident register 2026": "doc_1"}),
            "how many jobs about a dent",
            "dent",
        ),
        (CALLS, "直升机出动了几次", "直升机"),
        (CALLS, "捅燕子窝出动了几次", "捅燕子窝"),
    ],
)
def test_what_no_text_mentions_is_told(base: KnownValues, text: str, unread: str) -> None:
    planned = plan(base, text, TODAY)
    assert planned and planned.query is None
    assert any(unread in words for words in (*planned.unread, *planned.unknown)), planned


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        (["incident register 2026"], "dent"),
        (["maintenance register"], "main"),
        (["maintenance register"], "ten"),
        (["maintenance register", "jobs of the night shift"], "maintenance"),
        (["消防出动台账"], "出车"),
        (["11号楼报修台账"], "1号楼"),
        ([], "maintenance"),
    ],
)
def test_a_part_of_a_word_of_what_papers_are_called_is_told(titles: list[str], words: str) -> None:
    called = {title: f"doc_{number}" for number, title in enumerate(titles)}
    base = KnownBase("kb_1", replace(JOBS, titles=called), JOBS.fields("kb_1"))
    assert mentioned_in([words], Filters(), base, JOBS.values) == ([words], Filters())


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        (["incident register 2026"], "incidents"),
        (["incident_register-2026.xlsx"], "registered incident"),
        (["maintenance2026.csv", "jobs of maintenance"], "maintenance"),
        (["e-mail log"], "e-mail"),
        (["消防救援出动登记台账"], "出动"),
        (["11号楼报修台账"], "11号楼"),
    ],
)
def test_what_all_papers_are_called_narrows_nothing(titles: list[str], words: str) -> None:
    called = {title: f"doc_{number}" for number, title in enumerate(titles)}
    base = KnownBase("kb_1", replace(JOBS, titles=called), JOBS.fields("kb_1"))
    assert mentioned_in([words], Filters(), base, JOBS.values) == ([], Filters())


def test_what_is_only_mentioned_is_known_as_that() -> None:
    planned = plan(JOBS, "how many jobs were there about a blocked toilet", TODAY)
    assert planned and planned.mentioned == ("blocked toilet",)
    plain = plan(JOBS, "how many plumbing jobs were there", TODAY)
    assert plain and plain.mentioned == ()
