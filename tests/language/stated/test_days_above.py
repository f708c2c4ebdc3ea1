"""A time of day alone is of the day that stands above it; a night goes on past midnight."""

import pytest

from kb_service.domain.facts import Fact, FactField, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def found(text: str) -> tuple[Fact, ...]:
    facts = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in facts)
    return facts


def one(text: str, field: str) -> str:
    told = [fact for fact in found(text) if fact.field == field]
    return told[0].text if told else ""


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("安全群\n2024年5月12日\n\n08:35左右，西侧边坡塌方。", "2024-05-12T08:35"),
        ("值班快报 2024年7月2日\n\n今日17时许，柳树乡发生山洪。", "2024-07-02T17:00"),
        ("值班快报 2024年7月2日\n\n昨日17时许，柳树乡发生山洪。", "2024-07-01T17:00"),
        ("Duty note, 3 May 2024\n\nThe shed caught fire at 14:20.", "2024-05-03T14:20"),
        ("Duty note, 3 May 2024\n\nYesterday at 14:20 the shed caught fire.", "2024-05-02T14:20"),
        ("At 14:20 the shed caught fire.", ""),
        ("Duty note, 3 May 2024\n\nThe fire was put out and the road cleared at 14:20.", ""),
    ],
)
def test_a_time_of_day_is_of_the_day_above(text: str, time: str) -> None:
    told = one(text, FactField.TIME)
    assert told == time or (not time and "T14:20" not in told)


def test_a_word_for_a_day_may_be_counted_from_the_only_day_of_a_text_below_it() -> None:
    text = "今天上午9时30分，二号车间起火。\n\n2023.11.03"
    assert one(text, FactField.TIME) == "2023-11-03T09:30"


def test_of_a_day_and_a_time_on_it_the_time_is_meant() -> None:
    text = "Incident: INC-1\nDate: 2024-10-03\nStart: 2024-10-03 09:14 UTC\nStatus: Final"
    assert one(text, FactField.TIME) == "2024-10-03T09:14"


def test_what_is_so_as_of_a_time_did_not_happen_then() -> None:
    text = "续报\n\n2024年7月2日17时许发生山洪。截至7月3日8时，仍有1人失联。"
    assert one(text, FactField.TIME) == "2024-07-02T17:00"


def test_a_night_shift_goes_on_past_midnight() -> None:
    log = "SHIFT LOG\nDate: 7 March 2024\n\n19:25 Fire in the kiln.\n23:05 Crash.\n02:15 Leak."
    times = [record.first(FactField.TIME) for record in records_of(found(log)) if record.number]
    assert [fact.text for fact in times if fact] == [
        "2024-03-07T19:25",
        "2024-03-07T23:05",
        "2024-03-08T02:15",
    ]


def test_a_log_that_begins_with_the_last_does_not_go_past_midnight() -> None:
    log = "SHIFT LOG\nDate: 7 March 2024\n\n22:15 Leak.\n19:05 Truck crash.\n08:25 Fire."
    times = [record.first(FactField.TIME) for record in records_of(found(log)) if record.number]
    assert {fact.text[:10] for fact in times if fact} == {"2024-03-07"}


def test_paragraphs_that_begin_with_their_day_and_time_are_entries() -> None:
    text = (
        "Weekly Blotter, January 2024\n\n"
        "Jan. 15, 7:42 a.m. - Crash on Highway 41. Case 24-00311.\n\n"
        "Jan. 16, 11:10 p.m. - Burglary at Mill Street. Case 24-00319.\n"
    )
    records = [record for record in records_of(found(text)) if record.number]
    assert [one.text for r in records if (one := r.first(FactField.NUMBER))] == [
        "24-00311",
        "24-00319",
    ]
    assert [one.text for r in records if (one := r.first(FactField.KIND))] == ["collision", "theft"]


def test_steps_of_one_happening_are_no_records() -> None:
    table = (
        "Postmortem\n\nIncident: INC-5\n\nTimeline\n\nTime (UTC); Event\n\n"
        "Time (UTC): 09:14; Event: first errors\n\nTime (UTC): 09:48; Event: power outage found\n"
    )
    assert {fact.record for fact in found(table)} == {0}
    log = table.replace("Postmortem", "Watch log, 3 May 2024")
    records = [record for record in records_of(found(log)) if record.number]
    assert [one.text for r in records if (one := r.first(FactField.TIME))] == [
        "2024-05-03T09:14",
        "2024-05-03T09:48",
    ]


def test_a_row_alone_between_lines_of_days_is_a_row_as_the_others() -> None:
    """Of seven calls those that were alone on their day were lost."""
    book = (
        "值班来电本（2026年9月）\n\n时刻; 来电; 地址; 处理\n\n—— 9月1日 ——\n\n"
        "时刻: 06:50; 来电: 家长; 地址: 实验小学门口; 处理: 换盘根\n\n"
        "时刻: 19:15; 来电: 秦女士; 地址: 云顶花园2栋; 处理: 自动恢复\n\n—— 9月8日 ——\n\n"
        "时刻: 15:40; 来电: 小郝; 地址: 科技街地铁口; 处理: 赔5100元\n\n—— 9月12日 ——\n\n"
        "时刻: 21:55; 来电: 唐先生; 地址: 滨河路28号\n"
    )
    records = [record for record in records_of(found(book)) if record.number]
    assert [one.text for r in records if (one := r.first(FactField.TIME))] == [
        "2026-09-01T06:50",
        "2026-09-01T19:15",
        "2026-09-08T15:40",
        "2026-09-12T21:55",
    ]
    assert all(record.first(FactField.PLACE) for record in records)


def test_a_row_alone_that_no_other_is_like_is_none() -> None:
    text = "Name: A. Smith; Age: 41; Ward: 3\n\nHe fell.\n\nSite: Oak; Date: 4 May 2024; By: Lee\n"
    assert {record.number for record in records_of(found(text))} <= {0}
