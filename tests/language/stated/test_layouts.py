"""Labels and values are read in whatever layout they stand, and prose is no form."""

from time import process_time

import pytest

from kb_service.domain.facts import records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.forms import form_fields
from kb_service.language.stated.labels import label_of
from kb_service.language.stated.meaning import field_meant
from kb_service.language.stated.sorts import Sort, sort_of
from kb_service.language.units import marked


def told(text: str, record: int = 0) -> dict[str, str]:
    facts = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in facts)
    return {fact.field: fact.text for fact in facts if fact.record == record}


@pytest.mark.parametrize(
    "text",
    [
        "Location – Pier 4\nFatalities – none\nInjured – 3 people",
        "* Location - Pier 4\n* Fatalities - 0\n* Injured - 3",
        "1. Location: Pier 4\n2. Fatalities: 0\n3. Injured: 3",
        "Location\n\nPier 4\n\nFatalities\n\nnone\n\nInjured\n\n3",
        "一、事故地点：Pier 4\n二、死亡人数：无\n（三）受伤人数：3人",
        "一、事故地点\n　　Pier 4\n二、死亡人数\n　　无\n三、受伤人数\n　　三人",
        "地点 Location: Pier 4\n死亡 Fatalities: 无 None\n受伤 Injured: 3",
    ],
)
def test_the_same_is_read_in_each_layout(text: str) -> None:
    facts = told(text)
    assert (facts["place"], facts["dead"], facts["injured"]) == ("pier 4", "0", "3")


@pytest.mark.parametrize(
    "text",
    [
        "Injured - the two men taken to hospital came home",
        "Location\n\nThe yard was searched twice. Nothing was found there.",
        "Time - and patience - were short",
    ],
)
def test_prose_under_a_word_or_behind_a_dash_is_no_value(text: str) -> None:
    assert list(form_fields(text, (), {})) == []


def test_lines_of_keys_and_values_are_records() -> None:
    text = (
        'event_time=2024-05-03T08:10 incident_type="gas leak" location="Pier 4" injured=2\n'
        'event_time=2024-06-01T22:05 incident_type=fire location="Dock 9" injured=unknown\n'
    )
    assert told(text, 1) == {
        "time": "2024-05-03T08:10",
        "kind": "leak",
        "place": "pier 4",
        "injured": "2",
    }
    assert told(text, 2)["injured"] == "unknown"


def test_entries_with_numbers_of_their_own_are_a_log_whatever_it_is_called() -> None:
    text = (
        "Harbour desk, 9 May 2024\n"
        "14:21 A fire at Pier 4, ref AT-1571. Nobody was hurt.\n"
        "19:14 A collision at Dock 9, ref FX-6447. 2 people were injured.\n"
    )
    found = {record.number for record in records_of(facts_in(marked(text)))}
    assert {1, 2} <= found
    assert told(text, 2) | {"time": "2024-05-09T19:14", "injured": "2"} == told(text, 2)


def test_steps_of_one_happening_are_no_log() -> None:
    text = "9 May 2024\n14:21 A fire broke out at Pier 4.\n14:40 The fire was out.\n"
    assert {fact.record for fact in facts_in(marked(text))} == {0}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("raised_by", "person"),
        ("rootCause", "cause"),
        ("event.time", "time"),
        ("死亡 Fatalities", "dead"),
        ("Casualties (injured)", "injured"),
        ("Casualties", "casualties"),
    ],
)
def test_keys_and_labels_in_two_languages_are_understood(name: str, field: str) -> None:
    assert label_of(name).field == field


@pytest.mark.parametrize(
    ("value", "sort"),
    [
        ("2024-05-03 08:10", Sort.DAY),
        ("May 3, 2024", Sort.DAY),
        ("08:10", Sort.CLOCK),
        ("(312) 555-7150", Sort.PHONE),
        ("138 1234 5678", Sort.PHONE),
        ("FX-2025-6447", Sort.IDENTIFIER),
        ("about $3,000", Sort.AMOUNT),
        ("约5人", Sort.COUNT),
        ("three", Sort.COUNT),
        ("Unit 3, Dock Road", Sort.WORDS),
        ("不详 Unknown", None),
        ("none", None),
        ("", None),
    ],
)
def test_values_are_told_by_their_sort(value: str, sort: Sort | None) -> None:
    assert sort_of(value) is sort


def test_a_phone_in_brackets_behind_a_name_is_no_part_of_it() -> None:
    facts = told("报警人：王建国（手机号码 139-1234-5678）")
    assert (facts["person"], facts["phone"]) == ("王建国", "139-1234-5678")


NARROW = """报告编号：
RB-2024-8213
发生时间：2024年12月5
日17时40分
报告人：程思远    联系电
话：
0571-86261066
死亡人数：不详    受伤人
数：1人
"""


def test_labels_and_times_that_a_narrow_page_breaks_are_read_whole() -> None:
    assert told(NARROW) == {
        "number": "rb-2024-8213",
        "time": "2024-12-05T17:40",
        "person": "程思远",
        "phone": "0571-86261066",
        "dead": "unknown",
        "injured": "1",
    }
    assert told("Date: 3 May\n2024 at 14:20\nInjured: 2")["time"] == "2024-05-03T14:20"


@pytest.mark.parametrize(
    "text",
    [
        "发生时间：2024年12月5日\n8时到场处置，火已扑灭。",
        "发生时间：2024年12月5日\n20分后火已扑灭",
        "Date: 5 December 2024\n12 people were hurt",
        "事故信息\n发生时间：2024年12月5日",
    ],
)
def test_what_follows_a_time_is_none_of_it(text: str) -> None:
    assert told(text)["time"] == "2024-12-05T00:00"


def test_whether_anybody_died_is_not_that_nobody_did() -> None:
    assert told("有没有人死亡目前还不清楚。")["dead"] == "unknown"
    assert told("没有人死亡。")["dead"] == "0"


def test_a_label_means_the_nearest_field_that_its_value_allows() -> None:
    near = {"time": 0.95, "person": 0.9, "place": 0.85, "other": 0.8}
    assert field_meant("Rang us", ["Ann Cole"], lambda _: near) == "person"
    assert field_meant("Rang us", ["2024-05-03"], lambda _: near) == "time"
    assert field_meant("Rang us", ["$3,000"], lambda _: near) is None
    assert field_meant("Rang us", ["Ann Cole"], lambda _: near | {"other": 0.895}) is None
    assert field_meant("Rang us", [""], lambda _: near) is None


@pytest.mark.parametrize("blanks", [" " * 20_000, "\t" * 20_000, "Pump" + " " * 3_000 + "failed"])
def test_long_runs_of_blanks_cost_no_minutes(blanks: str) -> None:
    """Four thousand blanks in a line took 53 s, more than so many times more for more."""
    started = process_time()
    facts_in(marked(f"Report 3 May 2024\n\n{blanks}\n\nFire at Pier 7."))
    assert process_time() - started < 15
