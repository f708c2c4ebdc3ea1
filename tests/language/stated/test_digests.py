"""Several incidents of one day in one paper: items, paragraphs and lines of a log are records."""

import pytest

from kb_service.domain.facts import Record, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def records(text: str) -> dict[int, Record]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return {record.number: record for record in records_of(found)}


def said(record: Record, field: str) -> str:
    fact = record.first(field)
    return fact.text if fact else ""


ITEMS = """Daily incident summary, 3 May 2024

- Fire at 12 Mill Lane (14:20): two people were injured. Damage is put at $3,000.
- 18:05, theft of a van at Pier 4; nobody was hurt.
- At 21:10 a gas leak was found in Dock Road. The street was closed.

Next steps
- check the alarms
"""
IN_CHINESE = """城市运行日报（第7期）
2024年5月3日　值班室编

一、总体情况
昨日共接报突发事件3起。

二、突发事件
1．【火灾】5月3日14时20分，云岭路12号发生火灾。2人受伤。
2．【盗窃】18:05，滨海大道8号发生盗窃。无人受伤。
3．【泄漏】21时10分许，码头路3号发生泄漏。

三、下一步工作
1．加强火灾隐患排查
"""
PARAGRAPHS = """Overnight digest

3 May 2024

A fire broke out at Pier 4 at 14:20. Two people were injured.

At 18:05 a van was stolen from Mill Lane. Nobody was hurt.

A gas leak was found in Dock Road at 21:10.
"""


@pytest.mark.parametrize("text", [ITEMS, IN_CHINESE, PARAGRAPHS, ITEMS.replace("\n-", "\n\n•")])
def test_each_item_of_a_digest_is_a_record_on_the_day_of_its_head(text: str) -> None:
    found = records(text)
    assert max(found) == 3
    told = [(said(found[n], "time"), said(found[n], "kind")) for n in (1, 2, 3)]
    assert told == [
        ("2024-05-03T14:20", "fire"),
        ("2024-05-03T18:05", "theft"),
        ("2024-05-03T21:10", "leak"),
    ]
    assert [said(found[n], "injured") for n in (1, 2, 3)] == ["2", "0", ""]
    assert 0 not in found or not said(found[0], "time")


def test_measures_behind_the_items_are_of_none_of_them() -> None:
    assert [f.text for f in records(ITEMS)[0].facts if f.field == "measure"] == ["check the alarms"]
    assert all(fact.field != "measure" for n in (1, 2, 3) for fact in records(ITEMS)[n].facts)


RELATED = """Fire at Pier 4 on 3 May 2024.

The pump failed; nobody saw it in time.

Related incidents
- IR-2024-11: fire at Dock 9, 1 April 2024
- IR-2024-12: theft at Dock 3, 2 April 2024
"""


@pytest.mark.parametrize(
    "text",
    [
        ITEMS.replace("Daily incident summary", "Report on a fire"),
        PARAGRAPHS.replace("Overnight digest", "Report on a night"),
        PARAGRAPHS.replace("a van was stolen from", "the fire was seen in").replace(
            "A gas leak was found in", "The fire came to"
        ),
        "Daily incident summary, 3 May 2024\n\n- All was quiet.\n- Shift meeting at 09:00.\n",
        RELATED,
    ],
)
def test_what_no_digest_tells_is_one_record(text: str) -> None:
    assert set(records(text)) <= {0}


LOG = """CONTROL ROOM LOG   7 September 2024   SHIFT B
1220 INC ML-2024-4261 two-car crash @ Workshop 47. INF: Priya Raman TEL (415) 555-7098. FAT 4. \
INJ one. ATT Harbour Police. O/I/C Nora Whitlock.
1845 INC KY-2024-9580 house fire @ 69 Harbour Street. INF: Tomasz Nowak TEL 01632 963142. \
FAT none. INJ . ATT Holm Ambulance. O/I/C Nora Whitlock.
"""


def test_a_call_takers_log_is_read_line_by_line() -> None:
    found = records(LOG)
    assert [said(found[n], "time") for n in (1, 2)] == ["2024-09-07T12:20", "2024-09-07T18:45"]
    assert [said(found[n], "number") for n in (1, 2)] == ["ml-2024-4261", "ky-2024-9580"]
    assert [said(found[n], "kind") for n in (1, 2)] == ["collision", "fire"]
    assert [said(found[n], "place") for n in (1, 2)] == ["workshop 47", "69 harbour street"]
    assert [said(found[n], "dead") for n in (1, 2)] == ["4", "0"]
    assert [said(found[n], "injured") for n in (1, 2)] == ["1", ""]
    named = {(f.field, f.text, f.role) for f in found[2].facts if f.role}
    assert named == {
        ("person", "tomasz nowak", "INF"),
        ("person", "nora whitlock", "O/I/C"),
        ("organisation", "holm ambulance", "ATT"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "Log of 7 September 2024\n2023 was a year of fires.\n2024 began with a fire.\n",
        "Log of 7 September 2024\n1200 calls told of a fire.\n1200 calls told of a theft.\n",
    ],
)
def test_years_and_counts_at_the_head_of_lines_are_no_times_of_day(text: str) -> None:
    assert set(records(text)) <= {0}


def test_capitals_in_prose_are_no_labels() -> None:
    text = "The pump stood still. FAT chance of that. ATT is a company. INJ was not said."
    assert not any(
        fact.field in ("dead", "injured", "organisation") for fact in facts_in(marked(text))
    )


def test_a_word_before_the_number_of_each_entry_is_needed_in_all_of_them() -> None:
    text = (
        "Shift log 3 May 2024\n08:15 Truck AB-1234 hit the gate: collision, nobody hurt.\n"
        "09:40 Fire at Pier 4, put out at once.\n"
    )
    assert [said(record, "number") for record in records(text).values()] == ["", ""]
