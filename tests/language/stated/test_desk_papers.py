"""What papers of a desk state in ways of their own: numbers, labels that ask, two lines."""

import pytest

from kb_service.domain.facts import UNKNOWN, FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.labels import label_of
from kb_service.language.units import marked


def stated(text: str, field: str) -> list[str]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.text for fact in found if fact.field == field]


def test_the_number_of_a_paper_stands_in_a_line_of_its_own() -> None:
    text = "关于闪爆事故的通报\n永宁安办〔2024〕19号\n\n各镇：\n现将情况通报如下。"
    assert stated(text, FactField.NUMBER) == ["永宁安办〔2024〕19号"]


@pytest.mark.parametrize(
    "text",
    ["桂花里起火。报告人：章晓云 13955660721。", "邓立军驾驶鄂K5D662货车与行人相撞。"],
)
def test_a_phone_and_a_plate_number_no_report(text: str) -> None:
    assert stated(text, FactField.NUMBER) == []


def test_a_paper_goes_on_from_one_whose_number_stands_in_brackets() -> None:
    text = "信息续报（二）\n接第47期快报（QH-2024-047），现将情况续报如下：无人受伤。"
    assert stated(text, FactField.FOLLOWS) == ["qh-2024-047"]
    assert stated(text, FactField.NUMBER) == []


def test_a_correction_that_names_no_paper_is_read_as_prose() -> None:
    text = "群聊\n\n受伤1人。\n\n更正：受伤2人，还有一个自己走出来的"
    assert stated(text, FactField.FOLLOWS) == []
    assert stated(text, FactField.INJURED) == ["2"]


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("现场伤一个，没有死亡。", FactField.INJURED, ["1"]),
        ("伤一个多月才好。", FactField.INJURED, []),
        ("找到1人，已无生命体征。", FactField.DEAD, ["1"]),
        ("损失暂时没法算。", FactField.LOSS, [UNKNOWN]),
        ("损失正在统计。", FactField.LOSS, [UNKNOWN]),
        ("直接经济损失核定为5万元。", FactField.LOSS, ["50000"]),
        ("原因系油锅烧干，损失约0.8万元。", FactField.CAUSE, ["油锅烧干"]),
        ("The crew escaped unhurt.", FactField.INJURED, ["0"]),
        ("Two dead, one missing, two recovered unhurt.", FactField.INJURED, []),
        ("The shed caught fire at 4.30 pm on 3 May 2024.", FactField.TIME, ["2024-05-03T16:30"]),
        ("It capsized at 0555 on 12 September 2024.", FactField.TIME, ["2024-09-12T05:55"]),
    ],
)
def test_a_sentence_states(text: str, field: str, expected: list[str]) -> None:
    assert stated(text, field) == expected


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Where did it happen?", FactField.PLACE),
        ("How was it caused?", FactField.CAUSE),
        ("Was anyone hurt?", FactField.INJURED),
        ("Call taken at", FactField.REPORTED),
        ("Date of this notice", FactField.REPORTED),
        ("Crew sent", FactField.ORGANISATION),
        ("Down (min)", FactField.DURATION),
        ("停机(小时)", FactField.DURATION),
        ("故障现象", FactField.KIND),
        ("学生姓名", FactField.PERSON),
    ],
)
def test_a_label_stands_for_a_field(name: str, field: str) -> None:
    assert label_of(name).field == field


@pytest.mark.parametrize("name", ["Down", "停机", "Repair time (h)"])
def test_a_label_without_its_unit_tells_no_length(name: str) -> None:
    assert not label_of(name).is_standard


def test_a_value_may_go_on_in_a_second_line_below_its_label() -> None:
    text = (
        "Where did it happen?\nUnit 5, Foundry Lane\nEstate, Brackley\nHow was it caused?\n"
        "A bearing overheated\nand set light to sawdust\nWas anyone hurt?\nNo\n"
    )
    assert stated(text, FactField.PLACE) == ["unit 5, foundry lane estate, brackley"]
    assert stated(text, FactField.CAUSE) == ["a bearing overheated and set light to sawdust"]
    assert stated(text, FactField.INJURED) == ["0"]


def test_a_label_that_nobody_filled_in_is_no_second_line() -> None:
    text = "Location\nMill Lane depot\nRemarks\nCause\na worn cable\nInjured\n2\n"
    assert stated(text, FactField.PLACE) == ["mill lane depot"]


@pytest.mark.parametrize(
    ("label", "value", "names"),
    [
        ("Authors", "Mei Tan, Oskar Lund", ["mei tan", "oskar lund"]),
        ("联系人", "罗文斌、贺敏", ["罗文斌", "贺敏"]),
        ("当事人", "邓立军，男，1979年生，货车驾驶员", ["邓立军"]),
        ("Author", "Mei Tan, site manager of two plants", ["mei tan, site manager of two plants"]),
    ],
)
def test_names_of_a_value_are_told_apart(label: str, value: str, names: list[str]) -> None:
    text = f"Number: A-1\nLocation: Pier 4\n{label}: {value}\n"
    assert stated(text, FactField.PERSON) == names


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("Tools worth $2,400 were stolen.", FactField.LOSS, ["2400"]),
        ("A resident reported losing $6,000 in a phone scam.", FactField.LOSS, ["6000"]),
        ("Tools worth $2,400 were bought.", FactField.LOSS, []),
        ("FLASH\n\n120640Z SEP 24\n\nVESSEL CAPSIZED.", FactField.TIME, ["2024-09-12T00:00"]),
    ],
)
def test_a_paper_states(text: str, field: str, expected: list[str]) -> None:
    assert stated(text, field) == expected


def ledger(title: str, *days: str) -> str:
    rows = [f"Ref: R-{n}; Reported at: {day} 08:14; Type: fire" for n, day in enumerate(days)]
    return "\n\n".join([title, "Ref; Reported at; Type", *rows])


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (ledger("Calls", "05/02/2024", "13/02/2024"), ["2024-02-05", "2024-02-13"]),
        (ledger("Calls, February 2024", "05/02/2024", "06/02/2024"), ["2024-02-05", "2024-02-06"]),
        (ledger("Calls", "05/02/2024", "06/02/2024"), ["2024-05-02", "2024-06-02"]),
        (ledger("Calls", "05/13/2024", "13/02/2024"), ["2024-05-13", "2024-02-13"]),
        (ledger("Calls, May 2024", "05/02/2024", "05/03/2024"), ["2024-05-02", "2024-05-03"]),
    ],
)
def test_the_day_stands_first_where_the_dates_of_a_paper_show_it(
    text: str, days: list[str]
) -> None:
    assert [time[:10] for time in stated(text, FactField.REPORTED)] == days


def test_items_numbered_in_words_follow_what_announces_them() -> None:
    text = "通报\n\n为吸取教训，现提出以下要求：\n    一、立即开展排查；\n    二、停业整改。\n"
    assert stated(text, FactField.MEASURE) == ["立即开展排查", "停业整改"]


def test_a_value_ends_where_another_column_of_the_page_begins() -> None:
    text = "快报\n报送单位：青禾县总值班室        2024年7月2日19:30\n\n柳树乡发生山洪。"
    assert stated(text, FactField.ORGANISATION) == ["青禾县总值班室"]


def test_the_subject_of_a_mail_is_its_title() -> None:
    text = "From: A B\nTo: C\nDate: 3 May 2024\nSubject: Spill - corrected figures\n\nHello."
    assert stated(text, FactField.STATUS) == ["corrected"]
