"""Times in words, statements, minutes and quoted mails: what is told is told from who tells it."""

import pytest

from kb_service.domain.facts import FactField, Role, records_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def stated(text: str, field: str) -> list[str]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.text for fact in found if fact.field == field]


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("ten past nine in the morning", "09:10"),
        ("half past three in the afternoon", "15:30"),
        ("twenty-five to eight in the evening", "19:35"),
        ("quarter to twelve at night", "23:45"),
        ("quarter past one at night", "01:15"),
        ("quarter to twelve in the morning", "11:45"),
        ("ten to twelve in the morning", "11:50"),
        ("five to twelve in the evening", "23:55"),
        ("quarter to one in the afternoon", "12:45"),
        ("ten to one at night", "00:50"),
        ("ten to six at night", "17:50"),
        ("nine o'clock in the evening", "21:00"),
    ],
)
def test_a_time_of_day_may_be_told_in_words(words: str, time: str) -> None:
    text = f"On the 14th of March 2024 at about {words} a gas leak occurred."
    assert stated(text, FactField.TIME) == [f"2024-03-14T{time}"]


def test_the_day_of_a_statement_is_no_time_of_what_it_tells() -> None:
    text = (
        "询问笔录\n时间：2024年3月15日10时00分\n被询问人：苏梅\n问：原因是什么？\n"
        "答：2024年3月14日21时40分，东门车库天然气泄漏，是管子裂了造成的。\n"
    )
    assert stated(text, FactField.TIME) == ["2024-03-14T21:40"]
    assert stated(text, FactField.CAUSE) == ["管子裂了"]
    assert stated(text, FactField.PLACE) == ["东门车库"]
    form = text.replace("询问笔录", "报告单").replace("2024年3月14日21时40分", "昨天")
    assert stated(form, FactField.TIME) == ["2024-03-15T10:00"]


def test_who_gets_a_mail_is_no_person_of_what_it_tells() -> None:
    text = (
        "发件人: 苏梅\n收件人: 何伟强\n主题: 回复: 泄漏\n\n没有人死亡。\n\n"
        "> 发件人: 何伟\n> 日期: 2024年3月14日 22:00\n>\n> 3月14日21时40分，东门车库发生泄漏。\n"
    )
    people = [fact for fact in facts_in(marked(text)) if fact.field == FactField.PERSON]
    assert {(one.text, one.role) for one in people} == {("苏梅", ""), ("何伟", Role.REPORTER)}
    assert stated(text, FactField.TIME) == ["2024-03-14T21:40"]


def test_a_phone_at_the_head_of_an_entry_is_not_its_number() -> None:
    text = (
        "接警日志 2024年3月14日\n\n21:40 苏梅（13912345678）报：车库泄漏。\n"
        "23:05 何伟（13912345679）报：码头街起火。\n"
    )
    assert len([one for one in records_of(facts_in(marked(text))) if one.number]) == 2
    assert stated(text, FactField.NUMBER) == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("It looks like a worn cable caused it.", ["a worn cable"]),
        ("The alarm caused the crew to leave.", []),
        ("原因是什么？", []),
        ("不是人为造成的。", []),
    ],
)
def test_a_cause_is_told_in_words(text: str, cause: list[str]) -> None:
    assert stated(text, FactField.CAUSE) == cause


def test_a_place_stands_between_what_happened_and_when() -> None:
    text = (
        "Daily summary, 14 March 2024\n\n1. Gas leak, Eastgate Depot, 21:40.\n"
        "2. Fire, Mill Lane School, 23:05."
    )
    assert stated(text, FactField.PLACE) == ["eastgate depot", "mill lane school"]


def test_who_says_i_is_named_behind_it() -> None:
    text = "STATEMENT\n\nI, Nora Blythe, of Quay Street, say: the shed caught fire."
    assert stated(text, FactField.PERSON) == ["nora blythe"]
