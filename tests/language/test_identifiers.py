"""What is an identifier, for index, gate and reader alike."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.identifiers import (
    identifiers_in,
    names_whole,
    pinning_terms,
    without_fixed_values,
)
from kb_service.language.text import index_terms, normalise


@pytest.mark.parametrize(
    "name",
    [
        "SG-2024-001",
        "N5921D",
        "IR-2025-0042",
        "db1042.eqiad",
        "v2",
        "ISO9001",
        "13800138000",
        "10.192.0.17",
        "0571-88886666",
        "20240817001",
    ],
)
def test_what_names_one_thing_is_an_identifier(name: str) -> None:
    assert identifiers_in(normalise(f"关于{name}的报告，about {name} again")) == (name.casefold(),)


@pytest.mark.parametrize(
    "text",
    [
        "100km/h",
        "20 kg/m",
        "3.5mg",
        "the 19th of 1990s",
        "a 1,500-foot strip",
        "2024-08-17",
        "12/08/2007",
        "2013/14赛季",
        "1500000元",
        "12345678.90",
        "5,600,000",
        "18:12",
        "covid",
    ],
)
def test_quantities_dates_and_amounts_name_nothing(text: str) -> None:
    assert identifiers_in(normalise(text)) == ()


def test_the_parts_of_an_identifier_pin_too_and_short_ones_do_not() -> None:
    assert pinning_terms(index_terms("db1042.eqiad and v2")) == ["db1042.eqiad", "db1042"]


def test_a_date_in_digits_pins_as_it_is_written_and_names_nothing() -> None:
    assert pinning_terms(index_terms("2024-08-17")) == ["2024-08-17"]
    assert identifiers_in(normalise("2024-08-17")) == ()


def test_what_is_fixed_goes_and_numbers_stay() -> None:
    rest = without_fixed_values(
        normalise("2024年8月17日，13800138000报警，3人受伤，编号SG-2024-001")
    )
    assert "".join(rest.split()) == ",报警,3人受伤,编号"


@pytest.mark.parametrize(
    ("question", "identifiers"),
    [
        ("#19008", ("19008",)),
        ("What was the cause of incident 19008?", ("19008",)),
        ("Incident No. 19008", ("19008",)),
        ("case no. 4711: what was lost?", ("4711",)),
        ("IR-2025-0042", ("ir-2025-0042",)),
        ("what does shift-notes.pdf say", ("shift-notes.pdf",)),
        ("what does pump-log_2.pdf say", ("pump-log_2.pdf",)),
        ("案号4711的结果", ("4711",)),
        ("编号：19008的经过", ("19008",)),
        ("19008号事故的经过", ("19008",)),
        ("incident 12 of the shift", ()),
        ("report 2024", ()),
        ("2024年事故的经过", ()),
        ("损失19008元的事故", ()),
    ],
)
def test_a_number_with_a_label_and_a_file_name_pin_what_a_question_is_about(
    question: str, identifiers: tuple[str, ...]
) -> None:
    assert parse_question(question).identifiers == identifiers


@pytest.mark.parametrize(
    ("text", "name", "is_named"),
    [
        ("事故在桂花巷7号", "桂花巷", True),
        ("嘉林花园3号楼电梯", "嘉林花园", True),
        ("13号楼电梯", "3号楼", False),
        ("sg-12 and sg-2", "sg-1", False),
        ("the sg-1 report", "sg-1", True),
    ],
)
def test_a_name_is_whole_where_it_does_not_go_on(text: str, name: str, *, is_named: bool) -> None:
    assert names_whole(text, name) is is_named
