"""A log is read entry by entry; heads over columns and labels behind sentences are understood."""

from kb_service.domain.facts import Record, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def records(text: str) -> dict[int, Record]:
    return {record.number: record for record in records_of(facts_in(marked(text)))}


def said(record: Record, field: str) -> str:
    fact = record.first(field)
    return fact.text if fact else ""


LOG = """Harbour Station day book
Date: 4 March 2024. Duty sergeant: Ann Cole

1. 08:15 A fire broke out at Mill Lane 4. 2 people were injured.
2. 09:40 Shift meeting.
3. 11:05 A theft was reported at Station Square. No injuries.
"""


def test_each_entry_of_a_log_is_a_record_on_the_day_above_it() -> None:
    found = records(LOG)
    times = [said(found[n], "time") for n in (1, 2, 3)]
    assert times == ["2024-03-04T08:15", "2024-03-04T09:40", "2024-03-04T11:05"]
    assert [said(found[n], "kind") for n in (1, 2, 3)] == ["fire", "", "theft"]
    assert [said(found[n], "injured") for n in (1, 2, 3)] == ["2", "", "0"]
    assert 0 not in found or not said(found[0], "time")
    for record in found.values():
        assert all(fact.span.of(LOG) == fact.value for fact in record.facts)


def test_the_steps_of_one_incident_are_no_entries() -> None:
    text = LOG.replace("day book", "fire report").replace("theft", "second fire")
    assert set(records(text)) == {0}


def test_a_name_under_a_head_of_several_columns_is_understood_without_it() -> None:
    rows = [
        f"来诊 出事地点: 北街{n}号; 伤亡（人） 伤: {n}; 处置 接诊人: 鲁大成; 处置 费用（元）: {n}00"
        for n in (1, 2, 3)
    ]
    found = records("\n".join(["来诊; 伤亡（人）; 处置", *rows]))
    assert [said(found[n], "injured") for n in (1, 2, 3)] == ["1", "2", "3"]
    assert said(found[2], "place") == "北街2号"
    assert said(found[2], "person") == "鲁大成"
    bare = records("\n".join(rows))
    assert said(bare[2], "伤亡（人） 伤") == "2"


def test_labels_behind_sentences_have_their_own_values() -> None:
    found = records(
        "A note on ABC-2024-17. Where: Pier 4, Holm. When: 4 March 2024, 08:15. 3 hurt."
    )
    assert said(found[0], "place") == "pier 4, holm"
    assert said(found[0], "time") == "2024-03-04T08:15"
    assert said(found[0], "number") == "abc-2024-17"
    assert said(found[0], "injured") == "3"


def test_a_correction_in_the_same_paper_holds_wherever_it_stands() -> None:
    text = "4 people were injured.\n\nCorrection: 3 people were injured, not 4."
    assert said(records(text)[0], "injured") == "3"
    assert said(records("火灾致4人受伤。更正：受伤人数应为3人，而非4人。")[0], "injured") == "3"


def test_a_report_called_by_its_day_and_service_states_both() -> None:
    found = records("Incident documentation/20160212-AllWikisOutage\n\nPages were slow.\n")[0]
    assert said(found, "time") == "2016-02-12T00:00"
    assert said(found, "organisation") == "allwikisoutage"
    assert said(found, "number") == "20160212-allwikisoutage"
    assert 0 not in records("Menu 20160212-Lunch\n\nPages were slow.\n")


def test_a_column_without_a_telling_name_is_known_by_its_values() -> None:
    rows = [
        f"Ticket: HQ-2024-{n}; Spot: {n} Mill Lane; On: 2024-03-0{n} 08:00; Seen by: {who}; Hurt: 1"
        for n, who in ((1, "Ann Cole"), (2, "Bo Reed"), (3, "Cy Tan"))
    ]
    found = records("\n".join(rows))[2]
    assert said(found, "number") == "hq-2024-2"
    assert said(found, "place") == "2 mill lane"
    assert said(found, "time") == "2024-03-02T08:00"
    assert said(found, "person") == "bo reed"
